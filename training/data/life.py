"""What happens: the timeline of one fact (a person, an attribute, perhaps a topic), before any wording.

A fact is a row of spans, each with one value; statements say it, near misses only look like it. Which
statements answer a question is decided here and nowhere else; a test derives it again from the items.
"""

from dataclasses import dataclass, field

# What an item does. The first row holds a value from then on; `recall` speaks of an earlier one.
HOLDS = ("state", "change", "both", "you", "pair", "correct")
NEAR = {"hypothetical": "hypothetical", "negated": "negated", "question": "question"}
# kind -> the keys of the wording files it may be said with
KEYS = {
    "state": ("st",), "change": ("ch", "ch", "st"), "both": ("cb",), "you": ("yo",), "pair": ("pr",), "correct": ("co",),
    "recall": ("rc",), "hypothetical": ("hy",), "negated": ("ng",), "question": ("qu",),
}


@dataclass
class Item:
    kind: str
    value: str
    span: int  # the span it speaks of; -1 for near misses
    before: str = ""  # the value that `both` and `correct` also name
    turn: int = -1  # set when it is laid into a history
    turns: tuple = ()  # all turns it takes, the antecedent of an ellipsis first
    antecedent: int = -1
    antecedent_says: bool = False  # the antecedent names the value itself
    families: tuple = ()
    time: float = 0.0

    @property
    def holds(self):
        return self.kind in HOLDS


@dataclass
class Span:
    value: str
    corrected: bool = False  # it replaced the span before by a correction


@dataclass
class Fact:
    person: object
    attribute: object
    topic: str
    spans: list
    items: list = field(default_factory=list)

    def said(self, span):
        """Statements of a span while it held."""
        return [i for i in self.items if i.holds and i.span == span]

    def recalled(self, span):
        return [i for i in self.items if i.kind == "recall" and i.span == span]

    def unique(self, span):
        """Whether the value held in this span only."""
        return [s.value for s in self.spans].count(self.spans[span].value) == 1

    @property
    def corrected(self):
        return any(s.corrected for s in self.spans)

    def statements(self):
        return [i for i in self.items if i.holds or i.kind == "recall"]


def answer_items(fact, intent, span=None):
    """The items that answer, by intent. `span` is the one a question names by its value.

    now        what was said in the last span, restatements too
    last       the same for a state; for events the last one
    before     the span before the last (or before `span`): what was said in it, what later recalls it
               (if its value held only once), and the change that names both values
    first      the first span, and recalls of it under the same condition
    when       the first statement of `span`; for `left` ask for the span after it
    how_often  the first statement of every span
    all_of     everything said of any span
    """
    last = len(fact.spans) - 1
    if intent in ("now", "last"):
        return fact.said(last)
    if intent in ("before", "first"):
        target = 0 if intent == "first" else (last if span is None else span) - 1
        items = fact.said(target)
        if fact.unique(target):
            items = items + fact.recalled(target)
            after = fact.said(target + 1) if target < last else []
            items = items + [i for i in after if i.kind == "both" and i.before == fact.spans[target].value]
        return sorted(items, key=fact.items.index)
    if intent == "when":
        return fact.said(span)[:1]
    if intent == "how_often":
        return [fact.said(s)[0] for s in range(last + 1)]
    if intent == "all_of":
        return fact.statements()
    raise ValueError(intent)


def askable(fact, intent, span=None):
    """Whether a question of this intent has one clear answer."""
    n = len(fact.spans)
    if intent == "before":
        target = (n if span is None else span + 1) - 1
        return target >= 1 and not fact.spans[target].corrected and (span is None or fact.unique(span))
    if intent == "first":
        return n >= 2 and not fact.spans[1].corrected
    if intent == "when":
        return fact.unique(span) and not fact.spans[span].corrected
    if intent in ("how_often", "all_of"):
        return n >= 2 and not fact.corrected
    if intent == "last" and fact.attribute.kind == "event":
        return n >= 2
    return True


def timeline(rng, values, attribute, most=6, kinds=None, changes=None):
    """Spans and items of one fact. `kinds`: what can be worded for this attribute and language.

    Restatements, recalls and near misses fall anywhere, so that neither the number of a statement nor
    its place says whether it holds.
    """
    kinds = kinds or set(KEYS)
    event = attribute.kind == "event"
    if changes is None:
        changes = rng.choices((0, 1, 2, 3, 4), (12, 36, 30, 15, 7))[0] if not event else rng.choices((0, 1, 2, 3, 4), (8, 24, 30, 24, 14))[0]
    pool = rng.sample(values, min(len(values), 12))
    spans = [Span(pool.pop())]
    for _ in range(changes):
        old = [s.value for s in spans[:-1] if s.value != spans[-1].value]
        if old and not event and rng.random() < 0.3:
            spans.append(Span(rng.choice(old)))  # back to what was
        elif pool:
            fix = not event and "correct" in kinds and rng.random() < 0.15
            spans.append(Span(pool.pop(), corrected=fix))
    items = []
    for n, span in enumerate(spans):
        before = spans[n - 1].value if n else ""
        if span.corrected:
            items.append(Item("correct", span.value, n, before))
        else:
            first = ["state", "state", "change", "change"] if "change" in kinds else ["state"]
            if n and "both" in kinds and not event:
                first.append("both")
            if "pair" in kinds:
                first.append("pair")
            kind = rng.choice(first)
            items.append(Item(kind, span.value, n, before if kind == "both" else ""))
        if event:
            continue
        for _ in range(rng.choices((0, 1, 2), (55, 32, 13))[0]):
            if sum(i.holds for i in items) >= most:
                break
            again = [k for k in ("state", "state", "state", "you", "pair") if k in kinds]
            items.append(Item(rng.choice(again), span.value, n))
    fact = Fact(None, attribute, "", spans, items)
    if event:
        extra = rng.choices((0, 1, 2), (45, 40, 15))[0]
        for _ in range(extra):
            kind = rng.choice([k for k in ("hypothetical", "negated", "question") if k in kinds] or [""])
            if kind and pool:
                items.insert(_place(items, rng), Item(kind, pool.pop(), -1))
        return fact
    if "recall" in kinds:
        for n in range(len(spans) - 1):
            if not fact.unique(n) or spans[n + 1].corrected or rng.random() > 0.4:
                continue
            after = next(i for i, it in enumerate(items) if it.span == n + 1 and it.holds)
            where = rng.randint(after + 1, len(items))
            items.insert(_safe(items, where), Item("recall", spans[n].value, n))
    for _ in range(rng.choices((0, 1, 2, 3), (30, 35, 25, 10))[0]):
        kind = rng.choice([k for k in ("hypothetical", "negated", "question", "question") if k in kinds] or [""])
        if not kind:
            break
        if kind == "question" and rng.random() < 0.6:
            value = rng.choice(spans).value
        elif pool:
            value = pool.pop()
        else:
            break
        items.insert(_place(items, rng), Item(kind, value, -1))
    return fact


def _place(items, rng):
    return _safe(items, rng.randint(0, len(items)))


def _safe(items, where):
    """Nothing comes between a statement and its correction."""
    while where < len(items) and items[where].kind == "correct":
        where += 1
    return where
