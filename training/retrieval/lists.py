"""The lists of one query, as the product makes them, for a whole archive at once.

Rows are passages; a message is found by its best passage. Words are BM25 over a message's own tokens
(list 1) and over a passage's with its predecessors' (list 2); meaning is the corrected query against
static vectors (list 3) and against vectors mixed with context (list 4).
"""

import re
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from corpus import Passages  # noqa: E402
from fusion import QUESTION_WORDS, Bm25, date_words, tokens, unit  # noqa: E402
from prior import moments  # noqa: E402

ASKING = QUESTION_WORDS | set("us its whose am be been shall".split())
POWER, HALF_WEIGHT = 0.25, 500.0
ME = frozenset("i my me mine".split())


class Archive:
    """A history with all that does not depend on constants."""

    def __init__(self, history, vectors):
        self.history, self.passages = history, Passages(history)
        p = self.passages
        turns = [history.turns[t] for t in p.turn]
        self.statics = vectors.of(p.text)
        self.contexts = np.zeros_like(self.statics)  # a row of zeros: no context
        reread = [i for i, text in enumerate(p.context) if text]
        if reread:
            self.contexts[reread] = vectors.of([p.context[i] for i in reread])
        self.asked = vectors.of([q["text"] for q in history.queries], "q")
        self.moments = moments(self.statics)
        self.words(turns)
        before = np.array([q["before"] for q in history.queries])
        self.open = p.turn[None, :] < before[:, None]
        self.gold = np.array([np.isin(p.turn, q["evidence"]) for q in history.queries])

    def words(self, turns):
        p, history = self.passages, self.history
        own = [tokens(text) for text in p.text]
        dates = [tokens(date_words(t["ts"])) for t in turns]
        whole = [tokens(f"{date_words(t['ts'])} {t['speaker']} {t['text']}") for t in history.turns]
        context = []
        for i, text in enumerate(p.text):
            before = p.before[i] if p.length[i] <= 80 else []
            context.append(dates[i] + sum((tokens(p.text[b][:300]) for b in before), []) + own[i])
        queries = [tokens(q["text"], ASKING) or tokens(q["text"]) for q in history.queries]
        indices = Bm25(whole), Bm25(context)
        lists = [np.array([index.scores(q) for q in queries], np.float32) for index in indices]
        self.by_words, self.by_words_in_context = lists[0][:, p.turn], lists[1]
        self.speakers(turns)

    def speakers(self, turns):
        """Of each query and passage: 1 where the query names its speaker, -1 where it names others only."""
        names = sorted({t["speaker"] for t in turns if t["speaker"]})
        parts = {n: {w for w in re.findall(r"[^\W_]+", n.lower()) if len(w) > 1} for n in names}
        speaker = [t["speaker"] for t in turns]
        self.named = np.zeros((len(self.history.queries), len(turns)), np.float32)
        for row, query in enumerate(self.history.queries):
            said = set(re.findall(r"[^\W_]+", query["text"].lower()))
            named = {n for n in names if (n == "Me" and said & ME) or (n != "Me" and parts[n] & said)}
            if named:
                self.named[row] = [1.0 if s in named else -1.0 for s in speaker]
        self.question = np.array([t.rstrip().endswith(("?", "？", "؟")) for t in self.passages.text])


def whitening(archive, prior, power=POWER, half_weight=HALF_WEIGHT):
    count = len(archive.statics)
    own = count / (count + half_weight)
    mean, covariance = (own * mine + (1 - own) * given for mine, given in zip(archive.moments, prior))
    spectrum, axes = np.linalg.eigh(covariance)
    return mean, (axes * np.maximum(spectrum, 1e-6) ** -power) @ axes.T


def corrected(queries, correction):
    mean, matrix = correction
    return unit((queries - mean) @ matrix).astype(np.float32)


def mixed(archive, weight):
    return unit(archive.statics + weight[:, None] * archive.contexts)


def measure(archive, scores):
    """[queries, 5]: shares of gold in the top 1, 5, 10, 20, and nDCG@10, over messages."""
    turn, count = archive.passages.turn, len(archive.history.turns)
    discount, rows = 1 / np.log2(np.arange(2, 12)), []
    scores = np.where(archive.open, scores, -np.inf)
    for row, query in zip(scores, archive.history.queries):
        best = np.full(count, -np.inf)
        np.maximum.at(best, turn, row)
        ranked = np.argsort(-best, kind="stable")[:20]
        gold = query["evidence"]
        hit = np.isin(ranked, gold)
        gain = (hit[:10] * discount).sum() / discount[: len(gold)].sum()
        rows.append([hit[:k].sum() / len(gold) for k in (1, 5, 10, 20)] + [gain])
    return np.array(rows)
