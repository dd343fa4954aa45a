"""What a Ray actor is made of: the desk of any worker, at a line of two boxes in place of a socket.

Where the driver's folder is not seen, a folder of this node takes its place, and files travel with the messages:
with a job its checkpoint and what it inherits, with each epoch the checkpoint, with the result the weights.
"""

import json
import os
import queue
import tempfile
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasengine.executors._join import Desk
from nasengine.executors._storage import is_url
from nasengine.executors._worker import checkpoint_of, weights_of
from nasengine.job import FORMAT, Job, Json

Files = dict[str, bytes]  # by path below the run's folder
Parcel = tuple[Json, Files]


class Actor:
    """One worker; of its two methods one takes what the driver says, the other waits for what there is to say."""

    def __init__(self, facts: Json, data: tuple[dict[str, Any], str] | None):
        """`facts`: folder, mark (what is in the file `mark` there), format, and what any worker's desk is told."""
        if facts["format"] != FORMAT:
            raise RuntimeError(f"jobs have format {facts['format']}, this machine's nasengine has {FORMAT}: "
                               "install the driver's version of nasengine on every node")  # fmt: skip
        line = _Line(Path(facts["folder"]), facts["mark"], is_url(facts["files"]))
        facts = {**facts, "folder": str(line.here)}
        desk = Desk(line, f"{os.uname().nodename}-{os.getpid()}", facts, facts["gpus"], stay=False)  # type: ignore[arg-type]
        desk.worker.dataset = _dataset(data)
        self.line = line
        threading.Thread(target=self._work, args=(desk,), name="jobs", daemon=True).start()

    def _work(self, desk: Desk) -> None:
        try:
            desk.work()
        except BaseException as error:
            traceback.print_exc()
            self.line.outbox.put(({"kind": "gone", "reason": f"{type(error).__name__}: {error}"}, {}))

    def tell(self, message: Json, files: Files) -> None:
        """Take a message of the driver."""
        self.line.inbox.put((message, files))

    def hear(self) -> list[Parcel]:
        """Wait for something to say, and say all there is."""
        said = [self.line.outbox.get()]
        while not self.line.outbox.empty():
            said.append(self.line.outbox.get())
        return said


class _Line:
    """What a desk takes for a connection."""

    def __init__(self, there: Path, mark: str, stored: bool):
        self.inbox: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        self.outbox: queue.SimpleQueue[Parcel] = queue.SimpleQueue()
        seen = _sees(there, mark)
        self.there, self.here = there, there if seen else Path(tempfile.gettempdir()) / f"nasengine-{mark[:16]}"
        self.apart = not seen and not stored  # files that are stored at a URL need not travel
        self.job: Job | None = None

    def recv_bytes(self) -> bytes:
        message, files = self.inbox.get()
        if self.apart and message["kind"] == "job":
            write(self.here, files)
            job = Job.from_json(message["job"])
            moved = {place: [self._moved(file, files), source] for place, (file, source) in job.inherit.items()}
            weights = None if job.weights is None else self._moved(job.weights, files)
            self.job = replace(job, inherit=moved, weights=weights)
            message = {**message, "job": self.job.to_json()}
        return json.dumps(message).encode()

    def _moved(self, file: str, files: Files) -> str:
        name = below(self.there, Path(file))
        return str(self.here / name) if name in files or (self.here / name).exists() else file

    def send_bytes(self, data: bytes) -> None:
        message: Json = json.loads(data)
        if "name" in message:
            message = {"kind": "ready", "apart": self.apart, **message}
        self.outbox.put((message, self._attached(message) if self.apart and self.job else {}))

    def _attached(self, message: Json) -> Files:
        assert self.job is not None
        checkpoint, weights = checkpoint_of(self.here, self.job), weights_of(self.here, self.job)
        if message["kind"] != "result":
            return taken(self.here, checkpoint)
        if message["result"]["weights"] is not None:
            message["result"]["weights"] = str(self.there / below(self.here, weights))
        files = taken(self.here, weights)
        checkpoint.unlink(missing_ok=True)
        weights.unlink(missing_ok=True)
        return files


def below(folder: Path, path: Path) -> str:
    """A file's name in the run's folder, or one that it gets there."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else f"inherited/{str(path).strip('/')}"


def taken(folder: Path, *paths: Path) -> Files:
    """Names and bytes of those files that are there."""
    return {below(folder, path): path.read_bytes() for path in paths if path.is_file()}


def write(folder: Path, files: Files) -> None:
    """Write files, each whole or not at all."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        partial.write_bytes(content)
        os.replace(partial, path)


def _sees(folder: Path, mark: str) -> bool:
    try:
        return (folder / "mark").read_text() == mark
    except OSError:
        return False


def _dataset(data: tuple[dict[str, Any], str] | None) -> Any:
    """The data set, its tensors lying in this node's shared memory."""
    if data is None:
        return None
    import warnings

    import torch

    from nasengine.training.mapped import put_together

    arrays, facts = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's arrays cannot be written to, and nobody does
        return put_together({name: torch.from_numpy(array) for name, array in arrays.items()}, facts)
