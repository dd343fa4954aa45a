"""The worker command: one more process for a search that waits for workers."""

from pathlib import Path

from nasengine.console.output import note
from nasengine.errors import NasError


def work(file: str, stay: bool) -> int:
    """Serve the driver that wrote the file; returns the exit code."""
    from nasengine.executors._join import join

    path = Path(file)
    if not stay and not path.is_file():
        raise NasError(
            f"worker: {file} came; it is the file workers.json in a search's folder, which its driver writes when it "
            "begins with --executor local --address HOST:PORT; begin that first, or wait for it with --stay"
        )
    note(f"working for {path}; Ctrl-C ends it")
    try:
        return join(path, stay=stay)
    except (OSError, EOFError, ValueError) as error:
        raise NasError(f"worker: {file}: its driver does not answer ({error}); begin the search again") from error
