"""A whole track, as frozen dataclasses of plain values and NumPy arrays: the parts it comes in, and all of them."""

from phonoscope_client.results.segments import Segment, SegmentTrust
from phonoscope_client.results.track.explanation import TrackExplanation, TrackTrust
from phonoscope_client.results.track.parts import CurvePiece, TrackBegun, TrackProgress, TrackTrustLevel
from phonoscope_client.results.track.summary import LabelMap, RankedMoment, TrackSummary
from phonoscope_client.results.track.track import Track, TrackPart, collected

__all__ = [
    "CurvePiece",
    "LabelMap",
    "RankedMoment",
    "Segment",
    "SegmentTrust",
    "Track",
    "TrackBegun",
    "TrackExplanation",
    "TrackPart",
    "TrackProgress",
    "TrackSummary",
    "TrackTrust",
    "TrackTrustLevel",
    "collected",
]
