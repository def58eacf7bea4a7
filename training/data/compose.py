"""What goes round a statement: openers, tails, length, typing habits. Nothing here tells order."""

import re

from .wording import choose

SHORTER = {"because": "bc", "you": "u", "tomorrow": "tmrw", "and": "&", "with": "w/", "really": "rly", "weekend": "wknd",
           "please": "pls", "thanks": "thx", "people": "ppl", "though": "tho", "tonight": "2nite", "without": "w/o"}


def part(pack, name, split, rng):
    lines = pack.parts.get(name, [])
    mine = [l for l in lines if l.split == ("train" if split == "test_attribute" else split)]
    lines = mine if len(mine) > 5 else lines  # too few to hold some out
    return choose(rng.choice(lines).text, rng) if lines else ""


def reaction(pack, split, rng):
    return part(pack, "reaction", split, rng)


def tail(pack, split, rng):
    return part(pack, "tail", split, rng) or "..."


def dress(text, pack, split, rng, fillers=None, cues=None, keep=""):
    """A statement among other talk, 4 to 150 words."""
    if rng.random() < 0.22:
        opener = part(pack, "opener", split, rng)
        if opener:
            text = f"{opener[0].upper() + opener[1:]} {lower_first(text, pack)}"
    words = rng.choices((0, rng.randint(6, 18), rng.randint(20, 50), rng.randint(50, 130)), (50, 27, 14, 9))[0]
    before, after, talk = [], [], []
    if fillers and pack.lang == "en" and rng.random() < 0.6:
        talk = [t for t in fillers.talk(rng) if not (cues and cues.search(t))]
    while sum(len(s.split()) for s in before + after) < words:
        more = talk.pop(0) if talk else tail(pack, split, rng)
        if more in before or more in after:
            words -= 4  # few to choose from
            continue
        (before if rng.random() < 0.4 else after).append(more)
    if after and text[-1:] not in ".!?…。？！":
        text += "."
    return noise(" ".join(before + [text] + after), rng, keep)


def lower_first(text, pack):
    """After an opener the first word goes small, unless it is a name."""
    first = re.match(r"[\w']*", text).group(0)
    low = first[:1].lower() + first[1:]
    return text[:1].lower() + text[1:] if low in pack.common and first not in ("I", "I'm") else text


def noise(text, rng, keep=""):
    """Lower case, dropped stops, abbreviations, a typo, an emoji. The words of `keep` stay right."""
    kept = set(re.findall(r"\w+", keep.lower()))
    if rng.random() < 0.22:
        text = text.lower()
    if rng.random() < 0.3 and text.endswith("."):
        text = text[:-1]
    if rng.random() < 0.1:
        text = re.sub(r"\b[a-z]+\b", lambda m: m.group(0) if m.group(0) in kept else SHORTER.get(m.group(0), m.group(0)), text)
    if rng.random() < 0.08:
        words = [m for m in re.finditer(r"\b[a-z]{5,}\b", text) if m.group(0) not in kept]
        if words:
            m = rng.choice(words)
            w, i = m.group(0), rng.randrange(1, len(m.group(0)) - 2)
            w = w[:i] + w[i + 1] + w[i] + w[i + 2 :] if rng.random() < 0.6 else w[:i] + w[i + 1 :]
            text = text[: m.start()] + w + text[m.end() :]
    if rng.random() < 0.08:
        text += " " + rng.choice("🙂 😅 🎉 😂 🙈 😩 👍 🤷 😬 ✨".split())
    return text
