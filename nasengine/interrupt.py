"""Ctrl-C, answered in two steps: once finishes what runs, twice stops now; a search is saved either way."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupt:
    """While it is entered, the first Ctrl-C only sets `asked` (and calls `on_first`); the second stops at once.

    SIGTERM, which a batch system sends before it takes a machine away, stops at once as well. Outside the main thread,
    and where Ctrl-C is ignored already (a job in a shell's background), nothing is changed.
    """

    def __init__(self, on_first: Callable[[], None] = lambda: None):
        self.asked = False
        self.on_first = on_first
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for one, hear in ((signal.SIGINT, self._asked), (signal.SIGTERM, self._now)):
                if signal.getsignal(one) is not signal.SIG_IGN:
                    self._former[one] = signal.signal(one, hear)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for one, former in self._former.items():
            signal.signal(one, former)

    def stop_if_asked(self) -> None:
        """Raise KeyboardInterrupt where Ctrl-C was pressed: what ran has been finished."""
        if self.asked:
            raise KeyboardInterrupt

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.on_first()

    def _now(self, number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt
