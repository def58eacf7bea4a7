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
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

TIERS = (
    "gold",
    "statement",
    "other_person",
    "hypothetical",
    "negated",
    "question",
    "adjacent",
    "topic",
    "conversation",
    "other",
    "void",
)
TIER = {name: number for number, name in enumerate(TIERS)}
ORDER = ("now", "before", "first", "last", "who", "when", "how_often", "all_of")
# Wordings that stand on the turn before them (corrections, answers), so that they cannot be moved.
FIXED = (".co.", ".pr.")
NEAR = ("other_person", "hypothetical", "negated", "question", "adjacent")
GROUP = 1000  # statements of the n-th fact of a stream are numbered from n * GROUP
WORD = re.compile(r"\w+")


@dataclass
class Question:
    text: str
    intent: str
    evidence: tuple
    family: str
    attribute: str
    lang: str
    aside: tuple = ()  # neither gold nor negative
    row: int = -1
    rule: str = ""  # which run of equal values answers, if that is all there is to it: see `rule_of`


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
    values: dict = field(default_factory=dict)  # value by statement, where their order may be changed
    claims: dict = field(default_factory=dict)  # "set", "same" or "past" by statement
    names_before: tuple = ()  # statements that also name the value before


@dataclass
class Stream:
    rows: np.ndarray  # [T] rows of the store, in time order
    tiers: np.ndarray  # [Q, T] numbers of TIERS
    statements: np.ndarray  # [T] number of the statement and its fact (see GROUP), or -1
    questions: list
    foreign: np.ndarray  # [T] from another history
    runs: np.ndarray  # [T] number of the value in the row of values (0, 1, ...), or -1
    claims: np.ndarray  # [T] 0 a new value, 1 the same again, 2 one that has passed, or -1
    teacher: np.ndarray = None  # [T] ranking to learn from, for questions without intent


def read(path, splits, lives=0, thin=0, plain=1.0):
    """Groups of the questions of these splits, with histories shared.

    Every distinct text costs the trunk time, so of the generated lives the first `lives` may be taken only,
    of the questions without intent the share `plain` (by a hash); and with `thin` a longer history keeps that many turns: all that any of its questions refers to, and an
    even choice of the rest.
    """
    histories, groups, count = {}, {}, 0
    for file in sorted(Path(path).glob("*.jsonl.gz")) if Path(path).is_dir() else [Path(path)]:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                meta = json.loads(line)["meta"]
                if meta["split"] not in splits:
                    continue
                *turns, question = meta["turns"]
                if meta["intent"] == "none" and zlib.crc32(question.encode()) % 1000 >= 1000 * plain:
                    continue
                name = (meta["source"], meta["history"], len(turns), turns[0], turns[-1])
                if name not in histories:
                    generated = meta["source"] == "lives"
                    if generated and lives and count >= lives:
                        continue
                    count += generated
                    histories[name] = History(turns, meta["conversations"][: len(turns)])
                history = histories[name]
                evidence = tuple(at for at in meta["evidence_turns"] if at < len(turns))
                none = meta["intent"] == "none"
                statements = tuple(sorted(meta.get("statements") or evidence))
                near = {
                    kind: tuple(at for at in meta.get("near_misses", {}).get(kind, ()) if at < len(turns))
                    for kind in NEAR
                }
                key = (name, meta["attribute"], statements, question if none else None)
                group = groups.setdefault(key, Group(history, () if none else statements, near))
                for kind in NEAR:
                    group.near[kind] = tuple(sorted(set(group.near[kind]) | set(near[kind])))
                if not any(part in family for family in meta.get("statement_families", ()) for part in FIXED):
                    known = {int(at): value for at, value in (meta.get("values") or {}).items()}
                    if meta.get("claims") and meta["intent"] != "who" and all(known.get(at) for at in statements):
                        group.values = {at: known[at] for at in statements}
                        group.claims = dict(zip(statements, meta["claims"]))
                        group.names_before = tuple(meta.get("names_before", ()))
                asked = Question(
                    question,
                    meta["intent"],
                    evidence,
                    meta["family"],
                    meta["attribute"],
                    meta["lang"],
                    tuple(meta.get("antecedents", ())),
                )
                group.questions.append(asked)
    for group in groups.values():
        for question in group.questions:
            question.rule = rule_of(group, question)
    if thin:
        thin_out(groups.values(), thin)
    return list(groups.values())


def answer(rule, order, group):
    """The statements that answer when they come in this order; None if nothing does.

    Statements hold a value from where they stand ("set", "same") or recall one that has passed ("past").
    """
    kind, _, value = rule.partition(":")
    values, runs = group.values, []
    for at in order:
        if group.claims[at] == "past":
            continue
        if runs and values[runs[-1][-1]] == values[at]:
            runs[-1].append(at)
        else:
            runs.append([at])
    if kind == "all":
        return order
    if kind == "now":
        return runs[-1]
    if kind == "since":
        return [run[0] for run in runs if values[run[0]] == value][:1] or None
    if len(runs) < 2:
        return None
    if kind == "starts":
        return [run[0] for run in runs]
    run = runs[0] if kind == "first" else runs[-2]
    if sum(values[other[0]] == values[run[0]] for other in runs) == 1:
        run = run + [at for at in order if group.claims[at] == "past" and values[at] == values[run[0]]]
    return sorted(run, key=order.index)


def states_of(group, chosen):
    """For every passage: the number of the value it states, and whether that is new, the same or past."""
    runs, claims, held, number = np.full(len(chosen), -1), np.full(len(chosen), -1), None, -1
    for place, at in enumerate(int(at) for at in chosen):
        if at not in group.values:
            continue
        if group.claims[at] == "past":
            claims[place] = 2
            continue
        claims[place] = int(group.values[at] == held)
        number, held = number + (group.values[at] != held), group.values[at]
        runs[place] = number
    return runs, claims


def rule_of(group, question):
    """The rule that gives this question's evidence in the true order, or nothing."""
    if not group.values or not question.evidence:
        return ""
    value = group.values[question.evidence[0]]
    kinds = {
        "now": "now",
        "last": "now",
        "first": "first",
        "before": "before",
        "how_often": "starts",
        "all_of": "all",
        "when": f"since:{value}",
    }
    rule = kinds.get(question.intent, "")
    named = question.intent == "before" and any(v.lower() in question.text.lower() for v in set(group.values.values()))
    if not rule or named:
        return ""
    found = answer(rule, list(group.statements), group)
    evidence = [at for at in question.evidence if at in (found or ()) or at not in group.names_before]
    return rule if found == evidence else ""


def thin_out(groups, size):
    kept, numbers = defaultdict(set), {}
    for group in groups:
        kept[id(group.history)].update(
            group.statements, *group.near.values(), *(q.evidence + q.aside for q in group.questions)
        )
    for history in {id(g.history): g.history for g in groups}.values():
        must = kept[id(history)]
        rest = [at for at in range(len(history.turns)) if at not in must]
        count = max(0, min(len(rest), size - len(must)))
        must |= {rest[at * len(rest) // count] for at in range(count)}
        left = sorted(must)
        numbers[id(history)] = {at: number for number, at in enumerate(left)}
        history.turns, history.conversations = (
            [values[at] for at in left] for values in (history.turns, history.conversations)
        )
    for group in groups:
        new = numbers[id(group.history)]
        group.statements = tuple(new[at] for at in group.statements)
        group.values, group.claims = (
            {new[at]: value for at, value in some.items()} for some in (group.values, group.claims)
        )
        group.names_before = tuple(new[at] for at in group.names_before)
        group.near = {kind: tuple(new[at] for at in some) for kind, some in group.near.items()}
        for question in group.questions:
            question.evidence, question.aside = (
                tuple(new[at] for at in some) for some in (question.evidence, question.aside)
            )


def texts(groups):
    """Every text that the trunk must have read, with its prefix."""
    seen = {
        "passage: " + turn for history in {id(g.history): g.history for g in groups}.values() for turn in history.turns
    }
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

    def nearest(self, history, question, count):
        scores = self.statics[history.rows] @ self.statics[question.row]
        return list(np.argsort(-scores, kind="stable")[:count])

    def evaluation(self, group, question, count=32):
        """The stream as a search makes it: the nearest passages, the fact's own put in."""
        must = set(group.statements) | {at for kind in NEAR for at in group.near[kind]} | set(question.evidence)
        chosen = list(must) + [at for at in self.nearest(group.history, question, count) if at not in must]
        return self.stream([(group, [question])], sorted(chosen[: max(count, len(must))]))

    def training(self, groups, rng, count, others=()):
        """A stream of one kind or the other, of about `count` passages, with the questions of some facts of one history."""
        s, history = self.settings, groups[0].history
        shuffled = rng.random() < s["shuffled_share"] and any(q.rule for q in groups[0].questions)
        if shuffled:
            groups = [group for group in groups if any(q.rule for q in group.questions)]
        asked, must, own = [], set(), set()
        for group in groups:
            questions = [q for q in group.questions if q.rule or not shuffled]
            rng.shuffle(questions)
            questions = questions[: s["questions"]]
            wanted = {at for question in questions for at in question.evidence}
            for at in group.statements:
                # The last statement decides what holds now, so it stays.
                if at == group.statements[-1] or rng.random() >= s["drop_statement"]:
                    wanted.add(at)
            for kind in NEAR:
                wanted |= {at for at in group.near[kind] if rng.random() >= s["drop_near"]}
            if asked and len(must | wanted) > s["longest"]:
                continue
            asked.append((group, questions))
            must |= wanted
            own |= set(group.statements) | {at for kind in NEAR for at in group.near[kind]}
        fill = [at for at in self.pool(history, asked, must, count, rng) if at not in must and at not in own]
        rng.shuffle(fill)
        if len(must) > s["longest"]:
            needed = {at for _, questions in asked for question in questions for at in question.evidence}
            extra = [at for at in must if at not in needed]
            rng.shuffle(extra)
            must -= set(extra[: len(must) - s["longest"]])
        chosen = sorted(must | set(fill[: max(0, count - len(must))]))
        if shuffled:
            chosen, asked = self.shuffled(asked, chosen, rng)
        stream = self.stream(asked, chosen)
        if others and rng.random() < s["foreign_share"]:
            self.put_foreign(stream, others[int(rng.integers(len(others)))], rng)
        return stream

    def pool(self, history, asked, must, count, rng):
        """Where the rest of a stream comes from: the nearest passages of a question, or a run of neighbours."""
        total = len(history.turns)
        questions = [question for _, some in asked for question in some]
        if questions and rng.random() < self.settings["nearest_share"]:
            pool = self.nearest(history, questions[int(rng.integers(len(questions)))], 2 * count)
            return pool[: count + int(rng.integers(0, count + 1))]
        middle = int(rng.choice(sorted(must))) if must else int(rng.integers(total))
        start = max(0, min(middle - int(rng.integers(count)), total - count))
        return list(range(start, min(total, start + count)))

    def shuffled(self, asked, chosen, rng):
        """The passages in another order, and who answers read off that order: texts learned by heart are no help."""
        chosen = [int(at) for at in rng.permutation(chosen)]
        for group, _ in asked:
            past = [at for at in chosen if group.claims.get(at) == "past"]
            chosen = [at for at in chosen if at not in past]
            for at in past:
                # A recall comes after another value has replaced the one it speaks of; what holds at the end is not recalled.
                holding = [
                    number
                    for number, other in enumerate(chosen)
                    if other in group.values and group.claims[other] != "past"
                ]
                same = [number for number in holding if group.values[chosen[number]] == group.values[at]]
                later = [number for number in holding if same and number > same[-1] and number not in same]
                if later:
                    chosen.insert(int(rng.integers(later[0] + 1, len(chosen) + 1)), at)
        found = []
        for group, questions in asked:
            order, kept = [at for at in chosen if at in group.values], []
            for question in questions:
                gold = answer(question.rule, order, group) if any(group.claims[at] != "past" for at in order) else None
                if gold:
                    aside = [
                        at for at in group.names_before if question.intent in ("first", "before") and at not in gold
                    ]
                    kept.append(replace(question, evidence=tuple(gold), aside=(*question.aside, *aside)))
            found.append((replace(group, statements=tuple(order), questions=kept), kept))
        return chosen, found

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
            run = np.unique(np.concatenate([run[: max(0, len(chosen) - len(other.statements))], other.statements]))[
                : len(chosen)
            ]
        chosen = np.sort(chosen[: len(run)])
        stream.rows[chosen] = other.history.rows[run]
        stream.foreign[chosen] = True
        stream.tiers[:, chosen] = TIER["other"]

    def stream(self, asked, chosen):
        """The stream of these places of a history; `asked` is [(group, questions)]."""
        history, chosen = asked[0][0].history, np.array(chosen, dtype=np.int64)
        rows, talk = history.rows[chosen], np.array(history.conversations)[chosen]
        place = {int(at): number for number, at in enumerate(chosen)}
        statements, runs, claims = (np.full(len(chosen), -1) for _ in range(3))
        tiers = []
        for number, (group, questions) in enumerate(asked):
            said = [place[at] for at in group.statements if at in place]
            free = said if group.values else [at for at in said if statements[at] < 0]
            statements[free] = number * GROUP + np.arange(len(free))
            own_runs, own_claims = states_of(group, chosen)
            runs, claims = np.where(own_claims >= 0, own_runs, runs), np.where(own_claims >= 0, own_claims, claims)
            tiers += [self.tiers(group, question, place, rows, talk, said) for question in questions]
        questions = [question for _, some in asked for question in some]
        tiers = np.array(tiers, dtype=np.int8).reshape(len(questions), len(chosen))
        stream = Stream(rows.copy(), tiers, statements, questions, np.zeros(len(chosen), dtype=bool), runs, claims)
        if questions and questions[0].intent == "none":
            stream.teacher = self.teacher(history, questions[0], rows, chosen)
        return stream

    def teacher(self, history, question, rows, chosen):
        """Scores of a search by meaning and words."""
        cosine = self.statics[rows] @ self.statics[question.row]
        return z(cosine) + z(bm25(history, question.text, chosen))

    def topical(self, rows, gold):
        """Which passages are near one of the gold ones in meaning."""
        return (self.statics[rows] @ self.statics[rows[gold]].T).max(1) > self.settings["topic_cosine"]

    def tiers(self, group, question, place, rows, talk, said):
        tiers = np.full(len(rows), TIER["other"], dtype=np.int8)
        gold = [place[at] for at in question.evidence if at in place]
        if gold:
            tiers[np.isin(talk, talk[gold])] = TIER["conversation"]
            tiers[self.topical(rows, gold)] = TIER["topic"]
        for kind in reversed(NEAR):
            tiers[[place[at] for at in group.near[kind] if at in place]] = TIER[kind]
        tiers[said] = TIER["statement"]
        if gold:
            # The same words elsewhere are no negative.
            others = np.isin(rows, rows[gold])
            others[said] = False
            tiers[others] = TIER["void"]
            tiers[[place[at] for at in question.aside if at in place]] = TIER["void"]
            tiers[gold] = TIER["gold"]
        return tiers


def collate(streams, intents, device="cpu"):
    """Padded tensors of a batch of streams; passages and questions are rows of the store."""
    batch, steps = len(streams), max(len(stream.rows) for stream in streams)
    asked = max(1, *(len(stream.questions) for stream in streams))
    rows, questions = np.full((batch, steps), -1), np.full((batch, asked), -1)
    tiers = np.full((batch, asked, steps), TIER["void"], dtype=np.int64)
    statements, runs, claims = (np.full((batch, steps), -1) for _ in range(3))
    foreign = np.zeros((batch, steps), dtype=bool)
    intent, teacher = np.zeros((batch, asked), dtype=np.int64), np.full((batch, steps), np.nan, dtype=np.float32)
    for number, stream in enumerate(streams):
        length, count = len(stream.rows), len(stream.questions)
        rows[number, :length] = stream.rows
        questions[number, :count] = [question.row for question in stream.questions]
        tiers[number, :count, :length] = stream.tiers
        statements[number, :length], foreign[number, :length] = stream.statements, stream.foreign
        runs[number, :length], claims[number, :length] = stream.runs, stream.claims
        intent[number, :count] = [intents.index(question.intent) for question in stream.questions]
        if stream.teacher is not None:
            teacher[number, :length] = stream.teacher
    numpy = dict(
        rows=rows,
        questions=questions,
        tiers=tiers,
        statements=statements,
        foreign=foreign,
        runs=runs,
        claims=claims,
        intent=intent,
        teacher=teacher,
    )
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
