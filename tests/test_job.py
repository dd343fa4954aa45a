"""Jobs and results survive the way through JSON; equal work has one reuse key and different work another."""

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasengine.errors import NasError
from nasengine.job import Job, Result, plain, reuse_key

names = st.text(max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers() | finite | names
tables = st.dictionaries(names, st.recursive(scalars, lambda x: st.lists(x, max_size=3), max_leaves=5), max_size=4)
picks = st.dictionaries(names, st.lists(names, max_size=3), max_size=4)
jobs = st.builds(
    Job,
    number=st.integers(0),
    space=names,
    settings=tables,
    architecture=picks,
    evaluator=names,
    recipe=tables,
    data=names,
    fidelity=tables,
    seed=st.integers(),
    weights=st.none() | names,
    final=st.booleans(),
    inherit=picks,
)
results = st.builds(
    Result,
    number=st.integers(0),
    architecture=picks,
    digest=st.none() | names,
    values=st.dictionaries(names, st.floats(), max_size=4),
    params=st.none() | st.integers(0),
    macs=st.none() | st.integers(0),
    seconds=st.none() | finite,
    weights=st.none() | names,
    error=st.none() | names,
    epochs=st.lists(st.dictionaries(names, st.floats(), max_size=3), max_size=3),
)


def through_text(data: dict[str, Any]) -> Any:
    return json.loads(json.dumps(data, allow_nan=False))


@given(jobs)
def test_job_round_trip(job: Job) -> None:
    assert Job.from_json(through_text(job.to_json())) == job


@given(results)
def test_result_round_trip(result: Result) -> None:
    once = Result.from_json(through_text(result.to_json()))
    assert once.to_json() == result.to_json()
    broken = [name for name, value in result.values.items() if not math.isfinite(value)]
    assert all(math.isnan(once.values[name]) for name in broken)
    assert {k: v for k, v in once.values.items() if k not in broken} == {
        k: v for k, v in result.values.items() if k not in broken
    }
    if result.error is None and not broken:
        assert once.error is None
    else:
        assert once.error == result.error or all(f"values.{name}" in (once.error or "") for name in broken)


def test_a_diverged_result_says_which_value() -> None:
    text = Result(3, {}, values={"validation_loss": math.inf, "validation_accuracy": 0.1}).to_json()
    assert text["values"] == {"validation_loss": None, "validation_accuracy": 0.1}
    assert "result 3: values.validation_loss: inf" in text["error"]
    kept = Result(3, {}, values={"validation_loss": math.nan}, error="stopped at epoch 2").to_json()
    assert kept["error"] == "stopped at epoch 2"


def test_a_job_refuses_infinity_by_place() -> None:
    job = Job(1, "darts", {}, {}, "train", {"clip": math.inf}, "digits", {"list": [math.nan]}, 0)
    with pytest.raises(NasError, match=r"job 1: recipe.clip: inf, fidelity.list.0: nan; numbers must be finite"):
        job.to_json()


def test_unknown_keys_are_named() -> None:
    with pytest.raises(NasError, match='result: unknown sconds; .*Did you mean "seconds"'):
        Result.from_json({"number": 1, "architecture": {}, "sconds": 1.0})


def test_plain_takes_numpy_and_refuses_objects() -> None:
    numpy = pytest.importorskip("numpy")
    assert plain({"a": numpy.float32(0.5), 1: (numpy.arange(2), math.nan)}) == {"a": 0.5, "1": [[0, 1], None]}
    with pytest.raises(NasError, match="is a object"):
        plain({"a": [object()]})


def key(**changes: Any) -> str:
    facts: dict[str, Any] = {
        "digest": "nas1:1",
        "layers": "f",
        "recipe": {"lr": 0.1, "betas": (0.9, 0.99)},
        "data": "d",
        "seed": 0,
        "fidelity": {"epochs": 1},
    }
    return reuse_key(**{**facts, **changes})


def test_reuse_key_ignores_order_and_tuples_but_nothing_else() -> None:
    assert key() == key(recipe={"betas": [0.9, 0.99], "lr": 0.1})
    others: list[dict[str, Any]] = [
        {"digest": "nas1:2"},
        {"layers": "g"},
        {"recipe": {"lr": 0.2, "betas": (0.9, 0.99)}},
        {"data": "e"},
        {"seed": 1},
        {"fidelity": {"epochs": 2}},
    ]
    assert len({key(), *(key(**change) for change in others)}) == 7


def test_reuse_key_changes_with_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()
    monkeypatch.setattr("nasengine.job.FORMAT", 2)
    assert key() != before


def test_reuse_key_is_the_same_in_another_process() -> None:
    code = (
        "from nasengine.job import reuse_key;"
        "print(reuse_key(digest='nas1:1', layers='f', recipe={'lr': 0.1, 'betas': (0.9, 0.99)},"
        " data='d', seed=0, fidelity={'epochs': 1}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == key()
