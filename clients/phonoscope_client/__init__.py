"""Asks a Phonoscope service what a machine listener hears, and why it answers as it does.

Example:
    with Client("localhost:50051") as client:
        explanation = client.explain("song.mp3", at_s=34.0)
        print(explanation.label, explanation.trust.label_kept)

The exceptions are drawn in `phonoscope_client.errors`. `phonoscope_client.reports` makes the HTML reports; it alone
needs the extra `report`.
"""

from phonoscope_client.client import Client
from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    FieldViolation,
    InvalidInputError,
    MissingExtraError,
    NotInBundleError,
    OutOfRangeError,
    PhonoscopeError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
)
from phonoscope_client.results.auralisation import Auralisation, HeardFeature
from phonoscope_client.results.bundle import AudibleNetwork, Bundle, ExchangeBank, Layer, Rule, TrainingData
from phonoscope_client.results.curve import Curve
from phonoscope_client.results.explanation import Doubt, Evidence, Explanation, Masking, Share, Trust
from phonoscope_client.results.inversion import Inversions, LayerInversion
from phonoscope_client.results.maximisation import Maximisation, MaximisationProgress, MaximisedExample
from phonoscope_client.results.parts import Axes, BundleReference, Label, MapPrecision, SoundWarning, Waveform
from phonoscope_client.results.passages import Passage, vocal_passages
from phonoscope_client.results.response import ResponseTerm
from phonoscope_client.results.segments import Segment, SegmentTrust
from phonoscope_client.results.track import (
    CurvePiece,
    LabelMap,
    RankedMoment,
    Track,
    TrackBegun,
    TrackExplanation,
    TrackProgress,
    TrackSummary,
    TrackTrust,
)
from phonoscope_client.transport.audio import AudioInput
from phonoscope_client.transport.channel import Tls
from phonoscope_client.transport.service import RunningService, running_service

__all__ = [
    "AudibleNetwork",
    "AudioInput",
    "Auralisation",
    "Axes",
    "Bundle",
    "BundleReference",
    "BusyError",
    "Client",
    "Curve",
    "CurvePiece",
    "DeadlineExceededError",
    "Doubt",
    "Evidence",
    "ExchangeBank",
    "Explanation",
    "FieldViolation",
    "HeardFeature",
    "InvalidInputError",
    "Inversions",
    "Label",
    "LabelMap",
    "Layer",
    "LayerInversion",
    "MapPrecision",
    "Masking",
    "Maximisation",
    "MaximisationProgress",
    "MaximisedExample",
    "MissingExtraError",
    "NotInBundleError",
    "OutOfRangeError",
    "Passage",
    "PhonoscopeError",
    "RankedMoment",
    "ResponseTerm",
    "Rule",
    "RunningService",
    "Segment",
    "SegmentTrust",
    "ServiceError",
    "Share",
    "SoundWarning",
    "Tls",
    "Track",
    "TrackBegun",
    "TrackExplanation",
    "TrackProgress",
    "TrackSummary",
    "TrackTrust",
    "TrainingData",
    "Trust",
    "UnauthenticatedError",
    "UnavailableError",
    "Waveform",
    "running_service",
    "vocal_passages",
]
