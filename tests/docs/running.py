"""Runs the blocks of one page in order, as somebody would who types them one after the other."""

import os
import sys
import traceback
import warnings
from itertools import pairwise
from pathlib import Path
from types import ModuleType

from tests.docs.pages import SHELLS, Block, Command, blocks

READING = {"spaces", "strategies", "describe", "count", "cost", "results", "show", "pareto", "doctor"}
PREPARED = {"big", "small", "tiny", "darts-pr-darts-1"}
"""The searches that are in the folder in which a page runs."""
ENDLESS = {"dashboard", "watch", "worker"}


def run_page(page: Path, folder: Path, slow: bool, commands: bool) -> None:
    """Run a page in `folder` and leave with code 0, or 1 after saying on standard error which block failed.

    slow: run the blocks that are marked so as well
    commands: run all commands, not only those that read
    """
    with (folder / "said").open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    os.chdir(folder)
    sys.path.insert(0, "")
    warnings.simplefilter("error")
    main = ModuleType("__main__")
    main.__file__ = str(page)
    sys.modules["__main__"] = main
    for block in blocks(page):
        try:
            if block.mark != "not run" and (slow or block.mark != "slow"):
                _run(block, main, commands)
        except BaseException as error:
            traceback.print_exc()
            print(f"{block.where}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def _run(block: Block, main: ModuleType, everything: bool) -> None:
    if block.mark == "file":
        Path(block.reason).parent.mkdir(parents=True, exist_ok=True)
        Path(block.reason).write_text(block.text)
        if block.language == "python" and "from ." not in block.text:
            exec(compile(block.text, block.reason, "exec"), {"__name__": Path(block.reason).stem})
    elif block.language == "python":
        lines = "\n" * (block.line - 1) + block.text  # so that a traceback names the line of the page
        exec(compile(lines, str(block.page), "exec"), vars(main))
    elif block.language in SHELLS:
        from nasengine.cli import main as nasengine

        for command in block.commands():
            if command.words[0] not in ENDLESS and (everything or is_cheap(command)):
                code = nasengine(command.words)
                assert (code != 0) == command.refused, f"{command} ended with {code}"


def is_cheap(command: Command) -> bool:
    """Whether a command only reads, and what it names is there: NAME is anybody's, ./mine.py a file."""
    if command.words[:1] == () or command.words[0] not in READING or "--check" in command.words:
        return False
    searches = {word for flag, word in pairwise(command.words) if flag == "--name"}
    if not searches <= PREPARED or any(map(str.isupper, command.words)):
        return False
    return all(os.path.exists(word) for word in command.words if "/" in word)
