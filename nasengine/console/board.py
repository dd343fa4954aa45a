"""The dashboard command: optuna-dashboard over the results database."""

import importlib.util
import socket

from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import note
from nasengine.errors import NasError
from nasengine.ledger import Ledger

FIRST, LAST = 8080, 8180  # ports that are tried


def dashboard(db: str, host: str, port: int | None) -> int:
    """Bring Optuna's view up to date, then serve it until Ctrl-C."""
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise NasError("dashboard: optuna-dashboard is not installed; run pip install 'nasengine[dashboard]'")
    ledger = Ledger(named(db), create=False)
    number = free_port(host, port)
    storage = caught_up(ledger)
    from optuna_dashboard import run_server

    note(f"http://{host}:{number} shows {db}; Ctrl-C ends it")
    try:
        run_server(storage, host=host, port=number)
    except KeyboardInterrupt:
        note("")
    return exits.OK


def caught_up(ledger: Ledger) -> str:
    """Write what Optuna's copy lacks of every search; returns the URL that Optuna reads."""
    from nasengine.ledger.live_view import catch_up

    for search in ledger.searches():
        written = catch_up(ledger, search["name"])
        if written:
            note(f"{search['name']}: {written} trials brought into view")
    return ledger.database.engine.url.render_as_string(hide_password=False)


def free_port(host: str, port: int | None) -> int:
    """The port asked for, or the first free one; NasError where it is taken."""
    for number in range(FIRST, LAST) if port is None else [port]:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((host, number))
            except (OSError, OverflowError):
                continue
            return number
    asked = f"{FIRST} to {LAST - 1}" if port is None else port
    raise NasError(f"dashboard: port {asked} of {host} cannot be used; name a free one with --port")
