"""Serves a studio until it is interrupted, and opens it in the browser."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import signal
import socket
import tempfile
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import uvicorn

from phonoscope_client.aio import Client
from phonoscope_client.errors import invalid
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.studio.app import application
from phonoscope_client.studio.moments.pictures import Grid
from phonoscope_client.studio.shelf.songs import Shelf
from phonoscope_client.studio.studio import Studio

_LEAVE_S = 2  # for answers in flight, once it is to end


@dataclass(frozen=True)
class Place:
    """Where a studio is served.

    Attributes:
        host: an address of this machine; others than loopback let in other machines, too, which know the token.
        port: 0 for any that is free.
        browser: whether it is opened in one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    browser: bool = True

    @property
    def is_loopback(self) -> bool:
        """Whether this machine alone can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def serve(
    connect: Callable[[], Client],
    *,
    bundle: Bundle,
    server: str,
    songs: Sequence[Path],
    place: Place,
    opened: Callable[[str], None],
) -> None:
    """Serves a studio until it is interrupted.

    Args:
        connect: makes a client of the service, in the event loop.
        bundle: what that serves.
        server: its address, for people.
        songs: to begin with; their files stay where and as they are.
        place: where.
        opened: told the address to open, token and all.

    Raises:
        PhonoscopeError: it cannot be opened: a song holds no sound, the port is taken.
    """
    with _listening(place) as listening:
        asyncio.run(_serve(partial(_studio, connect, bundle, server, songs), place, opened, listening))


async def _serve(
    open_studio: Callable[[], AbstractAsyncContextManager[Studio]],
    place: Place,
    opened: Callable[[str], None],
    listening: socket.socket,
) -> None:
    port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
    shown = f"[{place.host}]" if ":" in place.host else place.host
    names = {f"{name}:{port}" for name in (shown, "127.0.0.1", "localhost", "[::1]")}
    async with open_studio() as studio:
        app = application(studio, token=token, names=names, cookie=f"phonoscope-studio-{port}")
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_LEAVE_S,
        )
        address = f"http://{shown}:{port}/?token={token}"
        opened(address)
        if place.browser:  # which may take its time, or not be there
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        await _Server(config).serve(sockets=[listening])


@asynccontextmanager
async def _studio(
    connect: Callable[[], Client], bundle: Bundle, server: str, songs: Sequence[Path]
) -> AsyncIterator[Studio]:
    with tempfile.TemporaryDirectory(prefix="phonoscope-studio-") as folder:
        async with connect() as client:
            grid = Grid(bundle.sample_rate_hz / bundle.hop_samples, np.array(bundle.band_centre_hz, np.float32))
            shelf = Shelf(client, bundle, Path(folder))
            try:
                for song in songs:
                    await shelf.open(song, song.name)
                yield Studio(client, server, bundle, shelf, grid)
            finally:
                await shelf.close()


class _Server(uvicorn.Server):
    """One that ends in order when it is told to, and leaves it to its caller what that means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends on an interrupt, and on what else ends programs, but for a hang-up that `nohup` has it ignore."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        if before[signal.SIGHUP] is signal.SIG_IGN:
            del before[signal.SIGHUP]
        for number in before:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)


def _listening(place: Place) -> socket.socket:
    if place.host in {"", "0.0.0.0", "::"}:  # noqa: S104 - refused, for the studio must know its own name
        raise invalid("--host", f"{place.host!r} means every address of this machine; name one of them")
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((place.host, place.port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise invalid("--port", f"{place.host}:{place.port} cannot be had ({error}); give another, or none") from error
    return listening
