"""Tables of published results: architectures that were trained and measured before, read instead of trained."""

from nasengine.tables.loading import load_table
from nasengine.tables.table import Table

__all__ = ["Table", "load_table"]
