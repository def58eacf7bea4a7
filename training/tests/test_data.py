"""Holds the training data to what it promises: labels, splits, form, and no easy way out.

    python -m unittest tests.test_data        (from training/; needs no training sets)
"""

import collections
import hashlib
import json
import random
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import build, evalset, hins, life  # noqa: E402
from data.fillers import Fillers  # noqa: E402
from data.lives import HELD_OUT, Lives, evotrain  # noqa: E402
from data.wording import deal, load  # noqa: E402

HISTORIES = {"train": 240, "dev": 40, "test_wording": 80, "test_attribute": 60}
MARKERS = re.compile(r"\b(now|new|moved|finally|any more|no longer|used to|again|start\w*|changed|instead|still|from)\b", re.I)

VERBOSE = False


def made():
    """{split: [(history, records)]}, made once."""
    if not hasattr(made, "all"):
        made.lives = Lives(Fillers())
        made.all = {s: [made.lives.history(n, s) for n in range(count)] for s, count in HISTORIES.items()}
    return made.all


def every():
    for split, histories in made().items():
        for history, records in histories:
            for record in records:
                yield split, history, record


class Labels(unittest.TestCase):
    """The labels again, from the turns in their order alone."""

    def rows(self, fact):
        """(turn, kind, value, the value a correction or change names) in order of turns."""
        return sorted((i.turn, i.kind, i.value, i.before, i.span) for i in fact.items if i.kind not in life.NEAR)

    def spans(self, fact):
        """Values in a row, from the statements as a reader would see them."""
        runs = []
        for turn, kind, value, _, _ in self.rows(fact):
            if kind == "recall":
                continue
            if not runs or runs[-1][0] != value or fact.attribute.kind == "event":
                runs.append((value, []))
            runs[-1][1].append(turn)
        return runs

    def expected(self, fact, intent):
        runs = self.spans(fact)
        if intent in ("now", "last"):
            return set(runs[-1][1])
        target = 0 if intent == "first" else len(runs) - 2
        value, turns = runs[target]
        turns = set(turns)
        if [v for v, _ in runs].count(value) == 1:
            turns |= {t for t, kind, v, _, _ in self.rows(fact) if kind == "recall" and v == value}
            turns |= {t for t, kind, _, before, _ in self.rows(fact) if kind == "both" and before == value and t in runs[target + 1][1]}
        return turns

    def test_now_before_first(self):
        seen = collections.Counter()
        for _, history, record in every():
            intent = record["intent"]
            if intent not in ("now", "last", "before", "first") or intent == "before" and record["span"] is not None:
                continue
            facts = [f for f in history.facts if f.attribute.name == record["attribute"]
                     and set(i.turn for i in f.statements()) == set(record["statements"]) - antecedents(f)]
            self.assertEqual(len(facts), 1)
            want = self.expected(facts[0], intent)
            self.assertEqual(want, set(record["evidence_turns"]) - antecedents(facts[0]), record["question"])
            seen[intent] += 1
        for intent in ("now", "before", "first", "last"):
            self.assertGreater(seen[intent], 20)

    def test_items_keep_their_order_and_corrections_follow(self):
        for histories in made().values():
            for history, _ in histories:
                for fact in history.facts:
                    turns = [i.turn for i in fact.items]
                    self.assertEqual(turns, sorted(set(turns)))
                    for before, item in zip(fact.items, fact.items[1:]):
                        if item.kind == "correct":
                            self.assertEqual(history.turns[before.turn].conversation, history.turns[item.turn].conversation)

    def test_the_statement_says_its_value(self):
        for histories in made().values():
            for history, _ in histories:
                for fact in history.facts:
                    for item in fact.items:
                        said = " ".join(history.turns[t].text for t in item.turns).lower()
                        self.assertIn(item.value.lower(), said)

    def test_evidence_is_told_apart_from_the_rest(self):
        for _, history, record in every():
            evidence = set(record["evidence_turns"])
            self.assertTrue(evidence)
            self.assertFalse(evidence & set(record["superseded_turns"]))
            for kind, turns in record["near_misses"].items():
                self.assertFalse(evidence & set(turns), kind)


    def test_claims(self):
        for _, history, record in every():
            claims = dict(zip(record["statements"], record["claims"]))
            self.assertEqual(len(claims), len(record["claims"]))
            self.assertLessEqual(set(claims.values()), {"set", "same", "past"})
            if record["intent"] == "now" and not record["antecedents"]:
                # what holds now: the last "set" and every "same" after it
                start = max(t for t, c in claims.items() if c == "set")
                self.assertEqual(record["evidence_turns"], [t for t, c in claims.items() if t >= start and c != "past"])
            values = [record["values"][t] for t, c in claims.items() if c == "past" and t in record["values"]]
            self.assertTrue(set(values) <= {s.value for f in history.facts for s in f.spans})


def antecedents(fact):
    return {i.antecedent for i in fact.items if i.antecedent >= 0}


class Splits(unittest.TestCase):
    def test_held_out_families_and_attributes_stay_out(self):
        used = collections.defaultdict(set)
        attributes = collections.defaultdict(set)
        for split, history, record in every():
            used[split] |= {*record["families"], *record["statement_families"]}
            attributes[split].add(record["attribute"])
        for other in ("train", "dev", "test_wording"):
            self.assertFalse(attributes[other] & set(HELD_OUT))
        self.assertTrue(attributes["test_attribute"] <= set(HELD_OUT))
        packs = load()
        dealt = {}
        for pack in packs.values():
            lists = [*pack.frames.values(), *(l for a in pack.attributes.values() if a.name not in HELD_OUT for l in a.lines.values())]
            for lines in lists:
                dealt.update({line.family: (line.split, len({l.split for l in lines})) for line in lines})
        for split in ("train", "dev", "test_wording"):
            for family in used[split]:
                # a list too short to share serves all
                where, parts = dealt[family]
                self.assertTrue(where == split or parts < 3, (split, family))
        # of statements and frames nothing at all is shared
        for split in ("dev", "test_wording"):
            common = {f for f in used["train"] & used[split] if not re.search(r"\.(noun|is|was|did|left|whop?|times|still|e\w+)\.\d+$", f)}
            self.assertFalse(common)

    def test_deal(self):
        self.assertEqual([deal(i, 2) for i in range(2)], ["train"] * 2)
        self.assertEqual([deal(i, 5) for i in range(5)], ["train"] * 3 + ["dev", "test_wording"])

    def test_every_attribute_can_be_stated_in_every_split(self):
        for attribute in load()["en"].attributes.values():
            for split in ("train", "dev", "test_wording"):
                self.assertTrue(attribute.pick("st", split), (attribute.name, split))

    def test_there_are_many(self):
        names = load()["en"].attributes
        self.assertGreaterEqual(len(names), 40)
        self.assertEqual({n for n in HELD_OUT if n not in names}, set())


class Form(unittest.TestCase):
    def test_evotrain(self):
        for split, history, record in list(every())[::7]:
            row = json.loads(json.dumps(evotrain(history.turns, record, history.name, history.lang, split, "lives")))
            meta, messages = row["meta"], row["messages"]
            n = len(history.turns)
            self.assertEqual(len(messages), 2 * n + 2)
            self.assertEqual([m["role"] for m in messages[:4]], ["user", "assistant"] * 2)
            self.assertEqual(meta["turns"], [m["content"] for m in messages[::2]])
            for key in ("times", "conversations", "speakers"):
                self.assertEqual(len(meta[key]), n)
            self.assertEqual(meta["times"], sorted(meta["times"]))
            self.assertEqual(meta["conversations"], sorted(meta["conversations"]))
            for turns in (meta["evidence_turns"], meta["superseded_turns"], meta["statements"], *meta["near_misses"].values()):
                self.assertEqual(turns, sorted(set(turns)))
                self.assertTrue(all(0 <= t < n for t in turns))
            self.assertTrue(all(t.startswith(f"{s}: ") for t, s in zip(meta["turns"], meta["speakers"])))
            self.assertNotRegex(" ".join(meta["turns"]), r"[$%{}<>|]\w|\bNone\b")

    def test_same_seed_same_files(self):
        sums = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.jsonl.gz"
                build.write(path, build.lives_rows(Lives(Fillers()), "train", 5, 3))
                sums.append(hashlib.sha256(path.read_bytes()).hexdigest())
        self.assertEqual(sums[0], sums[1])

    def test_texts_are_shared_where_asked_for(self):
        def distinct(reuse):
            lives = Lives(Fillers(), reuse=reuse)
            turns = [(t.speaker, t.text) for n in range(60) for t in lives.history(n, "train", lang="en", long=False)[0].turns]
            return len(set(turns)) / len(turns)

        self.assertLess(distinct(True), 0.85 * distinct(False))

    def test_evaluation_file(self):
        for history, records in made()["test_wording"][:10]:
            row = evalset.export(history, records, "h")
            ids = {t["id"] for t in row["turns"]}
            self.assertEqual(len(ids), len(row["turns"]))
            self.assertTrue(all(set(q["evidence"]) <= ids for q in row["queries"]))


class Tricks(unittest.TestCase):
    """What can be had among the statements of a fact without reading them."""

    def rate(self, intent, pick):
        hit = chance = n = 0
        for _, history, record in every():
            statements = record["statements"]
            if record["intent"] != intent or len(statements) < 2 or len(record["evidence_turns"]) == len(statements):
                continue
            evidence = set(record["evidence_turns"])
            chance += len(evidence) / len(statements)
            hit += pick(history, statements) in evidence
            n += 1
        self.assertGreater(n, 40)
        if VERBOSE:
            print(intent, f"{hit / n:.2f} where chance is {chance / n:.2f} ({n})")
        return hit / n, chance / n

    def test_length_and_marks_say_nothing(self):
        tie = random.Random(0).random  # among equals
        longest = lambda h, s: max(s, key=lambda t: len(h.turns[t].text))  # noqa: E731
        shortest = lambda h, s: min(s, key=lambda t: len(h.turns[t].text))  # noqa: E731
        marked = lambda h, s: max(s, key=lambda t: (len(MARKERS.findall(h.turns[t].text)), tie()))  # noqa: E731
        for intent in ("now", "before", "first"):
            for name, trick in (("longest", longest), ("shortest", shortest), ("marked", marked)):
                hit, chance = self.rate(intent, trick)
                self.assertLess(hit - chance, 0.15, (intent, name, hit, chance))

    def test_a_place_in_the_history_says_little(self):
        # the place alone, as a share of the history's length
        for intent, aim in (("before", 1.0), ("first", 0.5), ("now", 0.5), ("before", 0.5)):
            hit, chance = self.rate(intent, lambda h, s: min(s, key=lambda t: abs(t - aim * len(h.turns))))
            self.assertLess(hit - chance, 0.15, (intent, aim, hit, chance))

    def test_now_is_not_always_the_last_statement(self):
        hit, _ = self.rate("now", lambda h, s: s[-1])
        self.assertLess(hit, 0.95)

    def test_intents_are_even(self):
        count = collections.Counter(r["intent"] for s, _, r in every() if s == "train")
        self.assertGreater(min(count[i] for i in ("now", "before", "first")) / max(count[i] for i in ("now", "before", "first")), 0.6)


class Tiers(unittest.TestCase):
    def test_weights(self):
        settings = hins.config()
        for split, history, record in list(every())[::11]:
            meta = evotrain(history.turns, record, history.name, history.lang, split, "lives")["meta"]
            weights, made_tiers = hins.weights(meta, settings), hins.tiers(meta)
            self.assertEqual(set(weights), set(made_tiers))
            self.assertFalse(set(weights) & (set(meta["evidence_turns"]) | hins.masked(meta)))
            self.assertTrue(all(settings["rules"]["least"] <= w <= settings["rules"]["most"] for w in weights.values()))
            for turn in set(meta["superseded_turns"]) & set(made_tiers):
                self.assertEqual(made_tiers[turn][0], "hard")

    def test_an_equal_value_is_no_negative(self):
        meta = {"evidence_turns": [3], "statements": [0, 1, 3], "superseded_turns": [0, 1], "values": {"0": "Porto", "1": "Rome", "3": "Porto"},
                "near_misses": {"question": []}, "antecedents": [], "intent": "now"}
        self.assertEqual(hins.masked(meta), {0})


if __name__ == "__main__":
    unittest.main()
