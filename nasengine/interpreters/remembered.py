"""What was worked out and may be asked for again."""

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(dict[Key, Value]):
    """A dictionary that begins anew once it holds `most`: a long search takes no more memory than that.

    For what can be worked out again. No order of use is kept, for looking up must take no longer than in a dictionary.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        if len(self) >= self.most:
            self.clear()
        super().__setitem__(key, value)
