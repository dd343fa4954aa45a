"""Which columns of a table hold pictures and labels."""

from collections.abc import Sequence

from nasengine.errors import DataError, did_you_mean
from nasengine.training.reading import Reading


def picture_column(columns: Sequence[str], usual: Sequence[str], reading: Reading) -> str | None:
    """Return the column that the option names, or the first of the usual names; None where there is none."""
    if reading.options.column is not None:
        return _known(columns, (reading.options.column,), "column", reading)[0]
    return next((name for name in usual if name in columns), None)


def label_columns(columns: Sequence[str], usual: Sequence[str], reading: Reading) -> tuple[str, ...]:
    """Return the columns that the option names, or the first of the usual names, or none."""
    if reading.options.label:
        return _known(columns, reading.options.label, "label", reading)
    return tuple(name for name in usual if name in columns)[:1]


def _known(columns: Sequence[str], wanted: Sequence[str], option: str, reading: Reading) -> tuple[str, ...]:
    faults = [
        f'{reading.place}: no column is called "{name}"; {", ".join(columns)} came; name one of them by the option '
        f"{option}.{did_you_mean(name, columns)}"
        for name in wanted
        if name not in columns
    ]
    if faults:
        raise DataError("\n".join(faults))
    return tuple(wanted)
