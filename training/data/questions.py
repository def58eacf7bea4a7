"""Questions about a history of lives, with their evidence and near misses.

The label comes from `life.answer_items`; here it is only worded and turned into turn numbers.
"""

import re

from . import life
from .wording import Person, choose, render

STATE = ("now", "before", "first", "last", "when", "how_often", "all_of")
EVENT = {"last": "event_last", "first": "event_first", "before": "event_before", "all_of": "event_all",
         "how_often": "event_often", "when": "event_when"}
PIECE = re.compile(r"%([A-Za-z]+)")


def plural(noun):
    """"place to live" -> "places to live"."""
    head, rest = re.match(r"(.+?)((?: (?:of|to|for|in|at|on|with) .*)?)$", noun).groups()
    many = head[:-1] + "ies" if re.search(r"[^aeiou]y$", head) else head + ("es" if re.search(r"(s|x|ch|sh)$", head) else "s")
    return many + rest


def pieces_of(attribute, key, split):
    """The families of a piece that a split may use; a list too short to share serves all splits."""
    return attribute.pick(key, split) or attribute.lines.get(key, [])


def word(frame, attribute, split, rng, mode, person, pack, **slots):
    """(text, families) of a question, or None where the attribute lacks a piece of the frame."""
    families = [frame.family]
    text = frame.text
    for _ in range(3):
        m = PIECE.search(text)
        if not m:
            break
        name = m.group(1)
        many = name == "nouns" or name == "enouns"
        lines = pieces_of(attribute, name[:-1] if many else name, split)
        if not lines:
            return None
        line = rng.choice(lines)
        families.append(line.family)
        piece = plural(choose(line.text, rng)) if many and pack.lang == "en" else line.text
        text = text[: m.start()] + piece + text[m.end() :]
    if "$X" in text and "X" not in slots or "$T" in text and not slots.get("T"):
        return None
    return render(text, rng, mode, person, pack.lang, **slots), families


def opened(text, frame, history, pack, rng, mode, person):
    """A question that begins with something else, in an eighth of cases."""
    if pack.lang != "en" or rng.random() > 0.15 or ":" in frame.text or frame.text.startswith("{"):
        return text
    lines = [l for l in pack.parts["qopener"] if l.split == ("train" if history.split == "test_attribute" else history.split)]
    start = render(rng.choice(lines).text, rng, mode, person)
    return f"{start} {text[0].lower() + text[1:] if text.split()[0].lower() in pack.common else text}"


def typed(text, rng):
    """As people type into a search box."""
    roll = rng.random()
    if roll < 0.3:
        text = text[0].lower() + text[1:]
    elif roll < 0.45:
        text = text.lower()
    if rng.random() < 0.25:
        text = text.rstrip("?. ")
    return text


def frames_for(pack, intent, attribute, split):
    if attribute.kind == "episode":  # whole questions of its own
        return attribute.pick("qw" if intent == "when" else "q", split)
    name = EVENT.get(intent, "") if attribute.kind == "event" else intent
    return [f for f in pack.frames.get(name, []) if f.split == ("train" if split == "test_attribute" else split)]


def ask(history, fact, intent, pack, rng, span=None, asked_in=None):
    """One question record without its history, or None. `asked_in`: the pack of another language."""
    if intent == "who":
        return ask_who(history, fact, pack, rng)
    if fact.attribute.kind != "episode" and not life.askable(fact, intent, span):
        return None
    attribute, split = fact.attribute, history.split
    mode, person = addressed(history, fact.person)
    episode = attribute.kind == "episode"
    wording = attribute
    if asked_in is not None and attribute.name in asked_in.attributes and not episode:
        pack, wording = asked_in, asked_in.attributes[attribute.name]
    items = fact.items if episode else life.answer_items(fact, intent, span)
    if not items:
        return None
    slots = {"T": fact.topic}
    if episode:
        slots["V"] = fact.spans[0].value
    if span is not None:
        slots["X"] = fact.spans[span].value
    elif intent == "now":
        slots["X"] = rng.choice([s.value for s in fact.spans])
    frames = frames_for(pack, intent, wording, split)
    rng.shuffle(frames)
    for frame in frames:
        named = "$X" in frame.text or any("$X" in l.text for k in PIECE.findall(frame.text) for l in wording.lines.get(k, []))
        if intent != "now" and not episode and named != (span is not None):
            continue
        left = "%left" in frame.text
        if left:
            if span + 1 >= len(fact.spans) or fact.spans[span + 1].corrected:
                continue
            items = fact.said(span + 1)[:1]
        done = word(frame, wording, split, rng, mode, person, pack, **slots)
        if done:
            answer = who_answer(fact, frame.text) if episode else ""
            if intent in ("before", "first"):
                answer = fact.spans[0 if intent == "first" else (len(fact.spans) - 1 if span is None else span) - 1].value
            text = done[0] if episode else opened(done[0], frame, history, pack, rng, mode, person)
            return record(history, fact, intent, typed(text, rng), done[1], items, answer=answer) | {"span": span}
        items = fact.items if episode else life.answer_items(fact, intent, span)
    return None


def addressed(history, person):
    """How the owner, who asks, calls someone."""
    if person is history.owner and not history.owner_named:
        return 1, person
    if person.relation and history.owner_named:
        return 3, Person(f"{history.owner.name}'s {person.relation}", person.female)
    return 3, person


def ask_who(history, fact, pack, rng):
    """Who has this value now, or had it at any time."""
    attribute, split = fact.attribute, history.split
    value = rng.choice(fact.spans).value
    past = rng.random() < 0.5
    same = [f for f in history.facts if f.attribute is attribute and f.topic == fact.topic]
    items = []
    for other in same:
        for n, span in enumerate(other.spans):
            if span.value != value or n + 1 < len(other.spans) and other.spans[n + 1].corrected:
                continue
            if past or n == len(other.spans) - 1:
                items += [(other, i) for i in other.said(n) + (other.recalled(n) if past else [])]
    if not items:
        return None
    frames = frames_for(pack, "who", attribute, split)
    frames = [f for f in frames if ("%whop" in f.text) == past]
    rng.shuffle(frames)
    for frame in frames:
        done = word(frame, attribute, split, rng, 3, fact.person, pack, X=value, T=fact.topic)
        if done:
            return record(history, fact, "who", typed(done[0], rng), done[1], [i for _, i in items], same=same)
    return None


def who_answer(fact, text):
    """What an episode's question leaves open: the value, the topic, or the person."""
    return fact.spans[0].value if "$V" not in text else fact.topic if fact.topic and "$T" not in text else fact.person.name


def record(history, fact, intent, text, families, items, same=None, answer=""):
    """The labels: evidence, what else states the fact, and what only looks like it."""
    facts = same or [fact]
    statements = sorted({i.turn for f in facts for i in f.statements()})
    evidence = sorted({t for i in items for t in i.turns if t == i.turn or i.antecedent_says})
    near = {"other_person": [], "hypothetical": [], "negated": [], "adjacent": [], "question": []}
    values = {}
    for f in history.facts:
        mine = any(f is g for g in facts)
        alike = f.attribute is fact.attribute
        for item in f.items:
            if item.kind in life.NEAR:
                if mine:
                    near[life.NEAR[item.kind]].append(item.turn)
                continue
            if alike:
                values[item.turn] = item.value
            if alike and not mine:
                near["other_person"].append(item.turn)
            if mine and item.antecedent >= 0 and item.antecedent not in evidence:
                near["question"].append(item.antecedent)
    stated = {*statements, *evidence, *(t for v in near.values() for t in v)}
    n = len(history.turns)
    near["adjacent"] = sorted({t + d for t in evidence for d in (-1, 1) if 0 <= t + d < n} - stated)
    near = {k: sorted(set(v)) for k, v in near.items()}
    answer = answer or "; ".join(dict.fromkeys(i.value for i in items))
    if intent == "who":
        answer = "; ".join(dict.fromkeys(f.person.name for f in facts if any(i is j for j in f.items for i in items)))
    elif intent == "how_often":
        answer = str(len(items) - (fact.attribute.kind == "state"))
    elif intent == "when":
        answer = history.turns[items[0].turn].time.date().isoformat()
    claims, names = {}, set()
    for f in facts:
        for n in range(len(f.spans)):
            for k, item in enumerate(f.said(n)):
                claims |= {t: "same" if k else "set" for t in item.turns if t not in claims or t == item.turn}
            claims |= {i.turn: "past" for i in f.recalled(n)}
        names |= {i.turn for i in f.items if i.before}
    superseded = [t for t in statements if t not in evidence]
    return {
        "question": text, "answer": answer, "intent": intent, "family": families[0], "families": families,
        "evidence_turns": evidence, "superseded_turns": superseded, "statements": sorted({*statements, *evidence}),
        "near_misses": near, "values": values, "attribute": fact.attribute.name,
        "claims": [claims[t] for t in sorted({*statements, *evidence})], "names_before": sorted(t for t in names if t in statements),
        "antecedents": sorted({i.antecedent for f in facts for i in f.items if i.antecedent >= 0}),
        "statement_families": sorted({x for f in facts for i in f.items for x in i.families}),
    }
