"""Names are paths: finding, loading and listing plug-ins, and what a wrong one is told."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nasengine import plugins
from nasengine.errors import PlugInError, SpaceError

SPACE = '''"""Chains of layers (Someone et al., 2020). More words."""
from nasengine.space import Published, Space, choose, op


class Layer:
    kind = "conv"

    def __init__(self, channels, kernel=3):
        self.kernel = kernel


def space(input=(3, 32, 32), classes=10, kernels=(1, 3), name="chain"):
    return Space(name, input=input, network=op(Layer, kernel=choose("kernel", *kernels)))


ARCHITECTURES = {"Big_V1": Published({"kernel": ("3",)}, {"classes": 10})}
SUPERNET = {"classes": 7}
'''

STRATEGY = '''"""Asks for nothing."""


class _Hidden: ...


class Nothing:
    """Never asks. population: how many."""

    def __init__(self, space, population=50, variant: "str" = "a"):
        """
        population: how many are kept.
        """
        self.space, self.population = space, population
'''


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes a file and returns its path as a word from a command line."""

    def write(text: str, name: str = "my_space.py") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_a_space_from_a_file_records_all_its_settings(file: Callable[..., str]) -> None:
    space = plugins.load_space(file(SPACE), {"input": "1,8,8"})
    assert space.input == (1, 8, 8)
    assert space.settings == {"input": (1, 8, 8), "classes": 10, "kernels": (1, 3), "name": "chain"}
    assert space.decisions["kernel"].options == ("1", "3")


def test_a_recorded_space_can_be_built_again(file: Callable[..., str]) -> None:
    path = file(SPACE)
    space = plugins.load_space(path, {"kernels": "3,5"})
    assert plugins.load_space(path, space.settings).decisions.keys() == space.decisions.keys()


def test_a_relative_path_is_a_name(file: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(SPACE)
    monkeypatch.chdir(tmp_path)
    assert plugins.load_space("./my_space.py").name == "chain"
    assert plugins.load_space("my_space.py").name == "chain"
    assert plugins.find("space", "my_space.py") == tmp_path / "my_space.py"


def test_a_module_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "someones_package").mkdir()
    (tmp_path / "someones_package" / "chains.py").write_text(SPACE)
    monkeypatch.syspath_prepend(tmp_path)
    assert plugins.load_space("someones_package.chains").name == "chain"
    with pytest.raises(PlugInError, match="there is no such module; install its package, or give a path"):
        plugins.load_space("someones_package.nothing")
    sys.modules.pop("someones_package.chains")
    sys.modules.pop("someones_package")


def test_a_strategy_is_the_one_public_class_of_its_file(file: Callable[..., str]) -> None:
    path = file(STRATEGY, "nothing.py")
    space = plugins.load_space(file(SPACE))
    strategy = plugins.load_strategy(path, space, {"population": "5"})
    assert (type(strategy).__name__, strategy.population, strategy.space) == ("Nothing", 5, space)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n", "public classes: none; it has to define exactly one"),
        ("class A: ...\nclass B: ...\n", "public classes: A, B; it has to define exactly one"),
        ("from pathlib import Path\n", "public classes: none"),
    ],
)
def test_none_or_several_classes_are_refused(file: Callable[..., str], text: str, told: str) -> None:
    with pytest.raises(PlugInError, match=told):
        plugins.strategy_class(file(text, "many.py"))


def test_signatures_tell_options(file: Callable[..., str]) -> None:
    options = plugins.signature("strategy", file(STRATEGY, "nothing.py"))
    assert [(o.name, o.default) for o in options] == [("population", 50), ("variant", "a")]
    assert options[0].doc == "how many are kept."
    names = [setting.name for setting in plugins.signature("space", file(SPACE))]
    assert names == ["input", "classes", "kernels", "name"]


def test_unknown_settings_are_told_what_is_allowed(file: Callable[..., str]) -> None:
    with pytest.raises(PlugInError, match=r'unknown setting "class"; allowed: .*classes=10.*Did you mean "classes"\?'):
        plugins.load_space(file(SPACE), {"class": 3})


def test_unknown_names_are_told_what_there_is() -> None:
    with pytest.raises(PlugInError, match=r'strategy "no-such-thing" is unknown; there are .*\./my_strategy\.py'):
        plugins.find("strategy", "no-such-thing")


def test_named_architectures_ignore_case_dashes_and_underscores(file: Callable[..., str]) -> None:
    path = file(SPACE)
    for name in ("Big_V1", "bigv1", "BIG-V1"):
        assert plugins.published(path, name).picks == {"kernel": ("3",)}
    with pytest.raises(
        PlugInError, match=r'no architecture is called "big-v2"; there are Big_V1\. Did you mean "Big_V1"'
    ):
        plugins.published(path, "big-v2")


def test_supernet_settings_are_a_copy(file: Callable[..., str]) -> None:
    path = file(SPACE)
    plugins.supernet_settings(path)["classes"] = 0
    assert plugins.supernet_settings(path) == {"classes": 7}
    assert plugins.supernet_settings(file("x = 1\n", "bare.py")) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def space(:\n", r"my_space\.py:1: invalid syntax"),
        ("x = 1\ny = x.z\n", r"my_space\.py:2: AttributeError: 'int' object has no attribute 'z'"),
        (
            "import no_such_package\n",
            r"my_space\.py:1: ModuleNotFoundError: .*install that package, or, .*`from \.NAME",
        ),
        ("def space():\n    return 1 / 0\n", r"my_space\.py:2: ZeroDivisionError: division by zero"),
        ("import json\n\ndef space():\n    json.loads('{')\n", r"my_space\.py:4: JSONDecodeError"),
        ("def space():\n    return 3\n", "returned int; it has to return a Space"),
        ("x = 1\n", "defines no function `space`"),
    ],
)
def test_an_error_in_a_users_file_names_file_line_and_error(file: Callable[..., str], text: str, told: str) -> None:
    with pytest.raises(PlugInError, match=told):
        plugins.load_space(file(text))


def test_an_error_of_the_space_language_keeps_its_type_and_gains_the_line(file: Callable[..., str]) -> None:
    text = "from nasengine.space import choose\n\n\ndef space():\n    return choose('op')\n"
    with pytest.raises(SpaceError, match=r"my_space\.py:5: "):
        plugins.load_space(file(text))


def test_an_error_in_a_sibling_names_the_sibling(file: Callable[..., str]) -> None:
    file("x = 1 / 0\n", "blocks.py")
    with pytest.raises(PlugInError, match=r"blocks\.py:1: ZeroDivisionError"):
        plugins.load_space(file("from .blocks import x\n"))


def test_a_listing_reads_first_sentences_and_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "search_spaces").mkdir()
    (tmp_path / "search_spaces" / "my_chains.py").write_text(SPACE + "raise RuntimeError('imported')\n")
    (tmp_path / "search_spaces" / "broken.py").write_text("def\n")
    (tmp_path / "search_spaces" / "_hidden.py").write_text("")
    monkeypatch.setattr(plugins, "__file__", str(tmp_path / "plugins.py"))
    assert plugins.listing("space") == [
        ("broken", "(not readable: line 1: invalid syntax)"),
        ("my-chains", "Chains of layers (Someone et al., 2020)."),
    ]
