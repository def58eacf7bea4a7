"""Lays the facts of some people into conversations: who says what to whom, when, in which words.

A history is a list of turns in time order. Every item of every fact becomes one turn (two, where an
ellipsis needs its antecedent); the rest is filler, reactions and questions asked by others.
"""

import datetime
import random
import re
from dataclasses import dataclass, field

from . import compose, life
from .wording import Person, first_only, render

# (relation, female): the owner speaks of "my sister", everyone else of "your sister".
RELATIONS = [("sister", 1), ("brother", 0), ("mum", 1), ("dad", 0), ("cousin", 1), ("aunt", 1), ("uncle", 0),
             ("neighbour", 0), ("boss", 0), ("flatmate", 1), ("grandma", 1), ("nephew", 0)]
OWNERS = ("Me", "me", "Me", "You")


@dataclass
class Turn:
    speaker: str
    text: str
    time: datetime.datetime = None
    conversation: int = 0


@dataclass
class History:
    name: str
    lang: str
    split: str
    people: list  # the owner first
    turns: list = field(default_factory=list)
    facts: list = field(default_factory=list)
    owner_named: bool = False  # questions call the owner by name
    reuse: bool = False  # words are the same whenever the same is said by the same

    @property
    def owner(self):
        return self.people[0]


@dataclass
class Block:
    """Turns that stay together: an item with what leads to it and what follows it."""

    turns: list  # [(Person or None, text, Item or None, is_antecedent)]


def cast(rng, names, relations=True, few=False):
    """The owner, one to three who write with the owner, and some that are only spoken of."""
    named = rng.random() < (0.35 if few else 0.5)
    if few:  # nine names, each in one part
        picked = [names[0], *names[1:4], *rng.sample(names[-3:], 3)]
    else:
        picked = rng.sample(names, 9)
    label = picked[0][0] if named else OWNERS[0] if few else rng.choice(OWNERS)
    owner = Person(picked[0][0] if named else "I", picked[0][1], label)
    partners = [Person(n, f, n) for n, f in rng.sample(picked[1:4], rng.randint(1, 3))]
    told = [Person(n, f) for n, f in picked[4 : 4 + rng.randint(1, 3)]]
    if relations:
        for relation, female in rng.sample(RELATIONS[: 3 if few else None], rng.randint(0, 2)):
            told.append(Person("my " + relation, bool(female), relation=relation))
    return owner, partners, told, named


def as_said(person, speaker, owner):
    """The person as `speaker` calls them."""
    if person.relation and speaker is not owner:
        prefix = f"{owner.name}'s " if owner.speaks == owner.name else "your "
        return Person(prefix + person.relation, person.female, relation=person.relation)
    return person


def word_item(item, fact, speaker, listeners, history, pack, rng, plain=False):
    """[(speaker, text)] for an item said by (or to) `speaker`, or None if it cannot be worded so."""
    person, attribute, split = fact.person, fact.attribute, history.split
    mode = 1 if person is speaker else 2 if person in listeners and len(listeners) == 1 else 3
    if mode == 3 and person is history.owner and not history.owner_named:
        return None  # nobody has a name for the owner
    if history.reuse:
        rng = item_rng(item, fact, speaker, history, rng.randrange(2) if item.kind == "state" else 0, mode)
    slots = {"V": item.value, "U": item.before, "T": fact.topic}
    second = mode == 2
    kind = item.kind
    if second and kind in ("state", "change"):
        kind = "you"
    elif not second and kind == "you":
        kind = "state"
    if kind == "pair":
        # the other asks, the person answers
        if mode == 1 and listeners:
            line = _pick(attribute.pick("pr", split), rng)
            if line is None:
                return None
            asked, _, told = line.text.partition("//")
            item.families = (line.family,)
            item.antecedent_says = "$V" in asked
            text = render(told, rng, 1, person, history.lang, **slots)
            return [(rng.choice(listeners), render(asked, rng, 2, person, history.lang, **slots)), (speaker, text)]
        kind = "you" if second else "state"
    if kind == "question" and not second:
        return None
    if second and kind not in ("you", "question"):
        return None
    for key in rng.sample(life.KEYS[kind], len(life.KEYS[kind])):
        lines = [l for l in attribute.pick(key, split) if mode == 1 or second or not first_only(l.text, history.lang)]
        line = _pick(lines, rng)
        if line is not None:
            break
    else:
        return None
    item.families, item.kind = (line.family,), kind
    who = as_said(person, speaker, history.owner)
    text = render(line.text, rng, mode, who, history.lang, **slots)
    return [(speaker, text)]


def item_rng(item, fact, speaker, history, variant, mode):
    """The same choices whenever the same person says the same."""
    return random.Random("/".join(map(str, (
        history.split, speaker.speaks, fact.person.name, fact.attribute.lang, fact.attribute.name, fact.topic, item.kind, item.value,
        item.before if item.kind in ("both", "correct") else "", variant, mode))))


def _pick(lines, rng):
    return rng.choice(lines) if lines else None


def lay(history, partners, packs, rng, length, fillers, conversations, long_passages=0.15):
    """Fills history.turns to about `length` and sets the turns of all items."""
    pack = packs[history.lang]
    owner = history.owner
    plan = _conversations(rng, conversations, owner, partners)
    blocks = [[] for _ in plan]
    for fact in history.facts:
        clock = sorted(rng.random() for _ in fact.items)
        kept = []
        for n, (item, at) in enumerate(zip(fact.items, clock)):
            if item.kind == "correct":
                at = fact.items[n - 1].time  # in the same conversation, right behind
            item.time = at
            block = _block(item, fact, plan[int(at * len(plan))], history, pack, rng)
            if block is None and item.holds or (block is None and item.kind == "recall"):
                # said plainly by someone who can say it
                item.kind = "state" if item.kind in ("both", "you", "pair", "change") else item.kind
                block = _block(item, fact, plan[int(at * len(plan))], history, pack, rng, everyone=True)
            if block is None:
                if item.holds:
                    return False
                continue
            kept.append(item)
            blocks[int(at * len(plan))].append((at, n, fact, block))
        fact.items = kept
    stated = sum(len(b.turns) for c in blocks for _, _, _, b in c)
    spare = max(0, length - stated)
    shares = [rng.random() + 0.3 for _ in plan]
    shares = [int(round(spare * s / sum(shares))) for s in shares]
    cues = _cues(history)
    start = datetime.datetime(rng.randint(2016, 2025), rng.randint(1, 12), rng.randint(1, 28), rng.randint(7, 22), rng.randint(0, 59))
    at = start
    for c, speakers in enumerate(plan):
        if c:
            at = _gap(at, rng, len(plan), length)
        _conversation(history, c, speakers, sorted(blocks[c], key=lambda b: (b[0], b[1])), shares[c], fillers, cues, pack, rng, long_passages)
        for turn in history.turns:
            if turn.time is None:
                at += datetime.timedelta(seconds=int(min(5400, rng.expovariate(1 / 140)) + 5))
                turn.time, turn.conversation = at, c
    _compact(history)
    return True


def _compact(history):
    """Conversations without turns leave no number."""
    numbers = {c: n for n, c in enumerate(dict.fromkeys(t.conversation for t in history.turns))}
    for turn in history.turns:
        turn.conversation = numbers[turn.conversation]


def _conversations(rng, count, owner, partners):
    plan = []
    for _ in range(count):
        roll = rng.random()
        if roll < 0.06:
            plan.append([owner])
        elif roll < 0.16 and len(partners) > 1:
            plan.append([owner, *rng.sample(partners, 2)])
        else:
            plan.append([owner, rng.choice(partners)])
    return plan


def _gap(at, rng, conversations, length):
    """Hours to months between conversations; the more of them, the more even."""
    days = rng.choice((0.2, 1, 3, 9, 30, 90)) * rng.uniform(0.5, 1.6) if conversations > 2 or length > 40 else rng.uniform(0.3, 200)
    later = at + datetime.timedelta(days=days)
    if days >= 1:
        later = later.replace(hour=rng.randint(7, 23), minute=rng.randint(0, 59))
    return max(later, at + datetime.timedelta(hours=4))


def _block(item, fact, speakers, history, pack, rng, everyone=False):
    """Who says the item in this conversation, and the turns round it."""
    owner = history.owner
    order = rng.sample(speakers, len(speakers))
    if fact.person in speakers and (rng.random() < 0.8 or everyone or item.kind == "pair"):
        order = [fact.person] + [s for s in order if s is not fact.person]
    if item.kind in ("you", "question"):
        order.sort(key=lambda s: s is fact.person)
    if history.reuse:  # the person, or else the owner
        order.sort(key=lambda s: (s is not fact.person, s is not owner))
    if fact.person.relation and rng.random() < 0.85:
        order.sort(key=lambda s: s is not owner)
    for speaker in order:
        said = word_item(item, fact, speaker, [s for s in speakers if s is not speaker], history, pack, rng)
        if said:
            turns = [(s, t, None, True) for s, t in said[:-1]] + [(*said[-1], item, False)]
            others = [s for s in speakers if s is not said[-1][0]]
            if item.kind != "pair" and others and rng.random() < 0.35:
                text = compose.reaction(pack, history.split, rng)
                if text:
                    turns.append((rng.choice(others), text, None, False))
            return Block(turns)
    return None


def _cues(history):
    words = {l.text for f in history.facts for l in f.attribute.lines.get("cue", [])}
    values = {v.lower() for f in history.facts for v in [s.value for s in f.spans] + [i.value for i in f.items] if len(v) > 3}
    cues = [w for text in words for w in text.split()]
    return re.compile(r"\b(" + "|".join(map(re.escape, sorted({*cues, *values}))) + r")", re.I) if cues or values else None


def _conversation(history, number, speakers, blocks, spare, fillers, cues, pack, rng, long_passages):
    """Turns of one conversation: filler with the blocks put in at random places."""
    from .wording import choose

    run, part_of = [], None
    if history.reuse:  # a run is said by the same two whenever it comes
        part_of = (6, history.owner_named * 3 + sum(map(ord, speakers[min(1, len(speakers) - 1)].speaks)) % 3)
    while len(run) < spare:
        if history.lang != "en" and rng.random() < 0.7:
            run.append((len(run) % 2, compose.tail(pack, history.split, rng)))
            continue
        part = fillers.run(rng, spare - len(run), choose, long=rng.random() < long_passages, part_of=part_of)
        run += [p for p in part if not (cues and cues.search(p[1]))][: spare - len(run)] or [(0, compose.tail(pack, history.split, rng))]
    flip = rng.random() < 0.5 and not history.reuse
    two = speakers[:2] if history.reuse and len(speakers) > 1 else rng.sample(speakers, 2) if len(speakers) > 1 else speakers * 2
    turns = [(two[side ^ flip], text, None, False, None) for side, text in run]
    places = sorted(rng.randint(0, len(turns)) for _ in blocks)
    for n in range(1, len(blocks)):  # a correction follows at once
        item = next(i for _, _, i, _ in blocks[n][3].turns if i is not None)
        if item.kind == "correct":
            places[n] = places[n - 1]
    for n in range(len(blocks) - 2, -1, -1):
        places[n] = min(places[n], places[n + 1])
    for place, (_, _, fact, block) in reversed(list(zip(places, blocks))):
        turns[place:place] = [(s, t, i, a, fact) for s, t, i, a in block.turns]
    antecedent = None
    for speaker, text, item, is_antecedent, fact in turns:
        index = len(history.turns)
        if item is not None:
            keyed, dress = rng, True
            if history.reuse:
                keyed = random.Random(f"{speaker.speaks}/{text}")
                dress = keyed.random() < 0.25
            if not dress:
                pass
            elif item.kind not in ("pair", "correct"):
                text = compose.dress(text, pack, history.split, keyed, fillers, cues, keep=f"{item.value} {item.before} {fact.topic}")
            else:
                text = compose.noise(text, keyed, keep=f"{item.value} {item.before} {fact.topic}")
            item.turn = index
            item.turns = (index,)
            if item.kind == "pair":
                item.antecedent = antecedent
                item.turns = (antecedent, index)
        elif is_antecedent:
            antecedent = index
            text = compose.noise(text, random.Random(text) if history.reuse else rng, keep=text)
        history.turns.append(Turn(speaker.speaks, text))
