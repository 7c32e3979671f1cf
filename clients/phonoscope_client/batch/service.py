"""The service of a whole job: where it goes away, it is waited for, or, where it is the job's own, started again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from phonoscope_client.client import Client
from phonoscope_client.errors import BusyError, UnavailableError

OpenClient = Callable[[], AbstractContextManager[Client]]
PATIENCE_S = 120.0  # with a service that is away: as long as a new one may take on a busy machine


class LastingService:
    """A client of a service that may come and go. It may be shared between threads; use it in `with`.

    Args:
        open_client: opens a client, of a service that it starts or of one that is there.
        patience_s: seconds to wait for a service that is away.
        wait: waits so many seconds; whether to give up.
    """

    def __init__(self, open_client: OpenClient, wait: Callable[[float], bool], patience_s: float = PATIENCE_S) -> None:
        self._open, self._wait, self._patience_s = open_client, wait, patience_s
        self._opened = ExitStack()  # a client that others may still be using is closed at the end alone
        self._lock = threading.Lock()
        self._client: Client | None = None

    def client(self) -> Client:
        """The client to ask now."""
        with self._lock:
            if self._client is None:
                self._client = self._opened.enter_context(self._open())
            return self._client

    def renew(self, broken: Client) -> None:
        """Takes the place of a client whose service went away, once there is one that answers.

        Raises:
            UnavailableError: nobody answers, for as long as patience lasts.
        """
        with self._lock:
            if self._client is not broken:  # another thread was here before
                return
            waited_s, pause_s = 0.0, 0.5
            while True:
                try:
                    fresh = self._opened.enter_context(self._open())
                    fresh.describe()
                except BusyError:
                    pass  # it is there
                except UnavailableError:
                    if waited_s >= self._patience_s or self._wait(pause_s):
                        raise
                    waited_s, pause_s = waited_s + pause_s, min(2 * pause_s, 10.0)
                    continue
                self._client = fresh
                return

    def release(self) -> None:
        """Lets go of its client, and of a service of its own, until it is asked for again."""
        with self._lock:
            self._client = None
            self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
