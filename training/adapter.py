"""The linear document adapter d = unit(v + Wv + b), fitted on the training sets.

    python training/adapter.py --train TRAIN [--cache DIR] --out models/evoke-e5-small/adapter.safetensors
        [--hold-out] [--eval EVAL/locomo.jsonl.gz ...]

v is a passage's stored vector, static and context mixed; queries are corrected as in the product. Contrastive
over the passages of the query's own history, with a query adapter that is dropped, an anchor 20·(1 − cos(d, v))
and 400 steps: more learns the training sets by heart. With --hold-out each set is judged by an adapter of the
others. Archives and priors are rank.py's.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent / "retrieval"))

import corpus  # noqa: E402
import lists  # noqa: E402
from rank import Constants, Ready, archives, bootstrap, other_priors, three, wanted  # noqa: E402

STEPS, RATE, ANCHOR, TEMPERATURE, BATCH = 400, 1e-4, 20.0, 0.05, 32
MOST = 1200  # passages of a history in one step
GATE = 30.0
MODEL = Path(__file__).resolve().parent.parent / "models/evoke-e5-small"


def stored(archive):
    return lists.mixed(archive, GATE / (GATE + archive.passages.length)).astype(np.float32)


def asked(archive, prior):
    return lists.corrected(archive.asked, lists.whitening(archive, prior))


def adapted(vectors, adapter):
    """unit(v + Wv + b); as given where there is no adapter."""
    return lists.unit(vectors + vectors @ adapter[0].T + adapter[1]) if adapter else vectors


class Adam:
    def __init__(self, parameters, rate):
        self.parameters, self.rate, self.step = parameters, rate, 0
        self.first, self.second = ([np.zeros_like(p) for p in parameters] for _ in range(2))

    def down(self, gradients):
        self.step += 1
        for p, g, m, s in zip(self.parameters, gradients, self.first, self.second):
            m += 0.1 * (g - m)
            s += 0.001 * (g * g - s)
            p -= self.rate * (m / (1 - 0.9**self.step)) / (np.sqrt(s / (1 - 0.999**self.step)) + 1e-8)


def back(gradient, unit, norm):
    """Through the division by the norm."""
    return (gradient - unit * (gradient * unit).sum(1, keepdims=True)) / norm


def train(sets, priors, steps=STEPS, seed=0):
    """W and b. Each step takes a set, a history of it, some of its queries and its passages."""
    chance = np.random.default_rng(seed)
    items = {n: [(asked(a, priors[n]), stored(a), a.gold, a.open) for a in group] for n, group in sets.items()}
    names, width = list(items), next(iter(items.values()))[0][1].shape[1]
    w, b, u = (np.zeros(shape, np.float32) for shape in ((width, width), width, (width, width)))
    adam = Adam([w, b, u], RATE)
    for _ in range(steps):
        group = items[names[chance.integers(len(names))]]
        queries, vectors, gold, may = group[chance.integers(len(group))]
        rows = chance.permutation(len(queries))[:BATCH]
        rows = rows[gold[rows].any(1)]
        if not len(rows):
            continue
        kept = np.arange(len(vectors))
        if len(kept) > MOST:
            kept = np.unique(np.concatenate([np.flatnonzero(gold[rows].any(0)), chance.permutation(kept)[:900]]))
        adam.down(gradients(queries[rows], vectors[kept], gold[rows][:, kept], may[rows][:, kept], w, b, u))
    return w, b


def gradients(q, v, gold, may, w, b, u):
    moved_q, moved_v = q + q @ u.T, v + v @ w.T + b
    norm_q, norm_v = (np.linalg.norm(m, axis=1, keepdims=True) for m in (moved_q, moved_v))
    unit_q, unit_v = moved_q / norm_q, moved_v / norm_v
    logits = np.where(may, unit_q @ unit_v.T / TEMPERATURE, -1e9)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    wrong = (p - gold / gold.sum(1, keepdims=True)) / len(q) / TEMPERATURE
    to_v = back(wrong.T @ unit_q - ANCHOR * v / len(v), unit_v, norm_v)
    to_q = back(wrong @ unit_v, unit_q, norm_q)
    return [(to_v.T @ v).astype(np.float32), to_v.sum(0).astype(np.float32), (to_q.T @ q).astype(np.float32)]


def rows(group, prior, adapter, whole):
    """Figures of the stored vector alone, or of the whole search with the constants of rank.json."""
    if not whole:
        return np.concatenate([lists.measure(a, asked(a, prior) @ adapted(stored(a), adapter).T) for a in group])
    constants = Constants(**json.loads((Path(__file__).parent / "retrieval/rank.json").read_text()))
    return np.concatenate([Ready(a, prior, adapt=lambda v: adapted(v, adapter)).measure(constants) for a in group])


def report(label, group, prior, adapter):
    kept = np.array([q["category"] != "adversarial" for a in group for q in a.history.queries])
    for what in (False, True):
        base, new = (rows(group, prior, given, what)[kept] for given in (None, adapter))
        print(f"{label:9} {'whole' if what else 'vector'}  {three(base)}  {three(new)}  {bootstrap(new - base)}", flush=True)


def main():
    from safetensors.numpy import load_file, save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".vectors"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hold-out", action="store_true")
    parser.add_argument("--eval", action="append", default=[], metavar="FILE[:N]")
    arguments = parser.parse_args()
    vectors = corpus.Vectors(arguments.cache)
    sets = archives(arguments.train, arguments.cache, vectors)
    priors = other_priors(sets)
    if arguments.hold_out:
        print("R@1 / R@10 / nDCG@10 without, with an adapter of the other sets, and the gain")
        for name, group in sets.items():
            adapter = train({other: g for other, g in sets.items() if other != name}, priors)
            report(name, group, priors[name], adapter)
    w, b = adapter = train(sets, priors)
    near = [(adapted(stored(a), adapter) * stored(a)).sum(1).mean() for group in sets.values() for a in group]
    print(f"cosine to the vector before: mean {np.mean(near):.4f}, least of a history {min(near):.4f}")
    save_file({"weight": w.astype(np.float16), "bias": b.astype(np.float32)}, arguments.out)
    bundled = load_file(MODEL / "prior.safetensors")
    for argument in arguments.eval:
        path, _, limit = argument.partition(":")
        histories = corpus.evaluation(path, int(limit) if limit else None)
        vectors.ask([w for h in histories for w in wanted(h)])
        group = [lists.Archive(h, vectors) for h in histories]
        report(Path(path).name[:9], group, (bundled["mean"].astype(float), bundled["covariance"].astype(float)), adapter)


if __name__ == "__main__":
    main()
