"""Which nasengine this is."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """The version that is installed; words where it runs from its source."""
    try:
        return installed("nasengine")
    except PackageNotFoundError:
        return "not installed, run from its source"
