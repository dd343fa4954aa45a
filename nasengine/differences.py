"""What differs between two records, by dotted names."""

from collections.abc import Iterator, Mapping
from typing import Any

Change = tuple[Any, Any]


def differences(place: str, one: Any, other: Any) -> Iterator[tuple[str, Change]]:
    """Name and both values of every entry that differs; nothing given is the same as nothing recorded."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from differences(f"{place}.{key}" if place else str(key), one.get(key), other.get(key))
    elif one != other and (one or other or (one is not None and other is not None)):
        yield place, (one, other)
