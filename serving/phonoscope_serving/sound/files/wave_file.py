"""WAV files of plain samples, read by libsndfile: exact, and from any sample at once; and of G.721, from the start."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import soundfile

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import BLOCK_SAMPLES
from phonoscope_serving.sound.channels import usual_speakers
from phonoscope_serving.sound.files import wave
from phonoscope_serving.sound.files.promises import wave_cut_short
from phonoscope_serving.tensors import Floats

READ_HERE = frozenset({wave.PCM, wave.FLOAT, wave.A_LAW, wave.MU_LAW, wave.G721})  # FFmpeg takes G.721 for G.726


class WaveFile:
    """An opened WAV file."""

    def __init__(self, content: bytes, header: wave.WaveHeader, field: str) -> None:
        """Reads the header only.

        Args:
            content: the file.
            header: what `wave.read_header` makes of it; its format is one of `READ_HERE`.
            field: of the request, for messages.

        Raises:
            InvalidRequest: libsndfile does not take it.
        """
        self.field = field
        self._content = wave.corrected(content, header) if header.samples_at_fault else content
        self._from_start = header.format_tag == wave.G721
        try:
            self._file = soundfile.SoundFile(io.BytesIO(self._content))
        except (soundfile.SoundFileError, ValueError) as error:
            raise InvalidRequest.at(field, f"is not audio that can be read: {_reason(error)}") from error
        self.sample_rate_hz: int = self._file.samplerate
        self.samples: int = self._file.frames
        self.speakers: Sequence[str] = header.speakers or usual_speakers(self._file.channels)
        self.warnings = tuple(wave_cut_short(header, self.samples / self.sample_rate_hz))

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:  # noqa: ARG002 - the protocol's; nothing is faster here
        """See `Channels.frames`."""
        try:
            if self._from_start:
                self._file = soundfile.SoundFile(io.BytesIO(self._content))
                for first in range(0, start, BLOCK_SAMPLES):
                    self._file.read(min(start - first, BLOCK_SAMPLES), dtype="float32")
            else:
                self._file.seek(start)
            for first in range(start, stop, BLOCK_SAMPLES):
                yield self._file.read(min(stop - first, BLOCK_SAMPLES), dtype="float32", always_2d=True).T
        except soundfile.SoundFileError as error:
            raise InvalidRequest.at(self.field, f"cannot be decoded: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What libsndfile says, without the Python object it said it of."""
    return str(getattr(error, "error_string", error)).strip().removeprefix("Error : ").rstrip(".")
