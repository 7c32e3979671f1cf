"""`Client.explain_track`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from phonoscope.v1 import track_pb2

from phonoscope_client.messages import track_settings
from phonoscope_client.messages.listener import Choice
from phonoscope_client.messages.track import OnProgress, TrackReading
from phonoscope_client.results.explanation import Masking
from phonoscope_client.results.parts import Label, MapPrecision
from phonoscope_client.results.track import TrackTrustLevel
from phonoscope_client.transport.chunks import TrackInput, flowing

METHOD = "ExplainTrack"


@dataclass(frozen=True)
class TrackQuestion:
    """A question about a whole track.

    Attributes:
        requests: its messages, settings first; given anew for each attempt.
        begin: begins to read an answer.
        timeout_s: seconds after which the service answers with what is known by then; None for no limit.
    """

    requests: Callable[[], Iterator[track_pb2.ExplainTrackRequest]]
    begin: Callable[[], TrackReading]
    timeout_s: float | None


def explain_track(
    audio: TrackInput,
    *,
    size_bytes: int | None = None,
    every_s: float | None = None,
    where_label: Label | None = None,
    where_it_changes: bool = False,
    most_certain: int = 0,
    least_certain: int = 0,
    at_s: Collection[float] = (),
    rule: str | None = None,
    alpha: float | Literal["keep-label"] | None = None,
    maximum_area: float | None = None,
    masking: Masking = "m1",
    trust: TrackTrustLevel = "kept",
    control_seed: int | None = None,
    median_filter_s: float = 0.0,
    threshold: float | None = None,
    minimum_s: float = 0.0,
    from_s: float = 0.0,
    spectrogram: bool = False,
    maps: bool = False,
    listen: bool = False,
    outside_db: float | None = None,
    listener: str | None = None,
    label: str | None = None,
    contrast: str | None = None,
    map_precision: MapPrecision = "float32",
    on_progress: OnProgress | None = None,
    timeout_s: float | None = None,
) -> TrackQuestion:
    """A whole track of any length: its curve, and explanations along it, as they are known.

    Iterate over what is returned for its parts, or `collect()` them; closing it early ends the work.

    Args:
        audio: as for `predict`, but of any length; or chunks of bytes of a file of any length, such as a broadcast.
        size_bytes: of chunks, how large the file is that they are of, where that is known: up to 64 MiB it is then read
            as a file is, whole; otherwise it is decoded as it comes.
        every_s: explain a moment every so many seconds.
        where_label: of those, only where this label is given; without `every_s`, one moment in each segment of it.
        where_it_changes: explain where the label changes.
        most_certain: explain so many moments about which the listener is most certain, at most 100.
        least_certain: likewise, least certain.
        at_s: explain these moments, in seconds from the start.
        rule: as for `explain`, likewise down to `masking`.
        alpha: as there.
        maximum_area: as there.
        masking: as there.
        trust: how much is tried on each region: "none"; "kept", whether it alone keeps the label, all else masked;
            "full", also exchange with other music.
        control_seed: what other music is drawn from, for every moment; None for one of each excerpt's own.
        median_filter_s: width of the median filter that smooths the curve before segments are made, 0 to 10 s.
        threshold: a frame of that curve at or above it is given the first of two labels, such as "vocal"; None for
            the listener's own, which one that answers by its most probable label does not have.
        minimum_s: a shorter segment is given to its neighbour, 0 to 60 s.
        from_s: where to begin; another call that ended early goes on at `summary.heard_until_s`.
        spectrogram: whether to return the log-mel of the track as well.
        maps: whether to return log-mel and relevance of each explanation as well.
        listen: whether to return each excerpt and its region as sound as well.
        outside_db: as for `explain`.
        listener: who is asked, by name, as `describe` lists them; None for the bundle's first.
        label: the label to explain; None for the one that each moment is given. A listener of whose labels any number
            may hold needs one. Moments that the rule cannot explain so, for they have another, are passed over.
        contrast: explain the label, which must then be named, rather than this one; None for rather than any other.
        map_precision: in which maps travel: "float16" halves their bytes and rounds them to three digits.
        on_progress: told how far it is with every part; what it raises ends the call and arrives here.
        timeout_s: seconds after which what is known by then is summed up, `complete` False; None for no limit.

    Raises:
        NotInBundleError: the bundle lacks what is asked for.
    """
    asked = track_settings.settings(
        track_settings.moments(every_s, where_label, where_it_changes, most_certain, least_certain, at_s),
        rule,
        alpha,
        maximum_area,
        masking,
        trust,
        control_seed,
        median_filter_s,
        threshold,
        minimum_s,
        from_s,
        spectrogram,
        maps,
        listen,
        outside_db,
        Choice(listener, label, contrast),
        map_precision,
    )
    sound = flowing(audio, size_bytes)
    asked.MergeFrom(sound.settings)

    def requests() -> Iterator[track_pb2.ExplainTrackRequest]:
        yield track_pb2.ExplainTrackRequest(settings=asked)
        for chunk in sound.chunks():
            yield track_pb2.ExplainTrackRequest(chunk=chunk)

    return TrackQuestion(requests, lambda: TrackReading(on_progress), timeout_s)
