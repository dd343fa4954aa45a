"""Options in a data set's text: put in, taken out, and refused."""

import subprocess
import sys

import pytest

from nasengine.errors import DataError
from nasengine.training.data_words import Options, is_hook, joined, read, taken_apart


@pytest.mark.parametrize(
    "options", [{}, {"size": "64"}, {"label": "width,height", "column": "a file & its = path?", "memory": "2GB"}]
)
def test_what_is_joined_is_taken_apart(options: dict[str, str]) -> None:
    assert taken_apart(joined("./my pictures", options)) == ("./my pictures", options)


def test_a_later_option_stands_in_for_an_earlier_one() -> None:
    text = joined("pictures?size=64&skip_damaged=true", {"size": 32, "split_seed": 1})
    assert text == "pictures?size=32&skip-damaged=true&split-seed=1"
    assert joined("digits", {}) == "digits"


def test_words_become_values() -> None:
    words = taken_apart("p.csv?size=64&skip-damaged=yes&label=x, y&validation=0.3&memory=1.5GiB&task=regression")[1]
    expected = Options(size=64, skip_damaged=True, label=("x", "y"), validation=0.3, task="regression")
    assert read("p.csv", words) == Options(**{**vars(expected), "memory": 1_500_000_000})


def test_unknown_words_are_refused_with_the_nearest() -> None:
    with pytest.raises(DataError) as fault:
        taken_apart("pictures?siez=64&skip-damage=true")
    assert 'Did you mean "size"?' in str(fault.value)
    assert 'Did you mean "skip-damaged"?' in str(fault.value)
    with pytest.raises(DataError, match='"size" came after the question mark; OPTION=VALUE'):
        taken_apart("pictures?size")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("size=0", 'size "0" came; a whole number of pixels'),
        ("size=big", 'size "big" came'),
        ("skip-damaged=perhaps", "true or false is allowed"),
        ("test=1.5", "a share between 0 and 1"),
        ("memory=2XB", "500MB or 2GB"),
        ("task=detection", "classification, regression, segmentation"),
        ("channels=cmyk", "grey, rgb, rgba"),
    ],
)
def test_values_that_are_none_are_refused(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read("p", taken_apart(f"p?{text}")[1])


@pytest.mark.parametrize("name", ["./my_data.py:make_data", "package.module:make", "mine:data", "/a b/c.py:make"])
def test_a_function_that_makes_data(name: str) -> None:
    assert is_hook(name)
    assert taken_apart(f"{name}?root=here") == (name, {"root": "here"})


@pytest.mark.parametrize("name", ["hf:owner/name", "hf:name", "digits", "./folder", "C:/pictures", "my_data.py"])
def test_no_function(name: str) -> None:
    assert not is_hook(name)


def test_the_words_need_no_torch() -> None:
    code = "import sys, nasengine.training.data_words; print(sys.modules.keys() & {'torch', 'numpy'})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
