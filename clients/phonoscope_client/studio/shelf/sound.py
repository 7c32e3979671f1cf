"""A song's sound: decoded once into a file of samples, cut around moments, drawn as peaks, and as browsers play it."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from phonoscope_client.errors import FieldViolation, OutOfRangeError
from phonoscope_client.results.parts import Floats
from phonoscope_client.transport.audio import AudioInput
from phonoscope_client.transport.decoding import Length, Stretch, stretches

MOST_SAMPLES_BYTES = 2**30  # of a file of samples: 50 minutes of two channels; longer songs are cut as clients do
MOST_PLAYED_BYTES = 2**28
PEAKS_PER_S = 100
MOST_PEAKS = 360_000  # of a song, so that an hour has all of them
_ROOM_S = 1  # beyond an excerpt, for the service's resampler
_FULL_SCALE = 127

# What every browser of today plays as it is, by FFmpeg's names of container and codec.
_PLAYED: dict[tuple[str, str], str] = {
    **{("wav", codec): "audio/wav" for codec in ("pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le")},
    ("flac", "flac"): "audio/flac",
    ("mp3", "mp3"): "audio/mpeg",
    ("mp3", "mp3float"): "audio/mpeg",
    ("ogg", "vorbis"): "audio/ogg",
    ("ogg", "opus"): "audio/ogg",
    ("mov,mp4,m4a,3gp,3g2,mj2", "aac"): "audio/mp4",
}


@dataclass(frozen=True)
class Played:
    """A file that browsers play, and what they are told it is."""

    path: Path
    media_type: str


class Sound:
    """The sound of one song. Its methods wait for files, and may be called from any thread.

    Args:
        file: the song.
        length: how long it is.
        folder: receives files of the studio's own; each is named after `name`.
        name: of this song among others.
        most_samples_bytes: that a file of its samples may take.
    """

    def __init__(
        self, file: Path, length: Length, folder: Path, name: str, *, most_samples_bytes: int = MOST_SAMPLES_BYTES
    ) -> None:
        self.file, self.length, self._most_samples_bytes = file, length, most_samples_bytes
        self._samples, self._played = folder / f"{name}.f32", folder / f"{name}.ogg"
        self._channels = 0  # of the file of samples; 0 while there is none
        self._is_too_long = False  # for a file of samples, as far as is known
        self._peaks: npt.NDArray[np.int8] | None = None
        self._lock = threading.Lock()

    def decode(self) -> None:
        """Decodes all of it, where it has not been; its samples are kept where there is room, its peaks always.

        Raises:
            InvalidInputError: it cannot be decoded here.
        """
        with self._lock:
            if self._channels or self._is_too_long:
                return
            width, channels = self._peak_samples, 0
            drawn = np.zeros((math.ceil(self.length.samples / width), 2), np.float32)
            with self._samples.open("wb") as file:
                for each in stretches(self.file):
                    if not channels:
                        channels = each.samples.shape[1]
                        self._is_too_long = 4 * channels * self.length.samples > self._most_samples_bytes
                    _draw(drawn, each, width)
                    if each.samples.shape[1] == channels and each.first >= 0 and not self._is_too_long:
                        file.seek(4 * channels * each.first)
                        file.write(np.ascontiguousarray(each.samples, "<f4").data)
            self._peaks = np.round(_FULL_SCALE * np.clip(drawn, -1, 1)).astype(np.int8)
            self._channels = 0 if self._is_too_long else channels

    @property
    def _peak_samples(self) -> int:
        """Samples that one peak is of."""
        by_rate = math.ceil(self.length.sample_rate_hz / PEAKS_PER_S)
        return max(1, by_rate, math.ceil(self.length.samples / MOST_PEAKS))

    def forget(self) -> None:
        """Removes the file of samples, which can be made again."""
        with self._lock:
            self._channels = 0
            self._samples.unlink(missing_ok=True)

    def around(self, at_s: float, excerpt_s: float) -> tuple[AudioInput, int]:
        """As much of the song as a question about a moment needs, and the whole second at which that begins.

        Args:
            at_s: the moment, in seconds.
            excerpt_s: how much a listener hears around it.

        Raises:
            OutOfRangeError: it lies beyond the song's end.
        """
        if at_s > self.length.seconds:
            description = f"{at_s:.2f} s lies beyond the song's end at {self.length.seconds:.2f} s"
            raise OutOfRangeError(f"at_s: {description}", violations=[FieldViolation("at_s", description)])
        half_s, rate_hz = excerpt_s / 2 + _ROOM_S, self.length.sample_rate_hz
        start_s, stop_s = max(0, math.floor(at_s - half_s)), math.ceil(at_s + half_s)
        try:
            samples = self._read(start_s * rate_hz, (stop_s - start_s) * rate_hz)
        except FileNotFoundError:  # forgotten meanwhile
            samples = np.zeros((0, 0), np.float32)
        return ((samples, rate_hz), start_s) if samples.size else (self.file, 0)  # the client cuts what is too long

    def peaks(self) -> tuple[float, npt.NDArray[np.int8]]:
        """Peaks a second, and the lowest and highest sample `[N, 2]` of each, channels averaged; 127 is full scale."""
        if self._peaks is None:
            self.decode()
        assert self._peaks is not None
        return self.length.sample_rate_hz / self._peak_samples, self._peaks

    def _read(self, first: int, count: int) -> Floats:
        """Samples `[N, C]`, as many as there are."""
        channels = self._channels
        if not channels:
            return np.zeros((0, 0), np.float32)
        flat = np.fromfile(self._samples, "<f4", count * channels, offset=4 * channels * first)
        return flat[: len(flat) - len(flat) % channels].reshape(-1, channels)

    def played(self, *, as_it_is: bool = True) -> Played | None:
        """A file that browsers play: the song itself where they do, else a copy as Opus; None where none can be made.

        Args:
            as_it_is: whether the song itself may be played; a damaged one may play only as a copy.
        """
        media_type = _media_type(self.file) if as_it_is else None
        if media_type is not None:
            return Played(self.file, media_type)
        from phonoscope_client.reports.track.opus import recording  # noqa: PLC0415 - Matplotlib loads slowly

        with self._lock:
            if not self._played.exists():
                copy = recording(self.file, duration_s=self.length.seconds, most_bytes=MOST_PLAYED_BYTES)
                if copy is None:
                    return None
                self._played.write_bytes(copy)
        return Played(self._played, "audio/ogg")


def _draw(peaks: Floats, stretch: Stretch, width: int) -> None:
    """Widens peaks `[N, 2]`, each of so many samples, to hold a stretch of a song."""
    mono = stretch.samples.mean(axis=1)
    columns = (stretch.first + np.arange(len(mono))) // width
    edges = np.flatnonzero(np.diff(columns, prepend=-1))
    places = columns[edges]
    inside = (places >= 0) & (places < len(peaks))
    lowest, highest = np.minimum.reduceat(mono, edges)[inside], np.maximum.reduceat(mono, edges)[inside]
    peaks[places[inside], 0] = np.minimum(peaks[places[inside], 0], lowest)
    peaks[places[inside], 1] = np.maximum(peaks[places[inside], 1], highest)


def _media_type(file: Path) -> str | None:
    """What browsers call a file that they play; None of any other."""
    try:
        with file.open("rb") as opened, av.open(opened, "r", metadata_errors="replace") as container:
            stream = container.streams.best("audio")
            if stream is None or stream.codec_context is None:
                return None
            return _PLAYED.get((container.format.name, stream.codec_context.name))
    except (av.FFmpegError, ValueError, OSError):
        return None
