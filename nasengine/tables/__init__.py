"""Tables of published results: architectures that were trained and measured before, read instead of trained."""

from nasengine.tables.table import Table

__all__ = ["Table"]
