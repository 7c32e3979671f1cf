"""Asks a Phonoscope service what a machine listener hears, and why it answers as it does.

Example:
    with Client("localhost:50051") as client:
        explanation = client.explain("song.mp3", at_s=34.0)
        print(explanation.label, explanation.trust.label_kept)

The exceptions are drawn in `phonoscope_client.errors`. `phonoscope_client.report` and `.curve_report` make the HTML
reports; they alone need Matplotlib.
"""

from phonoscope_client.answer_parts import Axes, BundleReference, Label, Waveform
from phonoscope_client.audio import AudioInput
from phonoscope_client.auralisations import Auralisation, HeardFeature
from phonoscope_client.bundles import AudibleNetwork, Bundle, Layer, Rule, TrainingData
from phonoscope_client.channel import Tls
from phonoscope_client.client import Client
from phonoscope_client.curves import Curve
from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    FieldViolation,
    InvalidInputError,
    NotInBundleError,
    OutOfRangeError,
    PhonoscopeError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
)
from phonoscope_client.explanations import Explanation, Masking, Trust
from phonoscope_client.inversions import Inversions, LayerInversion
from phonoscope_client.maximisations import AscentProgress, Maximisation, MaximisedExample, ResponseTerm
from phonoscope_client.passages import Passage, vocal_passages
from phonoscope_client.service import running_service

__all__ = [
    "AscentProgress",
    "AudibleNetwork",
    "AudioInput",
    "Auralisation",
    "Axes",
    "Bundle",
    "BundleReference",
    "BusyError",
    "Client",
    "Curve",
    "DeadlineExceededError",
    "Explanation",
    "FieldViolation",
    "HeardFeature",
    "InvalidInputError",
    "Inversions",
    "Label",
    "Layer",
    "LayerInversion",
    "Masking",
    "Maximisation",
    "MaximisedExample",
    "NotInBundleError",
    "OutOfRangeError",
    "Passage",
    "PhonoscopeError",
    "ResponseTerm",
    "Rule",
    "ServiceError",
    "Tls",
    "TrainingData",
    "Trust",
    "UnauthenticatedError",
    "UnavailableError",
    "Waveform",
    "running_service",
    "vocal_passages",
]
