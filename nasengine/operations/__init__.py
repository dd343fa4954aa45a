"""What keeps results safe, together and small: `backup`, `merge` and `prune`."""

from nasengine.operations.backup import backup
from nasengine.operations.merge import Merged, merge
from nasengine.operations.prune import Pruned, prune

__all__ = ["Merged", "Pruned", "backup", "merge", "prune"]
