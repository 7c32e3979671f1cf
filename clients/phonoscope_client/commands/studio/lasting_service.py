"""A service of one's own that lasts: whenever it ends by itself it is started again, where its callers find it."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from phonoscope_client.commands.connection import Note
from phonoscope_client.errors import PhonoscopeError
from phonoscope_client.transport.service import running_service

# Somebody who looks at a moment may want to hear it next, and comes back: what was computed for it is kept so long.
_REMEMBER = ("--remember-s", "600")
_LOOK_S = 0.2  # between two looks at whether it is still there
_READY_S = 120.0  # it was ready once: what takes longer now hangs
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0  # before it is started once more, where it did not become ready


@contextmanager
def lasting_service(note: Note) -> Iterator[str]:
    """The address of a service that is started again, at the same address, until the end of the `with` block.

    Args:
        note: told in a few words how starting goes, also from a thread.

    Raises:
        UnavailableError: it cannot be started the first time.
    """
    ending = threading.Event()
    with running_service(_REMEMBER, note=note) as first:
        keeping = (first.process, first.address, note, ending)
        keeper = threading.Thread(target=_keep, args=keeping, name="keeps the service")
        keeper.start()
        try:
            yield first.address
        finally:
            ending.set()
            keeper.join()


def _keep(first: subprocess.Popen[bytes], address: str, note: Note, ending: threading.Event) -> None:
    wait_s = _FIRST_WAIT_S
    _watch(first, ending)
    while not ending.is_set():
        note("the service has ended by itself; it is started again")
        try:
            with running_service([*_REMEMBER, "--address", address], ready_timeout_s=_READY_S, note=note) as service:
                wait_s = _FIRST_WAIT_S
                _watch(service.process, ending)
        except PhonoscopeError as error:
            note(f"{error}; trying again in {wait_s:g} s")
            ending.wait(wait_s)
            wait_s = min(_LONGEST_WAIT_S, 2 * wait_s)


def _watch(process: subprocess.Popen[bytes], ending: threading.Event) -> None:
    """Waits until one ends by itself, or is to end."""
    while process.poll() is None and not ending.wait(_LOOK_S):
        pass
