"""Every end of a command has its exit code, and its words stand on standard error."""

from collections.abc import Callable

import pytest

from nasengine.console.exits import BAD_INPUT, FAILED, OK, STOPPED, Stopped, guarded
from nasengine.errors import LedgerError, NasError, TrainingError


def ends(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (NasError("space: no"), BAD_INPUT, "nasengine: space: no\n"),
        (LedgerError("gone"), BAD_INPUT, "nasengine: gone\n"),
        (TrainingError("loss is nan"), FAILED, "nasengine: loss is nan\n"),
        (KeyboardInterrupt(), STOPPED, "nasengine: stopped\n"),
        (Stopped("go on so"), STOPPED, "nasengine: go on so\n"),
    ],
)
def test_codes(error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(ends(error), debug=False) == code
    assert capsys.readouterr() == ("", words)


def test_a_fault_of_ours_is_one_line_and_the_way_to_see_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(ends(ZeroDivisionError("by zero")), debug=False) == FAILED
    said = capsys.readouterr().err
    assert said.startswith("nasengine: unexpected ZeroDivisionError: by zero") and "--debug" in said
    assert "Traceback" not in said
    assert guarded(ends(ZeroDivisionError("by zero")), debug=True) == FAILED
    assert "Traceback" in capsys.readouterr().err


def test_a_command_may_choose_its_code_or_say_nothing() -> None:
    assert guarded(lambda: None, debug=False) == OK
    assert guarded(lambda: FAILED, debug=False) == FAILED
