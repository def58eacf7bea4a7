"""Talk that states nothing of the lives: from the training dialogues, or a small one built in.

A filler is a run of turns [(side, text)], side 0 or 1, so that a conversation keeps its thread. Turns
that match a cue of an attribute in use are left out by the caller.
"""

import gzip
import json
import re
from pathlib import Path

# How many turns of each: one pool, used over and over, since a frozen trunk has to read every distinct turn.
DIALOGUES = {"self_dialogue": 3000, "topical_chat": 3000, "casino": 700, "taskmaster4": 300, "synthetic_persona_chat": 2500, "irc": 1500}
LONG = {"qmsum": 400, "timeqa": 400, "pepys_diary": 300, "realmem": 400}
# The built-in one: small talk by parts, enough for tests and for a run without the training sets.
OPEN = ["did you see {the match|that storm|the fireworks|the fox again} {last night|yesterday}?", "what a {day|week|morning}.",
        "the {bus|lift|printer|coffee machine} is broken {again|once more}.", "have you {eaten|slept|seen the news}?",
        "I can't find my {charger|gloves|glasses|other sock}.", "what should we bring to the {picnic|potluck|barbecue}?",
        "it's been {raining|snowing|blowing a gale} since {six|noon|dawn}.", "do you {know|remember} a good {joke|riddle|podcast}?",
        "I made {soup|pancakes|a pot of chili} {for three days|and it turned out salty}.", "look at this {cloud|sunset|mushroom}!"]
REPLY = ["haha {yes|no|maybe}, {typical|why not|poor you}.", "{I think so|not really|no idea}, {ask the neighbour|let me check|who knows}.",
         "{same here|tell me about it|don't even start}.", "{soup|salad|crisps|something sweet} is always {right|welcome}.",
         "I {heard|read} that too, {strange|funny} {story|thing}.", "{later|tomorrow|after lunch} I'll {look|try|come by}.",
         "the {sky|street|garden} was {pink|empty|full of leaves} when I got up.", "{really|oh no|wow}? and then?",
         "{maybe|perhaps} we should {wait|call somebody|just go}.", "you {always|never} say that."]


class Fillers:
    def __init__(self, train=None, share=1.0):
        self.runs, self.long, self.chat = [], [], []  # `chat`: the part of runs that is small talk
        if train:
            for name, turns in DIALOGUES.items():
                self.runs += self._read(Path(train) / f"{name}.jsonl.gz", turns * share, 3, 60, 60)
                if name == "topical_chat":
                    self.chat = list(self.runs)
            for name, turns in LONG.items():
                self.long += self._read(Path(train) / f"{name}.jsonl.gz", turns * share, 25, 260, 40)

    @staticmethod
    def _read(path, wanted, shortest, longest, most_turns):
        """Runs of turns of fitting length, `wanted` turns in all, from dialogues all over the file."""
        if not path.exists():
            return []
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            dialogues = list(lines)
        order = sorted(range(len(dialogues)), key=lambda i: i * 0.6180339887 % 1)
        into, count = [], 0
        for i in order:
            sides, run = {}, []
            for turn in json.loads(dialogues[i])["turns"][:400]:
                text = clean(turn["text"])
                if not shortest <= len(text.split()) <= longest:
                    continue
                run.append((sides.setdefault(turn["speaker"], len(sides)) % 2, text))
                if len(run) >= most_turns:
                    break
            if len(run) >= 3:
                into.append(run)
                count += len(run)
                if count >= wanted:
                    break
        return into

    def run(self, rng, count, choose, long=False, part_of=None):
        """About `count` turns of one dialogue, from a random place in it. `part_of` (n, k): of every n-th only."""
        pool = self.long if long and self.long else self.runs
        if part_of:
            pool = pool[part_of[1] :: part_of[0]]
        if not pool:
            return [(i % 2, choose(rng.choice(OPEN if i % 3 == 0 else REPLY), rng)) for i in range(count)]
        run = rng.choice(pool)
        start = rng.randint(0, max(0, len(run) - count))
        return run[start : start + count]

    def talk(self, rng):
        """A few sentences that one side says in a row, to make a statement part of a longer message."""
        if not self.chat:
            return []
        run, side = rng.choice(self.chat), rng.randint(0, 1)
        mine = [t for s, t in run if s == side]
        start = rng.randrange(len(mine)) if mine else 0
        sentences = [s for t in mine[start : start + 4] for s in re.split(r"(?<=[.!?])\s+", t) if 2 < len(s.split()) < 40]
        return [s if s[-1:] in ".!?" else s + "." for s in sentences]


def clean(text):
    """Meeting marks and loose tokens out: "{vocalsound} Yeah . It 's" -> "Yeah. It's"."""
    text = re.sub(r"\{[a-z]+\}|<[a-z ]+>", "", text)
    text = re.sub(r"\s+([.,!?;:])", r"\1", text)
    text = re.sub(r"\s+('s|'m|'re|'ve|'ll|'d|n't)\b", r"\1", text)
    return re.sub(r"\s+", " ", text).strip()
