"""Questions of the real dialogues, most of them self-contained (intent none).

Short dialogues are joined into histories with gaps between them, long ones are cut to a window that
holds the evidence. Schema-Guided's updates are the exception: there the user changed a value, so the
question asks for it now, before or at first. A dialogue's id decides its split.
"""

import datetime
import gzip
import hashlib
import json
import random
import re
from pathlib import Path

from .fillers import clean
from .history import Turn
from .lives import NAMES, evotrain
from .wording import choose, deal

LONGEST = 300  # turns of a history
CUT = 800  # characters of a turn, as the search reads them
# name -> (most questions a history, dialogues joined into one, distinct turns of train): a frozen trunk
# reads every distinct turn once, so turns are what a question costs. The other splits have a tenth.
SETS = {
    "qmsum": (6, 1, 6500), "synthetic_persona_chat": (14, 7, 6500), "realmem": (3, 1, 600), "sgd": (16, 7, 8000),
    "clapnq": (6, 8, 1200), "molweni": (14, 6, 600), "irc": (4, 1, 2500), "xquad": (12, 4, 240), "timeqa": (4, 2, 1600),
}
ONCE = re.compile(r"I once wanted to (?P<wish>.*?)\. What was (?P<slot>.*)\?$|(?P<slot2>.*): what did I ask for when I wanted to (?P<wish2>.*)\?$")
UPDATE = {
    "now": ["I {once |}wanted to %w. {In the end|Finally}, what was %s?", "%s when I wanted to %w, {final choice|after the change}",
            "I was going to %w. After I changed my mind, what was %s?", "what did I settle on for %s when I wanted to %w?",
            "I meant to %w, what is the current %s?"],
    "before": ["I {once |}wanted to %w. Before I changed my mind, what was %s?", "what was %s before the change, when I wanted to %w?",
               "I was going to %w. What was the earlier %s, the one I dropped?", "%s I had given up when I wanted to %w"],
    "first": ["I {once |}wanted to %w. At first, what was %s?", "what was %s originally when I wanted to %w?",
              "I was going to %w. What did I start with for %s?", "the first %s when I wanted to %w"],
}


def split_of(name, dialog):
    part = int(hashlib.sha256(f"{name}/{dialog}".encode()).hexdigest(), 16) % 20
    return "dev" if part == 0 else "test_wording" if part == 1 else "train"


def read(path, split):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            dialogue = json.loads(line)
            if dialogue.get("qa") and split_of(dialogue["dataset"], dialogue["dialog_id"]) == split:
                yield dialogue


def rows(train, split, seed, share=1.0):
    """EvoTrain rows of all sets, each until its turns are spent."""
    for name, (most, joined, budget) in SETS.items():
        path = Path(train) / f"{name}.jsonl.gz"
        if not path.exists():
            continue
        rng = random.Random(f"{seed}/{name}/{split}")
        dialogues = list(_sample(read(path, split), 1200 if name != "sgd" else 4000, rng))
        if name in ("qmsum", "irc", "realmem"):
            dialogues = [d for d in dialogues for _ in range(4)]  # long ones: another window each time
        spent, number = set(), 0
        while dialogues and len(spent) < budget * share * (1.0 if split == "train" else 0.1):
            take = rng.randint(max(1, joined // 2), joined * 2 - 1)
            group, dialogues = dialogues[:take], dialogues[take:]
            records, turns = (_window if joined == 1 else _join)(name, group, rng, split)
            rng.shuffle(records)
            records.sort(key=lambda r: r["intent"] == "none" and rng.random() < 0.7)  # updates are rare
            for record in records[:most]:
                spent.update(t.text for t in turns)
                yield evotrain(turns, record, f"{name}-{split}-{seed}-{number}", "en", split, name)
            number += 1


def _sample(items, size, rng):
    kept = []
    for n, item in enumerate(items):
        if len(kept) < size:
            kept.append(item)
        elif (at := rng.randint(0, n)) < size:
            kept[at] = item
    rng.shuffle(kept)
    return kept


def _text(turn):
    return clean(turn["text"])[:CUT]


def _times(turns, rng, start=None):
    """Minutes between turns, hours to months between conversations."""
    at = start or datetime.datetime(rng.randint(2016, 2024), rng.randint(1, 12), rng.randint(1, 28), rng.randint(7, 22), rng.randint(0, 59))
    for n, turn in enumerate(turns):
        if n and turn.conversation != turns[n - 1].conversation:
            at += datetime.timedelta(days=rng.choice((0.3, 1, 4, 20, 60)) * rng.uniform(0.6, 1.5))
        at += datetime.timedelta(seconds=rng.randint(5, 240))
        turn.time = at


def _join(name, group, rng, split):
    """Several dialogues one after the other; people have names of their own."""
    turns, records = [], []
    owner = rng.choice(("Me", "Me", rng.choice(NAMES)[0]))
    others = rng.sample([n for n, _ in NAMES if n != owner], 8)
    for number, dialogue in enumerate(group):
        if len(turns) + len(dialogue["turns"]) > LONGEST:
            break
        labels = {"user": owner, "system": "Assistant", "User 1": owner, "User 2": others[number % 8]}
        kept = {}
        for n, turn in enumerate(dialogue["turns"]):
            text = _text(turn)
            if text:
                kept[n] = len(turns)
                turns.append(Turn(labels.get(turn["speaker"], turn["speaker"]), text, conversation=number))
        for qa in dialogue["qa"]:
            evidence = [kept[e] for e in qa["evidence"] if e in kept]
            if not evidence or len(evidence) > 12:
                continue
            question, intent, superseded, family = qa["question"], "none", [kept[e] for e in qa.get("superseded", []) if e in kept], f"{name}.question"
            if name == "synthetic_persona_chat":
                question, family = persona(question, turns[evidence[0]].speaker, rng), f"{name}.persona"
            elif qa.get("kind") == "update":
                question, intent, family, evidence, superseded = update(qa, evidence, superseded, rng, split)
                if not question:
                    continue
            records.append(_record(question, qa.get("answer", ""), intent, family, evidence, superseded))
    if name == "sgd":  # a service that came up twice would make two right answers
        seen = [s for d in group[: turns[-1].conversation + 1] for s in d.get("services", [])]
        doubled = {s for s in seen if seen.count(s) > 1}
        if doubled:
            good = {n for n, d in enumerate(group) if not doubled & set(d.get("services", []))}
            records = [r for r in records if turns[r["evidence_turns"][0]].conversation in good]
    _times(turns, rng)
    for record in records:
        _adjacent(record, len(turns))
    return records, turns


def _window(name, group, rng, split):
    """A window of one long dialogue, and the questions whose evidence lies in it."""
    dialogue = group[0]
    size = rng.randint(60, LONGEST if name == "qmsum" else 120)
    spoken = [n for n, t in enumerate(dialogue["turns"]) if _text(t)]
    asked = [qa for qa in dialogue["qa"] if qa["evidence"] and qa.get("kind") != "topic"]
    if name == "irc":
        asked = [q for q in asked if len(q["question"].split()) >= 6 and q["evidence"] != [q["asked_at"] - 1]]
    if not asked:
        return [], []
    seed = rng.choice(asked)
    end = seed.get("asked_at") or min(len(dialogue["turns"]), max(seed["evidence"]) + rng.randint(1, size))
    window = [n for n in spoken if n < end][-size:]
    place = {n: i for i, n in enumerate(window)}
    turns = [Turn(dialogue["turns"][n]["speaker"], _text(dialogue["turns"][n])) for n in window]
    if name == "realmem":
        days = list(dict.fromkeys(dialogue["turns"][n].get("ts", "") for n in window))
        for turn, n in zip(turns, window):
            turn.conversation = days.index(dialogue["turns"][n].get("ts", ""))
    records = []
    later = [q for q in asked if q is not seed and end <= q.get("asked_at", end) <= end + 12]  # what they answer is earlier too
    for qa in [seed, *later]:
        evidence = [place.get(e) for e in qa["evidence"] if _text(dialogue["turns"][e])]
        if not evidence or None in evidence or len(evidence) > 30:
            continue
        records.append(_record(clean(qa["question"])[:CUT], qa.get("answer", ""), "none", f"{name}.question", evidence, []))
    _times(turns, rng)
    for record in records:
        _adjacent(record, len(turns))
    return records, turns


def _record(question, answer, intent, family, evidence, superseded):
    evidence, superseded = sorted(set(evidence)), sorted(set(superseded) - set(evidence))
    return {
        "question": question, "answer": str(answer), "intent": intent, "family": family, "evidence_turns": evidence,
        "superseded_turns": superseded, "statements": sorted({*evidence, *superseded}), "attribute": "",
        "near_misses": {"other_person": [], "hypothetical": [], "negated": [], "adjacent": [], "question": []},
    }


def _adjacent(record, turns):
    record["near_misses"]["adjacent"] = sorted(
        {e + d for e in record["evidence_turns"] for d in (-1, 1) if 0 <= e + d < turns} - set(record["statements"]))


def update(qa, evidence, superseded, rng, split):
    """A changed value, asked for after, before, or at the start. The set's own wording asks for the last."""
    m = ONCE.match(qa["question"])
    if not m or not superseded:
        return "", "", "", [], []
    intent = rng.choices(("now", "before", "first"), (5, 3, 3))[0]
    if intent == "before" and len(superseded) > 1:
        intent = "now"
    frames = [(n, f) for n, f in enumerate(UPDATE[intent]) if deal(n, len(UPDATE[intent])) == split]
    number, frame = rng.choice(frames)
    wish, slot = m["wish"] or m["wish2"], m["slot"] or m["slot2"][0].lower() + m["slot2"][1:]
    text = choose(frame, rng).replace("%w", wish).replace("%s", slot if slot.startswith(("the ", "whether")) else "the " + slot)
    text = text.replace("the the ", "the ").replace("current the ", "current ").replace("earlier the ", "earlier ").replace("first the ", "first ")
    if intent != "now":
        evidence, superseded = superseded[:1], evidence + superseded[1:]
    return text[0].upper() + text[1:], intent, f"sgd.{intent}.{number}", evidence, superseded


def persona(fact, name, rng):
    """"I have two cats." -> "Julia has two cats", as one would type it to find who said so."""
    text = fact.strip().rstrip(".")
    if name == "Me":
        return rng.choice(("when I said that {}", "did I say {}", "{}")).format(text[0].lower() + text[1:] if not text.startswith("I") else text)
    swaps = [(r"^I am\b|^I'm\b|^Im\b", f"{name} is"), (r"^I have\b|^I've\b", f"{name} has"), (r"^My\b", f"{name}'s"),
             (r"^I (was|will|can|would|used|had|do not|don't|never|always|also|really|just)\b", rf"{name} \1")]
    for pattern, put in swaps:
        done, n = re.subn(pattern, put, text, flags=re.I)
        if n:
            break
    else:
        m = re.match(r"^I (\w+)\b", text)
        verb = m and m.group(1)
        done = f"{name} {verb if re.search('(ed|s)$', verb) else verb + ('es' if re.search('(sh|ch|o)$', verb) else 's')}{text[m.end():]}" if m else f"{name}: {text}"
    done = re.sub(r"\bmy\b", "their", re.sub(r"\bI\b", "they", done))
    return rng.choice(("{}", "who said it: {}?", "{}?", "where does it say that {}?")).format(done)
