"""Questions in the EvoTrain form to streams of passages: what one training step reads.

A group is one fact of one history with all its questions. Its stream is either the passages nearest to
one of its questions out of the whole history, or a run of neighbours of one statement; statements and
near misses are put in, everything stands in time order, and some of it is dropped at random so that
neither the length of a stream nor a place in it tells anything.
"""

import gzip
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

TIERS = ("gold", "statement", "other_person", "hypothetical", "negated", "adjacent", "topic", "conversation", "other", "void")
TIER = {name: number for number, name in enumerate(TIERS)}
ORDER = ("now", "before", "first", "last", "who", "when", "how_often", "all_of")
NEAR = ("other_person", "hypothetical", "negated", "adjacent")
WORD = re.compile(r"\w+")


@dataclass
class Question:
    text: str
    intent: str
    evidence: tuple
    superseded: tuple
    family: str
    attribute: str
    lang: str
    row: int = -1


@dataclass
class History:
    turns: list
    conversations: list
    rows: np.ndarray = None
    words: list = None
    idf: dict = None


@dataclass
class Group:
    """One fact: its statements, what could be mistaken for them, and the questions about it."""

    history: History
    statements: tuple
    near: dict
    questions: list = field(default_factory=list)


@dataclass
class Stream:
    rows: np.ndarray  # [T] rows of the store, in time order
    tiers: np.ndarray  # [Q, T] numbers of TIERS
    statements: np.ndarray  # [T] number of the statement of the fact that this is, or -1
    questions: list
    foreign: np.ndarray  # [T] from another history
    teacher: np.ndarray = None  # [T] ranking to learn from, for questions without intent


def read(path, splits):
    """Groups of the questions of these splits, with histories shared."""
    histories, groups = {}, {}
    for file in sorted(Path(path).glob("*.jsonl.gz")) if Path(path).is_dir() else [Path(path)]:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                meta = json.loads(line)["meta"]
                if meta["split"] not in splits:
                    continue
                *turns, question = meta["turns"]
                name = (meta["source"], meta["history"], len(turns), turns[0], turns[-1])
                if name not in histories:
                    histories[name] = History(turns, meta["conversations"][: len(turns)])
                history = histories[name]
                evidence = tuple(at for at in meta["evidence_turns"] if at < len(turns))
                none = meta["intent"] == "none"
                statements = tuple(sorted(meta.get("statements") or evidence))
                near = {kind: tuple(at for at in meta.get("near_misses", {}).get(kind, ()) if at < len(turns)) for kind in NEAR}
                key = (name, meta["attribute"], statements, question if none else None)
                group = groups.setdefault(key, Group(history, () if none else statements, near))
                for kind in NEAR:
                    group.near[kind] = tuple(sorted(set(group.near[kind]) | set(near[kind])))
                asked = Question(question, meta["intent"], evidence, tuple(meta.get("superseded_turns", ())), meta["family"], meta["attribute"], meta["lang"])
                group.questions.append(asked)
    return list(groups.values())


def texts(groups):
    """Every text that the trunk must have read, with its prefix."""
    seen = {"passage: " + turn for history in {id(g.history): g.history for g in groups}.values() for turn in history.turns}
    return seen | {"query: " + question.text for group in groups for question in group.questions}


def attach(groups, store):
    for history in {id(g.history): g.history for g in groups}.values():
        history.rows = store.find(["passage: " + turn for turn in history.turns])
    for group in groups:
        for question, row in zip(group.questions, store.find(["query: " + q.text for q in group.questions])):
            question.row = int(row)


def bm25(history, query, among):
    """BM25 of the query over these turns, with the document counts of the history."""
    if history.words is None:
        history.words = [Counter(WORD.findall(turn.lower())) for turn in history.turns]
        counts, total = Counter(word for words in history.words for word in words), len(history.turns)
        history.idf = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in counts.items()}
        history.mean = max(1.0, sum(sum(words.values()) for words in history.words) / total)
    asked, scores = set(WORD.findall(query.lower())), []
    for at in among:
        words = history.words[at]
        scale = 1.2 * (0.25 + 0.75 * sum(words.values()) / history.mean)
        scores.append(sum(history.idf[w] * words[w] * 2.2 / (words[w] + scale) for w in asked if w in words))
    return np.array(scores)


def z(scores):
    return (scores - scores.mean()) / (scores.std() + 1e-6)


class Sampler:
    """Makes streams. `statics` [rows of the store, 384] are unit vectors held in memory."""

    def __init__(self, statics, settings):
        self.statics, self.settings = statics, settings

    def nearest(self, group, question, count, cut=None):
        scores = self.statics[group.history.rows[:cut]] @ self.statics[question.row]
        return list(np.argsort(-scores, kind="stable")[:count])

    def evaluation(self, group, question, count=32):
        """The stream as a search makes it: the nearest passages, the fact's own put in."""
        must = set(group.statements) | {at for kind in NEAR for at in group.near[kind]} | set(question.evidence)
        chosen = list(must) + [at for at in self.nearest(group, question, count) if at not in must]
        return self.stream(group, [question], sorted(chosen[: max(count, len(must))]))

    def training(self, group, rng, others=()):
        """A stream of one kind or the other with the group's questions."""
        s, total = self.settings, len(group.history.turns)
        count = int(rng.integers(s["shortest"], s["longest"] + 1))
        questions = list(group.questions)
        rng.shuffle(questions)
        questions = questions[: s["questions"]]
        needed = {at for question in questions for at in question.evidence}
        must = set(needed)
        for at in group.statements:
            # The last statement decides what holds now, so it stays.
            if at == group.statements[-1] or rng.random() >= s["drop_statement"]:
                must.add(at)
        for kind in NEAR:
            must |= {at for at in group.near[kind] if rng.random() >= s["drop_near"]}
        if rng.random() < s["nearest_share"]:
            pool = self.nearest(group, questions[int(rng.integers(len(questions)))], 2 * count)
            pool = pool[: count + int(rng.integers(0, count + 1))]
        else:
            middle = int(rng.choice(list(must))) if must else int(rng.integers(total))
            start = max(0, min(middle - int(rng.integers(count)), total - count))
            pool = list(range(start, min(total, start + count)))
        own = set(group.statements) | {at for kind in NEAR for at in group.near[kind]}
        fill = [at for at in pool if at not in must and at not in own]
        rng.shuffle(fill)
        if len(must) > s["longest"]:
            extra = [at for at in must if at not in needed]
            rng.shuffle(extra)
            must -= set(extra[: len(must) - s["longest"]])
        chosen = sorted(must | set(fill[: max(0, count - len(must))]))
        stream = self.stream(group, questions, chosen)
        if others and rng.random() < s["foreign_share"]:
            self.put_foreign(stream, others[int(rng.integers(len(others)))], rng)
        return stream

    def put_foreign(self, stream, other, rng):
        """Some passages that nobody asks for are replaced by passages of another history."""
        free = np.flatnonzero((stream.tiers >= TIER["topic"]).all(0))
        if not len(free):
            return
        chosen = rng.permutation(free)[: max(1, int(len(free) * rng.uniform(0.2, 0.9)))]
        start = int(rng.integers(max(1, len(other.history.rows) - len(chosen))))
        run = np.arange(start, min(start + len(chosen), len(other.history.rows)))
        if other.statements and rng.random() < 0.5:
            # Statements of another life are the hardest strangers.
            run = np.unique(np.concatenate([run[: max(0, len(chosen) - len(other.statements))], other.statements]))[: len(chosen)]
        chosen = np.sort(chosen[: len(run)])
        stream.rows[chosen] = other.history.rows[run]
        stream.foreign[chosen] = True
        stream.tiers[:, chosen] = TIER["other"]

    def stream(self, group, questions, chosen):
        history, chosen = group.history, np.array(chosen, dtype=np.int64)
        rows, talk = history.rows[chosen], np.array(history.conversations)[chosen]
        tiers = np.full((len(questions), len(chosen)), TIER["other"], dtype=np.int8)
        place = {int(at): number for number, at in enumerate(chosen)}
        number_of = np.full(len(chosen), -1)
        for number, at in enumerate(group.statements):
            if at in place:
                number_of[place[at]] = number
        for row, question in enumerate(questions):
            gold = [place[at] for at in question.evidence if at in place]
            if gold:
                near = self.statics[rows] @ self.statics[rows[gold]].T
                tiers[row, np.isin(talk, talk[gold])] = TIER["conversation"]
                tiers[row, near.max(1) > self.settings["topic_cosine"]] = TIER["topic"]
            for kind in reversed(NEAR):
                tiers[row, [place[at] for at in group.near[kind] if at in place]] = TIER[kind]
            tiers[row, number_of >= 0] = TIER["statement"]
            if gold:
                # The same words elsewhere are no negative.
                tiers[row, np.isin(rows, rows[gold]) & (number_of < 0)] = TIER["void"]
                tiers[row, gold] = TIER["gold"]
        stream = Stream(rows.copy(), tiers, number_of, questions, np.zeros(len(chosen), dtype=bool))
        if questions[0].intent == "none":
            cosine = self.statics[rows] @ self.statics[questions[0].row]
            stream.teacher = z(cosine) + z(bm25(history, questions[0].text, chosen))
        return stream


def collate(streams, intents, device="cpu"):
    """Padded tensors of a batch of streams; passages and questions are rows of the store."""
    batch, steps = len(streams), max(len(stream.rows) for stream in streams)
    asked = max(len(stream.questions) for stream in streams)
    rows, questions = np.full((batch, steps), -1), np.full((batch, asked), -1)
    tiers = np.full((batch, asked, steps), TIER["void"], dtype=np.int64)
    statements, foreign = np.full((batch, steps), -1), np.zeros((batch, steps), dtype=bool)
    intent, teacher = np.zeros((batch, asked), dtype=np.int64), np.full((batch, steps), np.nan, dtype=np.float32)
    for number, stream in enumerate(streams):
        length, count = len(stream.rows), len(stream.questions)
        rows[number, :length] = stream.rows
        questions[number, :count] = [question.row for question in stream.questions]
        tiers[number, :count, :length] = stream.tiers
        statements[number, :length], foreign[number, :length] = stream.statements, stream.foreign
        intent[number, :count] = [intents.index(question.intent) for question in stream.questions]
        if stream.teacher is not None:
            teacher[number, :length] = stream.teacher
    numpy = dict(rows=rows, questions=questions, tiers=tiers, statements=statements, foreign=foreign, intent=intent, teacher=teacher)
    return {key: torch.from_numpy(value).to(device) for key, value in numpy.items()}


def seeds_of(model, store, rows, parts=4):
    """Seeds and static vectors of store rows (any shape, -1 is nothing), each text read once."""
    device = next(model.parameters()).device
    unique, where = np.unique(rows.cpu().numpy(), return_inverse=True)
    shape, pad = tuple(rows.shape), int(unique[0] == -1)
    order = np.argsort(store.index["tokens"][unique[pad:]], kind="stable")
    seeds = torch.zeros(len(unique), model.sizes.latents * model.sizes.seed, device=device)
    statics = torch.zeros(len(unique), store.statics.shape[1], device=device)
    found, at = [], []
    for part in np.array_split(order, parts):
        if not len(part):
            continue
        flat, tokens = store.ragged(unique[pad:][part])
        mask = np.arange(tokens.max())[None] < tokens[:, None]
        padded = np.zeros((len(part), tokens.max(), flat.shape[1]), dtype=np.float16)
        padded[mask] = flat
        found.append(model.seeds(torch.from_numpy(padded).to(device), torch.from_numpy(mask).to(device)))
        at.append(torch.from_numpy(part + pad).to(device))
    at = torch.cat(at)
    seeds = seeds.index_copy(0, at, torch.cat([pair[0] for pair in found]))
    statics = statics.index_copy(0, at, torch.cat([pair[1] for pair in found]))
    where = torch.from_numpy(where.reshape(-1)).to(device)
    return seeds[where].view(*shape, -1), statics[where].view(*shape, -1)
