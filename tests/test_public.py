"""The public names of `import nasengine`: all there, loaded when used, and never hidden by a module's name."""

import subprocess
import sys
from pathlib import Path

import pytest

import nasengine as ne

ROOT = Path(__file__).parents[1]


def test_every_public_name_is_there() -> None:
    assert dir(ne) == sorted(ne.__all__)
    for name in ne.__all__:
        assert getattr(ne, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'serch'"):
        _ = ne.serch  # type: ignore[attr-defined]


def test_search_is_called_whatever_was_imported_before() -> None:
    code = """
import nasengine as ne

def refused():
    try:
        ne.search(space="drts")
    except ne.NasError as error:
        return 'Did you mean "darts"?' in str(error)

assert refused()
import nasengine.search.propose
assert refused()
from nasengine import search
import nasengine.search as package
assert search is package is ne.search and package.__path__
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    code = "import sys, nasengine as ne; ne.NasError, ne.Space, ne.load_space, ne.__version__, dir(ne)"
    code += "; print(*(sys.modules.keys() & {'torch', 'ray', 'optuna', 'sqlalchemy', 'rich', 'cyclopts'}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == ([], "")
