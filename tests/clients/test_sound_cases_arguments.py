"""Arguments that cannot be meant: each is refused by name, saying what to give, and nothing is sent."""

import re
from pathlib import Path

import numpy as np
import pytest
from phonoscope_client import Client, InvalidInputError, OutOfRangeError, ResponseTerm, Tls
from phonoscope_client.transport.audio import whole

TONE = np.sin(np.arange(8000, dtype=np.float32) / 9)
PAIR = (TONE, 8000)
NOWHERE = "127.0.0.1:1"  # nobody answers there: what is refused here never asks
SOUNDS = {
    "an empty array": ((TONE[:0], 8000), "samples", "there are none"),
    "no rows": ((np.zeros((0, 2), np.float32), 8000), "samples", "there are none"),
    "a number": ((0.5, 8000), "samples", "shape ()"),
    "a rate that is NaN": ((TONE, float("nan")), "sample_rate_hz", "nan; give a positive whole number of samples"),
    "an infinite rate": ((TONE, float("inf")), "sample_rate_hz", "inf; give"),
    "a rate with a fraction": ((TONE, 44100.9), "sample_rate_hz", "44100.9; give a positive whole number"),
    "a rate of zero": ((TONE, 0), "sample_rate_hz", "0; give"),
    "a negative rate": ((TONE, -8000), "sample_rate_hz", "-8000; give"),
    "a rate beyond counting": ((TONE, 2**40), "sample_rate_hz", "give"),
    "a rate in words": ((TONE, "8000"), "sample_rate_hz", "'8000'; give"),
    "a rate of True": ((TONE, True), "sample_rate_hz", "True; give"),
    "no rate": ((TONE, None), "sample_rate_hz", "None; give"),
    "a pair the wrong way round": (
        (8000, TONE),
        "audio",
        "the sample rate comes first; give (samples, sample_rate_hz)",
    ),
    "a triple": ((TONE, 8000, 1), "audio", "a tuple of 3; give (samples, sample_rate_hz)"),
    "a list for a pair": ([TONE, 8000], "audio", "give the path of a file"),
    "an array without its rate": (TONE, "audio", "without a sample rate; give (samples, sample_rate_hz)"),
    "16 bits": ((np.zeros(9, np.int16), 8000), "samples", "int16 values; give floating point, nominally in [-1, 1]"),
    "64 bits": ((np.zeros(9, np.int64), 8000), "samples", "int64 values; give floating point"),
    "a list of whole numbers": (([0, 1, 2], 8000), "samples", "int64 values; give floating point"),
    "complex numbers": ((np.zeros(9, np.complex64), 8000), "samples", "complex64 values"),
    "truth values": ((np.zeros(9, np.bool_), 8000), "samples", "bool values"),
    "objects": ((np.array([None, 1.0]), 8000), "samples", "object values"),
    "rows of different lengths": (([[0.1], [0.1, 0.2]], 8000), "samples", "make no array"),
    "three dimensions": ((np.zeros((2, 3, 4), np.float32), 8000), "samples", "shape (2, 3, 4); give [samples]"),
    "channels first": ((np.zeros((2, 8000), np.float32), 8000), "samples", "samples.T"),
    "NaN": ((np.where(np.arange(9) == 4, np.nan, 0.1), 8000), "samples", "sample 4 is [nan]; give finite numbers"),
    "what 32 bits do not hold": ((np.full(9, 1e300), 8000), "samples", "sample 0 is [1e+300]; give finite numbers"),
    "text that is no path": ("no such song", "audio", "there is no file 'no such song'"),
    "text with a zero": ("a\0b", "audio", r"there is no file 'a\x00b'"),
    "a name too long for any disk": ("a" * 5000, "audio", "cannot be read"),
    "a folder": (Path(__file__).parent, "audio", "is a folder; give the path of a file"),
    "nothing": (None, "audio", "None; give the path of a file, the bytes of one, or (samples, sample_rate_hz)"),
    "a number for a path": (3, "audio", "3; give the path of a file"),
    "no bytes": (b"", "audio", "the file is empty"),
}
MOMENTS = [float("nan"), float("inf"), "34", None, True, 3j, [3.0], np.array([3.0])]


@pytest.fixture(scope="module")
def client():
    with Client(NOWHERE, timeout_s=600) as opened:
        yield opened


def refused(ask, field, says, kind=InvalidInputError):
    with pytest.raises(kind, match=re.escape(says)) as caught:
        ask()
    assert str(caught.value).startswith(f"{field}: ")
    assert [each.field for each in caught.value.violations] == [field]


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_that_cannot_be_meant(client, name):
    audio, field, says = SOUNDS[name]
    for ask in (
        lambda: client.predict(audio),
        lambda: client.explain(audio, 0.5),
        lambda: client.invert_layers(audio, 0.5),
        lambda: client.auralise(audio, 0.5, "conv3"),
    ):
        refused(ask, field, says)


def asked_at(client, at_s):
    return (
        lambda: client.explain(PAIR, at_s),
        lambda: client.invert_layers(PAIR, at_s),
        lambda: client.auralise(PAIR, at_s, "conv3"),
    )


@pytest.mark.parametrize("at_s", MOMENTS, ids=str)
def test_a_moment_that_is_no_number(client, at_s):
    for ask in asked_at(client, at_s):
        refused(ask, "at_s", "give seconds from the recording's start, such as 34.5")


def test_a_moment_before_the_beginning(client):
    for ask in asked_at(client, -0.5):
        refused(ask, "at_s", "-0.5 s lies before the recording; give 0 or more", OutOfRangeError)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"alpha": True}, "alpha", 'True; give a number from 0 to 1, or "keep-label"'),
        ({"alpha": "most"}, "alpha", "'most'; give"),
        ({"alpha": float("nan")}, "alpha", "nan; give"),
        ({"alpha": np.array([0.1, 0.2])}, "alpha", "an array of float64, shape (2,); give"),
        ({"maximum_area": "half"}, "maximum_area", "'half'; give a share"),
        ({"alpha": 0.5, "maximum_area": 0.5}, "maximum_area", "give one of the two"),
        ({"masking": "m3"}, "masking", "'m3'; give m1 or m2"),
        ({"masking": ["m1"]}, "masking", "['m1']; give m1 or m2"),
        ({"listen": "no"}, "listen", "'no'; give True or False"),
        ({"detailed": 1}, "detailed", "1; give True or False"),
        ({"rule": 3}, "rule", "3; give the name"),
        ({"rule": "caf\udce9"}, "rule", r"'caf\udce9'; give the name"),
        ({"outside_db": "25"}, "outside_db", "'25'; give 0 to 120 decibels"),
        ({"control_seed": 1.5}, "control_seed", "1.5; give a whole number"),
        ({"control_seed": -1}, "control_seed", "-1; give a whole number of 0 or more, below 2147483648"),
    ],
    ids=str,
)
def test_options_of_an_explanation(client, options, field, says):
    refused(lambda: client.explain(PAIR, 0.5, **options), field, says)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"layers": "fc8"}, "layers", "'fc8'; give a list of names"),
        ({"layers": None}, "layers", "None; give a list of names"),
        ({"layers": [8]}, "layers", "8; give a list of names"),
        ({"layers": ["fc8"], "listen": None}, "listen", "None; give True or False"),
    ],
    ids=str,
)
def test_options_of_an_inversion(client, options, field, says):
    refused(lambda: client.invert_layers(PAIR, 0.5, **options), field, says)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"layer": 3}, "layer", "3; give the name of a layer"),
        ({"features": 7}, "features", "7; give a list of numbers"),
        ({"features": "1,7"}, "features", "'1,7'; give a list of numbers"),
        ({"features": [1.5]}, "features", "1.5; give a list of numbers"),
        ({"features": [-1]}, "features", "-1; give a list of numbers of features, counted from 0"),
        ({"strongest": "all"}, "strongest", "'all'; give a whole number"),
        ({"network": "singer"}, "network", "'singer'; give tagger or detector"),
        ({"network": {}}, "network", "{}; give tagger or detector"),
        ({"resynthesis": None}, "resynthesis", "None; give phase or spectrum"),
        ({"largest_activation_only": "yes"}, "largest_activation_only", "'yes'; give True or False"),
    ],
    ids=str,
)
def test_options_of_an_auralisation(client, options, field, says):
    refused(lambda: client.auralise(PAIR, 0.5, **{"layer": "conv3", **options}), field, says)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"terms": ResponseTerm()}, "terms", "give a list of terms"),
        ({"terms": ["fc7"]}, "terms[0]", "'fc7'; give a list of terms"),
        ({"terms": [ResponseTerm("fc7", -1)]}, "terms[0].channel", "-1; give a whole number"),
        ({"terms": [ResponseTerm("fc7", 1, float("nan"))]}, "terms[0].weight", "nan; give a number"),
        ({"terms": [ResponseTerm(7)]}, "terms[0].layer", "7; give a name"),
        ({"position": 3}, "position", "3; give a frame and a band"),
        ({"position": (1, 2, 3)}, "position", "(1, 2, 3); give a frame and a band"),
        ({"position": (1, 2.5)}, "position[1]", "2.5; give a whole number"),
        ({"direction": "up"}, "direction", "'up'; give maximise or minimise"),
        ({"examples": 0}, "examples", "0; give a whole number of 1 or more"),
        ({"examples": "4"}, "examples", "'4'; give a whole number"),
        ({"seed": None}, "seed", "None; give a whole number"),
        ({"steps": 1.5}, "steps", "1.5; give a whole number"),
        ({"learning_rate": "fast"}, "learning_rate", "'fast'; give a number"),
        ({"prior_weight": float("inf")}, "prior_weight", "inf; give a number"),
        ({"listen": 0}, "listen", "0; give True or False"),
    ],
    ids=str,
)
def test_options_of_a_maximisation(client, options, field, says):
    refused(lambda: client.maximise(**options), field, says)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"address": None}, "address", "None; give host:port"),
        ({"address": ""}, "address", "''; give host:port"),
        ({"timeout_s": 0}, "timeout_s", "0; give a positive number of seconds"),
        ({"timeout_s": float("nan")}, "timeout_s", "nan; give a positive number of seconds"),
        ({"timeout_s": float("inf")}, "timeout_s", "inf; give a positive number of seconds"),
        ({"timeout_s": "30"}, "timeout_s", "'30'; give a positive number of seconds"),
        ({"tls": "ca.pem"}, "tls", "'ca.pem'; give a phonoscope_client.Tls"),
        ({"tls": Tls(), "token": "é"}, "token", "give printable ASCII"),
        ({"token": "a\nb"}, "token", "give printable ASCII"),
        ({"token": 3}, "token", "3; give text"),
    ],
    ids=str,
)
def test_options_of_a_connection(options, field, says):
    refused(lambda: Client(**{"address": NOWHERE, **options}), field, says)


@pytest.mark.parametrize(
    "pair",
    [
        (TONE.astype(np.float64), 8000.0),
        (TONE.astype(np.float16), np.int32(8000)),
        (TONE[:, None], np.float64(8000)),
        ([0.1, 0.2], 8000),
    ],
    ids=["64 bits, a rate written as a float", "16 bits, NumPy's rate", "a column", "a list"],
)
def test_what_can_be_meant_is_taken(pair):
    assert whole(pair).pcm.sample_rate_hz == 8000
