"""Sound that flows, heard as one channel at the rate it is wanted at; what it is like is judged by how it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import soxr

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import LIMITS, is_within
from phonoscope_serving.sound.mixing import folded, in_quadrature, weights
from phonoscope_serving.sound.survey import survey, warned_of
from phonoscope_serving.sound.warning import SoundWarning, summarised
from phonoscope_serving.tensors import Floats

HEAD_S = 10.0  # by which a flow is judged; a file that is read whole is judged by all of it
ENDLESS = 1 << 62  # samples


class Flow(Protocol):
    """Sound that is read once, forward, its channels apart."""

    @property
    def field(self) -> str:
        """The request's field it came from, for messages."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second and channel."""
        ...

    @property
    def speakers(self) -> Sequence[str]:
        """See `Channels.speakers`."""
        ...

    @property
    def are_floats(self) -> bool:
        """See `Channels.are_floats`."""
        ...

    @property
    def warnings(self) -> Sequence[SoundWarning]:
        """What is wrong with it, as far as it was read."""
        ...

    def pieces(self) -> Iterator[Floats]:
        """Float32 pieces `[C, N]` to its end.

        Raises:
            InvalidRequest: it cannot be read.
        """
        ...


@dataclass
class _Head:
    """How a flow begins, as `Channels`."""

    field: str
    sample_rate_hz: int
    speakers: Sequence[str]
    are_floats: bool
    sound: Floats  # `[C, N]`
    warnings: Sequence[SoundWarning] = ()

    @property
    def samples(self) -> int:
        return int(self.sound.shape[1])

    def frames(self, start: int, stop: int, *, roughly: bool = False) -> Iterator[Floats]:  # noqa: ARG002 - the protocol's
        yield self.sound[:, start:stop]


class MonoFlow:
    """A flow as one channel."""

    def __init__(self, flow: Flow) -> None:
        """Reads how it begins.

        Args:
            flow: what is heard.

        Raises:
            InvalidRequest: it cannot be read.
        """
        self._flow = flow
        self._coming = map(self._checked, flow.pieces())
        head, held = list[Floats](), 0
        while held < HEAD_S * flow.sample_rate_hz and (piece := next(self._coming, None)) is not None:
            head.append(piece)
            held += piece.shape[1]
        if not held:
            raise InvalidRequest.at(flow.field, "holds no samples")
        self._head = np.concatenate(head, axis=1)
        known = _Head(flow.field, flow.sample_rate_hz, flow.speakers, flow.are_floats, self._head)
        self._heard = survey(known)
        self.samples = 0  # that were given so far, at its own rate

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """What is wrong with it, as far as it was read."""
        seconds = self.samples / self._flow.sample_rate_hz
        return summarised([*(warned_of(self._heard, seconds) if self._heard else ()), *self._flow.warnings])

    def at_rate(self, sample_rate_hz: int) -> Iterator[Floats]:
        """The whole of it at another rate, in parts `[N]`, each made when it is asked for; once only."""
        if self._flow.sample_rate_hz == sample_rate_hz:
            yield from self._blocks()
            return
        stream = soxr.ResampleStream(self._flow.sample_rate_hz, sample_rate_hz, 1, dtype="float32")
        given = 0
        for block in self._blocks():
            part = stream.resample_chunk(block)
            given += len(part)
            yield part
        rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
        left = max(0, _samples_at(self.samples, self._flow.sample_rate_hz, sample_rate_hz) - given)
        yield np.pad(rest[:left], (0, max(0, left - len(rest))))

    def _blocks(self) -> Iterator[Floats]:
        pieces = self._counted(chain([self._head], self._coming))
        self._head = np.zeros((len(self._flow.speakers), 0), np.float32)  # forgotten once it was heard
        if self._heard is not None and self._heard.cancels:
            return in_quadrature(lambda *_: pieces, 0, ENDLESS, ENDLESS, self._flow.sample_rate_hz)
        return folded(pieces, weights(self._flow.speakers))

    def _counted(self, pieces: Iterator[Floats]) -> Iterator[Floats]:
        for piece in pieces:
            self.samples += piece.shape[1]
            yield piece

    def _checked(self, piece: Floats) -> Floats:
        if self._flow.are_floats and not is_within(piece, LIMITS.max_peak):
            raise InvalidRequest.at(
                self._flow.field,
                f"holds a sample that is not finite or beyond ±{LIMITS.max_peak:g}; samples lie in [-1, 1]",
            )
        return piece


def _samples_at(samples: int, from_hz: int, to_hz: int) -> int:
    """As `resampling.samples_at`."""
    return (2 * samples * to_hz + from_hz) // (2 * from_hz)
