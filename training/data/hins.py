"""Tiers of negatives for a question over its history (HiNS), as weights in the softmax.

    python -m data.hins measure --train TRAIN      (from training/; writes the proportions into hins.toml)

hard    superseded, the same attribute of another person, hypothetical, negated or asked, the turns next
        to the evidence, and turns of its conversation that share its words
medium  the rest of a conversation that holds evidence
easy    other conversations

Nothing is sampled twice: every turn of the history is a negative once, and a tier's weights add up to
its natural share, so a history of one long conversation and one of many short ones pull alike. A turn
that states the same fact with the same value as the evidence is no negative at all.
"""

import argparse
import collections
import math
import re
import tomllib
from pathlib import Path

CONFIG = Path(__file__).with_name("hins.toml")
TIERS = ("hard", "medium", "easy")
KINDS = ("superseded", "other_person", "hypothetical", "negated", "question", "adjacent", "topic")
NEXT = 2  # turns on either side that count as adjacent
ANY_TIME = ("who", "when", "how_often", "all_of")  # here an equal value at another time is no answer


def config(path=CONFIG):
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))


def masked(meta):
    """Turns that are neither positive nor negative: equal values of the same fact, antecedents."""
    evidence = set(meta["evidence_turns"])
    values = {int(t): v for t, v in meta.get("values", {}).items()}
    out = set(meta.get("antecedents", [])) - set(meta["near_misses"].get("question", [])) - evidence
    if meta["intent"] not in ANY_TIME:
        right = {values[t] for t in evidence if t in values}
        if meta["intent"] in ("before", "first"):  # the change that names both says the new value as well
            counts = collections.Counter(values[t] for t in evidence if t in values)
            right = {v for v, n in counts.most_common(1)}
        out |= {t for t in meta["statements"] if values.get(t) in right} - evidence
    return out


class Words:
    """Shared words, weighted by rarity in the history."""

    def __init__(self, turns):
        self.bags = [set(re.findall(r"[^\W_]{3,}", t.partition(": ")[2].lower())) for t in turns]
        self.df = collections.Counter(w for b in self.bags for w in b)
        self.n = len(turns)

    def idf(self, word):
        return math.log(1 + self.n / (1 + self.df.get(word, 0)))

    def alike(self, a, b):
        """0 to 1: the rarer words of the shorter turn that the other has too."""
        a, b = self.bags[a], self.bags[b]
        small = min(sum(map(self.idf, a)), sum(map(self.idf, b)))
        return sum(map(self.idf, a & b)) / small if small else 0.0

    def rank(self, question, top):
        asked = set(re.findall(r"[^\W_]{3,}", question.lower()))
        mean = sum(map(len, self.bags)) / max(1, self.n)
        score = [sum(self.idf(w) for w in asked & b) / (0.25 + 0.75 * len(b) / mean + 1) for b in self.bags]
        return sorted(range(self.n), key=lambda t: -score[t])[:top]


def tiers(meta, alike=0.35):
    """{turn: (tier, kind)} of all negatives."""
    evidence = set(meta["evidence_turns"])
    out_of_play = masked(meta) | evidence
    conversations = meta["conversations"]
    here = {conversations[e] for e in evidence}
    kinds = {}
    for kind in ("adjacent", "question", "negated", "hypothetical", "other_person"):
        kinds.update(dict.fromkeys(meta["near_misses"].get(kind, []), kind))
    kinds.update(dict.fromkeys(meta["superseded_turns"], "superseded"))
    words = Words(meta["turns"][:-1])
    made = {}
    for turn, conversation in enumerate(conversations):
        if turn in out_of_play:
            continue
        if turn in kinds:
            made[turn] = ("hard", kinds[turn])
        elif conversation not in here:
            made[turn] = ("easy", "")
        elif min(abs(turn - e) for e in evidence) <= NEXT:
            made[turn] = ("hard", "adjacent")
        elif max(words.alike(turn, e) for e in evidence) >= alike:
            made[turn] = ("hard", "topic")
        else:
            made[turn] = ("medium", "")
    return made


def weights(meta, settings=None, table="share"):
    """{turn: weight} for the softmax: mean 1 over the negatives, a tier's sum at its share.

    `table` names the proportions: "share" those measured, "paper" those of HiNS, for the ablation.
    """
    settings = settings or config()
    made = tiers(meta, settings["rules"]["alike"])
    share, kind_weight = settings[table], settings["kind"]
    raw = {t: kind_weight.get(kind, 1.0) for t, (_, kind) in made.items()}
    present = {tier for tier, _ in made.values()}
    whole = sum(share[t] for t in present) or 1.0
    mass = collections.Counter()
    for turn, (tier, _) in made.items():
        mass[tier] += raw[turn]
    low, high = settings["rules"]["least"], settings["rules"]["most"]
    return {t: min(high, max(low, raw[t] * share[tier] / whole * len(made) / mass[tier])) for t, (tier, _) in made.items()}


def measure(train, top, seed):
    """Tiers among the best candidates by words, over histories of several conversations.

    Documents are left out, and so are the questions whose history is one conversation.
    """
    from . import dialogues

    tier_count, kind_count, asked = collections.Counter(), collections.Counter(), 0
    for row in dialogues.rows(train, "train", seed):
        meta = row["meta"]
        if meta["source"] not in ("sgd", "synthetic_persona_chat", "molweni", "realmem") or len(set(meta["conversations"])) < 3:
            continue
        made = tiers(meta)
        best = [t for t in Words(meta["turns"][:-1]).rank(meta["turns"][-1], top + len(meta["evidence_turns"])) if t in made]
        asked += 1
        for turn in best[:top]:
            tier_count[made[turn][0]] += 1
            kind_count[made[turn][1] or made[turn][0]] += 1
    total = sum(tier_count.values())
    return {t: tier_count[t] / total for t in TIERS}, {k: n / total for k, n in kind_count.items()}, asked


def write(path, share, found, asked, top):
    """hins.toml again, with new shares; what a person chose stays."""
    old = config(path) if Path(path).exists() else {}
    rules = old.get("rules", {"alike": 0.35, "least": 0.2, "most": 8.0})
    kinds = old.get("kind", {k: 1.0 for k in KINDS})
    lines = ["# Negatives of a question: see hins.py. [share] is measured, [kind] and [rules] are chosen.", "",
             f"# {asked} questions, the {top} best turns by words each", "[share]"]
    lines += [f"{t} = {share[t]:.3f}" for t in TIERS]
    lines += ["", "[paper]"] + [f"{t} = {v}" for t, v in old.get("paper", dict(zip(TIERS, (0.3, 0.3, 0.4)))).items()]
    lines += ["", "[measured] # of all candidates, by kind"] + [f"{k} = {v:.4f}" for k, v in sorted(found.items())]
    lines += ["", "[kind] # weight inside the hard tier"] + [f"{k} = {v}" for k, v in kinds.items()]
    lines += ["", "[rules]"] + [f"{k} = {v}" for k, v in rules.items()]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["measure"])
    parser.add_argument("--train", required=True, type=Path)
    parser.add_argument("--top", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--config", type=Path, default=CONFIG)
    args = parser.parse_args()
    share, found, asked = measure(args.train, args.top, args.seed)
    write(args.config, share, found, asked, args.top)
    print(args.config.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
