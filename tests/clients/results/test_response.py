"""How people write what is to respond."""

import pytest
from phonoscope_client import InvalidInputError, ResponseTerm
from phonoscope_client.results.response import Response, parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("output", Response((ResponseTerm("logit"),))),
        ("logit", Response((ResponseTerm("logit"),))),
        ("mp6", Response((ResponseTerm("mp6"),))),
        ("fc7:12", Response((ResponseTerm("fc7", 12),))),
        ("conv5:3@16x10", Response((ResponseTerm("conv5", 3),), (16, 10))),
        ("fc7:12*0.5,fc8*-1", Response((ResponseTerm("fc7", 12, 0.5), ResponseTerm("fc8", None, -1)))),
        ("-0.5*fc7:40", Response((ResponseTerm("fc7", 40, -0.5),))),
        ("+.5*fc7, fc8*2.", Response((ResponseTerm("fc7", None, 0.5), ResponseTerm("fc8", None, 2)))),
        ("fc8*1e-3", Response((ResponseTerm("fc8", None, 0.001),))),
        ("conv5@1x2*3,conv5:0@1x2", Response((ResponseTerm("conv5", None, 3), ResponseTerm("conv5", 0)), (1, 2))),
        ("fc7*0", Response((ResponseTerm("fc7", None, 0),))),
    ],
    ids=str,
)
def test_a_response_is_terms_with_commas_between_them(text, expected):
    assert parsed(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "fc7,", "FC7", "fc7:x", "fc7:-1", "fc7:1:2", "1.2.3*fc7", "fc7*1.2.3", "2*fc7*2", "conv5@1", "fc7*", "*fc7"],
)
def test_what_is_no_unit_is_shown_with_what_would_be_one(text):
    with pytest.raises(InvalidInputError, match="is no unit; write output, fc7, fc7:12"):
        parsed(text)


def test_a_response_is_looked_at_in_one_position():
    with pytest.raises(InvalidInputError, match="position: 1x2 and 16x10; give one for all terms"):
        parsed("conv5:3@16x10,conv5:4@1x2")
