"""Signatures as configurations: what words become, and what a wrong word is told."""

import re
from typing import Any, Literal

import pytest

from nasengine.errors import PlugInError
from nasengine.settings import REQUIRED, fill, read, settings_of


# some have no annotation: the type then comes from the default
def example(
    wide: float = 1.0,
    input=(3, 32, 32),
    classes=10,
    affine=False,
    name="darts",
    depth: int | None = None,
    variant: Literal["paper", "code"] = "paper",
    sizes: tuple[int, ...] = (),
) -> None:
    """An example.

    wide: how wide the cells are.
    - `depth`: how many cells.
    """


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [
        ("wide", "2", 2.0),
        ("wide", 2, 2.0),
        ("wide", "1e-3", 0.001),
        ("input", "1,8,8", (1, 8, 8)),
        ("input", "(1, 8, 8)", (1, 8, 8)),
        ("input", [1, 8, 8], (1, 8, 8)),
        ("classes", "100", 100),
        ("affine", "true", True),
        ("affine", "0", False),
        ("affine", True, True),
        ("name", "12", "12"),
        ("depth", "none", None),
        ("depth", "20", 20),
        ("variant", "code", "code"),
        ("sizes", "", ()),
        ("sizes", "4", (4,)),
    ],
)
def test_words_become_the_type_of_the_signature(name: str, word: object, value: object) -> None:
    got = fill("here", example, {name: word})[name]
    assert got == value
    assert type(got) is type(value)


def test_defaults_are_filled_in() -> None:
    values = fill("here", example, {"classes": "5"})
    assert values["classes"] == 5
    assert values["input"] == (3, 32, 32)
    assert list(values) == ["wide", "input", "classes", "affine", "name", "depth", "variant", "sizes"]


def test_dashes_on_the_command_line_are_underscores_in_python() -> None:
    def space(pool_norm: bool = False) -> None: ...

    assert fill("here", space, {"pool-norm": "yes"}) == {"pool_norm": True}


def test_every_fault_is_named_at_once() -> None:
    def space(channels: int = 16, *, layers: int) -> None: ...

    with pytest.raises(PlugInError) as caught:
        fill("space x", space, {"chanels": 3, "channels": "many"})
    text = str(caught.value)
    assert 'unknown setting "chanels"; allowed: channels=16, layers.' in text
    assert 'Did you mean "channels"?' in text
    assert "setting \"channels\" came as 'many'; give a whole number" in text
    assert 'setting "layers" is missing' in text
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize(
    ("word", "wanted", "told"),
    [
        ("maybe", bool, "true or false"),
        ("x", float, "a number"),
        ("1,8", tuple[int, int, int], "3 values with commas between"),
        ("1,two", tuple[int, ...], "a whole number"),
        ("pepar", Literal["paper", "code"], 'one of paper, code. Did you mean "paper"?'),
        ("x", int | None, "none"),
    ],
)
def test_a_wrong_word_is_told_what_is_right(word: str, wanted: object, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read(word, wanted)


def test_a_function_that_takes_anything_gets_plain_python_values() -> None:
    def space(**rest: Any) -> None: ...

    assert fill("here", space, {"a": "3", "b": "word"}) == {"a": 3, "b": "word"}


def test_signature_has_types_defaults_and_text() -> None:
    found = {setting.name: setting for setting in settings_of(example)}
    assert found["wide"].doc == "how wide the cells are."
    assert found["depth"].doc == "how many cells."
    assert found["input"].type == tuple[int, ...]
    assert found["affine"].type is bool
    assert found["affine"].default is False


def test_an_annotation_for_type_checkers_only_falls_back_to_the_default() -> None:
    def strategy(space: "NotImported", population: "int" = 5) -> None: ...  # noqa: F821

    assert fill("here", strategy, {"population": "7"}, skip=1) == {"population": 7}
    assert settings_of(strategy)[0].default is REQUIRED
