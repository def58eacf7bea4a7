"""Facts in order: which passages state what a question asks about, and which of them holds, held first, came last.

    python -m data.build --out DATA --train TRAIN --histories 2600 --dialogues 0.02 --held 150 --seed 77
    python facts.py --data DATA --train TRAIN --cache VECTORS --out ../models/evoke-e5-small/facts.gguf

Run inside training/. The reader works on static vectors alone and on the order of a stream, so training takes
minutes; making the vectors (the product's own engine, `retrieval/embed`) takes longer and goes on where it was cut
off. Three maps of a vector start as one and the same rotation and are held near it: what is learned beyond that
from some thousand made-up lives does not carry over to other wordings. The formulas are those of
crates/embed/src/evolver/facts.rs; `evolver/data.py` makes the streams. The benchmarks are not read.
"""

import argparse
import gzip
import json
import math
import random
import zlib
from collections import defaultdict
from pathlib import Path

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from evolver import data as streams
from evolver.data import TIER
from evolver.train import CONFIG, settings_of
from retrieval.corpus import Vectors

HIDDEN, HINT, INTENT = 384, 48, 128
INTENTS = ["none", "now", "before", "first", "last", "when", "how_often", "who", "all_of"]
COSINE, PAST, MOST, MOST_PAST = 0.8, 2.0, 0.999, 0.99
SURE = 0.75  # less sure of an intent than this, a question has none
NEAR_START = 1e-2  # how strongly the maps are held to where they start
# Questions of real dialogues: they ask for no order, and the head must not find one.
REAL = dict(qmsum=1200, synthetic_persona_chat=600, realmem=300, sgd=1500, clapnq=299, molweni=800, irc=1200, xquad=600, timeqa=500)


class Reader(nn.Module):
    """Scores of the passages of streams for one question each. `white` = (mean, matrix) of static vectors."""

    def __init__(self, white, drop=0.3):
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(HIDDEN, HIDDEN, generator=torch.Generator().manual_seed(1)))[0]
        self.register_buffer("start", rotation)
        self.register_buffer("mean", white[0])
        self.register_buffer("white", white[1])
        self.states, self.asks, self.value = (nn.Parameter(rotation.clone()) for _ in range(3))
        self.hint = nn.Sequential(nn.Linear(HIDDEN, HINT), nn.GELU(), nn.Linear(HINT, 2))
        self.hint[2].weight.data.mul_(0.1)
        self.likeness, self.cosine, self.offset, self.same, self.same_offset = (
            nn.Parameter(torch.tensor(value)) for value in (8.0, 10.0, -2.0, 6.0, 0.0)
        )
        self.drop = nn.Dropout(drop)

    def maps(self):
        return self.states, self.asks, self.value

    def from_start(self):
        return sum(((m - self.start) ** 2).sum() for m in self.maps())

    def forward(self, passages, query, valid, intent):
        """[B, T, 384], [B, 384], [B, T], [B] to scores and log-odds of stating the fact, both [B, T]."""
        x, asked = (passages - self.mean) @ self.white, (query - self.mean) @ self.white
        unit = lambda vectors, m: F.normalize(self.drop(vectors) @ m.T, dim=-1)
        likeness = torch.einsum("btd,bd->bt", unit(x, self.states), unit(asked, self.asks))
        cosine = torch.einsum("btd,bd->bt", passages, query)
        hint = self.hint(self.drop(x))
        odds = self.likeness * likeness + self.cosine * (cosine - COSINE) + self.offset + hint[..., 0]
        odds = odds.masked_fill(~valid, -20.0)
        past = torch.sigmoid(hint[..., 1] - PAST)
        value = unit(x, self.value)
        other = 1 - torch.sigmoid(self.same * value @ value.transpose(1, 2) + self.same_offset)
        holds = torch.sigmoid(odds) * (1 - past)
        free = torch.log1p(-(holds[:, None, :] * other).clamp(max=MOST))  # [t, u]: u does not state another value
        later = torch.ones(x.shape[1], x.shape[1]).triu(1)
        stated = F.logsigmoid(odds)
        last = stated + torch.log1p(-past.clamp(max=MOST_PAST)) + (free * later).sum(-1)
        first = stated + (free * later.T).sum(-1)
        kind = intent[:, None]
        ends = (kind == INTENTS.index("now")) | (kind == INTENTS.index("last"))
        return torch.where(ends, last, torch.where(kind == INTENTS.index("first"), first, stated)), odds


class Store:
    """Vectors by row; `find` gives the rows of texts with their prefixes, as evolver/data.py wants them."""

    def __init__(self, vectors, texts):
        self.rows = {text: row for row, text in enumerate(sorted(texts))}
        split = [text.split(": ", 1) for text in sorted(texts)]
        vectors.ask([(kind[0], text) for kind, text in split])
        self.statics = np.stack([vectors.of([text], kind[0])[0] for kind, text in split])
        self.statics /= np.linalg.norm(self.statics, axis=1, keepdims=True)

    def find(self, texts):
        return np.array([self.rows[text] for text in texts], dtype=np.int64)


def whitening(vectors, floor):
    mean = vectors.mean(0)
    spread, axes = np.linalg.eigh(np.cov(vectors.T))
    matrix = (axes / np.sqrt(spread.clip(0) + floor * spread.mean())) @ axes.T
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(matrix, dtype=torch.float32)


def scored(reader, statics, batch, question, order=None):
    rows = batch["rows"] if order is None else batch["rows"].gather(1, order)
    passages = torch.from_numpy(statics[rows.clamp(min=0).numpy()])
    query = torch.from_numpy(statics[batch["questions"][:, question].clamp(min=0).numpy()])
    scores, odds = reader(passages, query, rows >= 0, batch["intent"][:, question])
    return scores, odds, torch.einsum("btd,bd->bt", passages, query)


def train_reader(reader, groups, statics, settings, steps, say=print):
    sampler, rng = streams.Sampler(statics, settings), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(
        [{"params": list(reader.maps()), "weight_decay": 0.0}, {"params": [p for n, p in reader.named_parameters() if "." in n], "weight_decay": 0.05},
         {"params": [reader.likeness, reader.cosine, reader.offset, reader.same, reader.same_offset], "weight_decay": 0.0}],
        lr=1e-3,
    )
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, (step + 1) / 30) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        chosen = [groups[at] for at in rng.integers(len(groups), size=24)]
        batch = streams.collate([sampler.training([g], rng, int(rng.integers(8, 33))) for g in chosen], INTENTS)
        loss, count = NEAR_START * reader.from_start(), 0
        for question in range(batch["questions"].shape[1]):
            tiers = batch["tiers"][:, question]
            gold, known = tiers == TIER["gold"], tiers < TIER["void"]
            used = (batch["questions"][:, question] >= 0) & gold.any(1)
            if not used.any():
                continue
            scores, odds, _ = scored(reader, statics, batch, question)
            scores = scores.masked_fill(~known, -1e9)
            missed = torch.logsumexp(scores, 1) - torch.logsumexp(scores.masked_fill(~gold, -1e9), 1)
            states = F.binary_cross_entropy_with_logits(odds, (tiers <= TIER["statement"]).float(), reduction="none")
            loss = loss + (missed + 0.3 / 8 * (states * known).sum(1))[used].sum() / len(chosen) / 3
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            say(f"step {step}: loss {float(loss.detach()):.3f}", flush=True)
    return reader.eval()


@torch.no_grad()
def accuracy(reader, groups, statics, settings, most=250):
    """{intent: {n, chance, static, read, shuffled, alone}}: the best among the statements of a fact and what could
    be mistaken for them answers; `alone` reads each passage without the others."""
    sampler, jobs, table = streams.Sampler(statics, settings), defaultdict(list), {}
    for group in groups:
        for question in group.questions:
            if question.evidence and question.intent != "none":
                jobs[question.intent].append((group, question))
    for intent, found in sorted(jobs.items()):
        found = [found[at] for at in np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)]
        right, count, rng = defaultdict(float), 0, torch.Generator().manual_seed(5)
        for start in range(0, len(found), 32):
            batch = streams.collate([sampler.evaluation(group, question) for group, question in found[start : start + 32]], INTENTS)
            tiers, valid = batch["tiers"][:, 0], batch["rows"] >= 0
            gold, rivals = tiers == TIER["gold"], tiers <= TIER["adjacent"]
            some = (rivals & ~gold).any(1)
            read, _, static = scored(reader, statics, batch, 0)
            order = torch.rand(valid.shape, generator=rng).masked_fill(~valid, 2.0).argsort(1)
            shuffled = torch.zeros_like(read).scatter(1, order, scored(reader, statics, batch, 0, order)[0])
            single = [dict(batch, rows=batch["rows"][:, [at]]) for at in range(valid.shape[1])]
            alone = torch.cat([scored(reader, statics, one, 0)[0] for one in single], 1)
            for name, scores in (("static", static), ("read", read), ("shuffled", shuffled), ("alone", alone)):
                best = scores.masked_fill(~rivals, -1e9).argmax(1, keepdim=True)
                right[name] += float(gold.gather(1, best)[some].sum())
            right["chance"] += float((gold.sum(1) / rivals.sum(1))[some].sum())
            count += int(some.sum())
        table[intent] = {"n": count} | {name: 100 * value / max(count, 1) for name, value in right.items()}
    return table


def intent_questions(data, train, real_only=False):
    """(text, intent, split) of distinct questions; four fifths of the real ones train, the rest measure."""
    found = {}
    for split in () if real_only else ("train", "dev", "test_wording", "test_attribute"):
        with gzip.open(Path(data) / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                meta = json.loads(line)["meta"]
                # Half of the made-up questions without an intent are enough.
                if not (meta["intent"] == "none" and split == "train" and zlib.crc32(meta["turns"][-1].encode()) % 10 >= 5):
                    found.setdefault((meta["turns"][-1], meta["intent"], split))
    rng = random.Random(3)
    for name, count in REAL.items():
        with gzip.open(Path(train) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            asked = [qa["question"] for line in lines for qa in json.loads(line).get("qa", []) if qa.get("kind") not in ("topic", "update")]
        asked = [text for text in asked if len(text) < 300]
        rng.shuffle(asked)
        found.update({(text, "none", "real" if at % 5 else "test_real"): None for at, text in enumerate(asked[:count])})
    return list(found)


def train_intents(questions, vectors, say=print, epochs=12):
    """The head over the query's static vector, and what it does on questions that it has not seen."""
    vectors.ask([("q", text) for text, _, _ in questions])
    x = torch.from_numpy(vectors.of([text for text, _, _ in questions], "q"))
    x = F.normalize(x, dim=1)
    y = torch.tensor([INTENTS.index(intent) for _, intent, _ in questions])
    split = np.array([name for _, _, name in questions])
    mine = torch.from_numpy(np.isin(split, ("train", "real")))
    mean, white = whitening(x[mine].numpy(), 0.02)
    z = (x - mean) @ white
    head = nn.Sequential(nn.Dropout(0.2), nn.Linear(HIDDEN, INTENT), nn.GELU(), nn.Dropout(0.3), nn.Linear(INTENT, len(INTENTS)))
    optimizer = torch.optim.AdamW(head.parameters(), lr=3e-3, weight_decay=3e-2)
    for _ in range(epochs):
        for part in torch.where(mine)[0][torch.randperm(int(mine.sum()))].split(256):
            seen = z[part] + 0.3 * torch.randn(len(part), HIDDEN)
            loss = F.cross_entropy(head(seen), y[part], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    head.eval()
    with torch.no_grad():
        sure, found = head(z).softmax(-1).max(1)
        found = found.masked_fill(sure < SURE, 0)
        for name in ("dev", "test_wording", "test_attribute", "test_real"):
            some = torch.from_numpy(split == name)
            none, order = some & (y == 0), some & (y > 0)
            share = lambda what, among: f"{100 * float(what[among].float().mean()):.1f} %" if among.any() else "-"
            say(f"intents, {name}: order found where there is none {share(found > 0, none)}, right {share(found == y, order)}, wrong {share((found != y) & (found > 0), order)}")
    return head, mean, white


def export(path, reader, head, mean, white):
    """facts.gguf: everything folded into maps of the plain static vector."""
    writer = gguf.GGUFWriter(str(path), "facts")
    writer.add_string("facts.intents", ",".join(INTENTS))
    for name, value in (("width", HIDDEN), ("hint", HINT), ("intent", INTENT)):
        writer.add_uint32(f"facts.{name}", value)

    def put(name, weight, bias, fold=None):
        weight, bias = weight.detach().double(), bias.detach().double()
        if fold is not None:
            weight = weight @ fold[1].double().T
            bias = bias - weight @ fold[0].double()
        writer.add_tensor(f"facts.{name}.weight", weight.numpy().astype(np.float16))
        writer.add_tensor(f"facts.{name}.bias", bias.numpy().astype(np.float32))

    own, nothing = (reader.mean, reader.white), torch.zeros(HIDDEN)
    for name in ("states", "asks", "value"):
        put(name, getattr(reader, name), nothing, own)
    put("hint_in", reader.hint[0].weight, reader.hint[0].bias, own)
    put("hint_out", reader.hint[2].weight, reader.hint[2].bias)
    put("intent_in", head[1].weight, head[1].bias, (mean, white))
    put("intent_out", head[4].weight, head[4].bias)
    numbers = [float(v) for v in (reader.likeness, reader.cosine, reader.offset, reader.same, reader.same_offset)] + [SURE]
    writer.add_tensor("facts.numbers", np.array(numbers, dtype=np.float32))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        step()
    writer.close()


@torch.no_grad()
def golden(path, reader, head, mean, white, groups, statics, settings, texts):
    """Streams of text with the scores of each intent, for the Rust test."""
    sampler, cases = streams.Sampler(statics, settings), []
    for group in groups[:: max(1, len(groups) // 6)][:6]:
        stream = sampler.evaluation(group, group.questions[0], 12)
        batch = streams.collate([stream], INTENTS)
        query = torch.from_numpy(statics[[group.questions[0].row]])
        chances = head((query - mean) @ white).softmax(-1)[0]
        scores = {}
        for intent in ("now", "first", "when"):
            batch["intent"][:] = INTENTS.index(intent)
            scores[intent] = [round(float(v), 4) for v in scored(reader, statics, batch, 0)[0][0]]
        passages = [texts[row].split(": ", 1)[1] for row in stream.rows]
        cases.append({"query": group.questions[0].text, "passages": passages, "intents": [round(float(v), 4) for v in chances], "scores": scores})
    Path(path).write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "train", "cache", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--lives", type=int, default=1100, help="histories to train on; each distinct turn must be embedded once")
    parser.add_argument("--held", type=int, default=120, help="histories of each held-out split")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(given.threads)
    settings = settings_of(CONFIG)["streams"] | {"shuffled_share": 0.9}
    held = ("dev", "test_wording", "test_attribute")
    sets = {"train": streams.read(given.data, ("train",), given.lives, 14, 0.0)} | {name: streams.read(given.data, (name,), given.held, 32, 0.0) for name in held}
    sets = {name: [group for group in groups if group.statements] for name, groups in sets.items()}
    vectors = Vectors(given.cache, given.threads)
    texts = set().union(*(streams.texts(groups) for groups in sets.values()))
    store = Store(vectors, texts)
    for groups in sets.values():
        streams.attach(groups, store)
    used = store.find(sorted(streams.texts(sets["train"])))
    reader = train_reader(Reader(whitening(store.statics[used[::3]], 0.05)), sets["train"], store.statics, settings, given.steps)
    print("\n| set | intent | n | chance | static | read in order | shuffled | each alone |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in held:
        for intent, row in accuracy(reader, sets[name], store.statics, settings).items():
            figures = " | ".join(f"{row[kind]:.0f}" for kind in ("chance", "static", "read", "shuffled", "alone"))
            print(f"| {name} | {intent} | {row['n']} | {figures} |", flush=True)
    head, mean, white = train_intents(intent_questions(given.data, given.train), vectors)
    export(given.out, reader, head, mean, white)
    if given.golden:
        golden(given.golden, reader, head, mean, white, sets["test_wording"], store.statics, settings, sorted(texts))


if __name__ == "__main__":
    main()
