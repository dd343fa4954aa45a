"""Plain JSON over sockets, between a driver and the workers that have its secret."""

import json
import os
import queue
import secrets
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, Pipe, wait
from pathlib import Path

from nasengine.errors import NasError
from nasengine.job import Json

PATIENCE = 20.0  # seconds for a worker to say its name, and to reach the driver


def tell(connection: Connection, message: Json) -> None:
    """Send one message."""
    connection.send_bytes(json.dumps(message, separators=(",", ":")).encode())


def heard(connection: Connection) -> Json:
    """Receive one message; EOFError or OSError where the other side is gone."""
    message: Json = json.loads(connection.recv_bytes())
    return message


class Office:
    """The driver's end: takes calls of workers, and knows when one hangs up.

    `open_to` is HOST:PORT; without, workers of this machine alone can call. The address and the secret lie in `file`,
    readable by this user alone.
    """

    def __init__(self, file: Path, facts: Json, open_to: str | None = None):
        host, port = ("127.0.0.1", 0) if open_to is None else _place(open_to)
        key = secrets.token_bytes(32)
        try:
            self.listener = Listener((host, port), "AF_INET", backlog=128, authkey=key)
        except OSError as error:
            raise NasError(
                f"executor local: address {open_to} came: {error.strerror}; give HOST:PORT of this machine, with a "
                "port that is free, such as 0.0.0.0:5555"
            ) from error
        self.calls: dict[str, Connection] = {}  # by the name that a worker gave
        self.new: queue.SimpleQueue[tuple[str, Connection]] = queue.SimpleQueue()
        self.rings, self.bell = Pipe(duplex=False)
        called = socket.gethostname() if host in ("", "0.0.0.0", "::") else host
        self.file = file
        _write_secretly(file, {"address": [called, self.listener.address[1]], "key": key.hex(), **facts})
        threading.Thread(target=self._take_calls, name="workers calling", daemon=True).start()

    def _take_calls(self) -> None:
        while True:
            try:
                connection = self.listener.accept()
                if not connection.poll(PATIENCE):
                    connection.close()
                    continue
                name = heard(connection)["name"]
            except (AuthenticationError, EOFError, ConnectionError, ValueError, KeyError):
                continue  # not one of ours
            except OSError:
                return  # closed
            self.new.put((name, connection))
            with suppress(OSError):
                self.bell.send_bytes(b"!")

    def hear(self, seconds: float | None) -> Sequence[tuple[str, Json | None]]:
        """Messages by the name of the worker; None where it hung up."""
        said: list[tuple[str, Json | None]] = []
        names = {connection: name for name, connection in self.calls.items()}
        for one in wait([*names, self.rings], seconds):
            if one is self.rings:
                self.rings.recv_bytes()
                name, connection = self.new.get()
                self.calls[name] = connection
                said.append((name, {"kind": "ready"}))
                continue
            try:
                said.append((names[one], heard(one)))  # type: ignore[index, arg-type]
            except (EOFError, OSError):
                said.append((names[one], None))  # type: ignore[index]
                self.hang_up(names[one])  # type: ignore[index]
        return said

    def tell(self, name: str, message: Json) -> None:
        """Send a message; one who is gone does not hear it."""
        if name in self.calls:
            with suppress(OSError):
                tell(self.calls[name], message)

    def hang_up(self, name: str) -> None:
        """End a call."""
        if name in self.calls:
            self.calls.pop(name).close()

    def close(self) -> None:
        """End all calls and take no more."""
        for name in list(self.calls):
            self.hang_up(name)
        self.listener.close()
        self.file.unlink(missing_ok=True)


def call(file: Path) -> tuple[Connection, Json]:
    """Call the driver that wrote this file; returns the line and the facts in the file."""
    facts: Json = json.loads(file.read_text())
    host, port = facts["address"]
    return Client((host, port), "AF_INET", authkey=bytes.fromhex(facts["key"])), facts


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit():
        raise NasError(f"executor local: address {text} came; give HOST:PORT, such as 0.0.0.0:5555")
    return host, int(port)


def _write_secretly(path: Path, facts: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file)
    os.replace(partial, path)
