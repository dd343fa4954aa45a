"""The dashboard command: optuna-dashboard over the results database."""

import importlib.util
import os
import shutil
import sys
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from nasengine.console import exits
from nasengine.console.flags import named
from nasengine.console.output import note
from nasengine.errors import LedgerError, NasError
from nasengine.ledger import Ledger

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

FIRST, LAST = 8080, 8180  # ports that are tried


def dashboard(name: str | None, db: str, host: str, port: int | None, opened: bool = True) -> int:
    """Bring Optuna's view up to date, serve it, open the search's page in the browser, and go on until Ctrl-C."""
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise NasError("dashboard: optuna-dashboard is not installed; run pip install 'nasengine[dashboard]'")
    ledger = Ledger(named(db), create=False)
    catch_up_all(ledger, name)
    storage, app = application(ledger)
    with served(app, host, port) as address:
        page = f"{address}/dashboard{page_of(storage, name)}"
        note(f"{page} shows {db}; Ctrl-C ends it")
        if opened and has_screen():
            webbrowser.open(page)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            note("")
    return exits.OK


def catch_up_all(ledger: Ledger, name: str | None = None) -> None:
    """Write what Optuna's copy lacks of every search. Only what goes wrong with the one that is asked for is raised."""
    from nasengine.ledger.live_view import catch_up, need_file

    need_file(ledger)
    if shutil.which("dot") is None:
        note("Graphviz' dot is not on the path: new trials have no picture (Debian and Ubuntu: apt install graphviz)")
    if name is not None:
        ledger.search(name)  # raises for one that is not there
    for search in ledger.searches():
        try:
            written = catch_up(ledger, search["name"], _portrait, note)
        except LedgerError as error:
            if search["name"] == name:
                raise
            note(str(error))
            continue
        if written:
            note(f"{search['name']}: {written} trials brought into view")


def application(ledger: Ledger) -> tuple["RDBStorage", Any]:
    """Optuna's storage in a results database, and its dashboard with our pictures as a WSGI application."""
    from optuna.artifacts import FileSystemArtifactStore
    from optuna_dashboard import wsgi

    from nasengine.ledger.optuna_pictures import artifacts_folder
    from nasengine.ledger.optuna_storage import open_storage

    storage = open_storage(ledger.database)
    return storage, wsgi(storage, FileSystemArtifactStore(artifacts_folder(ledger.database)))


def page_of(storage: "RDBStorage", name: str | None) -> str:
    """The page of a search's study, below the dashboard's own; that is the list of all studies."""
    numbers = {study.study_name: study._study_id for study in storage.get_all_studies()}
    found = next((one for one in (name, f"{name} (supernet)") if one in numbers), None)
    return "" if found is None else f"/studies/{numbers[found]}"


def has_screen() -> bool:
    """Whether there is a screen to open a browser on: without one, Python would start a browser of the terminal."""
    return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def _portrait(search: Mapping[str, Any], row: Mapping[str, Any]) -> str | None:
    """Loads torch only where a picture is missing."""
    from nasengine.portrait import portrait

    return portrait(search, row)


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
            return make_server(host, number, app, server_class=_Threads, handler_class=_Quiet)
        except (OSError, OverflowError):
            continue
    asked = f"{FIRST} to {LAST - 1}" if port is None else port
    raise NasError(f"dashboard: port {asked} of {host} cannot be used; name a free one with --port")


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a browser keeps connections open on which it never asks


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""
