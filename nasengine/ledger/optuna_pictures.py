"""Pictures of architectures as Optuna's artifacts: files in a folder beside the database, which its dashboard shows."""

import json
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from optuna.artifacts import FileSystemArtifactStore
from optuna.trial import FrozenTrial

from nasengine.commands import called
from nasengine.job import Json
from nasengine.ledger.database import Database
from nasengine.ledger.ledger import DEFAULT

ARTIFACT = "artifacts:"  # before an artifact's id: Optuna's system attribute of a trial

Picture = Callable[[Json, Mapping[str, Any]], str | None]
"""Draws a trial, given its search and its row of `nas_trials`: SVG, or None where it cannot be drawn."""


def artifacts_folder(database: Database) -> Path:
    """Return where pictures lie: NASENGINE.artifacts beside NASENGINE.db; of PostgreSQL under `results`."""
    return (Path(str(database.url.database)) if database.is_sqlite else DEFAULT).with_suffix(".artifacts")


class Gallery:
    """The pictures of one search. What goes wrong with them is kept in `trouble`, the first time, and stops nothing."""

    def __init__(self, database: Database, search: Json, picture: Picture | None) -> None:
        self.trouble: str | None = None
        self._folder = artifacts_folder(database)
        self._search = search
        self._picture = picture

    def hang(self, trial: FrozenTrial, row: Mapping[str, Any]) -> str | None:
        """Draw a trial's architecture into the folder and name the file in the trial, which is yet to be written.

        Returns the artifact's id, None where there is no picture.
        """
        if self._picture is None or not row["architecture"]:
            return None
        try:
            text = self._picture(self._search, row)
            return None if text is None else self._lay_down(trial, row, text)
        except Exception as error:  # a space file that is gone, a full disk: a picture is not worth a search
            self.trouble = self.trouble or f"not every picture could be drawn: {type(error).__name__}: {error}"
            return None

    def _lay_down(self, trial: FrozenTrial, row: Mapping[str, Any], text: str) -> str:
        """As `optuna.artifacts.upload_artifact` does, which takes a transaction of its own.

        A trial that is written a second time has the same file.
        """
        origin = (self._search["name"], self._search["created"], row["id"])
        artifact = str(uuid5(NAMESPACE_URL, "/".join(map(str, origin))))
        self._folder.mkdir(parents=True, exist_ok=True)
        FileSystemArtifactStore(self._folder).write(artifact, BytesIO(text.encode()))
        filename = f"{self._search['name']}-{called({**row, 'trial': row['number']})}.svg"
        facts = {"artifact_id": artifact, "filename": filename, "mimetype": "image/svg+xml", "encoding": None}
        trial.system_attrs[f"{ARTIFACT}{artifact}"] = json.dumps(facts)
        return artifact
