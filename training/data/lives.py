"""The generator of lives: histories of some people, with questions about them.

`life` says what happens and what answers a question, `history` who says it where, `questions` how it is
asked; this file draws the sizes, keeps the intents even and writes the EvoTrain form.
"""

import random
import zlib

from . import questions
from .history import History, Turn, cast, lay
from .life import KEYS, timeline
from .wording import load

HELD_OUT = ("doctor", "car", "diet", "restaurant", "gym", "opinion_person")  # never in train, dev or test_wording
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "ru", "zh", "ja", "tr")
SHARE = (70, 7, 6, 6, 4, 4, 1, 1, 0.6, 0.6)
ORDER = ("now", "before", "first", "last", "when", "how_often", "all_of", "who")
WEIGHT = {"now": 4, "before": 4, "first": 4, "last": 2.5, "when": 2, "how_often": 1.2, "all_of": 1.5, "who": 2}


class Lives:
    """`reuse`: few names and values, and a statement is worded in one of three ways for good, so that
    many histories share their texts (a frozen trunk has to read each distinct text once)."""

    def __init__(self, fillers, packs=None, reuse=False):
        self.packs = packs or load()
        self.fillers = fillers
        self.reuse = reuse

    def attributes(self, pack, split):
        for attribute in pack.attributes.values():
            held = attribute.name in HELD_OUT
            if held == (split == "test_attribute"):
                yield attribute

    def values(self, pack, name):
        return pack.values.get(name) or self.packs["en"].values[name]

    def history(self, seed, split, long=None, lang=None, length=None):
        """A history with its questions [(record)], from its seed alone."""
        for attempt in range(20):
            rng = random.Random(f"{seed}/{split}/{attempt}")
            made = self._history(f"{split}-{seed}", rng, split, long, lang, length)
            if made and made[1]:
                return made
        raise RuntimeError(f"no history for seed {seed}")

    def _history(self, name, rng, split, long, lang, length):
        langs = [l for l in LANGUAGES if l in self.packs and (split != "test_attribute" or any(True for _ in self.attributes(self.packs[l], split)))]
        lang = lang or rng.choices(langs, [SHARE[LANGUAGES.index(l)] * (2.5 if self.reuse and l == "en" else 1) for l in langs])[0]
        pack = self.packs[lang]
        long = rng.random() < 0.25 if long is None else long
        length = length or (rng.randint(60, 300) if long else rng.randint(8, 32))
        owner, partners, told, named = cast(rng, NAMES, relations=lang == "en", few=self.reuse)
        history = History(name, lang, split, [owner, *partners, *told], owner_named=named, reuse=self.reuse)
        by_kind = {}
        for a in self.attributes(pack, split):
            by_kind.setdefault(a.kind, []).append(a)
        facts = history.facts
        wanted = rng.randint(5, 10) if long else rng.choice((1, 1, 2, 2, 3))
        room = length * (0.4 if long else 0.6)
        pool = [a for a in rng.sample(sorted(self.attributes(pack, split), key=lambda a: a.name), len(list(self.attributes(pack, split))))]
        main = [a for a in pool if a.kind != "episode"][:wanted]
        for attribute in main:
            topics = rng.sample(self.values(pack, attribute.topic), 2) if attribute.topic else [""]
            values = self.values(pack, attribute.values)
            if self.reuse:  # the same few for the whole set
                values = random.Random(f"{attribute.name}/{lang}").sample(values, min(len(values), 5))
                topics = rng.sample(self.values(pack, attribute.topic)[:2], 2) if attribute.topic else topics
            if rng.random() < 0.5:  # few values among all: the same one of another person, or only imagined
                values = rng.sample(values, min(len(values), rng.randint(6, 9)))
            people = history.people
            if self.reuse:  # an attribute is told of the owner and some of the others
                people = [p for p in people if p is history.owner or zlib.crc32(f"{attribute.name}/{p.name}".encode()) % 5 < 2]
            people = rng.sample(people, min(len(people), rng.choice((1, 2, 2, 3))))
            for n, person in enumerate(people):
                for topic in topics[: 1 if n or rng.random() < 0.6 else 2]:
                    if sum(len(f.items) for f in facts) >= room:
                        break
                    facts.append(self._fact(rng, values, attribute, person, topic, split, most=6 if n == 0 else 3))
        told_once = [a for a in pool if a.kind == "episode"]
        for attribute in told_once[: rng.randint(9, 14) if long else rng.randint(2, 5)]:
            few = 4 if self.reuse else None
            values = rng.sample(self.values(pack, attribute.values)[:few], 3)
            topics = rng.sample(self.values(pack, attribute.topic)[:few], 3) if attribute.topic else [""] * 3
            if self.reuse and attribute.topic:  # a value goes with its topic
                topics = [self.values(pack, attribute.topic)[self.values(pack, attribute.values).index(v)] for v in values]
            for person in rng.sample(history.people, rng.choice((1, 1, 2))):
                fact = timeline(rng, [values.pop()], attribute, kinds={"state"}, most=1, changes=0)
                fact.items = fact.items[:1]
                fact.person, fact.topic = person, topics.pop()
                facts.append(fact)
        if not facts:
            return None
        conversations = rng.randint(3, max(4, length // 12)) if long else rng.choice((1, 1, 2, 3))
        if not lay(history, partners, self.packs, rng, length, self.fillers, conversations):
            return None
        return history, self._questions(history, pack, rng, long)

    def _fact(self, rng, values, attribute, person, topic, split, most):
        kinds = {k for k, keys in KEYS.items() if any(attribute.pick(key, split) for key in keys)}
        fact = timeline(rng, values, attribute, most, kinds)
        fact.person, fact.topic = person, topic
        return fact

    def _questions(self, history, pack, rng, long):
        """Every fact with most of its intents, an intent once a fact, then as many that need no order."""
        made, seen = [], set()
        states = [f for f in history.facts if f.attribute.kind != "episode"]
        for _ in range(20 * len(states)):
            if len(made) >= (12 if long else 5):
                break
            fact = rng.choice(states)
            intent = rng.choices(ORDER, [WEIGHT[i] for i in ORDER])[0]
            if fact.attribute.kind == "event" and intent in ("now", "who"):
                continue
            if intent in ("now", "last", "who") and len(fact.statements()) < 2 and rng.random() < 0.8:
                continue
            span = None
            if intent == "when":
                span = rng.randrange(len(fact.spans))
            elif intent == "before" and len(fact.spans) > 2 and rng.random() < 0.5:
                span = rng.randrange(1, len(fact.spans))
            key = (id(fact), intent, span)
            if key in seen:
                continue
            seen.add(key)
            mixed = self.packs["en"] if history.lang != "en" and rng.random() < 0.12 else None
            record = questions.ask(history, fact, intent, pack, rng, span, mixed)
            if record:
                made.append(record)
        return made + self._told_once(history, pack, rng, 14 if long else 6)

    def _told_once(self, history, pack, rng, most):
        made, texts = [], set()
        for fact in history.facts:
            if fact.attribute.kind == "episode":
                for intent in ("none", "none", "none", "when" if rng.random() < 0.25 else "none"):
                    record = questions.ask(history, fact, intent, pack, rng)
                    if record and record["question"].lower().rstrip("?") not in texts:
                        texts.add(record["question"].lower().rstrip("?"))
                        made.append(record)
        rng.shuffle(made)
        return made[:most]


NAMES = [(n, f) for names, f in (
    ("Anna Maria Julia Nina Sophie Emma Carmen Laura Hannah Katja Ines Sara Olivia Zoe Alice Chloe Marta Vera Ida Amelie Rosa Nora "
     "Elena Tanja Birgit Louise Megan Rachel Sandra Teresa Ute Wanda Hazel Bianca Dora Eva Fiona Gaby Helen Jana", True),
    ("Tom Max Peter Paul David Daniel Simon Lukas Jan Erik Nico Pedro João Luis Carlos Miguel Pablo Andre Oscar Robin Ben Jack Harry "
     "George Samuel Adam Mark Steve Kevin Martin Oliver Philipp Gregor Ralf Theo Vincent Walter Emil Fritz Gianni", False),
) for n in names.split()]


def line(turn):
    return f"{turn.speaker}: {turn.text}"


def evotrain(turns, record, history_name, lang, split, source):
    """The EvoTrain form of one question. `turns`: the history's."""
    texts = [line(t) for t in turns]
    messages = []
    for text in texts:
        messages += [{"role": "user", "content": text}, {"role": "assistant", "content": ""}]
    messages += [{"role": "user", "content": record["question"]}, {"role": "assistant", "content": record["answer"]}]
    meta = {
        "turns": texts + [record["question"]],
        **{k: record[k] for k in ("evidence_turns", "superseded_turns", "statements", "near_misses", "intent", "family", "attribute")},
        **{k: record[k] for k in ("values", "claims", "names_before", "antecedents", "families", "statement_families") if k in record},
        "times": [t.time.isoformat(timespec="seconds") for t in turns],
        "conversations": [t.conversation for t in turns],
        "speakers": [t.speaker for t in turns],
        "lang": lang, "split": split, "source": source, "history": history_name,
    }
    return {"messages": messages, "meta": meta}
