"""Sentences and figures of a report."""

from collections.abc import Callable

from nasengine.report.contents import contents, facts, without_password
from nasengine.report.findings import Findings
from nasengine.report.spoken import failures
from nasengine.report.summary import key_figures, lead, state
from tests.report.made_up import EVIL


def test_what_was_searched_how_and_for_what(findings: Callable[[str], Findings]) -> None:
    said = lead(findings(EVIL))
    assert said == (
        "Space small-cell by evolution, each candidate trained for 4 epochs, on digits, to make validation accuracy "
        "large, parameters small and multiply-adds at most 60,000."
    )
    assert "trains a supernet for 4 epochs" in lead(findings("gradient"))


def test_test_accuracy_comes_with_its_deviation_over_seeds(findings: Callable[[str], Findings]) -> None:
    figures = {name: (value, more) for name, value, more in key_figures(findings(EVIL))}
    assert figures["test accuracy"] == ("0.8100", "± 0.0100 over 3 seeds")
    assert figures["validation accuracy"] == ("0.6300", "as candidate 11")
    assert figures["cost"][0].endswith("500 tokens, 0.01 dollars")


def test_how_it_stands(findings: Callable[[str], Findings]) -> None:
    assert "9 of 50 planned candidates" in state(findings("stopped"))
    assert "10 complete, 4 beyond a bound, 4 ended early, 2 failed." in state(findings(EVIL))


def test_equal_failures_stand_together(findings: Callable[[str], Findings]) -> None:
    first, worker = failures(findings(EVIL))
    assert (first.count, first.trials) == (2, "6, 13") and first.title == f"RuntimeError: {EVIL} at N"
    assert first.text.startswith("Traceback") and worker.trials == "a worker"


def test_commands_do_not_tell_passwords(findings: Callable[[str], Findings]) -> None:
    told = contents(findings(EVIL), "postgresql+psycopg://me:secret@host/db")
    commands = dict(told.commands)
    assert "secret" not in str(commands) and "me:***@host" in commands["Take the best network away"]
    assert without_password("nasengine search --db sqlite:///a.db") == "nasengine search --db sqlite:///a.db"


def test_the_same_as_plain_data(findings: Callable[[str], Findings]) -> None:
    told = facts(contents(findings(EVIL), "n.db"))
    assert [row["trial"] for row in told["front"]] == [12, 3, 0]
    assert told["best"]["kind"] == "final" and told["outcomes"]["failed"] == 2
    assert told["early_epochs"]["epochs"] == [1, 2, 3]
