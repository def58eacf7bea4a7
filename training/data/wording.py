"""Reads the wording files and turns a template into a sentence.

A wording file (wordings/*.txt) has one template a line, `key: template`, under `@` headers:

    @lang en                    language of what follows
    @frames now                 question frames of an intent
    @parts opener               pieces that go round a statement
    @values city                a list of values, separated by " / "
    @attr home state city       an attribute: name, kind (state, event, episode), its list of values, [topic=list]

Inside a template: {a|b|} one of these; <am|are|is> agreement with I / you / a third person (two forms:
the first serves I and you); $S $P $O subject, possessive, object; $s $p $o the same as pronouns; $V the
value, $A with its article, $U $B the value before, $X $Y a value in a question, $T a topic.

One line is one wording family, spelled `attribute.key.number`. Families are dealt to splits by their
place in the list, so a list of eight has two of the test's and one of dev's; see `deal`.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent / "wordings"
# Question material; several on a line, separated by " / ". Every other key holds one template a line.
SHORT = {"noun", "is", "was", "did", "left", "who", "whop", "times", "still", "cue",
         "enoun", "ewhere", "epast", "elast", "edone", "eX", "eXp"}
SPLITS = ("train", "dev", "test_wording")


@dataclass(frozen=True)
class Line:
    """One wording family."""

    family: str
    text: str
    split: str


@dataclass
class Attribute:
    name: str
    kind: str
    values: str
    topic: str = ""
    lang: str = "en"
    lines: dict = field(default_factory=dict)  # key -> [Line]

    def pick(self, key, split):
        """The lines of a key that a split may use. Held-out attributes may use all of theirs."""
        lines = self.lines.get(key, [])
        if split == "test_attribute":
            return lines
        return [line for line in lines if line.split == split]


@dataclass
class Pack:
    """All wordings of one language."""

    lang: str
    frames: dict = field(default_factory=dict)  # intent -> [Line]
    parts: dict = field(default_factory=dict)  # name -> [Line]
    attributes: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    common: set = field(default_factory=set)  # words the templates have in lower case


def deal(number, count):
    """The split of family `number` of a list of `count`: from three on the last is the test's, and so on."""
    if count >= 20:
        return {7: "test_wording", 3: "dev"}.get(number % 8, "train")
    if count >= 3 and number == count - 1 or count >= 8 and number == count - 5:
        return "test_wording"
    if count >= 4 and number == count - 2 or count >= 12 and number == count - 7:
        return "dev"
    return "train"


def _lines(name, key, texts):
    return [Line(f"{name}.{key}.{i}", t, deal(i, len(texts))) for i, t in enumerate(texts)]


def load(folder=HERE):
    """{language: Pack} from all wording files."""
    raw, packs, heads = {}, {}, {}
    lang = block = None
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("@"):
                word, *rest = line[1:].split()
                if word == "lang":
                    lang = rest[0]
                    packs.setdefault(lang, Pack(lang))
                    continue
                block = (lang, word, rest[0])
                heads.setdefault(block, rest)
                continue
            if block[1] == "attr":
                key, sep, text = line.partition(":")
                if not sep or " " in key:
                    raise ValueError(f"{path.name}:{number}: no key: {line}")
                texts = text.split(" / ") if key in SHORT else [text]
                raw.setdefault(block, {}).setdefault(key, []).extend(t.strip() for t in texts)
            else:
                texts = line.split(" / ") if block[1] == "values" else [line]
                raw.setdefault(block, {}).setdefault("", []).extend(t.strip() for t in texts)
    for (lang, word, name), keys in raw.items():
        pack = packs[lang]
        if word == "values":
            pack.values[name] = list(dict.fromkeys(keys[""]))
        elif word in ("frames", "parts"):
            getattr(pack, word)[name] = _lines(f"{lang}.{word}", name, keys[""])
        else:
            head = heads[(lang, word, name)]
            topic = next((h[6:] for h in head[3:] if h.startswith("topic=")), "")
            full = name if lang == "en" else f"{lang}.{name}"
            pack.attributes[name] = Attribute(name, head[1], head[2], topic, lang,
                                              {k: _lines(full, k, v) for k, v in keys.items()})
    for pack in packs.values():
        texts = [l.text for a in pack.attributes.values() for ls in a.lines.values() for l in ls]
        pack.common = set(re.findall(r"(?<![$%\w])[a-zà-ÿ']+", " ".join(texts))) | {"there", "everyone", "taxis"}
    return packs


# ---------------------------------------------------------------- from a template to a sentence

CHOICE = re.compile(r"\{([^{}]*)\}")
AGREE = re.compile(r"<([^<>]*)>")
SLOT = re.compile(r"\$(Ss|[A-Za-z])")
FIRST_ONLY = re.compile(r"\b(I|I'm|I've|I'd|I'll|my|me|we|we're|we've|our|us|mine|myself|ours)\b", re.I)


def choose(text, rng):
    while True:
        text, n = CHOICE.subn(lambda m: rng.choice(m.group(1).split("|")), text)
        if not n:
            return text


def first_only(text, lang="en"):
    """Whether a statement can only be said by the person it is about."""
    if not re.search(r"\$[SPOspo]|<", text):
        return True
    return lang == "en" and bool(FIRST_ONLY.search(SLOT.sub("", AGREE.sub("", text))))


def article(value):
    if re.match(r"(the|a|an|my|\d)\b", value, re.I):
        return value
    return ("an " if re.match(r"[aeiou]|hour|MR|SU", value) and not re.match(r"uni|eu|use|one", value, re.I) else "a ") + value


@dataclass(frozen=True)
class Person:
    """Someone of a history. `name` is how a question or a third person calls them; `speaks` is their label."""

    name: str
    female: bool
    speaks: str = ""
    relation: str = ""  # "sister": only the owner says "my sister"


# I and you where the language writes them, and after "of" ($D) in keyword questions.
OTHER = {"de": ("ich", "du"), "fr": ("je", "tu")}
MYSELF = {"de": ("mir", "dir"), "es": ("mí", "ti"), "fr": ("moi", "toi"), "pt": ("mim", "ti"), "it": ("me", "te"),
          "ru": ("меня", "тебя"), "zh": ("我", "你"), "ja": ("私", "君"), "tr": ("ben", "sen")}


def pronouns(mode, person, lang="en"):
    """$S $P $O $s $p $o for I, you or a third person."""
    if lang != "en":
        name = person.name if mode == 3 else OTHER.get(lang, ("", ""))[mode - 1]
        return dict.fromkeys("SPOspo", name) | {"D": person.name if mode == 3 else MYSELF[lang][mode - 1]}
    if mode == 1:
        return dict(zip("SPOspo", ("I", "my", "me", "I", "my", "me")))
    if mode == 2:
        return dict(zip("SPOspo", ("you", "your", "you", "you", "your", "you")))
    he = ("she", "her", "her") if person.female else ("he", "his", "him")
    name = person.name
    own = name + ("'" if name.endswith("s") else "'s")
    return dict(zip("SPOspo", (name, own, name, *he)))


def render(text, rng, mode, person, lang="en", **slots):
    """One sentence. `mode`: 1 the person speaks, 2 is spoken to, 3 is spoken of."""

    def agree(m):
        forms = m.group(1).split("|")
        return forms[mode - 1 if len(forms) == 3 else mode // 3]

    text = choose(AGREE.sub(agree, text), rng)
    fill = pronouns(mode, person, lang) | slots
    for plain, long in (("V", "A"), ("U", "B"), ("X", "Y")):
        if plain in fill:
            fill[long] = article(fill[plain]) if lang == "en" else fill[plain]
    named = False

    def slot(m):
        """A third person is named once, then a pronoun."""
        nonlocal named
        name = m.group(1)
        if name in "SPOspo" and lang == "en":
            name = name.lower() if named else name.upper()
            named = True
        if name == "Ss":  # the German genitive
            return fill["S"] + ("'" if fill["S"][-1:] in "sxzß" else "s")
        return fill[name]

    text = tidy(SLOT.sub(slot, text))
    if lang == "fr":
        text = re.sub(r"\b([JjDdLlQq]u?)e (?=[aeiouhéêèAEIOUÉÊ])", r"\1'", text)
    return text


def tidy(text):
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.!?;:])(?=\s|$)", r"\1", text)
    text = re.sub(r"^[,.;] *", "", text)
    return re.sub(r"(^|[.!?] )([a-zà-ÿ])", lambda m: m.group(1) + m.group(2).upper(), text)
