"""Maps in two bytes a value, as a caller asks for them."""

import numpy as np
import pytest
from phonoscope.v1 import time_frequency_pb2
from phonoscope.v1.auralisation_pb2 import NETWORK_DETECTOR, AuraliseRequest
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope.v1.inversion_pb2 import InvertLayersRequest
from phonoscope.v1.maximisation_pb2 import MaximiseRequest
from phonoscope.v1.track_pb2 import EncodedStream, ExplainTrackRequest, TrackMoments, TrackSettings
from phonoscope_serving.rpcs.wire import LARGEST_HALF, time_frequency_map
from support.corpora.sound import encoded, music, pcm
from support.services.running import array, refusal, violated

FLOAT16 = time_frequency_pb2.MAP_PRECISION_FLOAT16
SOUND = pcm(music(3))


def maps(message, name=""):
    """Every map of a message, by its place."""
    if isinstance(message, time_frequency_pb2.TimeFrequencyMap):
        yield name, message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for number, each in enumerate(value if field.is_repeated else [value]):
                yield from maps(each, f"{name}.{field.name}{number}")


def track(precision):
    settings = TrackSettings(
        encoded=EncodedStream(),
        moments=TrackMoments(at_s=[1.0, 2.0]),
        maps=True,
        spectrogram=True,
        map_precision=precision,
    )
    yield ExplainTrackRequest(settings=settings)
    yield ExplainTrackRequest(chunk=encoded(music(3), 22050, "FLAC"))


ASKS = {
    "Explain": lambda stub, p: [stub.Explain(ExplainRequest(audio=SOUND, at_s=1.0, detailed=True, map_precision=p))],
    "InvertLayers": lambda stub, p: [stub.InvertLayers(InvertLayersRequest(audio=SOUND, at_s=1.0, map_precision=p))],
    "Auralise": lambda stub, p: [
        stub.Auralise(
            AuraliseRequest(
                audio=SOUND, at_s=1.0, network=NETWORK_DETECTOR, layer="conv4", strongest=2, map_precision=p
            )
        )
    ],
    "Maximise": lambda stub, p: list(stub.Maximise(MaximiseRequest(examples=1, steps=2, map_precision=p))),
    "ExplainTrack": lambda stub, p: list(stub.ExplainTrack(track(p))),
}


@pytest.mark.parametrize("method", ASKS)
def test_every_map_of_an_answer_is_written_as_it_was_asked_for(service, method):
    whole, half = ({}, {})
    for found, precision in ((whole, 0), (half, FLOAT16)):
        for number, message in enumerate(ASKS[method](service.stub, precision)):
            found |= {(number, place): each for place, each in maps(message)}
    assert whole
    assert whole.keys() == half.keys()
    for place, given in whole.items():
        written = half[place]
        assert (given.precision, written.precision) == (0, FLOAT16)
        assert 2 * len(written.values) == len(given.values) == 4 * given.frames * given.bands
        exact = array(given)
        values = np.frombuffer(written.values, "<f2").reshape(exact.shape)
        np.testing.assert_allclose(values, exact, rtol=2**-10, atol=1e-4)


def test_what_half_precision_cannot_hold_becomes_the_largest_that_it_can():
    message = time_frequency_map(np.array([[1e6, -1e6, 1.0]], np.float32), half=True)
    assert np.frombuffer(message.values, "<f2").tolist() == [LARGEST_HALF, -LARGEST_HALF, 1.0]


def test_a_precision_that_there_is_not_is_refused_by_name(service):
    error = refusal(service.stub.Explain, ExplainRequest(audio=SOUND, at_s=1.0, map_precision=9))
    assert violated(error) == {"map_precision": "is 9, which names no map precision"}
    settings = TrackSettings(encoded=EncodedStream(), map_precision=9)
    error = refusal(lambda: list(service.stub.ExplainTrack(iter([ExplainTrackRequest(settings=settings)]))))
    assert violated(error) == {"settings.map_precision": "is 9, which names no map precision"}
