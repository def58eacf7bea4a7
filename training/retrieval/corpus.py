"""Training and evaluation sets as archives of passages, cut and read as the product does.

A history is prior.py's; more of it is used here (nine sets, several histories each). A message of more
than 220 words becomes several passages, a passage of at most 80 words is read again after its two
predecessors. Vectors are those of the product's own engine (embed/), kept on disk by the text's digest.
"""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from prior import FRIENDS, History, assistant_history, evaluation_histories, join_dialogues, read_lines, sample_queries  # noqa: E402

LONGEST, CONTEXT_UP_TO, BEFORE, PREDECESSORS = 220, 80, 300, 2
ASSISTANT = {"user": "Me", "assistant": "Claude", "system": "Claude"}


# ---------------------------------------------------------------- histories


def distinct_tasks(dialogues, size):
    """Groups of up to `size` dialogues of which no two are about the same kind of service, so that a
    question about "a restaurant" means one of them."""
    groups, left = [], dialogues
    while left:
        group, seen, rest = [], set(), []
        for dialogue in left:
            kinds = {service.split("_")[0] for service in dialogue["services"]}
            if len(group) < size and not kinds & seen:
                group.append(dialogue)
                seen |= kinds
            else:
                rest.append(dialogue)
        groups.append(group)
        left = rest if len(groups) < 40 else []
    return groups


def assisted(history):
    for turn in history.turns:
        turn["speaker"] = ASSISTANT.get(turn["speaker"], turn["speaker"])
    return history


def training(directory):
    """{set: [history]}: nine sets, together some 24,000 turns and 3,500 queries."""

    def shuffled(name, seed):
        dialogues = read_lines(Path(directory) / f"{name}.jsonl.gz")
        random.Random(seed).shuffle(dialogues)
        return dialogues

    def narrow(qa):
        return qa.get("kind") != "topic" and len(qa["evidence"]) <= 30

    def friends_of(me, shift):
        return lambda number: {"User 1": me, "User 2": FRIENDS[2 + (number + shift) % 8]}

    def slots(dialogues, number):
        history = assisted(join_dialogues("sgd", str(number), dialogues))
        return sample_queries(history, 30)

    def chat(log):
        """The last 900 messages of a channel; a reply is a query for what it answers."""
        history, first = History("irc", log["dialog_id"]), len(log["turns"]) - 900
        said = [(i, t) for i, t in enumerate(log["turns"]) if i >= first and t["text"].strip()]
        kept = {i: history.add_turn(0, t["speaker"], t["text"]) for i, t in said}
        for qa in log["qa"]:
            evidence = [kept[i] for i in qa["evidence"] if i in kept]
            if qa["asked_at"] in kept and len(qa["question"].split()) >= 6:
                history.add_query(qa["question"], evidence, "", kept[qa["asked_at"]])
        return sample_queries(history, 60)

    persona, timeqa, sgd = (shuffled(name, seed) for name, seed in (("synthetic_persona_chat", 1), ("timeqa", 4), ("sgd", 5)))
    whole = {name: read_lines(Path(directory) / f"{name}.jsonl.gz") for name in ("molweni", "clapnq", "xquad", "realmem")}
    meetings = [join_dialogues("qmsum", d["dialog_id"], [d], narrow) for d in shuffled("qmsum", 3) if len(d["turns"]) <= 700]
    logs = [d for d in shuffled("irc", 6) if len(d["turns"]) >= 600]
    return {
        "molweni": [sample_queries(join_dialogues("molweni", "all", whole["molweni"], merge_repeats=True), 400)],
        "persona": [
            sample_queries(
                join_dialogues("persona", str(i), persona[i * 25 : i * 25 + 25], names=friends_of(FRIENDS[i % 2], i)), 60
            )
            for i in range(6)
        ],
        "clapnq": [join_dialogues("clapnq", "all", whole["clapnq"])],
        "xquad": [sample_queries(join_dialogues("xquad", "all", whole["xquad"]), 300)],
        "timeqa": [join_dialogues("timeqa", str(i), timeqa[i * 10 : i * 10 + 10]) for i in range(4)],
        "qmsum": [meeting for meeting in meetings if len(meeting.queries) >= 6][:14],
        "realmem": [assisted(assistant_history(dialogue)) for dialogue in whole["realmem"][:2]],
        "sgd": [slots(group, i) for i, group in enumerate(distinct_tasks(sgd[:900], 16)[:14])],
        "irc": [chat(log) for log in logs[:5]],
    }


def evaluation(path, limit=None):
    histories = evaluation_histories(path, limit)
    for history in histories:
        if {t["speaker"] for t in history.turns} <= {"user", "assistant"}:
            assisted(history)
    return histories


# ---------------------------------------------------------------- passages


def pieces(text):
    """Spans of a text: whole up to 220 words, else paragraphs, lines, sentences gathered up to that."""
    if len(text.split()) <= LONGEST:
        return [text]
    out, size = [], 0
    for part in parts(text, ("\n\n", "\n", r"(?<=[.!?]) ", " ")):
        count = len(part.split())
        if out and size + count <= LONGEST:
            out[-1] += part
            size += count
        else:
            out.append(part)
            size = count
    return out


def parts(text, cuts):
    if not cuts or len(text.split()) <= LONGEST // 2:
        return [text]
    pattern = cuts[0] if cuts[0].startswith("(") else re.escape(cuts[0])
    found, start = [], 0
    for match in re.finditer(pattern, text):
        found.append(text[start : match.end()])
        start = match.end()
    found.append(text[start:])
    return [p for part in found if part for p in parts(part, cuts[1:])]


def spoken(turn, text):
    return f"{turn['speaker']}: {text}" if turn["speaker"] else text


class Passages:
    """The passages of a history, with the turn each is of, and up to two before it."""

    def __init__(self, history):
        self.turn, self.text, self.length, self.before, self.context = [], [], [], [], []
        last = {}
        for index, turn in enumerate(history.turns):
            for piece in pieces(turn["text"]):
                before = last.get(turn["session"], [])[-PREDECESSORS:]
                at = len(self.turn)
                text, length = spoken(turn, piece.strip()), len(piece.split())
                self.turn.append(index)
                self.text.append(text)
                self.length.append(length)
                self.before.append(before)
                short = length <= CONTEXT_UP_TO and before
                self.context.append("\n".join([self.text[b][:BEFORE] for b in before] + [text]) if short else None)
                last.setdefault(turn["session"], []).append(at)
        self.turn, self.length = np.array(self.turn), np.array(self.length, float)


# ---------------------------------------------------------------- vectors


class Vectors:
    """Unit vectors by the product's engine, kept in shards of a directory. `ask` makes what is missing:
    one process of embed/ for all of it, in shards, so that a run cut off goes on where it was."""

    SHARD = 1024

    def __init__(self, directory, threads=1):
        self.directory, self.threads, self.known = Path(directory), threads, {}
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.directory.glob("*.npz")):
            with np.load(path) as kept:
                self.known.update(zip((bytes(k) for k in kept["k"].reshape(-1, 12)), kept["v"]))

    @staticmethod
    def key(side, text):
        return hashlib.blake2b(f"{side}\0{text}".encode(), digest_size=12).digest()

    def of(self, texts, side="p"):
        """Vectors [len(texts), 384]; side "p" for passages, "q" for queries."""
        return np.stack([self.known[self.key(side, t)] for t in texts]).astype(np.float32)

    def ask(self, wanted):
        """Makes the vectors of (side, text) pairs that are not there yet."""
        missing = [w for w in dict.fromkeys(wanted) if self.key(*w) not in self.known]
        for start in range(0, len(missing), self.SHARD):
            part = sorted(missing[start : start + self.SHARD], key=lambda w: len(w[1]))
            rows = embed(part, self.threads)
            keys = b"".join(self.key(*w) for w in part)
            name = hashlib.blake2b(keys, digest_size=12).hexdigest()
            np.savez(self.directory / f"{name}.npz", k=np.frombuffer(keys, np.uint8), v=rows)
            self.known.update(zip((self.key(*w) for w in part), rows))
            print(f"embedded {start + len(part)} of {len(missing)}", flush=True)


def embed(pairs, threads):
    """f16 rows of (side, text) pairs, by embed/, which is compiled when it first runs."""
    command = ["cargo", "run", "-q", "--release", "--manifest-path", str(HERE / "embed/Cargo.toml"), "--"]
    model = HERE.parent.parent / "models/evoke-e5-small"
    built = os.environ.get("EVOKE_EMBED")  # a binary of embed/ built elsewhere
    with tempfile.NamedTemporaryFile() as out:
        lines = "\n".join(json.dumps({"k": side, "t": text}) for side, text in pairs)
        environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
        given = [built] if built else command
        subprocess.run([*given, str(model), out.name], input=lines, text=True, check=True, env=environment, stderr=subprocess.DEVNULL)
        return np.frombuffer(Path(out.name).read_bytes(), np.float16).reshape(-1, 384)
