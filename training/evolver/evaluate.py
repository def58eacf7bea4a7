"""How well the state channel finds the right statement of a fact.

    python -m evolver.evaluate --data DIR --model RUN/best.pt --states STATES [--split test_wording] [--soak]

For every question with an intent the stream is made as a search makes it: the 32 passages of the history
nearest to the question by their static vectors, the fact's own put in, in time order. Accuracy is the
share of questions whose best-scored passage among the statements of the fact and its near misses is gold;
hit@1 is the same over the whole stream.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from . import data as streams
from .data import TIER
from .losses import last

LONG = 60  # turns of a long history; lives have 8 to 32 or 60 to 300
KINDS = ("chance", "static", "static_stream", "evolved", "evolved_stream", "alone", "permuted", "foreign", "none")


@torch.no_grad()
def scores_of(model, store, batch, quick=False):
    """o . o_q [B, T] of the first question of each stream under every kind of memory (`quick`: the true one)."""
    rows, valid = batch["rows"], batch["rows"] >= 0
    b, t = rows.shape
    seeds, static = streams.seeds_of(model, store, torch.cat([rows, batch["questions"][:, :1]], 1))
    x, asked = model.rows(seeds[:, :t], static[:, :t]), model.rows(seeds[:, t:], static[:, t:], query=True)
    found = {"static": torch.einsum("bth,bh->bt", static[:, :t], static[:, t])}
    window = last(valid, model.sizes.window)[:, None]
    alone = model.asked(model.ask_rows(asked))[:, 0]

    def read(x, memory, keep, window=None):
        got, kept = model.read(x, memory, window)
        with_memory = model.asked(model.ask_rows(asked, kept, keep))[:, 0]
        return model.state(got), with_memory

    def dot(o, q):
        return torch.einsum("bto,bo->bt", o, q)

    o, q = read(x, valid[:, None].expand(b, t, t), window)
    found |= {"evolved": dot(o, q), "alone": dot(o, alone)}
    if quick:
        return found
    rng = torch.Generator().manual_seed(t)
    places = torch.rand(b, t, generator=rng).to(x.device).masked_fill(~valid, 2.0).argsort(1)
    o, q = read(x.gather(1, places[..., None, None].expand_as(x)), valid[:, None].expand(b, t, t), window)
    found["permuted"] = dot(torch.zeros_like(o).scatter(1, places[..., None].expand_as(o), o), q)
    nothing = torch.zeros(b, t, t, dtype=torch.bool, device=x.device)
    o, _ = read(x, nothing, window)
    found["none"] = dot(o, alone)
    # Foreign memory: every passage reads the passages of another history in place of its own.
    strangers, apart = x.roll(x.shape[0] // 2, 0), x.shape[0] // 2
    both = torch.stack([strangers, x], 2).flatten(1, 2)
    usable = torch.stack([valid.roll(apart, 0), torch.zeros_like(valid)], 2).flatten(1)
    memory = usable[:, None].expand(b, 2 * t, 2 * t)
    o, q = read(both, memory, usable[:, None], 2 * model.sizes.window)
    found["foreign"] = dot(o[:, 1::2], q)
    return found


def accuracy(model, store, sampler, groups, limit=None, batch=32, quick=False):
    """{intent: {n, chance, static, evolved, ...}}; `limit` questions an intent at most, chosen by place."""
    jobs = defaultdict(list)
    for group in groups:
        for question in group.questions:
            if question.intent != "none" and question.evidence:
                jobs[question.intent].append((group, question))
    table = {}
    model.eval()
    for intent, found in sorted(jobs.items()):
        if limit and len(found) > limit:
            found = [found[at] for at in np.linspace(0, len(found) - 1, limit).astype(int)]
        sums, count = defaultdict(float), 0
        for start in range(0, len(found), batch):
            made = [sampler.evaluation(group, question) for group, question in found[start : start + batch]]
            tensors = streams.collate(made, model.sizes.intents, next(model.parameters()).device)
            tiers = tensors["tiers"][:, 0]
            gold, rivals = tiers == TIER["gold"], tiers <= TIER["adjacent"]
            some = (rivals & ~gold).any(1)
            if not some.any():
                continue
            for kind, scores in scores_of(model, store, tensors, quick).items():
                for name, among in ((kind, rivals), (kind + "_stream", tiers < TIER["void"])):
                    best = scores.masked_fill(~among, -2).argmax(1, keepdim=True)
                    sums[name] += float(gold.gather(1, best)[some].sum())
            sums["chance"] += float((gold.sum(1) / rivals.sum(1))[some].sum())
            count += int(some.sum())
        if count:
            table[intent] = {"n": count} | {kind: sums[kind] / count for kind in KINDS if kind in sums}
    model.train()
    return table


@torch.no_grad()
def intents_of(model, store, groups, limit=None, bias=0.0):
    """Accuracy of the intent head by distinct question, and how often `none` is taken for an order. `bias` is added to none."""
    asked = sorted({(q.row, model.sizes.intents.index(q.intent)) for g in groups for q in g.questions})
    if limit and len(asked) > limit:
        asked = [asked[at] for at in np.linspace(0, len(asked) - 1, limit).astype(int)]
    rows, target = (torch.tensor(column) for column in zip(*asked))
    predicted, lam = [], []
    for part in rows.split(512):
        seeds, static = streams.seeds_of(model, store, part)
        logits = model.logits(model.ask_rows(model.rows(seeds, static, query=True)))
        logits[:, 0] += bias
        predicted.append(logits.argmax(-1).cpu())
        lam.append(model.lam(logits).cpu())
    predicted, lam = torch.cat(predicted), torch.cat(lam)
    none = target == 0
    table = {"n": len(target), "accuracy": float((predicted == target).float().mean())}
    table["false_order"] = float((lam[none] > 0).float().mean()) if none.any() else 0.0
    table["missed_order"] = float((lam[~none] == 0).float().mean()) if (~none).any() else 0.0
    for number, name in enumerate(model.sizes.intents):
        if (target == number).any():
            table[name] = float((predicted[target == number] == number).float().mean())
    return table


@torch.no_grad()
def soak(model, store, passages=10_000, seed=1):
    """One stream of many passages read one after another: norms and effective rank by thousand."""
    from .model import Reader

    rng, reader, table, norms, states = np.random.default_rng(seed), Reader(model), [], [], []
    rows = rng.choice(len(store.index), passages)
    for start in range(0, passages, 500):
        seeds, static = streams.seeds_of(model, store, torch.from_numpy(rows[start : start + 500]))
        for number in range(len(seeds)):
            states.append(reader.passage(seeds[number], static[number]))
            norms.append(float(torch.stack([pair[-1][1] for pair in reader.window]).norm()))
        if (start + 500) % 1000 == 0:
            values = torch.linalg.svdvals(torch.stack(states) - torch.stack(states).mean(0))
            p = values / values.sum()
            rank = float(torch.exp(-(p * p.clamp(min=1e-12).log()).sum()))
            held = sum(pair[0].numel() + pair[1].numel() for layer in reader.window for pair in layer) * 4
            table.append({"passages": start + 500, "norm": float(np.mean(norms)), "rank": rank, "memory_bytes": held})
            states, norms = [], []
    return table


def markdown(table, columns=KINDS):
    columns = [c for c in columns if any(c in row for row in table.values())]
    lines = ["| intent | n | " + " | ".join(columns) + " |", "|" + " --- |" * (len(columns) + 2)]
    for intent, row in table.items():
        lines.append(
            f"| {intent} | {row['n']} | "
            + " | ".join(f"{100 * row[c]:.0f}" if c in row else "" for c in columns)
            + " |"
        )
    return "\n".join(lines)


def main():
    from .train import load_model, open_store

    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--states", type=Path, required=True)
    arguments.add_argument("--split", action="append")
    arguments.add_argument("--limit", type=int)
    arguments.add_argument("--soak", action="store_true")
    arguments.add_argument("--none-bias", type=float, default=0.0)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    model, state = load_model(given.model)
    out = {}
    for split in given.split or ["test_wording", "test_attribute"]:
        groups = streams.read(given.data, (split,), plain=state["settings"]["data"]["plain"])
        store = open_store(given.states, streams.texts(groups), state["settings"])
        streams.attach(groups, store)
        sampler = streams.Sampler(np.asarray(store.statics), state["settings"]["streams"])
        for name, some in {
            "short": [g for g in groups if len(g.history.turns) < LONG],
            "long": [g for g in groups if len(g.history.turns) >= LONG],
        }.items():
            table = accuracy(model, store, sampler, some, given.limit) if some else {}
            if table:
                out[f"{split}, {name}"] = table
                print(f"\n{split}, {name} histories\n\n{markdown(table)}", flush=True)
        if groups:
            out[f"{split}, intents"] = intents_of(model, store, groups, bias=given.none_bias)
            print("\nintents:", json.dumps({k: round(v, 3) for k, v in out[f"{split}, intents"].items()}), flush=True)
    if given.soak:
        out["soak"] = soak(model, store)
        for row in out["soak"]:
            print(json.dumps({k: round(v, 3) for k, v in row.items()}), flush=True)
    if given.json:
        given.json.write_text(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
