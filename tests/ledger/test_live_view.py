"""Search, view and optuna-dashboard on one database at once."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pytest

from nasengine.errors import LedgerError
from nasengine.job import Result
from nasengine.ledger import Ledger, SearchRecord, Trial
from nasengine.ledger.live_view import OptunaView, catch_up

CONV = {"op": ["conv"], "inputs": ["in0", "in1"]}


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasengine.ledger.live_view.POLL_SECONDS", 0.02)


@pytest.fixture
def dashboard(url: str, ledger: Ledger) -> Iterator[str]:
    """The address of an optuna-dashboard on the ledger's database."""
    wsgi = pytest.importorskip("optuna_dashboard").wsgi
    storage = optuna.storages.RDBStorage(url)
    server = make_server("127.0.0.1", 0, wsgi(storage), handler_class=Quiet)

    def serve() -> None:
        server.serve_forever(poll_interval=0.05)
        storage.remove_session()  # each thread has its own

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    storage.remove_session()
    storage.engine.dispose()


def read(address: str) -> Any:
    with urlopen(address, timeout=30) as answer:
        return json.load(answer)


def train(search: SearchRecord, number: int) -> None:
    search.propose(number, CONV)
    trial = search.start(Trial(number, architecture=CONV))
    for epoch in range(3):
        search.epoch(trial, {"epoch": epoch, "validation_accuracy": epoch / 10})
    search.record(Result(number, CONV, values={"validation_accuracy": number / 1000}), number)


def test_the_dashboard_reads_while_the_search_writes(
    ledger: Ledger, search: SearchRecord, dashboard: str, study: Callable[..., optuna.Study]
) -> None:
    view = OptunaView(ledger, "one")
    stop = threading.Event()
    written: list[int] = []

    def drive() -> None:
        while not stop.is_set():
            train(search, len(written))
            written.append(len(written))
            time.sleep(0.03)

    driver = threading.Thread(target=drive)
    driver.start()
    try:
        seen = _until_trials(dashboard, 3)
    finally:
        stop.set()
        driver.join()
    assert seen["name"] == "one" and seen["objective_names"] == ["validation_accuracy"]
    first = min(seen["trials"], key=lambda trial: trial["number"])
    assert first["state"] == "Complete" and first["values"] == [0.0]
    assert {p["name"]: p["param_external_value"] for p in first["params"]} == {"op": "conv", "inputs": "in0+in1"}
    curve = [(point["step"], point["value"]) for point in first["intermediate_values"]]
    assert curve == [(0, 0.0), (1, 0.1), (2, 0.2)]
    assert {"key": "kind", "value": "candidate"} in first["user_attrs"]
    assert view.close() == len(written) and view.error is None
    assert [trial.user_attrs["trial"] for trial in study().trials] == written


def _until_trials(dashboard: str, count: int) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for study in read(f"{dashboard}/api/studies")["study_summaries"]:
            detail = read(f"{dashboard}/api/studies/{study['study_id']}")
            if len(detail["trials"]) >= count:
                return detail
        time.sleep(0.2)
    return pytest.fail("the dashboard showed no trials within 30 seconds")


def test_the_ledger_does_not_wait_for_the_whole_view(ledger: Ledger, search: SearchRecord) -> None:
    for number in range(40):
        train(search, number)
    view = OptunaView(ledger, "one")
    slowest = 0.0
    for number in range(40, 140):
        began = time.perf_counter()
        search.record(Result(number, CONV, values={"validation_accuracy": 0.5}), number)
        slowest = max(slowest, time.perf_counter() - began)
    assert view.close() == 140
    assert slowest < 1.5, "one Optuna trial is written within tens of milliseconds, all of them in seconds"


def test_one_view_at_a_time(ledger: Ledger, search: SearchRecord) -> None:
    train(search, 0)
    view = OptunaView(ledger, "one")
    time.sleep(0.2)
    assert catch_up(ledger, "one") == 0
    assert view.close() == 1
    assert catch_up(ledger, "one") == 0


def test_a_view_that_fails_does_not_end_the_search(
    ledger: Ledger, search: SearchRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("nasengine.ledger.optuna_study.open_study", fall)
    train(search, 0)
    view = OptunaView(ledger, "one")
    assert view.close() == 0
    assert view.error == "Optuna view of one: OSError: disk full"
    train(search, 1)
    monkeypatch.undo()
    assert catch_up(ledger, "one") == 2


def test_no_view_of_a_ledger_in_memory() -> None:
    with pytest.raises(LedgerError, match="name a file or a PostgreSQL URL with --db"):
        OptunaView(Ledger("sqlite://"), "one")
