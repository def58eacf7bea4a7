"""The losses, each with a weight in config.toml (0 turns it off).

order      cross-entropy among the statements of a fact and its near misses
contrast   multi-positive InfoNCE over the stream, negatives weighted by HiNS tier, times log(N + 1)
distil     questions without intent: listwise KL toward the z-sum of cosine and BM25
anchor     passages that state nothing of the fact stay at or below zero
swap       passages of another history in the memory change neither o nor scores of the rest
recall     latent QA: from its rows a statement names the one before it, a question its answer
state      latent QA: from its rows a statement knows the number of its value, and whether it is new, the same or past
variance   against collapse of o
intent     the query's intent, read alone
Every question counts twice: with memory, and alone (`alone` is the share of the memory dropout).
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .data import GROUP, TIER, TIERS, seeds_of
from .model import HIDDEN

RUNS = 5  # the fifth value and later ones count alike
NAMES = ("order", "contrast", "distil", "anchor", "swap", "recall", "state", "variance", "intent")


class Losses(nn.Module):
    """Holds the heads that only training needs."""

    def __init__(self, sizes, settings):
        super().__init__()
        self.weights, self.settings = settings["losses"], settings
        self.before, self.answer = nn.Linear(sizes.width, HIDDEN), nn.Linear(sizes.width, HIDDEN)
        self.run, self.claim = nn.Linear(sizes.width, RUNS), nn.Linear(sizes.width, 3)
        tiers = torch.zeros(len(TIERS))
        for name, value in settings["tiers"].items():
            tiers[TIER[name]] = value
        self.register_buffer("tier_weights", tiers)

    def forward(self, model, store, batch, extra=None):
        """The sum and the parts. `extra` is (rows, intents) of questions for the intent head alone."""
        w, s, parts = self.weights, self.settings, {}
        seeds, static = seeds_of(
            model,
            store,
            torch.cat([batch["rows"].flatten(), batch["questions"].flatten(), *([extra[0]] if extra else [])]),
        )
        (b, t), q = batch["rows"].shape, batch["questions"].shape[1]
        centred = static[: b * t].view(b, t, -1)
        seeds, static = (F.dropout(values, s["train"]["dropout"]) for values in (seeds, static))
        x = model.rows(seeds[: b * t].view(b, t, -1), static[: b * t].view(b, t, -1))
        asked = model.rows(seeds[b * t :], static[b * t :], query=True)
        valid, questions = batch["rows"] >= 0, batch["questions"] >= 0
        everyone = valid[:, None].expand(b, t, t)
        rows, kept = model.read(x, everyone)
        o = model.state(rows)
        alone = model.ask_rows(asked)
        with_memory = model.ask_rows(
            asked[: b * q].view(b, q, *asked.shape[1:]), kept, last(valid, model.sizes.window)[:, None].expand(b, q, t)
        )
        queries = {"memory": with_memory, "alone": alone[: b * q].view(with_memory.shape)}
        share = {"memory": 1 - s["train"]["alone"], "alone": s["train"]["alone"]}
        order = questions & (batch["intent"] > 0)
        scores = {kind: torch.einsum("bto,bqo->bqt", o, model.asked(found)) for kind, found in queries.items()}

        for kind, found in scores.items():
            for name, value in self.ranking(found, batch["tiers"], order).items():
                parts[name] = parts.get(name, 0) + share[kind] * value
        if w["distil"]:
            parts["distil"] = self.distil(scores["alone"][:, 0], batch["teacher"], valid)
        if w["swap"]:
            parts["swap"] = self.swap(model, x, batch["foreign"], valid, o)
        if w["recall"]:
            centred = F.normalize(centred - centred.sum(1, True) / valid.sum(1)[:, None, None], dim=-1)
            parts["recall"] = self.recall(model, rows, with_memory, centred, batch, order)
        if w["state"]:
            said, known = model.out_norm(rows[..., -1, :]), batch["claims"] >= 0
            number = batch["runs"].clamp(max=RUNS - 1)
            if known.any():
                parts["state"] = F.cross_entropy(self.claim(said[known]), batch["claims"][known])
                parts["state"] = parts["state"] + F.cross_entropy(self.run(said[number >= 0]), number[number >= 0])
        if w["variance"]:
            spread = o[valid].var(0).add(1e-6).sqrt()
            parts["variance"] = F.relu(0.7 / math.sqrt(o.shape[-1]) - spread).mean() * math.sqrt(o.shape[-1])
        if w["intent"]:
            logits = model.logits(alone)
            own, target = logits[: b * q][questions.flatten()], batch["intent"].flatten()[questions.flatten()]
            parts["intent"] = F.cross_entropy(own, target)
            if extra:
                parts["intent"] = parts["intent"] + F.cross_entropy(
                    logits[b * q :], extra[1], label_smoothing=s["train"]["smoothing"]
                )
        total = sum(w[name] * value for name, value in parts.items())
        return total, {
            name: float(value.detach() if torch.is_tensor(value) else value) for name, value in parts.items()
        }

    def ranking(self, scores, tiers, order):
        """order, contrast and anchor of scores [B, Q, T]."""
        logits, gold = scores / self.settings["train"]["temperature"], tiers == TIER["gold"]
        some = order & gold.any(-1)
        if not some.any():
            return {}
        logits, tiers, gold, plain = logits[some], tiers[some], gold[some], scores[some]
        found = {}
        rivals = (tiers > TIER["gold"]) & (tiers <= TIER["adjacent"])
        if self.weights["order"]:
            found["order"] = positives(logits, gold, rivals.float().log(), rivals.any(-1))
        if self.weights["contrast"]:
            weights = self.tier_weights[tiers]
            count = (weights > 0).sum(-1)
            found["contrast"] = positives(logits, gold, weights.log(), count > 0, (count + 1.0).log() / math.log(33))
        if self.weights["anchor"]:
            strangers = (tiers >= TIER["topic"]) & (tiers < TIER["void"])
            found["anchor"] = F.relu(plain[strangers]).square().mean() if strangers.any() else 0.0
        return found

    def distil(self, scores, teacher, valid):
        chosen = ~teacher[:, 0].isnan()
        if not chosen.any():
            return scores.sum() * 0
        out = ~valid[chosen]
        student = (scores[chosen] / self.settings["train"]["temperature"]).masked_fill(out, -1e4).log_softmax(-1)
        target = teacher[chosen].nan_to_num(0).masked_fill(out, -1e4).softmax(-1)
        return F.kl_div(student, target, reduction="batchmean")

    def swap(self, model, x, foreign, valid, o):
        chosen = foreign.any(-1)
        if not chosen.any():
            return o.sum() * 0
        known = (valid & ~foreign)[chosen]
        rows, _ = model.read(x[chosen], known[:, None].expand(-1, x.shape[1], -1))
        moved = (model.state(rows) - o[chosen]).square().sum(-1)
        return moved[known].mean()

    def recall(self, model, rows, asked, static, batch, order):
        """Which passage was the statement before this one; which passage answers this question."""
        number, tau = batch["statements"], 0.1
        earlier = (
            (number[:, None] < number[:, :, None])
            & (number[:, None] >= 0)
            & (number[:, None] // GROUP == number[:, :, None] // GROUP)
        )
        before = earlier & (number[:, None] == torch.where(earlier, number[:, None], -1).amax(-1, keepdim=True))
        t = number.shape[1]
        past = torch.ones(t, t, device=number.device).tril(-1).bool()[None] & (batch["rows"] >= 0)[:, None]
        said = F.normalize(self.before(model.out_norm(rows[..., -1, :])), dim=-1)
        logits = torch.einsum("bth,buh->btu", said, static) / tau
        logits = logits.masked_fill(~past, -1e4)
        some = before.any(-1)
        loss = -(logits.log_softmax(-1)[some][before[some]]).mean() if some.any() else logits.sum() * 0
        answer = F.normalize(self.answer(model.ask_norm(asked[..., -1, :])), dim=-1)
        logits = torch.einsum("bqh,bth->bqt", answer, static) / tau
        gold, void = batch["tiers"] == TIER["gold"], (batch["tiers"] == TIER["void"])
        some = order & gold.any(-1)
        if some.any():
            rivals = (~gold & ~void)[some]
            loss = loss + positives(logits[some], gold[some], rivals.float().log(), rivals.any(-1))
        return loss


def last(valid, window):
    """The last `window` passages of each stream."""
    behind = valid.flip(1).cumsum(1).flip(1)
    return valid & (behind <= window)


def positives(logits, gold, weights, some, scale=None):
    """Mean over positives of -log p, each against the weighted negatives only; rows without any are left out."""
    if not some.any():
        return logits.sum() * 0
    logits, gold, weights = logits[some], gold[some], weights[some]
    against = (logits + weights.clamp(min=-1e4)).masked_fill(gold, -1e4).logsumexp(-1, keepdim=True)
    each = F.softplus(against - logits)
    loss = (each * gold).sum(-1) / gold.sum(-1)
    return (loss * scale[some]).mean() if scale is not None else loss.mean()
