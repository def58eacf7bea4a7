"""The retrieval scripts on invented histories: no vectors are made, so it runs in a second.

    python -m unittest discover -s training/tests -p test_retrieval.py
"""

import json
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

import numpy as np

TRAINING = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TRAINING), str(TRAINING / "retrieval")]

import corpus  # noqa: E402
import lists  # noqa: E402
import rank  # noqa: E402
from prior import History  # noqa: E402


def history(*turns):
    made = History("made", "one")
    for session, speaker, text in turns:
        made.add_turn(session, speaker, text)
    return made


class Invented:
    """Vectors that depend on the text's digest alone."""

    def of(self, texts, side="p"):
        rows = [np.random.default_rng(int.from_bytes(corpus.Vectors.key(side, t)[:4], "big")).normal(size=384) for t in texts]
        return lists.unit(np.array(rows)).astype(np.float32)


def archive():
    made = history(
        (1, "Ana", "I moved to Porto last spring"),
        (1, "Ben", "Do you like it there?"),
        (1, "Ana", "Very much, the river most of all"),
        (2, "Ben", "My dog is called Rex"),
        (2, "Ana", "What a fine dog"),
    )
    made.add_query("Where did Ana move?", [0])
    made.add_query("What is the dog called?", [3])
    return lists.Archive(made, Invented())


class Passages(unittest.TestCase):
    def test_pieces_hold_all_of_a_text_and_stay_short(self):
        text = "\n\n".join("One two three four five six seven. Eight nine ten! " * 12 for _ in range(4))
        pieces = corpus.pieces(text)
        self.assertEqual("".join(pieces), text)
        self.assertTrue(len(pieces) > 1 and all(len(p.split()) <= corpus.LONGEST for p in pieces))

    def test_context_stays_in_the_session(self):
        made = archive().passages
        self.assertEqual(made.before, [[], [0], [0, 1], [], [3]])
        self.assertIsNone(made.context[3])
        self.assertEqual(made.context[1], "Ana: I moved to Porto last spring\nBen: Do you like it there?")


class Lists(unittest.TestCase):
    def test_who_is_named(self):
        named = archive().named
        self.assertEqual(named[0].tolist(), [1, -1, 1, -1, 1])
        self.assertEqual(named[1].tolist(), [0] * 5)


class Lift(unittest.TestCase):
    def scores(self, b, reach=20, share=0.4):
        made = archive()
        b = np.array([b], np.float32)
        return (b + share * rank.lift(made, np.ones_like(b, bool), b, reach))[0]

    def test_a_neighbour_of_a_strong_hit_passes_a_lone_weak_one(self):
        scores = self.scores([3.0, -1.0, 0.5, 0.6, -2.0])
        np.testing.assert_allclose(scores, [4.2, 0.2, 1.7, 0.84, -1.76], rtol=1e-5)

    def test_the_first_stays_first_whatever_the_scores(self):
        chance = np.random.default_rng(0)
        for _ in range(200):
            b = chance.normal(size=5)
            self.assertEqual(np.argmax(self.scores(b)), np.argmax(b))

    def test_reach_is_counted_in_messages(self):
        np.testing.assert_allclose(self.scores([3.0, 0.0, 0.5, 0.0, 0.0], reach=1), [4.2, 1.2, 0.7, 0.0, 0.0], rtol=1e-5)


class Golden(unittest.TestCase):
    def test_the_golden_scores_follow_from_their_features(self):
        path = TRAINING / "retrieval/golden.json"
        given = json.loads(path.read_text())
        c = SimpleNamespace(**given["constants"])
        for one in given["cases"]:
            best = {}
            for row in one["candidates"]:
                own = row["fixed"] + c.named * row["named"] - c.question * row["question"]
                self.assertAlmostEqual(own, row["own"], places=3)
                best[row["message"]] = max(own, best.get(row["message"], -np.inf))
            for row in one["candidates"]:
                near = [
                    best[other["message"]]
                    for other in one["candidates"]
                    if other["session"] == row["session"] and abs(other["position"] - row["position"]) <= c.reach
                ]
                self.assertAlmostEqual(row["own"] + c.lift * max(0.0, *near), row["score"], places=3)


if __name__ == "__main__":
    unittest.main()
