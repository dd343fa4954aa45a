"""Who takes part: the syntax of --strategies, and what is said where it is wrong."""

from pathlib import Path

import pytest

from nasengine.bench.contestants import check, parse
from nasengine.errors import NasError
from tests.bench.made_up import made_up


def test_options_stand_in_parentheses_and_keep_their_commas() -> None:
    found = parse("random-search, evolution(population=50, sample=5),./mine.py(sizes=(1,2),text='a, b'),pkg.mod")
    assert [one.name for one in found] == ["random-search", "evolution", "./mine.py", "pkg.mod"]
    assert found[1].options == {"population": "50", "sample": "5"}
    assert found[2].options == {"sizes": "(1,2)", "text": "a, b"}
    assert [str(one) for one in found[:2]] == ["random-search", "evolution(population=50,sample=5)"]


def test_the_same_strategy_with_other_options_is_another_contestant() -> None:
    assert len(parse("evolution,evolution(population=50)")) == 2
    with pytest.raises(NasError, match=r"evolution\(population=5\) came twice"):
        parse("evolution(population=5),evolution( population = 5 )")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no name came"),
        ("evolution(population=5", r"'\(' is never closed"),
        ("evolution)", r"'\)' closes nothing"),
        ("evolution(50)", "'50' of evolution is not OPTION=VALUE"),
        ("evolution(a=)", "'a=' of evolution is not OPTION=VALUE"),
        ("evolution(a=1,a=2)", "option a of evolution came twice"),
        ("evolution(a=1)x", "is not NAME or NAME"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, fault: str) -> None:
    with pytest.raises(NasError, match=fault):
        parse(text)


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("class Broken:\n    def ask(self, rng)\n        return None\n")
    with pytest.raises(NasError) as caught:
        check(parse(f"random-serch,random-search(speed=3),pr-darts,{broken}"), made_up().space)
    unknown, option, gradient, syntax = str(caught.value).splitlines()
    assert 'Did you mean "random-search"?' in unknown
    assert 'unknown setting "speed"' in option
    assert "strategy pr-darts: it learns gates inside a supernet" in gradient
    assert f"{broken}:2: expected ':'" in syntax


def test_a_changed_file_has_another_source(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("x = 1\n")
    (one,) = parse(str(path))
    before = one.source
    path.write_text("x = 2\n")
    assert one.source != before
