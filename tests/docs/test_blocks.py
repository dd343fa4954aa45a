"""Every block of code in README.md and docs/ does what it says: Python runs, commands exist and take their flags.

A block is left out only by a comment before it that gives the reason: `<!-- not run: … -->`, or `<!-- slow: … -->` for
what `make test-all` runs. `<!-- file: NAME -->` saves a block under a name, for the commands that follow.
"""

import json
import multiprocessing
import re
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from nasengine import plugins
from nasengine.cli import app
from nasengine.console.words import arguments, data_words, split
from tests.console.typed import good
from tests.docs.pages import ROOT, SHELLS, Block, Command, blocks, pages
from tests.docs.running import is_cheap, run_page

FORKS = multiprocessing.get_context("forkserver")
OURS = ["nasengine.cli", "nasengine.runs", "nasengine.testing"]
OTHERS = ["torch._dynamo", "pandas", "sklearn.datasets", "optuna", "alembic", "sqlalchemy", "matplotlib.pyplot", "onnx"]
FORKS.set_forkserver_preload(OURS + OTHERS)  # imported once, not by each page; one that is missing is passed over
LANGUAGES = SHELLS | {
    "python",
    "json",
    "toml",
    "csv",
    "sql",
    "text",
    "make",
    "yaml",
    "{toctree}",
    "{eval-rst}",
    "{include}",
}
SMALL = ["--limit", "120", "--epochs", "1", "--recipe.epochs", "1"]
FRONT = ["--objective", "accuracy", "--objective", "min:params"]
CELLS = ["--space.channels", "4", "--space.layers", "3", "--space.nodes", "2", *SMALL]
SEARCHES = {  # the last one is the newest, which commands without a name mean
    "big": ["--space", "small-cell", "--strategy", "one-shot", *SMALL],
    "small": ["--space", "small-cell", "--strategy", "nsga2", *FRONT, "--trials", "2", *SMALL],
    "tiny": CELLS,
    "darts-pr-darts-1": CELLS,
}
WALKED = {
    "first-steps.md",
    "write-a-space.md",
    "write-an-evaluator.md",
}  # all of their commands are run, one after the other


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def everything() -> list[Block]:
    return [block for page in pages() for block in blocks(page)]


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the searches whose names the pages use, and with the exported network `net`."""
    folder = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, words in SEARCHES.items():
            good("search", "--name", name, *words)
        good("export", "best", "--name", "darts-pr-darts-1", "--to", "net")
    return folder


def run(page: Path, folder: Path, slow: bool = False, commands: bool = False, seconds: float = 150) -> None:
    """Run a page in a clean process that has loaded the libraries already."""
    process = FORKS.Process(target=run_page, args=(page, folder, slow, commands))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        pytest.fail(f"{page}: not done after {seconds} seconds")
    assert process.exitcode == 0, (folder / "said").read_text()[-3000:]


def has_something_to_run(page: Path) -> bool:
    unmarked = [block for block in blocks(page) if block.mark in {"", "file"}]
    return any(block.language == "python" or any(map(is_cheap, block.commands())) for block in unmarked)


@pytest.mark.parametrize("page", [page for page in pages() if has_something_to_run(page)], ids=name_of)
def test_a_page_runs(page: Path, searched: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(searched, folder)
    run(page, folder)


@pytest.mark.slow
@pytest.mark.timeout(1000)
@pytest.mark.parametrize(
    "page",
    [page for page in pages() if page.name in WALKED or any(block.mark == "slow" for block in blocks(page))],
    ids=name_of,
)
def test_a_page_runs_whole(page: Path, searched: Path, tmp_path: Path) -> None:
    folder, walked = tmp_path / "here", page.name in WALKED
    shutil.copytree(searched, folder, ignore=shutil.ignore_patterns("net") if walked else None)  # they export it
    run(page, folder, slow=True, commands=walked, seconds=900)


def test_every_command_exists_and_takes_its_flags() -> None:
    faults = [fault for block in everything() for command in block.commands() for fault in wrong(command)]
    assert not faults, "\n".join(faults)


def wrong(command: Command) -> list[str]:
    """What is wrong with a command: its flags, or a setting that its space or its strategy does not have."""
    try:
        plain, groups = split(command.words)
        if "data" in groups:
            plain = data_words(plain, groups.pop("data"))
        _, _, unparsed = app.parse_args(plain, print_error=False, exit_on_error=False, verbose=False)
        arguments(plain[0], groups, list(unparsed))
    except Exception as error:
        return [f"{command}: {error}"]
    return [] if command.refused else list(unknown_settings(command, plain, groups))


def unknown_settings(command: Command, plain: list[str], groups: dict[str, dict[str, str]]) -> list[str]:
    """The dotted flags that a space or a strategy which comes along does not have."""
    found = []
    for kind in ("space", "strategy"):
        if f"--{kind}" in plain and kind in groups:
            name = plain[plain.index(f"--{kind}") + 1]
            if "/" not in name and not name.isupper():
                known = {setting.name for setting in plugins.signature(kind, name)}
                found += [f"{command}: no --{kind}.{flag}" for flag in groups[kind] if flag not in known]
    return found


def test_programs_modules_and_extras_that_shells_name_exist() -> None:
    makefiles = [ROOT / "Makefile", ROOT / "nasengine" / "starter" / "Makefile"]
    targets = {one for path in makefiles for one in re.findall(r"^([a-z-]+):", path.read_text(), re.MULTILINE)}
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    for block in everything():
        if block.language in SHELLS and block.mark != "not run":
            for line in block.text.splitlines():
                made = re.match(r"(?:\$ )?make ([a-z-]+)\b", line)
                assert not made or made[1] in targets, f"{block.where}: {line}"
                for extra in re.findall(r"nasengine\[([\w,]+)\]", line):
                    assert set(extra.split(",")) <= extras, f"{block.where}: {line}"
                for module in re.findall(r"python -m (benchmarks\.\w+|docs\.[\w.]+)", line):
                    assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), f"{block.where}: {line}"


def test_blocks_of_data_can_be_read() -> None:
    for block in everything():
        if block.language == "json" and "…" not in block.text:
            json.loads(block.text)
        elif block.language == "toml":
            tomllib.loads(block.text)


def test_what_is_not_run_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    found = everything()
    marked = [block for block in found if block.mark and not block.reason]
    assert not marked, f"without a reason: {[block.where for block in marked]}"
    strange = [f"{block.where}: {block.language}" for block in found if block.language not in LANGUAGES]
    assert not strange, strange
    python = Counter(block.mark or "run" for block in found if block.language == "python")
    commands = sum(len(block.commands()) for block in found)
    with capsys.disabled():
        print(f"\nblocks of Python: {dict(python)}; commands parsed: {commands}; not run:")
        for block in found:
            if block.mark in {"not run", "slow"}:
                print(f"  {block.where} ({block.mark}): {block.reason}")
    assert python["run"] > 2 * python["not run"]
