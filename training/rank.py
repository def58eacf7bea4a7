"""Fits what the search adds to the fixed fusion: who is named, questions, the lift.

    python training/rank.py --train TRAIN [--cache DIR] [--out training/retrieval/rank.json]
        [--golden training/retrieval/golden.json] [--eval EVAL/locomo.jsonl.gz ...] [--mode hybrid|context]

Each term is fitted on all training sets but one and reported on that one (leave one set out); what ships is
fitted on all. A term is kept at a value only where no training set loses by it. Benchmarks are only reported.

    b = z-sum of the four lists as in fusion.py
        + NAMED·(+1 the query names the speaker, −1 it names others only)
        − QUESTION·(the passage ends in a question mark)
    score = b + LIFT·max(0, best b among candidate messages of the session at most REACH messages away)
"""

import argparse
import json
import pickle
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "retrieval"))

import corpus  # noqa: E402
import features  # noqa: E402
import lists  # noqa: E402
from prior import pool  # noqa: E402

MEASURES = ["R@1", "R@5", "R@10", "R@20", "nDCG@10"]


@dataclass(frozen=True)
class Constants:
    named: float = 0.0
    question: float = 0.0
    lift: float = 0.0
    reach: int = 20


GRID = {
    "named": [0.0, 0.1, 0.15, 0.2, 0.3],
    "question": [0.0, 0.1, 0.2, 0.3],
    "lift": [0.0, 0.2, 0.3, 0.4, 0.5],
    "reach": [20, 30],
}
SHORT = 30  # candidates of a list that stands for a large archive
FLAT = 0.1  # points within which less of a term is as good
TOLERANCE = 0.3  # points by which a set may lose through a term, which is noise on a few hundred queries


# ---------------------------------------------------------------- archives


def archives(directory, cache, vectors):
    """{set: [Archive]} of the training sets, kept as a pickle beside the vectors."""
    path = Path(cache) / "training.pkl"
    if path.exists():
        return pickle.loads(path.read_bytes())
    histories = corpus.training(directory)
    vectors.ask([w for group in histories.values() for h in group for w in wanted(h)])
    made = {name: [lists.Archive(h, vectors) for h in group if h.queries] for name, group in histories.items()}
    path.write_bytes(pickle.dumps(made))
    return made


def wanted(history):
    """Texts whose vectors a history needs."""
    passages = corpus.Passages(history)
    yield from (("q", query["text"]) for query in history.queries)
    yield from (("p", text) for text in passages.text)
    yield from (("p", text) for text in passages.context if text)


def other_priors(sets):
    """For each set the prior of the others."""
    own = {name: pool([archive.moments for archive in group]) for name, group in sets.items()}
    return {name: pool([m for other, m in own.items() if other != name]) for name in own}


# ---------------------------------------------------------------- scores


class Ready:
    """An archive with its candidates and the terms of the score."""

    def __init__(self, archive, prior, mode="hybrid", k=features.K, adapt=None):
        self.archive = archive
        self.candidates, z, _, _ = features.z_lists(archive, prior, k=k, adapt=adapt)
        self.base = features.today(archive, z)[mode]
        self.question = archive.question[None, :].astype(np.float32)

    def own(self, c):
        """b: each passage by itself."""
        return self.base + c.named * self.archive.named - c.question * self.question

    def scores(self, c):
        b = self.own(c)
        return b + c.lift * lift(self.archive, self.candidates, b, c.reach) if c.lift else b

    def measure(self, c):
        return lists.measure(self.archive, np.where(self.candidates, self.scores(c), -np.inf))


def lift(archive, candidates, b, reach):
    """For each passage the best score, at least 0, among its session's messages up to `reach` away, its own included."""
    turns = archive.history.turns
    best = np.zeros((len(b), len(turns)), np.float32)
    np.maximum.at(best.T, archive.passages.turn, np.maximum(np.where(candidates, b, 0.0), 0.0).T)
    session = np.unique([turn["session"] for turn in turns], return_inverse=True)[1]
    out = best.copy()
    for away in range(1, min(reach, len(turns) - 1) + 1):
        same = session[away:] == session[:-away]
        np.maximum(out[:, away:], np.where(same, best[:, :-away], 0.0), out=out[:, away:])
        np.maximum(out[:, :-away], np.where(same, best[:, away:], 0.0), out=out[:, :-away])
    return out[:, archive.passages.turn]


# ---------------------------------------------------------------- fitting


class Sets:
    """Figures of each set under constants, remembered. Fitted on the lists as served and on lists of SHORT: in an
    archive much larger than these the lists hold only the very best, as short ones do here."""

    def __init__(self, made, mode):
        priors, self.known = other_priors(made), {}
        self.ready = {(n, k): [Ready(a, priors[n], mode, k) for a in g] for n, g in made.items() for k in (features.K, SHORT)}

    def rows(self, name, c, k=features.K):
        if (name, c, k) not in self.known:
            self.known[name, c, k] = np.concatenate([r.measure(c) for r in self.ready[name, k]])
        return self.known[name, c, k]

    def figure(self, name, c):
        """Mean of R@1, R@10 and nDCG@10, per cent."""
        return 100 * np.mean([self.rows(name, c, k).mean(0)[[0, 2, 4]].mean() for k in (features.K, SHORT)])


def fit(sets, names, start=Constants()):
    """Coordinate search: of the values by which no set loses more than TOLERANCE against the term left out, the
    least whose mean over the sets is within FLAT of the best."""
    constants = start
    for _ in range(2):
        before = constants
        for field, values in GRID.items():
            tried = {v: replace(constants, **{field: v}) for v in values}
            figures = {v: [sets.figure(n, c) for n in names] for v, c in tried.items()}
            without = figures.get(0.0, [sets.figure(n, constants) for n in names])
            sound = [v for v in values if min(np.subtract(figures[v], without)) >= -TOLERANCE]
            means = {v: np.mean(figures[v]) for v in sound or values[:1]}
            constants = tried[min(v for v, mean in means.items() if mean >= max(means.values()) - FLAT)]
        if constants == before:
            break
    return constants


def bootstrap(difference, rounds=2000):
    """Means and 95 % intervals, in points, of R@1, R@10 and nDCG@10 over queries drawn again."""
    draws = np.random.default_rng(0).integers(0, len(difference), (rounds, len(difference)))
    out = []
    for column in (0, 2, 4):
        low, high = np.percentile(100 * difference[draws, column].mean(1), [2.5, 97.5])
        out.append(f"{100 * difference[:, column].mean():+5.1f} [{low:+5.1f}, {high:+5.1f}]")
    return "  ".join(out)


def three(rows):
    return " / ".join(f"{100 * v:5.1f}" for v in rows.mean(0)[[0, 2, 4]])


def steps(c):
    """The constants with one term more at a time."""
    named = Constants(named=c.named)
    asked = replace(named, question=c.question)
    return {"fixed": Constants(), "+ named": named, "+ question": asked, "+ lift": c}


# ---------------------------------------------------------------- report


def evaluate(path, cache, vectors, constants, mode):
    from safetensors.numpy import load_file

    path, _, limit = path.partition(":")
    histories = corpus.evaluation(path, int(limit) if limit else None)
    for history in histories:
        vectors.ask(wanted(history))
    bundled = load_file(Path(__file__).parent.parent / "models/evoke-e5-small/prior.safetensors")
    prior = bundled["mean"].astype(float), bundled["covariance"].astype(float)
    ready = [Ready(lists.Archive(history, vectors), prior, mode) for history in histories]
    kinds = np.array([q["category"] for h in histories for q in h.queries])
    labelled, base = kinds != "adversarial", None
    print(f"\n{Path(path).name}, {mode}: {labelled.sum()} queries, R@1 / R@10 / nDCG@10 (M5)")
    for label, c in steps(constants).items():
        rows = np.concatenate([r.measure(c) for r in ready])
        base = rows if base is None else base
        m5 = 100 * np.mean([rows[kinds == k, 2].mean() for k in sorted(set(kinds))])
        print(f"  {label:12} {three(rows[labelled])} ({m5:.1f})   {bootstrap((rows - base)[labelled])}", flush=True)


def golden(ready, c, path, count=3):
    """A few candidate lists with what a ranker is given and the scores that must come out."""
    cases = []
    for r in ready[:count]:
        scores, b = r.scores(c), r.own(c)
        for row in range(2):
            best = np.argsort(-np.where(r.candidates[row], r.base[row], -np.inf))[:40]
            keep = sorted(i for i in best if r.candidates[row, i])
            cases.append(case(r, c, row, keep, b))
    Path(path).write_text(json.dumps({"constants": asdict(c), "cases": cases}, indent=1) + "\n")


def case(r, c, row, keep, b):
    """The lift is taken over the kept candidates alone, so that the case is whole."""
    a = r.archive
    only = np.zeros_like(r.candidates[row : row + 1])
    only[0, keep] = True
    own = b[row : row + 1].astype(np.float32)
    total = own + c.lift * lift(a, only, own, c.reach)
    rows = []
    for i in keep:
        turn = int(a.passages.turn[i])
        rows.append(
            {
                "message": turn,
                "session": a.history.turns[turn]["session"],
                "position": turn,
                "fixed": round(float(r.base[row, i]), 5),
                "named": int(a.named[row, i]),
                "question": bool(a.question[i]),
                "own": round(float(own[0, i]), 5),
                "score": round(float(total[0, i]), 5),
            }
        )
    return {"query": a.history.queries[row]["text"], "candidates": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".vectors"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--constants", type=Path, help="report these in place of fitting")
    parser.add_argument("--eval", action="append", default=[], metavar="FILE[:N]")
    parser.add_argument("--mode", default="hybrid", choices=["hybrid", "context", "static", "words"])
    arguments = parser.parse_args()
    vectors = corpus.Vectors(arguments.cache)
    made = archives(arguments.train, arguments.cache, vectors)
    sets = Sets(made, arguments.mode)
    if arguments.constants:
        constants = Constants(**json.loads(arguments.constants.read_text()))
    else:
        print("each set with what was fitted on the others: R@1 / R@10 / nDCG@10, and the gain over the fixed fusion")
        for name in made:
            c = fit(sets, [other for other in made if other != name])
            rows, base = sets.rows(name, c), sets.rows(name, Constants())
            print(f"{name:9} {len(rows):4}  {three(base)}  {three(rows)}  {bootstrap(rows - base)}  {asdict(c)}", flush=True)
        constants = fit(sets, list(made))
    print("on all:", asdict(constants))
    for label, c in steps(constants).items():
        print(f"{label:12}" + "  ".join(f"{name} {three(sets.rows(name, c))}" for name in made))
    if arguments.out:
        arguments.out.write_text(json.dumps(asdict(constants), indent=1) + "\n")
    if arguments.golden:
        golden([sets.ready[name, features.K][0] for name in ("persona", "molweni", "sgd")], constants, arguments.golden)
    for path in arguments.eval:
        evaluate(path, arguments.cache, vectors, constants, arguments.mode)


if __name__ == "__main__":
    main()
