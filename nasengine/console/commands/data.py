"""The command data, with its flags: what a data set is, before anything is trained on it."""

from typing import Annotated

from cyclopts import Parameter

from nasengine.console.flags import DATA_WORDS, Json, Limit


def data(
    name: Annotated[str | None, Parameter(help=DATA_WORDS)] = None,
    /,
    *,
    limit: Limit = None,
    clear: Annotated[bool, Parameter(help="Remove all decoded pictures that are kept on disk.")] = False,
    json: Json = False,
) -> None:
    """Read a data set, and say what it is: shapes, classes and their balance, the split, what was left out.

    Options have dotted flags: --data.size 64, --data.channels grey, --data.skip-damaged true, --data.column and
    --data.label (of a table), --data.task regression, --data.validation 0.3, --data.test 0.2, --data.split-seed 1,
    --data.memory 2GB (above it, images stay on disk). The text that is printed as `data` goes into any other --data.
    """
    from nasengine.console.data_sets import clear as remove
    from nasengine.console.data_sets import describe

    if clear:
        remove(json)
    if name is not None or not clear:
        describe(name or "digits", limit, json)


COMMANDS = (data,)
