"""Writes evolver.gguf and the golden streams that the Rust reader is held to.

    python -m evolver.export --model RUN/best.pt [--gain now=1.0 ...]

The golden file is made from the exported, dequantised weights with the trunk in f32, one passage after
another as the app reads them. All its texts are invented.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch

from .model import Evolver, Sizes, serve
from .train import load_model
from .trunk import MODEL, Trunk

GOLDEN = Path(__file__).resolve().parents[2] / "crates" / "embed" / "tests" / "evolver_golden.json"
TOP = {
    "pool_attn": "pool.attn",
    "in_norm": "in_norm",
    "up": "up",
    "static": "static",
    "out": "out",
    "ask": "ask",
    "out_norm": "out_norm",
    "ask_norm": "ask_norm",
    "intent": "intent",
}
SINGLE = {
    "pool_value": "pool.value.weight",
    "pool_value_bias": "pool.value.bias",
    "slot": "slot",
    "role_query": "role.query",
    "role_passage": "role.passage",
    "gain": "gain",
}

STREAMS = [
    {
        "passages": [
            "Mia: I live in Leeds, near the canal.",
            "Tom: The soup was too salty again.",
            "Mia: We moved, it is Porto from today.",
            "Tom: My sister lives in Leeds too.",
            "Mia: Porto was too warm for me, so I took a flat in Oslo.",
        ],
        "queries": [
            "Where does Mia live now?",
            "Where did Mia live before that?",
            "Where did Mia live at first?",
            "What did Tom say about the soup?",
        ],
    },
    {
        "passages": [
            "Jonas: Ich arbeite jetzt als Bäcker.",
            "Lea: Schön, bring Brot mit!",
            "Jonas: Seit Montag bin ich Pfleger im Krankenhaus.",
            "Lea: Und macht es Spaß?",
        ],
        "queries": [
            "Was arbeitet Jonas jetzt?",
            "Was war Jonas zuerst von Beruf?",
            "Wann hat Jonas die Stelle gewechselt?",
        ],
    },
    {
        "passages": [
            "Ana: Tenemos un gato gris.",
            "Luis: ¿Y el perro?",
            "Ana: El gato se fue con mi madre, ahora tenemos un loro.",
        ],
        "queries": ["¿Qué animal tiene Ana ahora?", "¿Qué animal tenía Ana antes?"],
    },
    {
        "passages": [
            "小李: 我现在住在上海。",
            "王芳: 周末去看电影吗？",
            "小李: 上个月搬到北京了。",
            "Лиза: Теперь я пью только зелёный чай.",
        ],
        "queries": ["小李现在住在哪里？", "Что теперь пьёт Лиза?"],
    },
    {"passages": ["Ben: ok"], "queries": ["now?", ""]},
    {
        "passages": [
            f"Kim: Day {day}, we walked to hut {day + 1} and it rained."
            if day % 7
            else f"Kim: My boots are number {day}, the others are gone."
            for day in range(40)
        ],
        "queries": ["Which boots does Kim wear now?", "Which boots did Kim wear first?", "Who told me about the rain?"],
    },
]


def names(model):
    """Every tensor under its name in the file."""
    tensors = {}
    for name, value in model.state_dict().items():
        if name.endswith(("_mean", "_white")):
            continue
        first, _, rest = name.partition(".")
        tensors[SINGLE.get(name) or (name if first == "blk" else f"{TOP[first]}.{rest}")] = value
    return tensors


def write(model, path, kind):
    """Matrices of `kind` (F16, Q8_0 or F32); norms, biases and what is read row by row as F32."""
    writer = gguf.GGUFWriter(str(path), "evolver")
    writer.add_name("evoke-e5-small evolver")
    sizes = model.sizes
    numbers = {
        "latents": sizes.latents,
        "seed": sizes.seed,
        "width": sizes.width,
        "layers": sizes.layers,
        "heads": sizes.heads,
    }
    for key, value in (numbers | {"state": sizes.state, "window": sizes.window, "ffn": sizes.ffn}).items():
        writer.add_uint32(f"evolver.{key}", value)
    writer.add_string("evolver.intents", ",".join(sizes.intents))
    for name, value in names(model).items():
        values = value.detach().cpu().float().numpy()
        type_ = gguf.GGMLQuantizationType.F32
        if values.ndim == 2 and name != "slot" and not name.startswith(("pool.attn", "intent")):
            type_ = gguf.GGMLQuantizationType[kind]
            if kind == "Q8_0" and values.shape[1] % 32:
                type_ = gguf.GGMLQuantizationType.F16
        writer.add_tensor(name, gguf.quantize(values, type_), raw_dtype=type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path):
    """The model of an evolver.gguf, dequantised to f32."""
    reader = gguf.GGUFReader(str(path))
    field = {key: value.contents() for key, value in reader.fields.items() if key.startswith("evolver.")}
    sizes = {key.removeprefix("evolver."): value for key, value in field.items()}
    sizes["intents"] = tuple(sizes["intents"].split(","))
    model = Evolver(Sizes.of(sizes))
    state = model.state_dict()
    plain = [name for name in state if not name.endswith(("_mean", "_white"))]
    ours = dict(zip(names(model), plain))
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        state[ours[tensor.name]] = torch.from_numpy(values.reshape([int(n) for n in tensor.shape[::-1]]).copy())
    model.load_state_dict(state)
    return model.eval()


def rounded(values, digits=6):
    return [round(float(value), digits) for value in values.flatten()]


@torch.no_grad()
def golden(model, trunk):
    """The golden streams: seeds, states as served, queries with and without memory, intents, lambda."""
    out = []
    for stream in STREAMS:
        passages = ["passage: " + text for text in stream["passages"]]
        queries = ["query: " + text for text in stream["queries"]]
        pairs = [None] * (len(passages) + len(queries))
        for at, states in trunk.states(passages + queries):
            seeds, static = model.seeds(states[None], torch.ones(1, len(states), dtype=torch.bool))
            pairs[at] = (seeds[0], static[0])
        read, asked = pairs[: len(passages)], pairs[len(passages) :]
        entry = {"passages": [], "queries": []}
        for text, query in zip(stream["queries"], asked):
            states, with_memory, alone, logits, lam = serve(model, read, query)
            entry["queries"].append(
                {
                    "text": text,
                    "seeds": rounded(query[0]),
                    "memory": rounded(with_memory),
                    "alone": rounded(alone),
                    "logits": rounded(logits),
                    "lambda": round(float(lam), 6),
                }
            )
        for text, pair, state in zip(stream["passages"], read, states):
            entry["passages"].append({"text": text, "seeds": rounded(pair[0]), "o": rounded(state)})
        out.append(entry)
    return out


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True, help="a checkpoint of evolver.train")
    arguments.add_argument("--out", type=Path, default=MODEL.with_name("evoke-e5-small-evolved") / "evolver.gguf")
    arguments.add_argument("--golden", type=Path, default=GOLDEN)
    arguments.add_argument("--kind", choices=["F32", "F16", "Q8_0"], default="F16")
    arguments.add_argument(
        "--none-bias", type=float, default=0.0, help="added to the logit of none: fewer false intents, more missed ones"
    )
    arguments.add_argument("--gain", action="append", default=[], metavar="INTENT=VALUE")
    given = arguments.parse_args()
    trained, _ = load_model(given.model)
    model = trained.folded()
    for change in given.gain:
        intent, value = change.split("=")
        model.gain[model.sizes.intents.index(intent)] = float(value)
    with torch.no_grad():
        model.intent.bias[0] += given.none_bias
    write(model, given.out, given.kind)
    served = read(given.out)
    entries = golden(served, Trunk())
    kept = np.concatenate([np.array(p["o"]) for e in entries for p in e["passages"]])
    plain = np.concatenate([np.array(p["o"]) for e in golden(model, Trunk()) for p in e["passages"]])
    size = model.sizes.state
    cosine = (kept.reshape(-1, size) * plain.reshape(-1, size)).sum(1).min()
    given.golden.write_text(
        "[\n" + ",\n".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in entries) + "\n]\n",
        encoding="utf-8",
    )
    print(
        f"{given.out.stat().st_size} bytes as {given.kind}, lowest cosine of o to the trained weights {cosine:.6f}; {len(entries)} golden streams"
    )


if __name__ == "__main__":
    main()
