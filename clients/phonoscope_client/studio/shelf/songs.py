"""The songs of a studio: those it began with, where they lie, and those that were dropped, in a folder of its own."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phonoscope_client.aio import Client
from phonoscope_client.errors import InvalidInputError, invalid
from phonoscope_client.files import printable
from phonoscope_client.results.bundle import Bundle
from phonoscope_client.studio.shelf.arriving import Arriving
from phonoscope_client.studio.shelf.curves import Curves
from phonoscope_client.studio.shelf.hearing import Hearing
from phonoscope_client.studio.shelf.sound import Sound
from phonoscope_client.transport import decoding
from phonoscope_client.transport.audio import MAX_DURATION_S

MOST_SONGS = 100
MOST_DECODED = 4  # songs whose samples lie in files at once, those used last
MOST_UPLOAD_BYTES = 2**30
MOST_DROPPED_BYTES = 2**32  # in all
_MOST_NAME = 200  # letters of a name that are shown
# At either end of a file: its name among others stays the same when the studio is started again.
_DIGESTED_BYTES = 2**20
_FORMATS = "WAV, FLAC, MP3, AAC or ALAC in M4A, Ogg (Vorbis, Opus), WebM, Matroska, AIFF, CAF or W64"


@dataclass(frozen=True)
class Song:
    """One song.

    Attributes:
        number: of it among others, the same whenever the same file is opened.
        name: for people.
        sound: what is heard.
        hearing: what is known of it along its length.
        curves: what other listeners say along it.
    """

    number: str
    name: str
    sound: Sound
    hearing: Hearing
    curves: Curves

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return self.sound.length.seconds

    def to_json(self) -> dict[str, Any]:
        """What the page lists."""
        return {"id": self.number, "name": self.name, "duration_s": round(self.duration_s, 4)}


class Shelf:
    """All songs of one studio.

    Args:
        client: what they are heard with.
        bundle: what that serves.
        folder: for files of the studio's own, which go with it.
    """

    def __init__(self, client: Client, bundle: Bundle, folder: Path) -> None:
        self._client, self._bundle, self._folder = client, bundle, folder
        self._songs: dict[str, Song] = {}
        self._dropped_bytes = 0
        self._decoded: OrderedDict[str, Song] = OrderedDict()
        self._early: Hearing | None = None  # the last that was begun while its song arrived

    def __iter__(self) -> Iterator[Song]:
        return iter(self._songs.values())

    def get(self, number: str) -> Song | None:
        """The song of that number."""
        return self._songs.get(number)

    async def open(self, file: Path, name: str) -> Song:
        """Puts a file on the shelf, where it lies.

        Raises:
            InvalidInputError: it cannot be read, holds no sound, or there are too many songs.
        """
        return await self._open(file, name, self._hearing(file))

    def _hearing(self, song: Path | Arriving) -> Hearing:
        levels = self._folder / f"{secrets.token_hex(8)}.levels"
        return Hearing(self._client, song, levels, self._bundle.listeners[0].labels)

    async def _open(self, file: Path, name: str, hearing: Hearing) -> Song:
        number, length = await asyncio.to_thread(_read, file)
        if number in self._songs:
            return self._songs[number]
        if len(self._songs) >= MOST_SONGS:
            raise invalid("song", f"there are {MOST_SONGS} songs, the most a studio holds; start another for more")
        curves = Curves(self._client, file, self._bundle, hearing)
        sound = Sound(file, length, self._folder, number)
        song = self._songs[number] = Song(number, printable(name)[:_MOST_NAME], sound, hearing, curves)
        return song

    async def receive(self, chunks: AsyncIterator[bytes], name: str, size_bytes: int | None = None) -> Song:
        """Puts what is sent on the shelf, as a file in the studio's own folder.

        Where no other song is being heard, this one is while it comes: what is dropped first is looked at next.

        Args:
            chunks: what is sent.
            name: for people.
            size_bytes: of all chunks; None where nobody knows, and the song is heard once it is asked for.

        Raises:
            InvalidInputError: see `open`.
        """
        arriving = Arriving(self._folder / f"dropped-{secrets.token_hex(8)}", size_bytes)
        hearing, file = self._hearing(arriving), arriving.path
        try:
            if size_bytes is not None and not self._is_hearing:
                self._early = hearing
                hearing.begin()
            async for chunk in chunks:
                arriving.write(chunk)  # soon done, and a thread for each takes longer
            arriving.end(whole=True)
            song = await self._open(file, name, hearing)
        except BaseException:  # whoever sends it has left, too
            await _forget(arriving, hearing)
            raise
        if song.hearing is hearing:
            self._dropped_bytes += file.stat().st_size
        else:  # it was there
            await _forget(arriving, hearing)
        return song

    @property
    def _is_hearing(self) -> bool:
        early = [] if self._early is None else [self._early]
        return any(each.is_going_on for each in (*early, *(song.hearing for song in self)))

    @property
    def room_bytes(self) -> int:
        """How large the next file may be that is dropped."""
        return min(MOST_UPLOAD_BYTES, MOST_DROPPED_BYTES - self._dropped_bytes)

    async def decode(self, song: Song) -> None:
        """Has a song's samples at hand, and those of no more than a few others."""
        self._decoded[song.number] = song
        self._decoded.move_to_end(song.number)
        while len(self._decoded) > MOST_DECODED:
            await asyncio.to_thread(self._decoded.popitem(last=False)[1].sound.forget)
        await asyncio.to_thread(song.sound.decode)

    async def close(self) -> None:
        """Ends what is going on with any of them."""
        for song in self._songs.values():
            await song.hearing.close()


async def _forget(arriving: Arriving, hearing: Hearing) -> None:
    arriving.end(whole=False)
    await hearing.close()
    arriving.path.unlink()


def _read(file: Path) -> tuple[str, decoding.Length]:
    """The number of a file among others, and how long it is."""
    try:
        size_bytes = file.stat().st_size
        length = decoding.measure(file, believed_s=MAX_DURATION_S)
        with file.open("rb") as opened:
            digest = hashlib.sha256(f"{size_bytes} ".encode() + opened.read(_DIGESTED_BYTES))
            opened.seek(max(0, size_bytes - _DIGESTED_BYTES))
            digest.update(opened.read(_DIGESTED_BYTES))
    except OSError as error:
        raise InvalidInputError(f"{printable(file)} cannot be read: {error.strerror}") from error
    if length is None or not length.samples:
        raise invalid("song", f"there is no sound in it that can be read; give {_FORMATS}")
    return digest.hexdigest()[:16], length
