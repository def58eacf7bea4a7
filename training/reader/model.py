"""The reader of pairs: a question and a passage read together by the e5 trunk with low-rank changes of its weights.

Of each pair it tells whether the passage states what is asked about, whether that has passed already, and a vector
of the value that it states; `scores` puts the passages of one question together in the order of time. The same
arithmetic is in crates/embed/src/evolver/reader.rs. Training is train.py's.
"""

import math
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

HIDDEN, HEADS, LAYERS, FFN = 384, 12, 12, 1536
VALUE, HEAD, INTENT = 64, 256, 128
INTENTS = ("none", "now", "before", "first", "last", "when", "how_often", "who", "all_of")
MOST, MOST_PAST = 0.999, 0.99
RECALL = 0.1  # of a recall without a statement of its value
SHAPES = {"attn_q": (HIDDEN, HIDDEN), "attn_k": (HIDDEN, HIDDEN), "attn_v": (HIDDEN, HIDDEN), "attn_output": (HIDDEN, HIDDEN),
          "ffn_up": (FFN, HIDDEN), "ffn_down": (HIDDEN, FFN)}
SEGMENTS = ("question", "before", "passage")


class Reader(nn.Module):
    """`weights`: name to tensor of the trunk (names of its GGUF file), `words` the embeddings of the pieces that occur."""

    def __init__(self, weights, words, rank=16, drop=0.1):
        super().__init__()
        self.rank = rank
        for name, tensor in weights.items():
            self.register_buffer(name.replace(".", "_"), tensor, persistent=False)
        self.register_buffer("words", words, persistent=False)
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for layer in range(LAYERS):
            for part, (wide, narrow) in SHAPES.items():
                name = f"blk_{layer}_{part}"
                self.down[name] = nn.Parameter(torch.randn(rank, narrow) / math.sqrt(narrow))
                self.up[name] = nn.Parameter(torch.zeros(wide, rank))
        self.segments = nn.Parameter(torch.zeros(len(SEGMENTS), HIDDEN))
        self.head_in = nn.Linear(2 * HIDDEN, HEAD)
        self.head_out = nn.Linear(HEAD, 2 + VALUE + 1)
        self.intent_in = nn.Linear(2 * HIDDEN, INTENT)
        self.intent_out = nn.Linear(INTENT, len(INTENTS))
        self.same = nn.Parameter(torch.tensor([8.0, -4.0]))
        self.drop = nn.Dropout(drop)
        self.weights, self.held = None, False

    @contextmanager
    def hold(self):
        """Within, the matrices are merged once."""
        self.weights, self.held = self.merged(), True
        try:
            yield
        finally:
            self.weights, self.held = None, False

    def halve(self):
        """The trunk's matrices in bfloat16, as the products on a GPU are."""
        for name, value in self.named_buffers():
            if value.ndim == 2 and name.startswith("blk"):
                value.data = value.data.bfloat16()

    def of(self, name):
        return getattr(self, name.replace(".", "_"))

    def merged(self):
        """The trunk's matrices with their changes."""
        return {name: self.of(name + "_weight") + (self.up[name] @ self.down[name]).to(self.of(name + "_weight").dtype) for name in self.down}

    def linear(self, x, name):
        return F.linear(x, self.weights[name.replace(".", "_")], self.of(name + ".bias"))

    def norm(self, x, name):
        return F.layer_norm(x.float(), (HIDDEN,), self.of(name + ".weight"), self.of(name + ".bias"), 1e-12)

    def pooled(self, ids, segments, segment):
        """[N, L] pieces (rows of `words`) and segments (-1: nothing there) to the first state and the mean over a segment."""
        if not self.held:
            self.weights = self.merged()
        there = segments >= 0
        n, longest = ids.shape
        x = self.words[ids].float() + self.of("position_embd.weight")[:longest] + self.of("token_types.weight")[0]
        x = self.norm(x + self.segments[segments.clamp(min=0)], "token_embd_norm")
        mask = there[:, None, None, :]
        for layer in range(LAYERS):
            name = f"blk.{layer}."
            split = lambda t: t.view(n, longest, HEADS, -1).transpose(1, 2)
            q, k, v = (split(self.linear(x, name + f"attn_{part}")) for part in "qkv")
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(n, longest, HIDDEN)
            x = self.norm(x + self.linear(mixed, name + "attn_output"), name + "attn_output_norm")
            wide = F.gelu(self.linear(x, name + "ffn_up"))
            x = self.norm(x + self.linear(wide, name + "ffn_down"), name + "layer_output_norm")
        part = (segments == segment).float()[..., None]
        return torch.cat([x[:, 0], (x * part).sum(1) / part.sum(1).clamp(min=1)], -1)

    def forward(self, ids, segments):
        """Of pairs, [N, L]: odds, past and pivot [N, 3], and values [N, VALUE]."""
        pooled = self.pooled(ids, segments, 2)
        out = self.head_out(self.drop(F.gelu(self.head_in(self.drop(pooled))))).float()
        return out[:, [0, 1, 2 + VALUE]], F.normalize(out[:, 2 : 2 + VALUE], dim=-1)

    def intents(self, ids, segments):
        """Of questions alone, [N, L]: logits of what they ask of order, [N, 9]."""
        pooled = self.drop(self.pooled(ids, segments, 0))
        return self.intent_out(self.drop(F.gelu(self.intent_in(pooled)))).float()

    def alike(self, values):
        """Chance that two passages state the same value, [..., T, T]."""
        return torch.sigmoid(self.same[0] * values @ values.transpose(-1, -2) + self.same[1])

    def scores(self, told, values, valid, intent):
        """[B, T, 3], [B, T, VALUE], [B, T], [B] to logs of chances that a passage answers, [B, T], in the order of time."""
        odds, past, pivot = told.unbind(-1)
        odds = odds.masked_fill(~valid, -20.0)
        passed = torch.sigmoid(past).clamp(max=MOST_PAST)
        other = 1 - self.alike(values)
        holds = torch.sigmoid(odds) * (1 - passed)
        free = torch.log1p(-(holds[:, None, :] * other).clamp(max=MOST))  # [t, u]: u holds no other value than t
        later = torch.ones(odds.shape[1], odds.shape[1], device=odds.device).triu(1)
        stated = F.logsigmoid(odds)
        last = stated + torch.log1p(-passed) + (free * later).sum(-1)
        first = stated + (free * later.T).sum(-1)
        # Before: another value than that of the pivot u, which is what holds at the end or what the question names, and
        # nothing between them holds a third. A passage that recalls what has passed is as good as a statement of its
        # value that fits.
        pivots = (last + pivot).masked_fill(~valid, -1e9).softmax(-1)
        third = torch.log1p(-(holds[:, None, None, :] * other[:, :, None, :] * other[:, None, :, :]).clamp(max=MOST))
        between = later[:, None, :] * later.T[None, :, :]  # [t, u, w]
        chain = (third * between).sum(-1).exp() * later
        fits = (pivots[:, None, :] * other * chain).sum(-1)
        alone = torch.eye(odds.shape[1], device=odds.device)
        recalled = 1 - torch.log1p(-(holds * fits)[:, None, :] * (1 - other) * (1 - alone) * MOST).sum(-1).exp()
        before = stated + torch.log((1 - passed) * fits + passed * (recalled + RECALL) / (1 + RECALL) + 1e-6)
        kind = intent[:, None]
        found = stated
        for names, scores in ((("now", "last"), last), (("first",), first), (("before",), before)):
            for name in names:
                found = torch.where(kind == INTENTS.index(name), scores, found)
        return found
