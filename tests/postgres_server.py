"""A PostgreSQL server of our own: made in a folder, started on a free port, stopped and started again by tests."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

DEBIAN = "/usr/lib/postgresql"
# what is lost when the machine loses power does not matter here
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "listen_addresses": "127.0.0.1"}


def programs() -> Path | None:
    """The folder of initdb, pg_ctl and postgres: the newest of Debian's, or on the path."""
    folders = sorted(Path(DEBIAN).glob("*/bin"), key=lambda folder: int(folder.parent.name.split(".")[0]))
    on_path = shutil.which("initdb")
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *folders]
    found = [folder for folder in folders if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres"))]
    return found[-1] if found else None


class Server:
    """A server that runs while the block lasts; `url` leads to its database `postgres`."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder
        self._home = Path(tempfile.mkdtemp(prefix="nasengine-postgres-"))
        self.port = _free_port()
        self.url = f"postgresql+psycopg://nas@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        os.chmod(self._home, 0o755)
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam(_user())
            os.chown(self._home, user.pw_uid, user.pw_gid)
        data = str(self._home / "data")
        self._run("initdb", "-D", data, "-U", "nas", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._home, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._home)}
        words = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = str(self._home / "log")
        self._run("pg_ctl", "-D", str(self._home / "data"), "-l", log, "-o", words, "-w", "-t", "60", "start")

    def stop(self) -> None:
        """End it at once, with all connections; what was committed is there when it is started again."""
        self._run("pg_ctl", "-D", str(self._home / "data"), "-m", "fast", "-w", "-t", "60", "stop")

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._programs / program), *words]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={_user()}", "--regid=" + _group(), "--clear-groups", *command]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}  # a server keeps an open pipe open
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(command, cwd=self._home, stderr=errors, timeout=120, check=False, **quiet)
            errors.seek(0)
            assert done.returncode == 0, f"{' '.join(command)}: {errors.read().decode()}"


def _user() -> str:
    """Debian's own user for it where there is one."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group() -> str:
    return str(pwd.getpwnam(_user()).pw_gid)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server(needs: Callable[[str], Path]) -> Iterator[str]:
    """The URL of a PostgreSQL server: the one that NASENGINE_POSTGRES names, or one started for these tests."""
    named = os.environ.get("NASENGINE_POSTGRES")
    if named:
        yield named
        return
    with Server(needs("postgres")) as server:
        yield server.url


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    url, name = make_url(postgres_server).set(drivername="postgresql+psycopg"), f"nas_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
