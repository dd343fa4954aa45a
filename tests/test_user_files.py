"""A user's own files: names by content, relative imports, sources that outlive an edit."""

import inspect
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nasengine.errors import PlugInError
from nasengine.user_files import import_file, pack

ROOT = Path(__file__).parents[1]


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, text in files.items():
        (folder / f"{stem}.py").write_text(text)


def test_the_name_stands_for_the_content(tmp_path: Path) -> None:
    write(tmp_path, mine="x = 1\n")
    first = import_file(tmp_path / "mine.py")
    assert re.fullmatch(r"nasengine_user\.[0-9a-f]{12}\.mine", first.__name__)
    assert import_file(tmp_path / "mine.py") is first
    write(tmp_path, mine="x = 2\n")
    second = import_file(tmp_path / "mine.py")
    assert (first.x, second.x) == (1, 2)
    assert first.__name__ != second.__name__


def test_relative_imports_reach_siblings_and_folders(tmp_path: Path) -> None:
    write(tmp_path, mine="from .blocks import x\nfrom . import other\nfrom .parts.deep import z\n")
    write(tmp_path, blocks="from .other import y\nx = y + 1\n", other="y = 1\n")
    write(tmp_path / "parts", deep="from ..other import y\nz = y + 10\n")
    module = import_file(tmp_path / "mine.py")
    assert (module.x, module.other.y, module.z) == (2, 1, 11)


def test_the_name_changes_with_a_sibling_that_is_read_and_with_no_other(tmp_path: Path) -> None:
    write(tmp_path, mine="from .blocks import x\n", blocks="x = 1\n", stranger="x = 1\n")
    first = import_file(tmp_path / "mine.py")
    write(tmp_path, stranger="x = 'changed'\n")
    assert import_file(tmp_path / "mine.py") is first
    write(tmp_path, blocks="x = 2\n")
    assert import_file(tmp_path / "mine.py").x == 2


def test_a_folder_is_a_package(tmp_path: Path) -> None:
    write(tmp_path / "mine", __init__="from .blocks import x\n", blocks="x = 3\n")
    module = import_file(tmp_path / "mine")
    assert module.x == 3
    assert module.__name__.endswith(".mine")


def test_sources_survive_an_edit(tmp_path: Path) -> None:
    write(tmp_path, mine="class Layer:\n    width = 3\n")
    layer = import_file(tmp_path / "mine.py").Layer
    (tmp_path / "mine.py").write_text("# moved\n\n\nclass Layer:\n    width = 4\n")
    assert inspect.getsource(layer) == "class Layer:\n    width = 3\n"


def test_nothing_is_written_beside_a_users_file(tmp_path: Path) -> None:
    write(tmp_path, mine="from .blocks import x\n", blocks="x = 1\n")
    import_file(tmp_path / "mine.py")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocks.py", "mine.py"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (1\n", r"mine\.py:1: '\(' was never closed"),
        ("from ..above import x\n", r"mine\.py:1: imports from above its own folder"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    write(tmp_path, mine=text)
    with pytest.raises(PlugInError, match=told):
        import_file(tmp_path / "mine.py")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlugInError, match="is not Python source in UTF-8"):
        import_file(tmp_path / "mine.py")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlugInError, match=r"none\.py: no such Python file; give a \.py file"):
        import_file(tmp_path / "none.py")


def test_what_is_packed_is_imported_in_another_process_without_its_files(tmp_path: Path) -> None:
    write(tmp_path / "here", mine="from .blocks import x\n", blocks="x = 1\n")
    packed = pack(tmp_path / "here" / "mine.py")
    here = import_file(tmp_path / "here" / "mine.py")
    shutil.rmtree(tmp_path / "here")
    code = (
        "import importlib, inspect, json, sys\n"
        "from nasengine.user_files import accept\n"
        "module = importlib.import_module(accept(json.loads(sys.argv[1])))\n"
        "print(module.__name__, module.x, inspect.getsource(module).strip())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(packed)], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.stdout.strip() == f"{here.__name__} 1 from .blocks import x", done.stderr
