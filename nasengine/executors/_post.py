"""Plain JSON over sockets, between a driver and the workers that have its secret."""

import json
import os
import queue
import secrets
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Pipe, answer_challenge, deliver_challenge, wait
from pathlib import Path

from nasengine.errors import NasError
from nasengine.job import Json

PATIENCE = 20.0  # seconds for a worker to say its name, and to reach the driver
MOST_PORT = 65_535
PAUSE = 0.2  # seconds between two tries to take a call


def tell(connection: Connection, message: Json) -> None:
    """Send one message."""
    connection.send_bytes(json.dumps(message, separators=(",", ":")).encode())


def heard(connection: Connection) -> Json:
    """Receive one message; EOFError or OSError where the other side is gone."""
    message: Json = json.loads(connection.recv_bytes())
    return message


class Office:
    """The driver's end: takes calls of workers, and knows when one hangs up.

    `open_to` is HOST:PORT; without, workers of this machine alone can call. The address and the secret are among the
    `facts`, which lie in `file` as well, readable by this user alone.
    """

    def __init__(self, file: Path, facts: Json, open_to: str | None = None):
        host, port = ("127.0.0.1", 0) if open_to is None else _place(open_to)
        try:
            self.door = socket.create_server((host, port), backlog=1024)
        except OSError as error:
            raise NasError(
                f"executor local: address {open_to} came: {error.strerror}; give HOST:PORT of this machine, with a "
                "port that is free, such as 0.0.0.0:5555"
            ) from error
        self.key, self.closed = secrets.token_bytes(32), False
        self.calls: dict[str, Connection] = {}  # by the name that a worker gave
        self.new: queue.SimpleQueue[tuple[str, Connection]] = queue.SimpleQueue()
        self.rings, self.bell = Pipe(duplex=False)
        called = socket.gethostname() if host in ("", "0.0.0.0") else host
        self.facts = {"address": [called, self.door.getsockname()[1]], "key": self.key.hex(), **facts}
        self.file = file
        _write_secretly(file, self.facts)
        threading.Thread(target=self._take_calls, name="workers calling", daemon=True).start()

    def _take_calls(self) -> None:
        while not self.closed:
            try:
                caller, _ = self.door.accept()
            except OSError:  # closed; or too many files are open, which will pass
                time.sleep(PAUSE)
                continue
            threading.Thread(target=self._take_call, args=(caller,), name="a worker calling", daemon=True).start()

    def _take_call(self, caller: socket.socket) -> None:
        """Let a caller in who knows the secret and says a name; one who says nothing keeps nobody else waiting."""
        with caller:
            line = _line(caller)
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(PATIENCE), 0))
            try:
                deliver_challenge(line, self.key)
                answer_challenge(line, self.key)
                name = str(heard(line)["name"])
            except (AuthenticationError, EOFError, OSError, ValueError, KeyError, TypeError):
                return line.close()  # not one of ours
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
        self.new.put((name, line))
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
                name = name if name not in self.calls else f"{name}+{secrets.token_hex(4)}"
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
        self.closed = True
        with suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)  # wakes who waits for calls
        self.door.close()
        self.file.unlink(missing_ok=True)


def read(file: Path) -> Json:
    """The facts in a driver's file."""
    facts: Json = json.loads(file.read_text())
    return facts


def call(facts: Json) -> Connection:
    """Call the driver that these facts are of; OSError or EOFError where it is not there, or is another one."""
    host, port = facts["address"]
    with socket.create_connection((host, port), PATIENCE) as caller:
        caller.settimeout(None)
        line, key = _line(caller), bytes.fromhex(facts["key"])
    try:
        answer_challenge(line, key)
        deliver_challenge(line, key)
    except AuthenticationError as error:
        raise ConnectionRefusedError(f"another driver is at {host}:{port} now: {error}") from error
    return line


def _line(caller: socket.socket) -> Connection:
    """A connection that carries small messages at once, and notices in minutes when the other machine is gone."""
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            caller.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return Connection(os.dup(caller.fileno()))


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > MOST_PORT:
        raise NasError(f"executor local: address {text} came; give HOST:PORT, such as 0.0.0.0:5555")
    return host, int(port)


def _write_secretly(path: Path, facts: Json) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(facts, file)
    os.replace(partial, path)
