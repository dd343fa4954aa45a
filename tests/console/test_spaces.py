"""What a space is, how many architectures it holds, what they cost, and whether it holds to its contract."""

from pathlib import Path

import pytest

from tests.console.typed import good, nasengine


def test_count_is_exact() -> None:
    assert good("count", "--space", "darts", "--json").json == {
        "space": "darts",
        "count": 1_037_664_180**2,  # Liu et al., 2019: about 1e18
        "exact": True,
    }
    assert good("count", "--space", "nasbench201").out == "15,625 architectures\n"


@pytest.mark.parametrize("scale", [[], ["--space.channels", "36", "--space.layers", "20"]])
def test_cost_of_a_published_cell(scale: list[str]) -> None:
    found = good("cost", "--space", "darts", "--architecture", "prdarts", "--json", *scale).json
    assert found.keys() == {"space", "architecture", "settings", "params", "macs"}
    assert (found["params"], found["macs"]) == (3_444_814, 529_763_328 + 5_760)
    assert (found["settings"]["channels"], found["settings"]["layers"]) == (36, 20)


def test_cost_of_the_ends_of_a_space() -> None:
    words = ["cost", "--space", "nasbench201", "--space.cells", "1", "--space.channels", "4"]
    found = good(*words, "--json").json
    assert found["smallest"]["params"] < found["largest"]["params"]
    assert found["smallest"]["macs"] < found["largest"]["macs"]
    assert f"{found['largest']['params']:,}" in good(*words).out


def test_describe_says_what_a_space_asks_and_takes() -> None:
    out = good("describe", "--space", "nasbench201").out
    assert "cell.edge_0_1.op: 1 of none (zero)" in out and "--space.cells" in out and "15,625" in out
    found = good("describe", "--space", "darts", "--json").json
    assert found.keys() == {
        *("name", "input", "text", "settings", "decisions"),
        *("architectures", "count", "exact", "schema"),
    }
    assert found["decisions"]["normal.node0.inputs"]["keep"] == [2, 2]
    assert "PRDARTS" in found["architectures"]


OWN = '''"""A space of my own."""
from nasengine.layers import Classifier, ConvNorm
from nasengine.space import Space, chain, choose, op


def space(input=(3, 8, 8), classes=10, width=4):
    """
    width: channels of the one convolution
    """
    kernel = choose("kernel", 1, 3)
    head = op({head}, classes=classes)
    return Space("own", input=input, network=chain(op(ConvNorm, width=width, kernel=kernel), head=head))
'''


def test_a_space_of_ones_own_is_described_and_checked(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(head="Classifier"))
    assert "channels of the one convolution" in good("describe", "--space", "./own.py").out
    assert good("count", "--space", "./own.py", "--json").json["count"] == 2
    checked = good("describe", "--space", "./own.py", "--check", "--json").json
    assert checked["ok"] and all(check["ok"] and check["fault"] is None for check in checked["checks"])


def test_a_broken_space_fails_its_check_with_words(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(head="ConvNorm"))
    done = nasengine("describe", "--space", "./own.py", "--check")
    assert done.code == 1 and done.out.startswith("not ok  ") and "ConvNorm(classes=10)" in done.out
    assert "Traceback" not in done.out + done.err


def test_bounds_are_checked_with_the_space(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN.format(head="Classifier"))
    words = ["describe", "--space", "./own.py", "--check", "--objective", "accuracy", "--objective"]
    first = "its objectives are known, and their bounds can be met"
    assert f"ok      {first}" in good(*words, "params<1k").out
    for bound, said in (("params<9", "the smallest params that was found is"), ("latency<1ms@tpu", "tpu")):
        done = nasengine(*words, bound)
        assert done.code == 1 and done.out.startswith(f"not ok  {first}: ") and said in done.out.splitlines()[0]
