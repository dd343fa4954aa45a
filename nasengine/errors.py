"""What can go wrong, as one family: NasError is what the command line prints without a traceback.

NasError
├── SpaceError      a space, a decision or an architecture that is not legal
├── RecipeError     a training recipe
├── DataError       a data set
├── TableError      a table of published results, or the mapping that says how it is read
├── PlugInError     a name or file of a space, strategy, evaluator or executor
├── LedgerError     the results database
├── TrainingError   a training that cannot go on (not finite, out of memory)
└── ExportError     a network that cannot leave as source or weights
"""

import difflib
from collections.abc import Iterable


class NasError(Exception):
    """A fault that a user can act on: `place: what came; what is allowed; what to do`."""


class SpaceError(NasError):
    """A space, a decision or an architecture is not legal."""


class RecipeError(NasError):
    """A training recipe holds an unknown name or an impossible value."""


class DataError(NasError):
    """A data set is missing, unreadable or does not fit."""


class TableError(NasError):
    """A table of published results is missing, unreadable, broken, or does not fit its mapping or its space."""


class PlugInError(NasError):
    """A space, strategy, evaluator or executor cannot be found or loaded."""


class LedgerError(NasError):
    """The results database cannot do what was asked."""


class TrainingError(NasError):
    """A training cannot go on."""


class ExportError(NasError):
    """A network cannot be written as source or weights."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return ` Did you mean "x"?` for the nearest allowed word, or nothing."""
    simple = {name.lower().replace("_", "-"): name for name in allowed}
    near = difflib.get_close_matches(word.lower().replace("_", "-"), simple, n=1, cutoff=0.5)
    return f' Did you mean "{simple[near[0]]}"?' if near else ""
