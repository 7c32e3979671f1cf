"""A recording heard as one channel: mixed down, checked, and with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import AudioLimits, is_within
from phonoscope_serving.sound.channels import Channels
from phonoscope_serving.sound.mixing import folded, in_quadrature, weights
from phonoscope_serving.sound.survey import survey, warned_of
from phonoscope_serving.sound.warning import SoundWarning, summarised
from phonoscope_serving.tensors import Floats


class MonoRecording:
    """Channels, as a `Recording`."""

    def __init__(self, channels: Channels, limits: AudioLimits) -> None:
        """Listens to a little of it; to all of it where it may hold anything, whatever part of it is asked for.

        Args:
            channels: what is heard; holds samples.
            limits: what is taken on.

        Raises:
            InvalidRequest: it cannot be decoded, or a sample is not finite or far too large.
        """
        self.field, self.sample_rate_hz, self.samples = channels.field, channels.sample_rate_hz, channels.samples
        self._channels = channels
        if channels.are_floats:
            _check_samples(channels, limits.max_peak)
        self._weights = weights(channels.speakers)
        heard = survey(channels)
        self._heard = tuple(warned_of(heard, self.samples / self.sample_rate_hz)) if heard else ()
        self._cancels = heard is not None and heard.cancels

    @property
    def warnings(self) -> tuple[SoundWarning, ...]:
        """See `Recording.warnings`."""
        return summarised([*self._heard, *self._channels.warnings])

    def blocks(self, start: int, stop: int) -> Iterator[Floats]:
        """See `Recording.blocks`."""
        if self._cancels:
            return in_quadrature(self._channels.frames, start, stop, self.samples, self.sample_rate_hz)
        return folded(self._channels.frames(start, stop), self._weights)


def _check_samples(channels: Channels, limit: float) -> None:
    for piece in channels.frames(0, channels.samples):
        if not is_within(piece, limit):
            raise InvalidRequest.at(
                channels.field, f"holds a sample that is not finite or beyond ±{limit:g}; samples lie in [-1, 1]"
            )
