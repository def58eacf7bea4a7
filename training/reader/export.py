"""Writes `reader.gguf` and the golden streams of the Rust test from a trained reader.

    cd training
    python -m reader.export --run RUN --out ../models/evoke-e5-small/reader.gguf --golden ../crates/embed/tests/reader_golden.json

The golden numbers are of the weights as written (f16), computed in f32 with the trunk as it is in model.gguf.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer

from .model import HEAD, HIDDEN, INTENT, INTENTS, VALUE, Reader
from .train import BEFORE, BOS, EOS, MODEL, PASSAGE, QUESTION, dequantised, padded

# Streams of text: (question, passages in the order of time, each after what was said just before it).
CASES = [
    ("where does Ana live now?", [("", "Ana: I moved to Lisbon last week"), ("Tom: Any news?", "Ana: my flat in Lisbon is tiny"),
                                  ("", "Bo: I live in Porto, it rains"), ("", "Ana: The new place in Ghent has a balcony!"),
                                  ("", "Ana: when I lived in Lisbon I had no balcony"), ("Ana: moving again?", "Tom: Perhaps I should move to Ghent too")]),
    ("what was Jonas's first job?", [("", "Jonas: started as a baker today"), ("", "Mia: I am a nurse"), ("", "Jonas: Now I drive a tram"),
                                     ("Mia: what do you do?", "Jonas: still driving the tram")]),
    ("which car did I drive before the Volvo?", [("", "Me: picked up the Fiat this morning"), ("", "Me: sold the Fiat, the Volvo is here"),
                                                 ("", "Lena: our Skoda broke down"), ("", "Me: the Volvo needs new tyres")]),
    ("¿dónde trabaja Carmen?", [("", "Carmen: Empecé en la biblioteca"), ("", "Pau: Trabajo en un banco"), ("", "Carmen: ya no estoy en la biblioteca, ahora doy clases")]),
    ("recipe for lentil soup", [("", "Me: Soak the lentils, then fry onions and cumin"), ("Mia: dinner?", "Me: let's order pizza")]),
]


def written(state):
    """Weights as the file has them: the changes in f16."""
    return {name: value.half().float() if name.startswith(("up.", "down.")) else value for name, value in state.items()}


def export(path, state):
    writer = gguf.GGUFWriter(str(path), "reader")
    writer.add_string("reader.intents", ",".join(INTENTS))
    for name, value in (("hidden", HIDDEN), ("rank", state["down.blk_0_attn_q"].shape[0]), ("head", HEAD), ("value", VALUE), ("intent", INTENT)):
        writer.add_uint32(f"reader.{name}", value)
    for name, value in state.items():
        kind, _, rest = name.partition(".")
        if kind in ("up", "down"):
            _, layer, part = rest.split("_", 2)
            writer.add_tensor(f"reader.blk.{layer}.{part}.{kind}", value.numpy().astype(np.float16))
        else:
            writer.add_tensor(f"reader.{name}", value.numpy().astype(np.float32))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        step()
    writer.close()


def whole(state):
    """A reader over all of the vocabulary, in f32."""
    weights = {}
    for tensor in gguf.GGUFReader(str(MODEL / "model.gguf")).tensors:
        weights[tensor.name] = dequantised(np.array(tensor.data), int(tensor.tensor_type), [int(n) for n in tensor.shape[::-1]])
    reader = Reader(weights, weights.pop("token_embd.weight"), rank=state["down.blk_0_attn_q"].shape[0])
    reader.load_state_dict(state, strict=False)
    return reader.eval()


@torch.no_grad()
def golden(path, reader):
    tokenizer, cases = Tokenizer.from_file(str(MODEL / "tokenizer.json")), []
    pieces = lambda text, most: tokenizer.encode(text, add_special_tokens=False).ids[:most]
    for question, passages in CASES:
        q, pairs = pieces("query: " + question, QUESTION), []
        for before, text in passages:
            b, p = pieces(before, BEFORE), pieces("passage: " + text, PASSAGE)
            pairs.append(([BOS, *q, EOS, *b, *([EOS] if b else []), *p, EOS], [0] * (len(q) + 2) + [1] * (len(b) + bool(b)) + [2] * (len(p) + 1)))
        told, values = reader(*padded(pairs))
        chances = reader.intents(*padded([([BOS, *q, EOS], [0] * (len(q) + 2))])).softmax(-1)[0]
        valid = torch.ones(1, len(pairs), dtype=torch.bool)
        scores = {name: reader.scores(told[None], values[None], valid, torch.tensor([INTENTS.index(name)]))[0].tolist() for name in ("none", "now", "first", "before")}
        cases.append(dict(question=question, passages=passages, intents=[round(v, 5) for v in chances.tolist()],
                          scores={name: [round(v, 4) for v in some] for name, some in scores.items()}))
    Path(path).write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--golden", type=Path)
    args = parser.parse_args()
    state = written(torch.load(args.run / "reader.pt", map_location="cpu", weights_only=True))
    export(args.out, state)
    if args.golden:
        for case in golden(args.golden, whole(state)):
            best = INTENTS[int(np.argmax(case["intents"]))]
            print(case["question"], best, max(case["intents"]), case["scores"].get(best))


if __name__ == "__main__":
    main()
