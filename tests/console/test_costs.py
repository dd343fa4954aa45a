"""Costs and faults in words."""

from pathlib import Path

from nasengine.console.costs import after_words, cost_words
from nasengine.job import Result
from nasengine.ledger import Ledger, Trial
from tests.console.typed import good


def test_only_what_there_is_is_said() -> None:
    assert cost_words({"core_seconds": 90.0, "attempts": 1.0}) == "1 min 30 s of cores"
    words = {"gpu_seconds": 7200.0, "joules": 7.2e6, "tokens": 1234.0, "dollars": 0.5, "lost_seconds": 3.0}
    said = "2 h 00 min of GPUs, 3.0 s lost with workers, 2 kWh, 1,234 tokens, 0.50 dollars, 3 attempts"
    assert cost_words({**words, "attempts": 3.0}) == said
    assert cost_words({}) == ""


def test_a_search_shows_what_it_cost_and_what_happened_to_its_workers(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    ledger = Ledger(path)
    with ledger.open_search("one", space="darts", strategy="evolution", settings={"layers": 1}) as record:
        for number in range(2):
            record.start(Trial(number))
            record.record(Result(number, {}, cost={"core_seconds": 4.0, "attempts": 4.0}))
        for number in range(7):
            record.remark(0, "fault", f"worker-{number} was killed", {})
        record.remark(0, "note", "no fault", {})
    words = after_words(ledger, "one")
    assert words.splitlines()[:3] == [
        "cost: 8.0 s of cores",
        "faults of workers: 7, the last 5",
        "  worker-2 was killed",
    ]
    assert "no fault" not in words
    assert words in good("results", "--name", "one", "--db", str(path)).out
    assert "4 attempts" in good("show", "1", "--name", "one", "--db", str(path)).out
    ledger.close()
