"""What each loss and each HiNS tier was worth: short runs of equal length from the same seed.

    python -m evolver.ablate --data DIR --states STATES --out RUN [--steps 600]

Each run leaves one thing out. Runs that are done are not done again. The table is of dev and of the
held-out attributes, never of a benchmark.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from . import data as streams
from .evaluate import accuracy, intents_of
from .losses import NAMES
from .train import CONFIG, Run, open_store, settings_of

KINDS = ("now", "before", "first", "last", "who")


def variants(settings):
    yield "all", []
    for name in NAMES:
        if settings["losses"][name]:
            yield f"without {name}", [f"losses.{name}=0"]
    for name in settings["tiers"]:
        yield f"without tier {name}", [f"tiers.{name}=0"]
    yield "all tiers alike", [f"tiers.{name}=1" for name in settings["tiers"]]
    yield "no foreign passages", ["streams.foreign_share=0"]
    yield "true order only", ["streams.shuffled_share=0"]
    yield "one fact a stream", ["streams.facts=1"]
    yield "query always with memory", ["train.alone=0"]


def measure(model, store, sampler, splits, limit):
    row = {}
    for split, groups in splits.items():
        found = accuracy(model, store, sampler, groups, limit)
        for kind in ("evolved", "evolved_stream", "foreign", "alone"):
            values = [found[intent][kind] for intent in KINDS if intent in found]
            row[f"{split} {kind}"] = float(np.mean(values)) if values else float("nan")
    row["false order"] = intents_of(model, store, splits["dev"])["false_order"]
    return row


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--states", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--steps", type=int, default=600)
    arguments.add_argument("--limit", type=int, default=100)
    arguments.add_argument("--only", action="append", default=[])
    arguments.add_argument("--config", type=Path, default=CONFIG)
    arguments.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="for all runs alike")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    base = settings_of(given.config, given.set)
    sizes = base["data"]
    groups = {
        split: streams.read(given.data, (split,), sizes.get(split, 0), sizes["thin"], sizes["plain"])
        for split in ("train", "dev", "test_attribute")
    }
    store = open_store(given.states, set().union(*(streams.texts(g) for g in groups.values())), base)
    for some in groups.values():
        streams.attach(some, store)
    train = groups.pop("train")
    table = given.out / "ablations.jsonl"
    done = {json.loads(line)["what"] for line in table.read_text().splitlines()} if table.exists() else set()
    for what, changes in variants(base):
        if what in done or (given.only and what not in given.only):
            continue
        settings = settings_of(given.config, [*given.set, *changes])
        settings["train"]["steps"] = given.steps
        run = Run(settings, store, train, "cpu")
        while run.step < given.steps:
            run.train()
        row = measure(run.model, store, run.sampler, groups, given.limit)
        with table.open("a") as out:
            out.write(json.dumps({"what": what} | row) + "\n")
        print(what, {k: round(v, 3) for k, v in row.items()}, flush=True)
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    columns = [name for name in rows[0] if name != "what"]
    print("\n| left out | " + " | ".join(columns) + " |\n|" + " --- |" * (len(columns) + 1))
    for row in rows:
        print(f"| {row['what']} | " + " | ".join(f"{100 * row[c]:.1f}" for c in columns) + " |")


if __name__ == "__main__":
    main()
