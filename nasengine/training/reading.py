"""What a reader of images is told: where it reads, what was asked for, and whom to tell how far it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from nasengine.training.data_words import Options
from nasengine.training.picture_cache import machine_memory

SHARE = 4  # images may take one part in so many of the memory, as float32
PATIENCE = 5.0  # seconds between two words on how far a reader is


@dataclass
class Reading:
    """One reading of a data set; `place` begins every fault, `on_note` hears what takes long."""

    place: str
    options: Options = field(default_factory=Options)
    on_note: Callable[[str], None] = lambda text: None
    began: float = field(default_factory=time.monotonic)
    told: float = field(default_factory=time.monotonic)

    def too_large(self, numbers: int) -> bool:
        """Say whether so many pixels stay on disk."""
        most = self.options.memory if self.options.memory is not None else machine_memory() // SHARE
        return 4 * numbers > most

    def progress(self, done: int, total: int, what: str = "pictures") -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if now - self.told >= PATIENCE:
            self.told = now
            left = (now - self.began) * (total - done) / max(done, 1)
            self.on_note(f"{self.place}: {done:,} of {total:,} {what} read, about {left:.0f} s left")
