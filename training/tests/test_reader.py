"""The reader of pairs: from nothing to trained weights, stopped and gone on with; and its arithmetic."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from reader.model import INTENTS, VALUE, Reader  # noqa: E402
from reader.train import Batches, Pack, loss_of  # noqa: E402


def run(*args):
    done = subprocess.run([sys.executable, "-m", *map(str, args)], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader")
    run("data.build", "--out", folder / "data", "--histories", 12, "--held", 2)
    run("reader.train", "pack", "--data", folder / "data", "--out", folder / "pack")
    return folder


def train(made, out, steps):
    run("reader.train", "train", "--pack", made / "pack", "--out", made / out, "--steps", steps, "--batch", 1, "--workers", 0, "--drop", 0, "--quiet")
    return torch.load(made / out / "reader.pt", weights_only=True)


def test_data_training_resume_and_export_run_to_the_end(made):
    train(made, "stopped", 2)
    resumed = train(made, "stopped", 4)
    whole = train(made, "whole", 4)
    assert any(value.abs().sum() > 0 for name, value in resumed.items() if name.startswith("up."))
    # The rate depends on the end that was planned, so only what was seen is equal: both moved, and neither is broken.
    assert all(torch.isfinite(value).all() for value in whole.values())
    run("reader.export", "--run", made / "whole", "--out", made / "reader.gguf", "--golden", made / "golden.json")
    cases = json.loads((made / "golden.json").read_text(encoding="utf-8"))
    assert len(cases) >= 5 and all(abs(sum(case["intents"]) - 1) < 1e-3 for case in cases)


def test_the_same_step_has_the_same_batch(made):
    pack = Pack(made / "pack")
    first, again = (next(iter(Batches(pack, pack.sets["train"], 2, 7))) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_loss_is_finite_and_every_part_learns(made):
    pack = Pack(made / "pack")
    reader = Reader(pack.weights, pack.words)
    loss, parts = loss_of(reader, next(iter(Batches(pack, pack.sets["train"], 3, 0))), "cpu")
    loss.backward()
    assert torch.isfinite(loss) and all(torch.isfinite(part) for part in parts.values())
    assert reader.head_out.weight.grad.abs().sum() > 0 and reader.intent_out.weight.grad.abs().sum() > 0


def order(intent, states, past, values, pivot=None):
    """Scores of passages that surely state (5) or surely do not (-5)."""
    reader = Reader.__new__(Reader)
    torch.nn.Module.__init__(reader)
    reader.same = torch.nn.Parameter(torch.tensor([20.0, -10.0]))
    told = torch.tensor([states, past, pivot or [0.0] * len(states)]).T[None]
    vectors = torch.nn.functional.one_hot(torch.tensor(values), VALUE).float()[None]
    valid = torch.ones(1, len(states), dtype=torch.bool)
    return reader.scores(told, vectors, valid, torch.tensor([INTENTS.index(intent)]))[0]


def test_what_holds_came_first_and_held_before():
    # Lives in A, again A, somebody else in B, then C, and recalls A at the end.
    states, past, values = [5.0, 5.0, -5.0, 5.0, 5.0], [-5.0, -5.0, -5.0, -5.0, 5.0], [0, 0, 1, 2, 0]
    assert order("now", states, past, values).argmax() == 3
    assert order("first", states, past, values).topk(2).indices.sort().values.tolist() == [0, 1]
    assert set(order("before", states, past, values).topk(3).indices.tolist()) == {0, 1, 4}
    # "before C" of A, C, B: the pivot is named, so it need not be what holds at the end.
    assert order("before", [5.0, 5.0, 5.0], [-5.0] * 3, [0, 2, 1], [0.0, 20.0, 0.0]).argmax() == 0
