"""What a profile says of work whose parts are known."""

import ast
import sys
import time
from pathlib import Path

import pytest
import torch

from benchmarks.profile import show
from benchmarks.profile_parts import REST, RULES, Watch, frames, part_of
from benchmarks.profile_steps import profiled
from nasengine.layers import ConvNorm

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        ([("x/torch/nn/conv.py", "forward"), ("x/nasengine/search/turns.py", "_gate_step")], "gates' steps"),
        ([("x/torch/optim/adam.py", "step"), ("x/nasengine/search/turns.py", "_gate_step")], "optimizers"),
        ([("x/nasengine/search/turns.py", "Turns._gate_step.<locals>.gates_losses")], "gates' steps"),
        ([("x/nasengine/search/turns.py", "Turns._gates_gradients")], "gates' steps"),
        ([("x/nasengine/search/turns.py", "Turns._prepared")], "supernet, the rest"),
        ([("<frozen importlib._bootstrap>", "exec"), ("x/nasengine/plan.py", "make")], "imports"),
        ([("x/sqlalchemy/engine.py", "run"), ("x/nasengine/engine.py", "conduct")], REST),
    ],
)
def test_the_innermost_known_frame_says_the_part(stack: list[tuple[str, str]], part: str) -> None:
    assert part_of(iter(stack)) == part


def test_frames_go_from_the_inside_out() -> None:
    assert next(frames(sys._getframe()))[1] == "test_frames_go_from_the_inside_out"


def test_every_rule_names_what_is_there() -> None:
    for rule in RULES:
        if rule.file.startswith("/nasengine/"):
            path = ROOT / rule.file[1:]
            files = [path] if path.exists() else sorted(path.parent.glob(f"{path.name}*.py"))
            assert files, f"no file begins with {rule.file}"
            names = {
                node.name for file in files if file.is_file() for node in ast.walk(ast.parse(file.read_text()))
                if isinstance(node, ast.FunctionDef)
            }  # fmt: skip
            assert not rule.function or rule.function in names, f"{rule.file} has no {rule.function}"


def test_watching_adds_up_to_the_time_that_has_passed() -> None:
    began = time.perf_counter()
    with Watch(every=0.001) as watch:
        time.sleep(0.1)
    assert 0.05 < watch.seconds[REST] <= time.perf_counter() - began


def training() -> None:
    layer = ConvNorm(3, 4, 3, 1)
    optimizer = torch.optim.SGD(layer.parameters(), 0.1)
    for _ in range(3):
        layer(torch.randn(2, 3, 8, 8)).sum().backward()
        optimizer.step()


def test_forward_and_backward_belong_to_the_layer() -> None:
    seen = profiled(training, skip=1, steps=1, named=True)
    assert seen.operators["convolution_backward"] > 0
    assert seen.layers["ConvNorm"] > seen.operators["convolution_backward"]
    assert sum(seen.layers.values()) == pytest.approx(seen.wall) == pytest.approx(sum(seen.operators.values()))
    assert sys.getprofile() is None


def test_a_job_with_too_few_steps_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="ended after 3 steps of its optimizers; 9 were asked for"):
        profiled(training, skip=4, steps=5)


def test_the_table_sums_up_what_is_below_the_top(capsys: pytest.CaptureFixture[str]) -> None:
    show("part", {"a": 6.0, "b": 3.0, "c": 1.0}, top=1)
    said = capsys.readouterr().out
    assert "60.0%" in said and "the others together" in said and "40.0%" in said
