"""`Client.predict`."""

from __future__ import annotations

from phonoscope_client.messages import curve as curve_messages
from phonoscope_client.messages.listener import Choice
from phonoscope_client.questions.question import Question
from phonoscope_client.results.curve import Curve
from phonoscope_client.transport.audio import AudioInput


def predict(
    audio: AudioInput,
    *,
    median_filter_s: float | None = None,
    threshold: float | None = None,
    minimum_s: float | None = None,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
) -> Question[Curve]:
    """What a listener says along a recording, such as the probability that somebody sings, at every frame.

    Args:
        audio: path of a file (WAV, FLAC, MP3, AAC, Ogg, WebM and more, see `Audio` in audio.proto), the bytes of
            one, or `(samples, sample_rate_hz)` with floating-point samples `[N]` or `[N, channels]`; at most
            64 MiB and 1200 s.
        median_filter_s: width of a median filter that smooths the curve, in seconds; where one of these three is given,
            the answer has segments, too.
        threshold: a frame of the smoothed curve at or above this is called vocal; None for the bundle's own.
        minimum_s: a shorter segment is given to its neighbour.
        listener: who is asked, by name, as `describe` lists them; None for the bundle's first.
        label: whose curve is wanted; None for the first of two labels, or the most probable of more.
        contrast: another label, to compare it with.
    """
    return Question(
        "Predict",
        curve_messages.request(audio, median_filter_s, threshold, minimum_s, Choice(listener, label, contrast)),
        curve_messages.curve,
    )
