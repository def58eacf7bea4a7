"""Writes the training data: DIR/{train,dev,test_wording,test_attribute}.jsonl.gz in the EvoTrain form.

    python -m data.build --out DIR [--train TRAIN] [--histories N] [--seed S]      (from training/)

N is the number of lives in train, --held that of each other split. With --train, the talk between
the statements and the self-contained questions come from the dialogues in TRAIN; without it a small
filler is built in and all questions come from lives. The same arguments give the same files.
"""

import argparse
import collections
import gzip
import json
from pathlib import Path

from . import dialogues
from .fillers import Fillers
from .lives import Lives, evotrain

SPLITS = ("train", "dev", "test_wording", "test_attribute")


def write(path, rows):
    """Gzip without a time stamp, so that equal rows give equal files."""
    count = collections.Counter()
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:
        for row in rows:
            meta = row["meta"]
            count[meta["source"], meta["intent"]] += 1
            out.write((json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
    return count


def lives_rows(lives, split, histories, seed):
    for n in range(histories):
        history, records = lives.history(seed * 1_000_003 + n, split)
        for record in records:
            yield evotrain(history.turns, record, history.name, history.lang, split, "lives")


def all_rows(lives, split, histories, seed, train, share):
    """Lives, then real dialogues."""
    yield from lives_rows(lives, split, histories, seed)
    if train and split != "test_attribute":
        yield from dialogues.rows(train, split, seed, share)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--train", type=Path, help="directory of the training sets")
    parser.add_argument("--histories", type=int, default=1600)
    parser.add_argument("--held", type=int, default=80, help="lives of each other split")
    parser.add_argument("--reuse", action="store_true", help="train shares its texts among many histories: see lives.Lives")
    parser.add_argument("--dialogues", type=float, help="share of the real dialogues, 1 all that is meant to be used")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    size = args.dialogues if args.dialogues is not None else min(1.0, args.histories / 900)
    lives = Lives(Fillers(args.train, size))
    shared = Lives(Fillers(args.train, min(size, 0.55)), reuse=True) if args.reuse else lives
    for split in SPLITS:
        histories = args.histories if split == "train" else min(args.histories, args.held)
        count = write(args.out / f"{split}.jsonl.gz", all_rows(shared if split == "train" else lives, split, histories, args.seed, args.train, size))
        print(split, sum(count.values()), "questions", dict(sorted(count.items())), flush=True)


if __name__ == "__main__":
    main()
