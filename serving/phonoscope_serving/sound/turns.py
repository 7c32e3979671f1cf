"""Turns at decoding: a few recordings at once, a little at a time, the next for whoever has had the least so far."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from phonoscope_serving.errors import DeadlinePassed

SLICE_S = 0.05  # of a recording, while others wait


class Turns:
    """The turns of one decoder."""

    def __init__(self, at_once: int) -> None:
        """All are free.

        Args:
            at_once: recordings that are decoded side by side.
        """
        self._lock = threading.Lock()
        self._free = at_once
        self._waiting: list[Reading] = []

    @property
    def are_wanted(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def take(self, reading: Reading) -> None:
        """Waits for a turn."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            self._wait_in_line(reading)
        reading.called.wait()

    def pass_on(self, reading: Reading) -> None:
        """Gives a turn back, where somebody else is to have it, and waits for another."""
        with self._lock:
            self._wait_in_line(reading)
            self._call_next()
        reading.called.wait()

    def give_back(self) -> None:
        """Gives a turn back."""
        with self._lock:
            if self._waiting:
                self._call_next()
            else:
                self._free += 1

    def _wait_in_line(self, reading: Reading) -> None:
        reading.called.clear()
        self._waiting.append(reading)

    def _call_next(self) -> None:
        first = min(self._waiting, key=lambda reading: reading.used_s)
        self._waiting.remove(first)
        first.called.set()


class Reading:
    """One recording that is read, in threads."""

    def __init__(self, turns: Turns) -> None:
        self.used_s = 0.0  # of its turns so far
        self.called = threading.Event()  # its turn has come
        self._turns, self._began_s = turns, 0.0
        self._abandoned = threading.Event()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn, which lasts as long as the block.

        Raises:
            DeadlinePassed: nobody waits for the recording any more.
        """
        self._turns.take(self)
        self._began_s = time.perf_counter()
        try:
            self._stop_if_abandoned()
            yield
        finally:
            self.used_s += time.perf_counter() - self._began_s
            self._turns.give_back()

    def pause(self) -> None:
        """Called between two pieces of work: lets others have their turn where this one has lasted long enough.

        Raises:
            DeadlinePassed: nobody waits for the recording any more.
        """
        self._stop_if_abandoned()
        now_s = time.perf_counter()
        if self._turns.are_wanted and now_s - self._began_s > SLICE_S:
            self.used_s += now_s - self._began_s
            self._turns.pass_on(self)
            self._began_s = time.perf_counter()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Lets others have the turn for the block, which waits for something; then waits for the next.

        Raises:
            DeadlinePassed: nobody waits for the recording any more.
        """
        self.used_s += time.perf_counter() - self._began_s
        self._turns.give_back()
        try:
            yield
        finally:
            self._turns.take(self)
            self._began_s = time.perf_counter()
        self._stop_if_abandoned()

    def abandon(self) -> None:
        """Has it stop at the next pause."""
        self._abandoned.set()

    def _stop_if_abandoned(self) -> None:
        if self._abandoned.is_set():
            raise DeadlinePassed("nobody waits for this recording any more")
