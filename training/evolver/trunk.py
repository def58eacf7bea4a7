"""The frozen e5 trunk in PyTorch, and a store of its token states on disk.

    python -m evolver.trunk --check ../crates/embed/tests/golden.json

The weights come from model.gguf (dequantised to f32), the pieces from tokenizer.json. The store keeps
the token states of every text once, as f16, under a hash of the text: pooling is trained, so means alone
would not do. Texts are appended in chunks and the index is written last, so a kill costs one chunk.
"""

import argparse
import fcntl
import hashlib
import json
import math
import time
from pathlib import Path

import gguf
import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

MODEL = Path(__file__).resolve().parents[2] / "models" / "evoke-e5-small"
HIDDEN = 384
RECORD = np.dtype([("key", "V16"), ("start", "<u8"), ("tokens", "<u4"), ("spare", "<u4")])


class Trunk:
    """BERT with mean pooling. `half` computes the products in bfloat16, twice as fast where the CPU has it."""

    def __init__(self, directory=MODEL, device="cpu", half=False, layer=None):
        directory = Path(directory)
        self.config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        self.heads, self.device = self.config["num_attention_heads"], torch.device(device)
        self.eps, self.half = self.config["layer_norm_eps"], half
        self.layer = layer or self.config["num_hidden_layers"]
        self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.bos, self.eos = 0, 2
        reader = gguf.GGUFReader(str(directory / "model.gguf"))
        self.weights = {}
        for tensor in reader.tensors:
            if tensor.name == "token_embd.weight":
                # A quarter of a million rows: only those asked for are dequantised.
                self.words, self.word_type = tensor.data, tensor.tensor_type
            else:
                values = gguf.dequantize(tensor.data, tensor.tensor_type).reshape([int(n) for n in tensor.shape[::-1]])
                matrix = half and values.ndim == 2 and tensor.name.startswith("blk")
                dtype = torch.bfloat16 if matrix else torch.float32
                self.weights[tensor.name] = torch.from_numpy(values.copy()).to(self.device, dtype)
        self.fingerprint = hashlib.sha256((directory / "model.gguf").read_bytes()).hexdigest()[:16]

    def ids(self, texts, max_tokens=512):
        """Pieces of each text with its prefix already in it, cut as the app cuts them."""
        cut = []
        for encoded in self.tokenizer.encode_batch(texts, add_special_tokens=False):
            cut.append([self.bos, *encoded.ids[: max_tokens - 2], self.eos])
        return cut

    def embed(self, ids):
        unique, where = np.unique(ids, return_inverse=True)
        rows = gguf.dequantize(np.ascontiguousarray(self.words[unique]), self.word_type)
        return torch.from_numpy(rows.reshape(len(unique), -1)[where.reshape(ids.shape)]).to(self.device)

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.eps)

    def linear(self, x, name):
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        if self.half:
            return F.linear(x.to(torch.bfloat16), weight, bias.to(torch.bfloat16)).float()
        return F.linear(x, weight, bias)

    @torch.no_grad()
    def forward(self, batch):
        """Token states [n, longest, 384] and the mask of a list of id lists."""
        longest = max(len(ids) for ids in batch)
        padded = np.ones((len(batch), longest), dtype=np.int64)
        for row, ids in enumerate(batch):
            padded[row, : len(ids)] = ids
        lengths = torch.tensor([len(ids) for ids in batch], device=self.device)
        mask = torch.arange(longest, device=self.device)[None] < lengths[:, None]
        positions = self.weights["position_embd.weight"][:longest]
        x = self.norm(self.embed(padded) + positions + self.weights["token_types.weight"][0], "token_embd_norm")
        bias = torch.zeros(len(batch), 1, 1, longest, device=self.device).masked_fill(~mask[:, None, None], -math.inf)
        for layer in range(self.layer):
            name = f"blk.{layer}."
            q, k, v = (self.by_head(self.linear(x, name + f"attn_{part}")) for part in "qkv")
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
            mixed = mixed.transpose(1, 2).reshape(x.shape)
            x = self.norm(x + self.linear(mixed, name + "attn_output"), name + "attn_output_norm")
            wide = F.gelu(self.linear(x, name + "ffn_up"))
            x = self.norm(x + self.linear(wide, name + "ffn_down"), name + "layer_output_norm")
        return x, mask

    def by_head(self, x):
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def states(self, texts, max_tokens=512, rows=2048):
        """Yields (index, states [tokens, 384]) of every text, shortest first, about `rows` tokens at a time."""
        ids = self.ids(texts, max_tokens)
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and (end + 1 - start) * len(ids[order[end]]) <= rows:
                end += 1
            group = order[start:end]
            states, _ = self.forward([ids[at] for at in group])
            for row, at in enumerate(group):
                yield at, states[row, : len(ids[at])]
            start = end

    def vectors(self, texts, max_tokens=512):
        """Static unit vectors [n, 384]."""
        out = torch.zeros(len(texts), HIDDEN)
        for at, states in self.states(texts, max_tokens):
            out[at] = F.normalize(states.mean(0), dim=0).cpu()
        return out


class Store:
    """Token states by text on disk: states.f16 and statics.f32, appended; index.bin says what is complete."""

    def __init__(self, directory, trunk, max_tokens=128, chunk=512):
        self.directory, self.trunk, self.max_tokens, self.chunk = Path(directory), trunk, max_tokens, chunk
        self.directory.mkdir(parents=True, exist_ok=True)
        about = {"trunk": trunk.fingerprint, "layer": trunk.layer, "max_tokens": max_tokens}
        file = self.directory / "store.json"
        if not file.exists():
            file.write_text(json.dumps(about))
        elif json.loads(file.read_text()) != about:
            raise SystemExit(f"{file} was made with other settings: {file.read_text()}")
        self.open()

    def open(self):
        paths = [self.directory / name for name in ("states.f16", "statics.f32", "index.bin")]
        for path in paths:
            path.touch()
        count = paths[2].stat().st_size // RECORD.itemsize
        self.index = np.fromfile(paths[2], RECORD, count)
        self.rows = int(self.index["start"][-1] + self.index["tokens"][-1]) if count else 0
        self.known = {bytes(key): row for row, key in enumerate(self.index["key"])}
        self.states = np.memmap(paths[0], np.float16, "r", shape=(self.rows, HIDDEN)) if count else None
        self.statics = np.memmap(paths[1], np.float32, "r", shape=(count, HIDDEN)) if count else None

    @staticmethod
    def key(text):
        return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()

    def add(self, texts, say=print):
        """Reads the texts that are not in the store yet. One process at a time adds."""
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.open()
            self._add(texts, say)

    def _add(self, texts, say):
        missing = list({key: text for text in texts if (key := self.key(text)) not in self.known}.values())
        missing.sort(key=len)
        began, paths = time.time(), [self.directory / name for name in ("states.f16", "statics.f32", "index.bin")]
        for start in range(0, len(missing), self.chunk):
            part = missing[start : start + self.chunk]
            states, statics, records, at_row = [], [], np.zeros(len(part), RECORD), self.rows
            for row, (at, found) in enumerate(self.trunk.states(part, self.max_tokens)):
                states.append(found.half().cpu().numpy())
                statics.append(F.normalize(found.mean(0), dim=0).cpu().numpy())
                records[row] = (np.void(self.key(part[at])), at_row, len(found), 0)
                at_row += len(found)
            for path, content, size in (
                (paths[0], np.concatenate(states), self.rows * HIDDEN * 2),
                (paths[1], np.stack(statics).astype(np.float32), len(self.index) * HIDDEN * 4),
                (paths[2], records, len(self.index) * RECORD.itemsize),
            ):
                with path.open("r+b") as file:
                    file.truncate(size)  # what a kill left behind
                    file.seek(size)
                    file.write(content.tobytes())
            self.open()
            if say and (start // self.chunk) % 10 == 0:
                speed = (start + len(part)) / (time.time() - began)
                say(f"trunk: {start + len(part)} of {len(missing)} texts, {speed:.0f} a second", flush=True)

    def find(self, texts):
        """Row numbers of texts that were added before."""
        return np.array([self.known[self.key(text)] for text in texts], dtype=np.int64)

    def ragged(self, rows):
        """The states of these rows one after another [sum, 384] and the number of tokens of each."""
        starts, tokens = self.index["start"][rows], self.index["tokens"][rows].astype(np.int64)
        where = np.concatenate([np.arange(s, s + n, dtype=np.int64) for s, n in zip(starts, tokens)])
        return np.asarray(self.states[where]), tokens


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--check", type=Path, required=True, help="golden.json of the embedding crate")
    arguments.add_argument("--half", action="store_true")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    trunk = Trunk(half=given.half)
    entries = json.loads(given.check.read_text(encoding="utf-8"))
    texts = [trunk.config["embedder"]["prefixes"][entry["side"]] + entry["text"] for entry in entries]
    wrong = sum(ids != entry["ids"] for ids, entry in zip(trunk.ids(texts), entries))
    began = time.time()
    vectors = trunk.vectors(texts)
    cosines = (vectors * torch.tensor([entry["vector"] for entry in entries])).sum(1)
    print(
        f"{len(texts)} texts in {time.time() - began:.1f} s, {wrong} with other pieces, lowest cosine {cosines.min():.6f}"
    )
    if cosines.min() < 0.999:
        raise SystemExit("the trunk does not agree with the golden vectors")


if __name__ == "__main__":
    main()
