"""Exports held-out lives as an evaluation file: JSON Lines, gzip, one history a line, for `evoke eval FILE`.

    python -m data.evalset --out FILE [--histories N] [--train TRAIN] [--seed S] [--split SPLIT]

Half of the histories are short (8 to 32 turns), half have 300; half are of wordings never trained on,
half of attributes never trained on. A query's category is its intent. Seeds are apart from those of
the training data.
"""

import argparse
import gzip
import json
from pathlib import Path

from .fillers import Fillers
from .lives import Lives

LONG = 300
APART = 77_000_000


def export(history, records, name):
    turns = [{"id": f"s{t.conversation + 1}:{n + 1}", "ts": t.time.isoformat(timespec="seconds"), "session": f"s{t.conversation + 1}",
              "speaker": t.speaker, "text": t.text} for n, t in enumerate(history.turns)]
    queries = [{"id": f"{name}:q{n + 1}", "text": r["question"], "evidence": [turns[e]["id"] for e in r["evidence_turns"]],
                "category": r["intent"], "answer": r["answer"], "attribute": r["attribute"],
                "superseded": [turns[e]["id"] for e in r["superseded_turns"]]} for n, r in enumerate(records)]
    return {"history_id": name, "dataset": f"lives_{history.split}", "turns": turns, "queries": queries}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--histories", type=int, default=20)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=["test_wording", "test_attribute"], help="of one kind only")
    args = parser.parse_args()
    lives = Lives(Fillers(args.train))
    asked = 0
    with open(args.out, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as out:
        for n in range(args.histories):
            split = args.split or ("test_wording", "test_attribute")[n % 2]
            long = n // 2 % 2 == 1
            history, records = lives.history(APART + args.seed * 1_000_003 + n, split, long=long, length=LONG if long else None)
            row = export(history, records, f"{split}-{'long' if long else 'short'}-{n}")
            asked += len(records)
            out.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
    print(f"{args.out.name}: {args.histories} histories, {asked} queries")


if __name__ == "__main__":
    main()
