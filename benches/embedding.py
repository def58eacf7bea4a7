"""Texts a second: our embedder beside onnxruntime on the same weights, in one run.

    python benches/embedding.py [--threads 2] [--seconds 2] [--rounds 3]

Makes its own Python environment under target/ (onnxruntime, onnx, gguf, numpy), writes the model of
models/evoke-e5-small as ONNX with onnxruntime's fused operators (Attention, SkipLayerNormalization,
BiasGelu), in f32 and dynamically quantised to int8, checks both against the golden vectors, and measures
texts of 16, 32, 128 and 512 tokens in batches of 1 and 32, ours also with the latent memory. The programs take turns, as the machine may be
shared; of each the best of all rounds counts. Ours reads text and cuts it into tokens, onnxruntime is given
token ids.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
MODEL = ROOT / "models/evoke-e5-small"
PAIRS = [(tokens, batch) for tokens in (16, 32, 128, 512) for batch in (1, 32)]
# Ours alone, in epochs of 32.
EVOLVED = [(16, 128), (32, 128), (128, 128)]
PACKAGES = ["onnxruntime==1.*", "onnx==1.*", "gguf", "numpy"]
LAYERS, HEADS, EPSILON = 12, 12, 1e-12


def in_environment():
    """Starts this script again inside an environment that has the packages."""
    home = TARGET / "bench-venv"
    python = home / "bin/python"
    if Path(sys.prefix) == home:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([python, "-m", "pip", "-q", "install", *PACKAGES], check=True)
    os.execv(python, [python, *sys.argv])


def tensors():
    from gguf import GGUFReader, dequantize

    reader = GGUFReader(MODEL / "model.gguf")
    return {t.name: dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]) for t in reader.tensors}


def write_onnx(path):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    t = tensors()
    nodes, constants = [], []

    def constant(name, value, kind=np.float32):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype=kind), name))
        return name

    def node(kind, inputs, output, domain="", **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def norm(name, inputs, output):
        weights = [constant(f"{name}.{part}", t[f"{name}.{part}"]) for part in ("weight", "bias")]
        if len(inputs) == 1:
            return node("LayerNormalization", [*inputs, *weights], output, epsilon=EPSILON, axis=-1)
        return node("SkipLayerNormalization", [*inputs[:2], *weights, inputs[2]], output, "com.microsoft", epsilon=EPSILON)

    positions = t["position_embd.weight"] + t["token_types.weight"][0]
    words = node("Gather", [constant("words", t["token_embd.weight"]), "ids"], "word")
    length = node("Shape", ["ids"], "length", start=1, end=2)
    zero, one = constant("zero", [0], np.int64), constant("one", [1], np.int64)
    place = node("Slice", [constant("positions", positions), zero, length, zero, one], "place")
    x = norm("token_embd_norm", [node("Add", [words, place], "embedded")], "x0")
    for i in range(LAYERS):
        b = f"blk.{i}"
        qkv = np.concatenate([t[f"{b}.attn_{p}.weight"] for p in "qkv"]).T
        bias = np.concatenate([t[f"{b}.attn_{p}.bias"] for p in "qkv"])
        attended = node(
            "Attention", [x, constant(f"{b}.qkv", qkv), constant(f"{b}.qkv.bias", bias)], f"{b}.a", "com.microsoft", num_heads=HEADS
        )
        out = node("MatMul", [attended, constant(f"{b}.o", t[f"{b}.attn_output.weight"].T)], f"{b}.ao")
        y = norm(f"{b}.attn_output_norm", [out, x, constant(f"{b}.o.bias", t[f"{b}.attn_output.bias"])], f"{b}.y")
        up = node("MatMul", [y, constant(f"{b}.up", t[f"{b}.ffn_up.weight"].T)], f"{b}.u")
        wide = node("BiasGelu", [up, constant(f"{b}.up.bias", t[f"{b}.ffn_up.bias"])], f"{b}.g", "com.microsoft")
        down = node("MatMul", [wide, constant(f"{b}.down", t[f"{b}.ffn_down.weight"].T)], f"{b}.d")
        x = norm(f"{b}.layer_output_norm", [down, y, constant(f"{b}.down.bias", t[f"{b}.ffn_down.bias"])], f"x{i + 1}")
    node("ReduceMean", [x, one], "mean", keepdims=0)
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"])
    mean = helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["batch", 384])
    graph = helper.make_graph(nodes, "e5", [ids], [mean], constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)


def quantize(source, to):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        to,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Attention"],
        extra_options={"DefaultTensorType": 1},  # f32, where onnx cannot infer through onnxruntime's operators
    )


def session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def likeness(model):
    """The least cosine to the golden vectors, which are of the same weights in f32."""
    import numpy as np

    least = 1.0
    for case in json.loads((ROOT / "crates/embed/tests/golden.json").read_text()):
        vector = model.run(None, {"ids": np.array([case["ids"]], dtype=np.int64)})[0][0]
        least = min(least, float(vector @ np.array(case["vector"]) / np.linalg.norm(vector)))
    return least


def rate(model, tokens, batch, seconds):
    import numpy as np

    ids = np.random.default_rng(0).integers(10, 200_000, (batch, tokens))
    best, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < seconds:
        run = time.perf_counter()
        model.run(None, {"ids": ids})
        best = min(best, time.perf_counter() - run)
    return batch / best


def ours(threads, seconds, *flags):
    command = [TARGET / "debug/examples/speed", "--seconds", str(seconds), *flags]
    env = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    out = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in out.splitlines()]
    return {(line["tokens"], line["batch"]): line["texts_per_second"] for line in lines}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    in_environment()
    f32, int8 = TARGET / "bench-e5-f32.onnx", TARGET / "bench-e5-int8.onnx"
    if not int8.exists():
        write_onnx(f32)
        quantize(f32, int8)
    subprocess.run(["cargo", "build", "-q", "-p", "evoke-embed", "--example", "speed"], check=True, cwd=ROOT)
    models = {"onnxruntime f32": session(f32, options.threads), "onnxruntime int8": session(int8, options.threads)}
    for name, model in models.items():
        print(f"{name}: least cosine to the golden vectors {likeness(model):.4f}")
    best = {name: dict.fromkeys(PAIRS, 0.0) for name in [*models, "ours f32", "ours int8"]}
    for _ in range(options.rounds):
        for name, model in models.items():
            measured = {pair: rate(model, *pair, options.seconds) for pair in PAIRS}
            best[name] = {pair: max(best[name][pair], measured[pair]) for pair in PAIRS}
        for name, flags in {"ours f32": ["--f32"], "ours int8": []}.items():
            measured = ours(options.threads, options.seconds, *flags)
            best[name] = {pair: max(best[name][pair], measured[pair]) for pair in PAIRS}
    print(f"\ntexts a second, {options.threads} threads, best of {options.rounds} rounds\n")
    print("| tokens | batch |", " | ".join(best), "| ours / onnxruntime, int8 |")
    print("| ---: | ---: |" + " ---: |" * (len(best) + 1))
    for pair in PAIRS:
        rates = " | ".join(f"{best[name][pair]:.1f}" for name in best)
        print(f"| {pair[0]} | {pair[1]} | {rates} | {best['ours int8'][pair] / best['onnxruntime int8'][pair]:.2f} |")
    print("\n| tokens | texts | static | evolved | static / evolved |\n| ---: | ---: | ---: | ---: | ---: |")
    for pair in EVOLVED:
        static, evolved = (
            max(ours(options.threads, options.seconds, *flags, "%d:%d" % pair)[pair] for _ in range(options.rounds))
            for flags in ([], ["--evolved"])
        )
        print(f"| {pair[0]} | {pair[1]} | {static:.1f} | {evolved:.1f} | {static / evolved:.2f} |")


if __name__ == "__main__":
    main()
