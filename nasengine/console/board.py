"""The dashboard command: optuna-dashboard over the results database."""

import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

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
    from optuna_dashboard import wsgi

    storage = caught_up(Ledger(named(db), create=False))
    with served(wsgi(storage), host, port) as address:
        note(f"{address} shows {db}; Ctrl-C ends it")
        try:
            threading.Event().wait()
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


@contextmanager
def served(app: Any, host: str, port: int | None) -> Iterator[str]:
    """Serve from a thread while the block runs, and say where; NasError where no port can be had.

    In the main thread wsgiref would swallow a Ctrl-C that comes in the middle of a request.
    """
    server = _server(app, host, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _server(app: Any, host: str, port: int | None) -> WSGIServer:
    """A server at the port asked for, or at the first free one."""
    for number in range(FIRST, LAST) if port is None else [port]:
        try:
            return make_server(host, number, app, handler_class=_Quiet)
        except (OSError, OverflowError):
            continue
    asked = f"{FIRST} to {LAST - 1}" if port is None else port
    raise NasError(f"dashboard: port {asked} of {host} cannot be used; name a free one with --port")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""
