"""Tensors handed to a Triton server on this machine through shared memory instead of through gRPC.

A few regions of one size, made when they are first needed and registered with the server once, are borrowed by one call
at a time. Whenever none is free, a call simply goes without.

The server may still read or write a region after its call was given up. Such a region is not borrowed again; it is gone
for good once the server lets it be unregistered, which it refuses while it uses it (from release 24.10 on, tried).
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from phonoscope_serving.tensors import Array

FOLDER = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory, not a temporary file
REGION_BYTES = 4 << 20
REGIONS = 8
LEAST_BYTES = 16 << 10  # a smaller tensor gains nothing
ALIGNMENT_BYTES = 64
CALL_S = 5.0  # for the server to register or unregister a region
RETRY_S = 0.1
USED_S = 60.0  # a server that uses a region for longer keeps its memory
OLDEST = (2, 51)  # earlier servers end when a region is unregistered that they still use


@dataclass(eq=False)
class Region:
    """Memory that this process and the server share, filled from its start for one call after the other."""

    memory: SharedMemory
    used_bytes: int = 0

    def take(self, size: int) -> int | None:
        """The offset of so many bytes; None where they do not fit or are too few to gain anything."""
        if not LEAST_BYTES <= size <= REGION_BYTES - self.used_bytes:
            return None
        offset = self.used_bytes
        self.used_bytes += -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        return offset

    def view(self, dtype: np.dtype[np.generic], shape: Sequence[int], offset: int) -> Array:
        """The tensor at an offset, not to be kept longer than the region is borrowed."""
        return np.ndarray(tuple(shape), dtype, self.memory.buf, offset)

    def discard(self) -> None:
        """Removes it from this process and from the system; a server that has it open keeps its own view."""
        self.memory.close()
        self.memory.unlink()


class Regions:
    """The regions of one engine."""

    def __init__(self, client: InferenceServerClient) -> None:
        """Makes no region yet; see `borrow`."""
        self._client = client
        self._free: list[Region] = []
        self._count = 0  # borrowed, free, or still used by the server
        self._retiring: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def borrow(self) -> AsyncIterator[Region | None]:
        """A region for one call, empty; None where there is none."""
        region = self._free.pop() if self._free else await self._made()
        if region is None:
            yield None
            return
        region.used_bytes = 0
        try:
            yield region
        except BaseException:  # cancelled, too: the server may still be writing into it
            self._retire(region)
            raise
        if self._closed:
            region.discard()
        else:
            self._free.append(region)

    async def why_not(self) -> str:
        """Why regions cannot be used with this server; empty where they can."""
        try:
            version: str = (await self._client.get_server_metadata(client_timeout=CALL_S)).version
            if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
                return f"the server is of release {version}, before {'.'.join(map(str, OLDEST))}"
            self._free.append(await self._make())
        except (OSError, ValueError, InferenceServerException) as error:
            return str(error)
        return ""

    async def close(self) -> None:
        """Removes what nobody uses; what is borrowed goes when its call ends."""
        for region in self._free:
            self._retire(region)
        self._free.clear()
        self._closed = True
        if self._retiring:
            await asyncio.wait(self._retiring, timeout=CALL_S)
        for task in self._retiring:
            task.cancel()

    async def _made(self) -> Region | None:
        if self._count >= REGIONS or self._closed:
            return None
        try:
            return await self._make()
        except (OSError, InferenceServerException):  # the call itself will show what is wrong with the server
            return None

    async def _make(self) -> Region:
        self._count += 1
        try:
            region = Region(_reserved(REGION_BYTES))
        except OSError:
            self._count -= 1
            raise
        name = region.memory.name
        try:
            await self._client.register_system_shared_memory(name, f"/{name}", REGION_BYTES, client_timeout=CALL_S)
        except BaseException:  # cancelled, too: the server may have registered it all the same
            self._retire(region)
            raise
        return region

    def _retire(self, region: Region) -> None:
        """Discards a region now, and makes room for another once the server has let go of it."""
        region.discard()
        if self._closed:
            return
        task = asyncio.create_task(self._unregister(region.memory.name))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _unregister(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + USED_S
        while loop.time() < give_up:
            try:
                await self._client.unregister_system_shared_memory(name, client_timeout=CALL_S)
            except InferenceServerException as error:
                if str(error.status()) != "StatusCode.UNAVAILABLE":
                    await asyncio.sleep(RETRY_S)
                    continue
            self._count -= 1  # unregistered, or the server is gone and has let go of everything
            return


def is_here(address: str) -> bool:
    """Whether HOST:PORT is an address of this machine alone."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reserved(size: int) -> SharedMemory:
    """A new segment, all of it reserved: writing to one that is only promised kills the process when memory is out."""
    memory = SharedMemory(f"phonoscope_{uuid.uuid4().hex}", create=True, size=size)
    try:
        descriptor = os.open(FOLDER / memory.name, os.O_RDWR)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
    except OSError:
        memory.close()
        memory.unlink()
        raise
    return memory
