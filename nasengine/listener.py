"""What a program may hear of a search while it runs."""

from collections.abc import Mapping
from typing import Any

from nasengine.job import Result


class Listener:
    """Hears what happens in a search; override what is to be shown."""

    def begin(self, name: str, plan: Any, resumed: bool) -> None:
        """The search, or the Training of one architecture, has a name now, and starts or goes on."""

    def phase(self, name: str, total: int) -> None:
        """A phase begins: "supernet" and "final" count epochs, "candidates" counts trials."""

    def epoch(self, phase: str, values: Mapping[str, Any]) -> None:
        """An epoch ended, of the supernet, of the candidate that runs, or of the final training."""

    def result(self, result: Result, reused: str | None) -> None:
        """A candidate's result; `reused` names the search that had it already."""

    def recall(self, result: Result) -> None:
        """A candidate's result from before the search was stopped; all of them come before the next `result`."""

    def note(self, text: str) -> None:
        """One sentence worth reading."""
