"""What a contract found: one line for each claim, with what is wrong where it does not hold."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from nasengine.errors import NasError


class Check(NamedTuple):
    """One claim; `fault` is empty where it holds."""

    name: str
    fault: str = ""

    @property
    def ok(self) -> bool:
        """Whether the claim holds."""
        return not self.fault


class Report:
    """All claims of a contract, in order."""

    def __init__(self, subject: str):
        self.subject = subject
        self.checks: list[Check] = []

    @contextmanager
    def claim(self, name: str) -> Iterator[None]:
        """Hold a claim: it fails where the block raises, and the report goes on."""
        fault = ""
        try:
            yield
        except (AssertionError, NasError) as error:
            fault = str(error) or "an assertion without words failed"
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__}: {error} (in {last.name}, {Path(last.filename).name}:{last.lineno})"
        self.checks.append(Check(name, fault))

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    @property
    def faults(self) -> list[Check]:
        """The claims that do not hold."""
        return [check for check in self.checks if not check.ok]

    @property
    def ok(self) -> bool:
        """Whether every claim holds."""
        return not self.faults

    def require(self) -> "Report":
        """Raise AssertionError with every fault, if there is one."""
        if self.faults:
            lines = [f"  {check.name}: {check.fault}" for check in self.faults]
            raise AssertionError(
                "\n".join([f"{self.subject} breaks {len(lines)} of {len(self.checks)} claims:", *lines])
            )
        return self
