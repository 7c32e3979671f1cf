"""A curve out of protocol buffers."""

from __future__ import annotations

import numpy as np
from phonoscope.v1 import prediction_pb2

from phonoscope_client.messages.wire import bundle_reference, decimal, sound_warnings
from phonoscope_client.results.curve import Curve


def curve(response: prediction_pb2.PredictResponse) -> Curve:
    """The curve in a response."""
    return Curve(
        bundle=bundle_reference(response.bundle),
        probability=np.array(response.probability, np.float32),
        frames_per_second=response.frames_per_second,
        threshold=decimal(response.threshold),
        warnings=sound_warnings(response.warnings, 0),
    )
