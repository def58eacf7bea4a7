"""Trains the evolver from data in the EvoTrain form.

    python -m evolver.train --data DIR --out RUN [--steps N] [--resume] [--set losses.swap=0]

DIR holds *.jsonl.gz. Token states of all texts are read once into --states (RUN/states unless given).
RUN keeps checkpoint.pt (every few minutes, replaced atomically), best.pt (best on dev, whose wordings
are not trained on) and log.jsonl. With --resume a killed run goes on and ends with the same weights, as
long as threads, device and versions are the same; what differs is said.
"""

import argparse
import hashlib
import json
import math
import os
import time
import tomllib
from pathlib import Path

import numpy as np
import torch

from . import data as streams
from .evaluate import accuracy, intents_of
from .losses import Losses
from .model import Evolver, Sizes
from .trunk import Store, Trunk

CONFIG = Path(__file__).parent / "config.toml"


def settings_of(path=CONFIG, changes=()):
    settings = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    for change in changes:
        name, value = change.split("=", 1)
        section, key = name.split(".")
        if key not in settings[section]:
            raise SystemExit(f"no setting {name}")
        settings[section][key] = type(settings[section][key])(value)
    return settings


def open_store(directory, texts, settings, device="cpu"):
    trunk = Trunk(half=True, device=device)
    store = Store(directory, trunk, settings["train"]["max_tokens"])
    store.add(sorted(texts))
    return store


class Run:
    """Everything that changes while training, so that it can be saved and taken up again."""

    def __init__(self, settings, store, train, device):
        self.settings, self.store, self.device = settings, store, device
        s = settings["train"]
        torch.manual_seed(s["seed"])
        self.sizes = Sizes.of(settings["model"])
        self.model = Evolver(self.sizes).to(device)
        names = sorted(streams.texts(train))
        some = store.find(names[:: 1 + len(names) // 4000])
        self.model.whiten(torch.from_numpy(store.ragged(some)[0]), torch.from_numpy(store.statics[some]))
        self.losses = Losses(self.sizes, settings).to(device)
        named = [*self.model.named_parameters(), *self.losses.named_parameters()]
        plain = [p for name, p in named if p.ndim < 2]
        self.parameters = [p for _, p in named]
        groups = [
            {"params": [p for p in self.parameters if p.ndim >= 2], "weight_decay": s["decay"]},
            {"params": plain, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=s["rate"], betas=(0.9, 0.98))
        self.step, self.best = 0, -1.0
        self.sampler = streams.Sampler(np.asarray(store.statics), settings["streams"])
        self.facts = [g for g in train if g.statements]
        self.by_history = {}
        for group in self.facts:
            self.by_history.setdefault(id(group.history), []).append(group)
        self.plain = [g for g in train if not g.statements]
        asked = sorted({(q.text, q.intent, q.row) for g in train for q in g.questions})
        self.asked = {
            kind: [(row, self.sizes.intents.index(i)) for _, i, row in asked if (i == "none") == kind]
            for kind in (True, False)
        }

    def rate(self):
        s = self.settings["train"]
        if self.step < s["warmup"]:
            return (self.step + 1) / s["warmup"]
        done = (self.step - s["warmup"]) / max(1, s["steps"] - s["warmup"])
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def batch(self):
        """Depends on the seed and the step alone."""
        s, rng = self.settings["train"], np.random.default_rng([self.settings["train"]["seed"], self.step])
        chosen, lengths = [], self.settings["streams"]
        # One length for the whole step, since padding costs as much as passages.
        count = int(rng.integers(lengths["shortest"], lengths["longest"] + 1))
        for _ in range(s["batch"]):
            plain = self.plain and rng.random() < s["none_share"]
            pool = self.plain if plain else self.facts
            group, stranger = (some[int(rng.integers(len(some)))] for some in (pool, self.facts))
            others = [stranger] if stranger.history is not group.history else []
            siblings = self.by_history[id(group.history)] if group.statements else []
            siblings = [some for some in siblings if some is not group]
            rng.shuffle(siblings)
            chosen.append(self.sampler.training([group, *siblings[: lengths["facts"] - 1]], rng, count, others))
        extra = []
        for pool in self.asked.values():
            extra += [pool[int(rng.integers(len(pool)))] for _ in range(s["extra"] // 2 if pool else 0)]
        extra = tuple(torch.tensor(column, device=self.device) for column in zip(*extra))
        return streams.collate(chosen, self.sizes.intents, self.device), extra

    def train(self):
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings["train"]["rate"] * self.rate()
        torch.manual_seed(self.settings["train"]["seed"] * 1_000_003 + self.step)
        total, parts = self.losses(self.model, self.store, *self.batch())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.settings["train"]["clip"])
        self.optimizer.step()
        self.step += 1
        return {"loss": float(total.detach())} | parts

    def about(self):
        return {
            "torch": str(torch.__version__),
            "threads": torch.get_num_threads(),
            "device": str(self.device),
            "texts": len(self.store.index),
        }

    def save(self, path):
        state = {"settings": self.settings, "step": self.step, "best": self.best, "about": self.about()}
        state |= {
            "model": self.model.state_dict(),
            "losses": self.losses.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    def load(self, path):
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name, was, now in [(k, state["about"][k], v) for k, v in self.about().items()]:
            if was != now:
                print(f"resumed, but {name} was {was} and is {now}: the weights may differ in the last digits")
        if state["settings"] != self.settings:
            different = [
                f"{a}.{b}"
                for a in self.settings
                for b in self.settings[a]
                if state["settings"].get(a, {}).get(b) != self.settings[a][b]
            ]
            print("resumed with other settings:", ", ".join(different))
        self.model.load_state_dict(state["model"])
        self.losses.load_state_dict(state["losses"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.best = state["step"], state["best"]


def load_model(path, device="cpu"):
    """The model of a checkpoint, to evaluate or export."""
    state = torch.load(path, map_location=device, weights_only=True)
    model = Evolver(Sizes.of(state["settings"]["model"])).to(device)
    model.load_state_dict(state["model"])
    return model.eval(), state


def fingerprint(model):
    """A hash of all weights: equal runs give equal ones."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def dev_score(run, dev):
    """Mean accuracy over the order intents on held-out wordings, less the false intents."""
    found = accuracy(run.model, run.store, run.sampler, dev, limit=80, quick=True)
    intents = intents_of(run.model, run.store, dev, limit=1500)
    kinds = [found[kind]["evolved"] for kind in ("now", "before", "first", "last", "who") if kind in found]
    score = float(np.mean(kinds)) - intents["false_order"] if kinds else -1.0
    return score, {kind: found[kind]["evolved"] for kind in found} | {
        "false_order": intents["false_order"],
        "intent": intents["accuracy"],
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--states", type=Path, help="where token states are kept; may be shared by runs")
    arguments.add_argument("--config", type=Path, default=CONFIG)
    arguments.add_argument("--steps", type=int)
    arguments.add_argument("--stop", type=int, help="end after this step and leave the rest to --resume")
    arguments.add_argument("--resume", action="store_true")
    arguments.add_argument("--init", type=Path, help="a checkpoint whose weights this run starts from")
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    settings = settings_of(given.config, given.set)
    settings["train"]["steps"] = given.steps or settings["train"]["steps"]
    given.out.mkdir(parents=True, exist_ok=True)

    began = time.time()
    sizes = settings["data"]
    train, dev = (
        streams.read(given.data, (split,), sizes[split], sizes["thin"], sizes["plain"]) for split in ("train", "dev")
    )
    store = open_store(
        given.states or given.out / "states", streams.texts(train) | streams.texts(dev), settings, given.device
    )
    for groups in (train, dev):
        streams.attach(groups, store)
    run = Run(settings, store, train, given.device)
    print(
        f"{len(train)} facts and plain questions, {sum(p.numel() for p in run.model.parameters())} weights, ready after {time.time() - began:.0f} s",
        flush=True,
    )
    checkpoint = given.out / "checkpoint.pt"
    if given.init:
        state = torch.load(given.init, map_location=given.device, weights_only=True)
        run.model.load_state_dict(state["model"])
        run.losses.load_state_dict(state["losses"])
    if given.resume and checkpoint.exists():
        run.load(checkpoint)
        print(f"goes on at step {run.step}")

    began = saved = time.time()
    first, sums = run.step, {}
    with (given.out / "log.jsonl").open("a" if run.step else "w") as log:
        while run.step < min(settings["train"]["steps"], given.stop or 10**9):
            for name, value in run.train().items():
                sums.setdefault(name, []).append(value)
            last = run.step == settings["train"]["steps"]
            if run.step % 50 == 0 or last:
                line = {"step": run.step, "seconds": round(time.time() - began)} | {
                    name: round(float(np.mean(v)), 4) for name, v in sums.items()
                }
                print(json.dumps(line), flush=True)
                log.write(json.dumps(line) + "\n")
                sums = {}
            if dev and (run.step % settings["train"]["dev_every"] == 0 or last):
                score, table = dev_score(run, dev)
                line = json.dumps(
                    {"step": run.step, "dev": round(score, 4)} | {k: round(v, 4) for k, v in table.items()}
                )
                print(line, flush=True)
                log.write(line + "\n")
                log.flush()
                if score >= run.best:
                    run.best = score
                    run.save(given.out / "best.pt")
            if time.time() - saved > settings["train"]["checkpoint_seconds"]:
                run.save(checkpoint)
                saved = time.time()
    run.save(checkpoint)
    if not (given.out / "best.pt").exists():
        run.save(given.out / "best.pt")
    print(f"{run.step - first} steps in {time.time() - began:.0f} s, weights {fingerprint(run.model)}")


if __name__ == "__main__":
    main()
