"""Trains the reader of pairs, on a CUDA device where there is one.

    cd training
    python -m data.build --out DATA --train TRAIN --histories 5000 --dialogues 1.0 --held 150 --seed 91
    python -m reader.train pack --data DATA --out PACK
    python -m reader.train train --pack PACK --out RUN --steps 6000          # stops and goes on where it was
    python -m reader.train measure --pack PACK --run RUN
    python -m reader.export --pack PACK --run RUN

A pack holds the histories and the pieces' embeddings that occur in them, so that a machine without the rest of the
repository can train. A stream is what a search finds for one question: the statements of a fact, what could be
mistaken for them, and the passages nearest by words. Each passage is read with the question and, cut short, the
one before it in its conversation. The benchmarks are not read.
"""

import argparse
import gzip
import json
import lzma
import math
import os
import pickle
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from evolver import data as streams
from evolver.data import TIER

from .model import INTENTS, Reader

MODEL = Path(os.environ.get("EVOKE_MODEL", Path(__file__).resolve().parents[2] / "models" / "evoke-e5-small"))
QUESTION, BEFORE, PASSAGE = 48, 24, 112  # most pieces of each
LONGEST = 70  # turns of a history that are kept to train on, beside those that a question refers to
SETTINGS = dict(shuffled_share=0.25, questions=2, drop_statement=0.25, drop_near=0.25, longest=32, nearest_share=0.75, foreign_share=0.0)
ASKED = 40  # questions of each kind a step for the intents
HIDDEN_PIECES = 0.05
SURE = 0.75
SPLITS = ("train", "dev", "test_wording", "test_attribute")
BOS, EOS = 0, 2


# Packing


def pack(data, out, lists=None):
    """Histories, groups and embeddings of the pieces that occur (in `lists` too), in one file."""
    import gguf
    from tokenizers import Tokenizer

    sets = {split: streams.read(data, {split}, thin=LONGEST if split == "train" else 0) for split in SPLITS}
    texts = sorted({text for groups in sets.values() for text in streams.texts(groups)})
    rows = {text: row for row, text in enumerate(texts)}
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    pieces, offsets, also = [], [0], set()
    for start in range(0, len(texts), 20_000):
        for encoded in tokenizer.encode_batch(texts[start : start + 20_000], add_special_tokens=False):
            pieces += encoded.ids[:PASSAGE]
            offsets.append(len(pieces))
    for asked in listed(lists) if lists else ():
        for encoded in tokenizer.encode_batch([asked["question"]] + [hit["text"] for hit in asked["hits"]], add_special_tokens=False):
            also.update(encoded.ids)
    pieces = np.array(pieces, dtype=np.uint32)
    known = np.union1d(pieces, [BOS, EOS, *also])
    weights = {}
    for tensor in gguf.GGUFReader(str(MODEL / "model.gguf")).tensors:
        data, shape = tensor.data, [int(n) for n in tensor.shape[::-1]]
        if tensor.name == "token_embd.weight":
            data, shape = data[known], [len(known), shape[1]]
        weights[tensor.name] = (np.array(data), int(tensor.tensor_type), shape)
    for groups in sets.values():
        for history in {id(g.history): g.history for g in groups}.values():
            history.rows = np.array([rows["passage: " + turn] for turn in history.turns], dtype=np.int32)
            history.turns = ()
        for group in groups:
            for question in group.questions:
                question.row = rows["query: " + question.text]
                question.text = ""
    content = dict(sets=sets, pieces=np.searchsorted(known, pieces).astype(np.uint16 if len(known) < 65536 else np.uint32),
                   offsets=np.array(offsets, dtype=np.int32), known=known.astype(np.int32), weights=weights)
    with lzma.open(out, "wb", preset=1) as file:
        pickle.dump(content, file, protocol=5)
    print(f"{len(texts)} texts, {len(known)} pieces, {Path(out).stat().st_size >> 20} MiB", {k: len(v) for k, v in sets.items()})


def listed(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def dequantised(data, kind, shape):
    """F32, F16 or Q4_0 (type 2: per 32 weights an f16 scale and 16 bytes of two nibbles) as a tensor."""
    if kind == 2:
        blocks = np.frombuffer(data.tobytes(), dtype=np.uint8).reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
        values = (np.concatenate([low, high], 1).astype(np.float32) - 8) * scale
    else:
        values = np.frombuffer(data.tobytes(), dtype=np.float32 if kind == 0 else np.float16).astype(np.float32)
    return torch.from_numpy(values.reshape(shape).copy())


class Pack:
    def __init__(self, path):
        with lzma.open(path, "rb") as file:
            content = pickle.load(file)
        self.sets, self.pieces, self.offsets, self.known = (content[name] for name in ("sets", "pieces", "offsets", "known"))
        self.weights = {name: dequantised(*tensor) for name, tensor in content["weights"].items()}
        self.words = self.weights.pop("token_embd.weight").half()
        self.bos, self.eos = (int(np.searchsorted(self.known, n)) for n in (BOS, EOS))

    def text(self, row, most):
        start, end = self.offsets[row], self.offsets[row + 1]
        return self.pieces[start : min(end, start + most)].astype(np.int64)


# Streams and batches


class Sampler(streams.Sampler):
    """Nearest by pieces of words, and what stands before each passage in its conversation."""

    def __init__(self, pack):
        super().__init__(None, SETTINGS)
        self.pack = pack

    def nearest(self, history, question, count):
        """BM25 over pieces, k1 1.2, without a length norm."""
        if history.words is None:
            history.words = [Counter(self.pack.text(row, PASSAGE).tolist()) for row in history.rows]
            counts = Counter(piece for words in history.words for piece in words)
            history.idf = {piece: math.log(1 + (len(history.rows) - n + 0.5) / (n + 0.5)) for piece, n in counts.items()}
        asked = [piece for piece in set(self.pack.text(question.row, QUESTION).tolist()) if piece in history.idf]
        scores = [sum(history.idf[piece] * words[piece] / (words[piece] + 1.2) for piece in asked if piece in words) for words in history.words]
        return list(np.argsort(-np.array(scores), kind="stable")[:count])

    def teacher(self, history, question, rows, chosen):
        return None

    def topical(self, rows, gold):
        return np.zeros(len(rows), dtype=bool)

    def stream(self, asked, chosen):
        places = [int(at) for at in chosen]
        stream = super().stream(asked, chosen)
        history = asked[0][0].history
        talk = history.conversations
        stream.before = np.array([history.rows[at - 1] if at and talk[at - 1] == talk[at] else -1 for at in places])
        group = asked[0][0]
        numbers = {value: n for n, value in enumerate(sorted(set(group.values.values())))}
        stream.values = np.array([numbers[group.values[at]] if at in group.values else -1 for at in places])
        return stream


def pair(pack, question, before, passage):
    """Pieces and segments of one pair."""
    q, p = pack.text(question, QUESTION), pack.text(passage, PASSAGE)
    b = pack.text(before, BEFORE + 2)[2:] if before >= 0 else ()  # without its prefix
    ids = [pack.bos, *q, pack.eos, *b, *([pack.eos] if len(b) else []), *p, pack.eos]
    segments = [0] * (len(q) + 2) + [1] * (len(b) + (1 if len(b) else 0)) + [2] * (len(p) + 1)
    return ids, segments


def alone(pack, question):
    q = pack.text(question, QUESTION)
    return [pack.bos, *q, pack.eos], [0] * (len(q) + 2)


def made_up(question):
    return question.family.count(".") >= 2


def padded(pairs):
    width = max(len(ids) for ids, _ in pairs)
    ids, segments = np.zeros((len(pairs), width), dtype=np.int64), np.full((len(pairs), width), -1, dtype=np.int64)
    for at, (some, parts) in enumerate(pairs):
        ids[at, : len(some)], segments[at, : len(parts)] = some, parts
    return torch.from_numpy(ids), torch.from_numpy(segments)


def hide(ids, segments, rng, share):
    """Some pieces are replaced by others, so that no one piece is relied upon."""
    hidden = torch.from_numpy(rng.random(ids.shape) < share) & (segments >= 0)
    hidden[:, :3] = False
    ids[hidden] = ids.flatten()[torch.from_numpy(rng.integers(ids.numel(), size=int(hidden.sum())))]


def collate(pack, made, rng=None, share=0.0):
    """Streams to one batch: every (stream, question) is a row; pairs are listed flat."""
    pairs, rows = [], []
    longest = max(len(stream.rows) for stream in made)
    for stream in made:
        for number, question in enumerate(stream.questions):
            at = len(pairs)
            pairs += [pair(pack, question.row, int(b), int(p)) for b, p in zip(stream.before, stream.rows)]
            rows.append((stream, number, question, at))
    batch = dict(
        index=torch.full((len(rows), longest), -1), tiers=torch.full((len(rows), longest), TIER["void"]),
        claims=torch.full((len(rows), longest), -1), values=torch.full((len(rows), longest), -1),
        intent=torch.tensor([INTENTS.index(question.intent) for _, _, question, _ in rows]),
        fact=torch.tensor([question.intent != "none" for _, _, question, _ in rows]),
    )
    for row, (stream, number, _, at) in enumerate(rows):
        size = len(stream.rows)
        batch["index"][row, :size] = torch.arange(at, at + size)
        batch["tiers"][row, :size] = torch.from_numpy(stream.tiers[number].astype(np.int64))
        batch["claims"][row, :size] = torch.from_numpy(stream.claims.astype(np.int64))
        batch["values"][row, :size] = torch.from_numpy(stream.values)
    batch["ids"], batch["segments"] = padded(pairs)
    if rng is not None:
        hide(batch["ids"], batch["segments"], rng, share)
    return batch


class Batches(torch.utils.data.IterableDataset):
    """Endless batches for training; worker w of step s always makes the same batch, so a resumed run sees the same data."""

    def __init__(self, pack, groups, size, start, seed=5, dialogues=0.35):
        self.pack, self.size, self.start, self.seed, self.dialogues = pack, size, start, seed, dialogues
        self.facts = [g for g in groups if g.statements]
        self.plain = [g for g in groups if not g.statements]
        every = [q for g in groups for q in g.questions]
        kinds = (lambda q: made_up(q) and q.intent != "none", lambda q: made_up(q) and q.intent == "none", lambda q: not made_up(q))
        self.questions = [some for some in ([q for q in every if kind(q)] for kind in kinds) if some]
        self.hide = HIDDEN_PIECES

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        sampler = Sampler(self.pack)
        for step in range(self.start + number, 10**9, count):
            rng = np.random.default_rng([self.seed, step])
            made = []
            while len(made) < self.size:
                some = self.plain if self.plain and rng.random() < self.dialogues else self.facts
                group = some[int(rng.integers(len(some)))]
                stream = sampler.training([group], rng, int(rng.integers(8, 25)))
                if stream.questions:
                    made.append(stream)
            batch = collate(self.pack, made, rng if self.hide else None, self.hide)
            some = [kind[int(rng.integers(len(kind)))] for kind in self.questions for _ in range(ASKED)]
            batch["asked"], batch["asked_segments"] = padded([alone(self.pack, q.row) for q in some])
            hide(batch["asked"], batch["asked_segments"], rng, self.hide)
            batch["asked_intents"] = torch.tensor([INTENTS.index(q.intent) for q in some])
            yield batch


# Learning


def read(reader, batch, device, tokens=60_000):
    """What the reader tells of every passage of every row, [B, T, 3] and [B, T, VALUE]; which are there, [B, T]."""
    ids, segments = batch["ids"], batch["segments"]
    lengths = (segments >= 0).sum(1)
    order = torch.argsort(lengths, descending=True)
    found, start = [], 0
    while start < len(order):
        width = int(lengths[order[start]])
        part = order[start : start + max(1, tokens // width)]
        with half(device):
            found.append(reader(ids[part, :width].to(device), segments[part, :width].to(device)))
        start += len(part)
    back = torch.argsort(order).to(device)
    told, values = (torch.cat(parts)[back] for parts in zip(*found))
    index = batch["index"].to(device)
    at = index.clamp(min=0)
    return told[at], values[at], index >= 0


def half(device):
    return torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda")


def loss_of(reader, batch, device):
    told, values, valid = read(reader, batch, device)
    odds, past = told[..., 0], told[..., 1]
    tiers, claims, number, fact = (batch[name].to(device) for name in ("tiers", "claims", "values", "fact"))
    gold, known = tiers == TIER["gold"], valid & (tiers < TIER["void"])
    scores = reader.scores(told, values, valid, batch["intent"].to(device)).masked_fill(~known, -1e9)
    some = gold.any(1) & (known & ~gold).any(1)
    missed = torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~gold, -1e9), 1)
    states = F.binary_cross_entropy_with_logits(odds, (tiers <= TIER["statement"]).float(), reduction="none")
    states = (states * known).sum(1) / known.sum(1).clamp(min=1)
    # Passed or not, among statements of the fact; the same value or another, among pairs of them.
    own = (claims >= 0) & (tiers <= TIER["statement"]) & fact[:, None]
    passed = F.binary_cross_entropy_with_logits(past, (claims == 2).float(), reduction="none")[own]
    pairs = own[:, :, None] & own[:, None, :] & (number >= 0)[:, :, None] & (number >= 0)[:, None, :]
    pairs &= ~torch.eye(tiers.shape[1], dtype=torch.bool, device=device)
    alike = F.binary_cross_entropy(reader.alike(values).clamp(1e-5, 1 - 1e-5), (number[:, :, None] == number[:, None, :]).float(), reduction="none")[pairs]
    parts = dict(answer=missed[some].mean(), states=states.mean() * 3, past=passed.mean() if len(passed) else 0 * odds.sum(),
                 value=alike.mean() if len(alike) else 0 * odds.sum())
    with half(device):
        asked = reader.intents(batch["asked"].to(device), batch["asked_segments"].to(device))
    parts["intent"] = F.cross_entropy(asked, batch["asked_intents"].to(device), label_smoothing=0.02)
    return parts["answer"] + parts["states"] + 0.5 * parts["past"] + 0.7 * parts["value"] + 0.5 * parts["intent"], parts


def train(args):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    pack = Pack(args.pack)
    reader = Reader(pack.weights, pack.words, rank=args.rank, drop=args.drop).to(device)
    if device == "cuda":
        reader.halve()
    if args.init:
        state = torch.load(args.init, map_location=device, weights_only=True)
        for name in ("head_out.weight", "head_out.bias"):
            more = getattr(reader.head_out, name.split(".")[1]).shape[0] - state[name].shape[0]
            state[name] = torch.cat([state[name], torch.zeros(more, *state[name].shape[1:], device=device)])
        reader.load_state_dict(state, strict=False)
    low = [p for n, p in reader.named_parameters() if n.startswith(("up.", "down."))]
    rest = [p for n, p in reader.named_parameters() if not n.startswith(("up.", "down."))]
    optimizer = torch.optim.AdamW([dict(params=low, lr=args.rate, weight_decay=args.decay), dict(params=rest, lr=args.rate, weight_decay=0.01)])
    run, step = Path(args.out), 0
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        reader.load_state_dict(state["reader"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
        print(f"goes on at step {step}", flush=True)
    workers = args.workers if args.workers is not None else max(0, (os.cpu_count() or 1) - 2)
    batches = Batches(pack, pack.sets["train"], args.batch, step)
    loader = iter(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=workers, prefetch_factor=6 if workers else None))
    started = saved = time.time()
    sums = defaultdict(float)
    while step < args.steps and (not args.seconds or time.time() - started < args.seconds):
        done = step / args.steps if not args.seconds else max(step / args.steps, (time.time() - started) / args.seconds)
        scale = min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1, done))))
        for group in optimizer.param_groups:
            group["lr"] = args.rate * scale
        reader.train()
        batch = next(loader)
        with reader.hold():
            loss, parts = loss_of(reader, batch, device)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in parts.items():
            sums[name] += float(value.detach())
        if step % 100 == 0 or step == 10:
            print(f"step {step} {time.time() - started:.0f} s", {name: round(value / (100 if step % 100 == 0 else 10), 3) for name, value in sums.items()}, flush=True)
            sums.clear()
        if time.time() - saved > 120:
            save(reader, optimizer, step, checkpoint)
            saved = time.time()
    save(reader, optimizer, step, checkpoint)
    torch.save(weights_of(reader), run / "reader.pt")
    return pack, reader.eval(), device


def weights_of(reader):
    return {name: value.detach().cpu() for name, value in reader.state_dict().items()}


def save(reader, optimizer, step, path):
    part = path.with_suffix(".part")
    torch.save(dict(reader=weights_of(reader), optimizer=optimizer.state_dict(), step=step), part)
    os.replace(part, path)


# Measuring


@torch.no_grad()
def accuracy(pack, reader, device, groups, most=250, count=32):
    """{intent: {n, chance, read, shuffled}} in per cent: the best among the statements of a fact and what could be
    mistaken for them answers; *shuffled* reads the same passages in another order."""
    sampler, jobs, table = Sampler(pack), defaultdict(list), {}
    for group in groups:
        for question in group.questions:
            if question.evidence and question.intent != "none":
                jobs[question.intent].append((group, question))
    for intent, found in sorted(jobs.items()):
        found = [found[at] for at in np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)]
        right, n, rng = defaultdict(float), 0, torch.Generator().manual_seed(5)
        for start in range(0, len(found), 16):
            batch = collate(pack, [sampler.evaluation(group, question, count) for group, question in found[start : start + 16]])
            told, values, valid = read(reader, batch, device)
            intents_ = batch["intent"].to(device)
            score = lambda told, values: reader.scores(told, values, valid, intents_).cpu()
            tiers = batch["tiers"]
            gold, rivals = tiers == TIER["gold"], tiers <= TIER["adjacent"]
            some = gold.any(1) & (rivals & ~gold).any(1)
            order = torch.rand(valid.shape, generator=rng).masked_fill(~valid.cpu(), 2.0).argsort(1).to(device)
            moved = score(*(part.gather(1, order[..., None].expand_as(part)) for part in (told, values)))
            shuffled = torch.zeros_like(moved).scatter(1, order.cpu(), moved)
            for name, scores in (("read", score(told, values)), ("states", told[..., 0].cpu()), ("shuffled", shuffled)):
                best = scores.masked_fill(~rivals, -1e9).argmax(1, keepdim=True)
                right[name] += float(gold.gather(1, best)[some].sum())
            right["chance"] += float((gold.sum(1) / rivals.sum(1).clamp(min=1))[some].sum())
            n += int(some.sum())
        table[intent] = {"n": n} | {name: round(100 * value / max(n, 1), 1) for name, value in right.items()}
    return table


@torch.no_grad()
def candidates(pack, reader, device, path, out):
    """Odds of (question, before, passage) texts of JSON Lines, for lists that a search has made."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    place = {int(piece): at for at, piece in enumerate(pack.known)}
    with gzip.open(out, "wt", encoding="utf-8") as written:
        for asked in listed(path):
            texts = ["query: " + asked["question"]] + [t for hit in asked["hits"] for t in (hit["before"], "passage: " + hit["text"])]
            ids = [[place.get(piece, place.get(3, 0)) for piece in e.ids] for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
            pairs = []
            for n in range(len(asked["hits"])):
                q, b, p = ids[0][:QUESTION], ids[1 + 2 * n][:BEFORE], ids[2 + 2 * n][:PASSAGE]
                pairs.append(([pack.bos, *q, pack.eos, *b, *([pack.eos] if b else []), *p, pack.eos],
                              [0] * (len(q) + 2) + [1] * (len(b) + bool(b)) + [2] * (len(p) + 1)))
            width = max(len(ids) for ids, _ in pairs)
            flat = torch.zeros(len(pairs), width, dtype=torch.long)
            parts = torch.full((len(pairs), width), -1)
            for at, (some, segments) in enumerate(pairs):
                flat[at, : len(some)], parts[at, : len(segments)] = torch.tensor(some), torch.tensor(segments)
            with half(device):
                told, _ = reader(flat.to(device), parts.to(device))
            written.write(json.dumps(dict(id=asked["id"], odds=[round(float(o), 4) for o in told[:, 0]])) + "\n")


@torch.no_grad()
def intents(pack, reader, device, groups):
    """Of made-up questions with an order, without, and of questions of real dialogues: how many are taken rightly."""
    every = {(q.row, q.intent): q for g in groups for q in g.questions}.values()
    kinds = dict(order=[q for q in every if made_up(q) and q.intent != "none"], none=[q for q in every if made_up(q) and q.intent == "none"],
                 real=[q for q in every if not made_up(q) and q.intent == "none"])
    for kind, some in kinds.items():
        found = []
        for start in range(0, len(some), 256):
            ids, segments = padded([alone(pack, q.row) for q in some[start : start + 256]])
            with half(device):
                sure, best = reader.intents(ids.to(device), segments.to(device)).softmax(-1).max(-1)
            found += [INTENTS[int(b)] if float(s) >= SURE else "none" for s, b in zip(sure, best)]
        if some:
            right = sum(f == q.intent for f, q in zip(found, some))
            missed = sum(f == "none" != q.intent for f, q in zip(found, some))
            print(f"  intents of {kind:6} n {len(some)} right {100 * right / len(some):.1f} missed {100 * missed / len(some):.1f} wrong {100 * (len(some) - right - missed) / len(some):.1f}", flush=True)


def report(pack, reader, device):
    for split in SPLITS[1:]:
        for intent, row in accuracy(pack, reader, device, pack.sets[split]).items():
            print(f"{split:15} {intent:10}", row, flush=True)
        intents(pack, reader, device, pack.sets[split])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pack", "train", "measure"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pack", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--init", type=Path, help="weights of another run to begin with")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seconds", type=float, default=0, help="the rate falls to its end within this time instead")
    parser.add_argument("--batch", type=int, default=24, help="streams a step")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--drop", type=float, default=0.1)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--quiet", action="store_true", help="do not measure at the end")
    parser.add_argument("--lists", type=Path, help="candidates of a search to be scored")
    parser.add_argument("--scores", type=Path)
    args = parser.parse_args()
    if args.what == "pack":
        return pack(args.data, args.out, args.lists)
    if args.what == "train":
        found = train(args)
    else:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        content = Pack(args.pack)
        state = torch.load(args.run / "reader.pt", map_location="cpu", weights_only=True)
        reader = Reader(content.weights, content.words, rank=state["down.blk_0_attn_q"].shape[0])
        reader.load_state_dict(state, strict=False)
        found = content, reader.to(device).eval(), device
    with torch.no_grad(), found[1].hold():
        if args.lists:
            candidates(*found, args.lists, args.scores)
        if not args.quiet:
            report(*found)


if __name__ == "__main__":
    main()
