"""The house keeps its order: who may import whom, how long a file may be, and what is loaded when."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
BARE = {"strategies", "search_spaces", "cli"}
VAGUE = {"utils", "util", "common", "base", "helpers", "helper", "core", "manager", "handler", "misc"}
LINES = 300


class Room(NamedTuple):
    """What a part of the engine may import of the engine, and of other people's libraries."""

    engine: set[str]
    never: set[str] = set()


HEAVY = {"torch", "ray", "optuna"}
ROOMS = {
    "space": Room({"errors"}, HEAVY | {"numpy", "networkx", "sqlalchemy", "rich", "cyclopts"}),
    "errors": Room(set(), HEAVY),
    "job": Room({"space", "errors"}, HEAVY),
    "commands": Room(set(), HEAVY | {"numpy", "sqlalchemy", "rich", "cyclopts"}),
    "settings": Room({"errors"}, HEAVY),
    "user_files": Room({"errors"}, HEAVY),
    "plugins": Room({"space", "errors", "settings", "user_files"}, HEAVY),
    "layers": Room(set(), {"ray", "optuna", "sqlalchemy"}),
    "interpreters": Room({"space", "errors", "native"}, {"ray", "optuna", "sqlalchemy"}),
    "training": Room({"errors", "settings", "user_files", "native"}, {"ray", "optuna", "sqlalchemy"}),
    "tables": Room({"space", "errors", "settings", "plugins", "interpreters"}, HEAVY | {"sqlalchemy"}),
    "bench": Room(
        {"space", "errors", "plugins", "settings", "search", "tables", "job"}, {"ray", "optuna", "sqlalchemy", "torch"}
    ),
    "hardware": Room(
        {"space", "errors", "interpreters", "exporters", "tables", "bench.agreement"}, {"ray", "optuna", "sqlalchemy"}
    ),
    "proxies": Room({"errors", "training"}, {"ray", "optuna", "sqlalchemy"}),
    "evaluators": Room(
        {"space", "errors", "interpreters", "training", "job", "tables", "proxies", "plugins"},
        {"ray", "optuna", "sqlalchemy"},
    ),
    "search": Room({"space", "errors", "interpreters", "training", "job", "ledger"}, {"ray", "optuna", "sqlalchemy"}),
    "executors": Room(
        {"space", "errors", "job", "plugins", "user_files", "evaluators", "training"}, {"ray", "optuna", "sqlalchemy"}
    ),
    "ledger": Room({"space", "errors", "job", "commands"}, HEAVY),
    "native": Room(set(), {"ray", "optuna", "sqlalchemy", "rich", "cyclopts"}),
    "exporters": Room(
        {"space", "errors", "interpreters", "layers", "plugins", "training"}, {"ray", "optuna", "sqlalchemy"}
    ),
    "strategies": Room({"space", "errors", "interpreters", "layers", "job", "search.strategy"}, {"ray", "sqlalchemy"}),
    "search_spaces": Room({"space", "errors", "layers"}, {"ray", "optuna", "sqlalchemy"}),
}
# the one file that may import a library which its room may not
ALONE = {
    "executors/ray.py": {"ray"},
    "executors/_ray_cluster.py": {"ray"},
    "ledger/optuna_pictures.py": {"optuna"},
    "ledger/optuna_storage.py": {"optuna"},
    "ledger/optuna_study.py": {"optuna"},
    "ledger/optuna_trial.py": {"optuna"},
    "search/stopper.py": {"optuna"},
}
# the outside of the house, where the parts meet: may call everybody, and nobody inside calls it
FREE = {
    "__init__",
    "bookkeeping",
    "cli",
    "compare",
    "console",
    "differences",
    "early_stopping",
    "engine",
    "estimate",
    "export",
    "fidelity",
    "interrupt",
    "listener",
    "operations",
    "pareto",
    "plan",
    "plan_goal",
    "plan_record",
    "plan_supernet",
    "plan_words",
    "planned",
    "portrait",
    "report",
    "reproduce",
    "reproduced",
    "retrain",
    "retrain_plan",
    "retrained",
    "runs",
    "scale",
    "starter",
    "surroundings",
    "testing",
    "together",
    "together_worker",
    "top",
    "tune",
}


def engine_files() -> Iterator[tuple[str, str, Path]]:
    """(room, name, file) of every source file of the engine, links followed."""
    package = ROOT / "nasengine"
    for entry in sorted(package.iterdir()):
        if entry.is_dir():
            for path in sorted(entry.rglob("*.py")):
                yield entry.name, f"{entry.name}/{path.relative_to(entry)}", path
        elif entry.suffix == ".py":
            yield entry.stem, entry.name, entry


def sources() -> list[Path]:
    """Every Python file of the repository, each once."""
    folders = ("nasengine", "search_spaces", "strategies", "benchmarks", "tests")
    found = {path.resolve() for folder in folders for path in (ROOT / folder).rglob("*.py")}
    return sorted(found | {path.resolve() for path in ROOT.glob("*.py")})


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of everything a file imports, anywhere in it; `from a import b` is both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def is_part(path: Path, imported: str) -> bool:
    """Whether a plug-in imports a private part of its own: `llm.py` and `_llm_task.py` may import `_llm_model`."""
    _, _, name = imported.partition(".")
    words = name.removeprefix("_").partition(".")[0].split("_")
    return not name or (name.startswith("_") and words[0] == path.stem.removeprefix("_").split("_")[0])


def crossings(room: str, name: str, path: Path) -> Iterator[str]:
    """What a file imports against the rules."""
    rules = ROOMS[room]
    for module, line in imports(path):
        top, _, rest = module.partition(".")
        if top in rules.never - ALONE.get(name, set()):
            yield f"nasengine/{name}:{line} imports {module}"
        if module.startswith("."):
            yield f"nasengine/{name}:{line} imports relatively: write `from nasengine.…`"
        if top == "nasengine" and rest:
            own = rest.split(".")[0] == room and (room not in {"strategies", "search_spaces"} or is_part(path, rest))
            if not own and not any(rest == one or (rest + ".").startswith(one + ".") for one in rules.engine):
                parent_of_allowed = any(one.startswith(rest + ".") for one in rules.engine)
                if not parent_of_allowed:
                    yield f"nasengine/{name}:{line} imports nasengine.{rest}"


def test_every_part_of_the_engine_has_its_rules() -> None:
    assert {room for room, _, _ in engine_files()} <= set(ROOMS) | FREE


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_one_way(room: str) -> None:
    wrong = [fault for one, name, path in engine_files() if one == room for fault in crossings(one, name, path)]
    assert not wrong, "\n".join(wrong)


def test_a_wrong_arrow_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("def f():\n    import torch.nn\n    from nasengine.search.relax import y\n    from . import z\n")
    assert [fault.split(" imports ")[1] for fault in crossings("space", "space/x.py", path)] == [
        "torch.nn",
        "nasengine.search.relax",
        "nasengine.search.relax.y",
        "relatively: write `from nasengine.…`",
        "relatively: write `from nasengine.…`",
    ]
    path.write_text("from nasengine.search.strategy import Told\nfrom nasengine.search import relax\n")
    assert list(crossings("strategies", "strategies/x.py", path)) == [
        "nasengine/strategies/x.py:2 imports nasengine.search.relax"
    ]


@pytest.mark.parametrize(
    "module", ["nasengine", "nasengine.plugins", "nasengine.space", "nasengine.job", "nasengine.cli"]
)
def test_importing_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*(sys.modules.keys() & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_a_plug_in_may_have_private_parts_but_not_those_of_others(tmp_path: Path) -> None:
    path = tmp_path / "_llm_task.py"
    path.write_text(
        "from nasengine.strategies._llm_model import a\nfrom nasengine.strategies import _llm_model\n"
        "from nasengine.strategies._gbdt_pool import b\nfrom nasengine.strategies import evolution\n"
    )
    assert {fault.split(" imports ")[1] for fault in crossings("strategies", "strategies/_llm_task.py", path)} == {
        "nasengine.strategies._gbdt_pool",
        "nasengine.strategies._gbdt_pool.b",
        "nasengine.strategies.evolution",
    }


def test_listings_are_light() -> None:
    code = "import sys; from nasengine.plugins import FOLDERS, listing; print(*map(len, map(listing, FOLDERS)))"
    code += f"; print(*(sys.modules.keys() & {HEAVY!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert len(done.stdout.splitlines()[0].split()) == 5
    assert done.stdout.splitlines()[1] == ""


def test_no_file_is_longer_than_a_reader_bears() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in long.items() if lines > LINES} == {}


def test_names_say_something() -> None:
    vague = [path for path in sources() if {path.stem.removeprefix("test_"), *path.relative_to(ROOT).parts} & VAGUE]
    assert vague == []


def test_no_second_copies_of_spaces_strategies_or_the_command_line() -> None:
    bare = [f"{path}:{line}" for path in sources() for name, line in imports(path) if name.split(".")[0] in BARE]
    assert bare == []


@pytest.mark.parametrize(
    ("link", "target"),
    [("search_spaces", "../search_spaces"), ("strategies", "../strategies"), ("cli.py", "../cli.py")],
)
def test_the_three_links_are_relative(link: str, target: str) -> None:
    path = ROOT / "nasengine" / link
    assert path.is_symlink(), f"{path} came as a plain file: check the repository out with core.symlinks=true"
    assert str(path.readlink()) == target
    assert path.exists()


def test_a_missing_part_skips_a_test_or_fails_it_where_required(
    needs: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("NASENGINE_REQUIRE", "postgres, dot")
    with pytest.raises(pytest.fail.Exception, match="NASENGINE_REQUIRE names dot: .*graphviz"):
        needs("dot")
    monkeypatch.setenv("NASENGINE_REQUIRE", "")
    with pytest.raises(pytest.skip.Exception, match="graphviz"):
        needs("dot")
    (tmp_path / "dot").touch(mode=0o755)
    assert needs("dot") == tmp_path / "dot"
