"""The evolver's arithmetic: seeds from token states, block-causal latents, state vectors, the intent head.

Training reads whole streams at once; `Reader` reads one passage after another with a bounded window of
latents, as the app does. Both give the same numbers (tests/test_evolver.py holds them to 1e-5).
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

HIDDEN = 384
INTENTS = ("none", "now", "before", "first", "last", "when", "how_often", "who", "all_of")


@dataclass(frozen=True)
class Sizes:
    latents: int = 8
    seed: int = 48
    width: int = 128
    layers: int = 3
    heads: int = 4
    state: int = 64
    ffn: int = 256
    window: int = 32
    intents: tuple = INTENTS

    def as_dict(self):
        return asdict(self) | {"intents": list(self.intents)}

    @classmethod
    def of(cls, values):
        known = {key: value for key, value in values.items() if key in cls.__dataclass_fields__}
        if "intents" in known:
            known["intents"] = tuple(known["intents"])
        return cls(**known)


class Block(nn.Module):
    """One pre-norm layer. Rows read their own passage, earlier passages of the window, and a null key."""

    def __init__(self, sizes):
        super().__init__()
        width = sizes.width
        self.heads = sizes.heads
        self.attn_norm, self.ffn_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn_q, self.attn_k = nn.Linear(width, width), nn.Linear(width, width)
        self.attn_v, self.attn_o = nn.Linear(width, width), nn.Linear(width, width)
        self.null_k, self.null_v = nn.Parameter(torch.randn(width) * 0.02), nn.Parameter(torch.zeros(width))
        self.ffn_up, self.ffn_down = nn.Linear(width, sizes.ffn), nn.Linear(sizes.ffn, width)
        # Alike reads alike from the first step on: keys start as queries, wide enough that it shows.
        nn.init.orthogonal_(self.attn_q.weight, 1.2)
        self.attn_k.weight.data.copy_(self.attn_q.weight)
        nn.init.zeros_(self.attn_q.bias)
        nn.init.zeros_(self.attn_k.bias)

    def by_head(self, x):
        return x.view(*x.shape[:-1], self.heads, -1).transpose(-3, -2)

    def keys(self, x):
        """Keys and values [..., heads, rows, width / heads] that later passages read."""
        normed = self.attn_norm(x)
        return self.by_head(self.attn_k(normed)), self.by_head(self.attn_v(normed))

    def forward(self, x, keys, values, mask=None):
        """x [..., rows, width]; keys and values hold all rows that may be read, x's own among them."""
        q = self.by_head(self.attn_q(self.attn_norm(x)))
        shape = (*keys.shape[:-2], 1, keys.shape[-1])
        null_k = self.null_k.view(self.heads, 1, -1).expand(shape)
        null_v = self.null_v.view(self.heads, 1, -1).expand(shape)
        keys, values = torch.cat([null_k, keys], -2), torch.cat([null_v, values], -2)
        if mask is not None:
            mask = F.pad(mask, (1, 0), value=True)
        mixed = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        x = x + self.attn_o(mixed.transpose(-3, -2).reshape(x.shape))
        return x + self.ffn_down(F.gelu(self.ffn_up(self.ffn_norm(x))))


class Evolver(nn.Module):
    def __init__(self, sizes=Sizes()):
        super().__init__()
        self.sizes, width, latents = sizes, sizes.width, sizes.latents
        self.pool_attn = nn.Linear(HIDDEN, latents)
        self.pool_value = nn.Parameter(torch.randn(latents * sizes.seed, HIDDEN) / math.sqrt(HIDDEN))
        self.pool_value_bias = nn.Parameter(torch.zeros(latents * sizes.seed))
        self.up, self.static = nn.Linear(sizes.seed, width), nn.Linear(HIDDEN, width)
        self.in_norm = nn.LayerNorm(width)
        self.slot = nn.Parameter(torch.randn(latents + 1, width) * 0.2)
        self.role_query = nn.Parameter(torch.randn(width) * 0.1)
        self.role_passage = nn.Parameter(torch.randn(width) * 0.1)
        self.blk = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.out_norm, self.ask_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.out, self.ask = nn.Linear(width, sizes.state), nn.Linear(width, sizes.state)
        self.intent = nn.Linear(width, len(sizes.intents))
        # A question starts out near the passages that it is about.
        nn.init.orthogonal_(self.static.weight)
        nn.init.orthogonal_(self.out.weight)
        self.ask.load_state_dict(self.out.state_dict())
        gain = torch.ones(len(sizes.intents))
        gain[0] = 0.0
        self.register_buffer("gain", gain)
        # Training sees whitened states; `folded` moves this into the weights, so that serving knows nothing of it.
        for name in ("token", "static"):
            self.register_buffer(f"{name}_mean", torch.zeros(HIDDEN))
            self.register_buffer(f"{name}_white", torch.eye(HIDDEN))

    @torch.no_grad()
    def whiten(self, tokens, statics, floor=0.05):
        """Takes the statistics of some token states and static vectors."""
        for name, values in (("token", tokens.float()), ("static", statics.float())):
            mean = values.mean(0)
            spread, axes = torch.linalg.eigh((values - mean).T @ (values - mean) / len(values))
            scale = (spread.clamp(min=0) + floor * spread.mean()).rsqrt()
            getattr(self, f"{name}_mean").copy_(mean)
            getattr(self, f"{name}_white").copy_(axes * scale @ axes.T)

    @torch.no_grad()
    def folded(self):
        """The same function with plain weights, as the specification has it."""
        plain = Evolver(self.sizes)
        state = {name: value.cpu().double() for name, value in self.state_dict().items()}
        for weight, bias, kind in (
            ("pool_attn.weight", "pool_attn.bias", "token"),
            ("pool_value", "pool_value_bias", "token"),
            ("static.weight", "static.bias", "static"),
        ):
            state[weight] = state[weight] @ state[f"{kind}_white"]
            state[bias] = state[bias] - state[weight] @ state[f"{kind}_mean"]
        for kind in ("token", "static"):
            state[f"{kind}_mean"], state[f"{kind}_white"] = torch.zeros(HIDDEN), torch.eye(HIDDEN)
        plain.load_state_dict(state)
        return plain.eval()

    # --- seeds: once a text -------------------------------------------------------------------

    def seeds(self, states, mask):
        """Token states [n, tokens, 384] and their mask to seeds [n, K * S] and static vectors [n, 384]."""
        states = states.float()
        # The white states themselves are never made: softmax ignores what the mean adds to all scores.
        scores = F.linear(states, self.pool_attn.weight @ self.token_white, self.pool_attn.bias)
        shares = scores.masked_fill(~mask[..., None], -math.inf).softmax(1)
        means = (torch.einsum("njk,njh->nkh", shares, states) - self.token_mean) @ self.token_white
        value = self.pool_value.view(self.sizes.latents, self.sizes.seed, HIDDEN)
        seeds = torch.einsum("nkh,ksh->nks", means, value).flatten(1) + self.pool_value_bias
        static = F.normalize((states * mask[..., None]).sum(1), dim=-1)
        return seeds, static

    def rows(self, seeds, static, query=False):
        """The K + 1 rows of a passage or a query that enter the first block [..., K + 1, width]."""
        latents = self.up(seeds.unflatten(-1, (self.sizes.latents, self.sizes.seed)))
        x = (
            self.in_norm(
                torch.cat([latents, self.static((static - self.static_mean) @ self.static_white).unsqueeze(-2)], -2)
            )
            + self.slot
        )
        return x + (self.role_query if query else self.role_passage)

    # --- whole streams, for training ----------------------------------------------------------

    def mask(self, memory, window=None):
        """[B, T, T] who may read whom: itself and the last window - 1 passages. `memory` [B, T, T] may forbid more."""
        steps = torch.arange(memory.shape[-1], device=memory.device)
        behind = steps[:, None] - steps[None]
        near = (behind >= 0) & (behind < (window or self.sizes.window))
        return (memory & near) | (behind == 0)

    def read(self, x, memory, window=None):
        """All passages of a batch of streams at once: x [B, T, K+1, D] to the rows after each block."""
        batch, steps, rows, width = x.shape
        mask = self.mask(memory, window).repeat_interleave(rows, 1).repeat_interleave(rows, 2)[:, None]
        flat, kept = x.reshape(batch, steps * rows, width), []
        for block in self.blk:
            keys, values = block.keys(flat)
            kept.append((keys, values))
            flat = block(flat, keys, values, mask)
        return flat.view(x.shape), kept

    def ask_rows(self, x, kept=None, memory=None):
        """Queries [B, Q, K+1, D] read after the stream (`kept` of `read`); memory [B, Q, T] says what each may read."""
        if kept is None:
            for block in self.blk:
                x = block(x, *block.keys(x))
            return x
        batch, count, rows, width = x.shape
        own = torch.eye(count, dtype=torch.bool, device=x.device)[None].expand(batch, -1, -1)
        mask = torch.cat([memory, own], -1).repeat_interleave(rows, 1).repeat_interleave(rows, 2)[:, None]
        flat = x.reshape(batch, count * rows, width)
        for block, (old_keys, old_values) in zip(self.blk, kept):
            keys, values = block.keys(flat)
            flat = block(flat, torch.cat([old_keys, keys], -2), torch.cat([old_values, values], -2), mask)
        return flat.view(x.shape)

    def state(self, rows):
        return F.normalize(self.out(self.out_norm(rows[..., -1, :])), dim=-1)

    def asked(self, rows):
        return F.normalize(self.ask(self.ask_norm(rows[..., -1, :])), dim=-1)

    def logits(self, rows_alone):
        return self.intent(self.ask_norm(rows_alone[..., -1, :]))

    def lam(self, logits):
        """Exactly 0 for no intent or a doubtful one, else the probability times the intent's gain."""
        p, best = logits.softmax(-1).max(-1)
        return torch.where((best == 0) | (p < 0.5), torch.zeros_like(p), p * self.gain[best])


class Reader:
    """One stream as the app reads it: latents of the last `window` passages, one passage at a time."""

    def __init__(self, model):
        self.model = model
        self.window = [[] for _ in model.blk]

    def _read(self, x, passages):
        own = []
        for number, block in enumerate(self.model.blk):
            keys, values = block.keys(x)
            own.append((keys, values))
            seen = self.window[number][-passages:] if passages else []
            x = block(x, torch.cat([k for k, _ in seen] + [keys], -2), torch.cat([v for _, v in seen] + [values], -2))
        return x, own

    @torch.no_grad()
    def passage(self, seeds, static):
        """State vector of the next passage, which is then remembered."""
        size = self.model.sizes.window
        x, own = self._read(self.model.rows(seeds, static), size - 1)
        for kept, pair in zip(self.window, own):
            kept.append(pair)
            del kept[:-size]
        return self.model.state(x)

    @torch.no_grad()
    def query(self, seeds, static, memory=True):
        x, _ = self._read(self.model.rows(seeds, static, query=True), self.model.sizes.window if memory else 0)
        return self.model.asked(x)

    @torch.no_grad()
    def intent(self, seeds, static):
        x, _ = self._read(self.model.rows(seeds, static, query=True), 0)
        logits = self.model.logits(x)
        return logits, self.model.lam(logits)


def serve(model, passages, query):
    """(states of the passages, query with memory, query alone, logits, lambda) read one after another.

    `passages` is a list of (seeds, static), `query` one such pair.
    """
    reader = Reader(model)
    states = [reader.passage(*passage) for passage in passages]
    logits, lam = reader.intent(*query)
    with_memory, alone = reader.query(*query), reader.query(*query, memory=False)
    return torch.stack(states), with_memory, alone, logits, lam
