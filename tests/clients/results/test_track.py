"""Whole tracks: put together from their parts, kept in archives, as JSON, and where their regions lie."""

import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from phonoscope_client import ServiceError
from phonoscope_client.results.track import CurvePiece, Track, collected
from phonoscope_client.results.track.box import box
from support.services.track_results import begun, explanation, summary, track


def assert_same(left, right):
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        for name in left:
            assert_same(left[name], right[name])
    elif isinstance(left, tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif is_dataclass(left):
        for field in fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


@pytest.mark.parametrize(
    "made",
    [track(), track(listen=False, log_mel=None), track(explanations=(), summary=summary(segments=(), relevance=()))],
    ids=["whole", "without sound and log-mel", "without explanations"],
)
def test_a_track_is_the_same_after_saving_and_loading(made, tmp_path):
    made.save(tmp_path / "track.npz")
    assert_same(Track.load(tmp_path / "track.npz"), made)


def test_the_json_of_a_track_has_what_tools_ask_for():
    made = track()
    document = json.loads(json.dumps(made.to_json()))
    assert document["frames_per_second"] == 70
    np.testing.assert_array_equal(np.array(document["probability"], np.float32), made.probability)
    assert [each["label"] for each in document["segments"]] == ["instrumental", "vocal", "instrumental"]
    assert document["segments"][1]["trust"]["share_held"] == 1
    assert [each["at_s"] for each in document["explanations"]] == [5, 15, 25]
    assert [each["trust"]["holds"] for each in document["explanations"]] == [False, True, None]
    assert document["explanations"][0]["trust"]["silhouette"]["kept"] == 1
    assert document["explanations"][0]["region"].keys() == {"start_s", "end_s", "low_hz", "high_hz"}
    assert document["summary"]["share_held"] == 0.5
    assert document["bundle"]["name"] == "noise-1"


def pieces(made, length):
    for first in range(0, len(made.probability), length):
        until = first + length
        yield CurvePiece(first + 140, made.probability[first:until], made.log_mel[first:until])


def test_parts_are_put_together_and_explanations_are_in_the_order_of_time():
    made = track()
    first, second, third = made.explanations
    curve = list(pieces(made, 512))
    whole = collected([made.begun, *curve[:2], third, first, *curve[2:], second, made.summary])
    np.testing.assert_array_equal(whole.probability, made.probability)
    np.testing.assert_array_equal(whole.log_mel, made.log_mel)
    assert whole.explanations == (first, second, third)
    assert (whole.start_s, whole.end_s) == (2, 32)


def test_a_track_of_which_only_its_beginning_is_known_has_an_empty_curve():
    whole = collected([begun(), summary(complete=False, frames=0, segments=())])
    assert len(whole.probability) == 0
    assert whole.log_mel is None


@pytest.mark.parametrize(
    ("left_out", "said"), [(0, "beginning"), (-1, "summary"), (2, "left out frames of the curve before frame 1164")]
)
def test_a_part_that_is_missing_is_the_services_defect(left_out, said):
    made = track()
    parts = [made.begun, *pieces(made, 512), made.summary]
    del parts[left_out]
    with pytest.raises(ServiceError, match=said):
        collected(parts)


def slow_box(mask, start_s, frames_per_second, band_centre_hz):
    """Bin by bin: where the first and last bins lie once a tenth is left out at each end."""

    def middle(places):
        places = sorted(places)
        tenth = len(places) / 10
        inside = [place for place in sorted(set(places)) if sum(each <= place for each in places) > tenth]
        until = [place for place in sorted(set(places)) if sum(each <= place for each in places) >= len(places) - tenth]
        return inside[0], until[0]

    frames, bands = np.nonzero(mask)
    (first, last), (low, high) = middle(frames.tolist()), middle(bands.tolist())
    below = band_centre_hz[low] if low == 0 else (band_centre_hz[low - 1] + band_centre_hz[low]) / 2
    above = (
        band_centre_hz[high]
        if high == len(band_centre_hz) - 1
        else (band_centre_hz[high] + band_centre_hz[high + 1]) / 2
    )
    return max(0, start_s + first / frames_per_second), max(0, start_s + (last + 1) / frames_per_second), below, above


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 1.0])
@pytest.mark.parametrize("start_s", [-0.8, 12.0])
def test_a_box_holds_the_middle_of_a_region(share, start_s):
    noise = np.random.default_rng(9)
    mask = noise.uniform(size=(115, 80)) < share
    found = box(mask, start_s, 70.0, begun().band_centre_hz)
    expected = slow_box(mask, start_s, 70.0, begun().band_centre_hz)
    assert (found.start_s, found.end_s, found.low_hz, found.high_hz) == pytest.approx(expected)


def test_a_region_of_one_bin_is_a_box_of_one_bin_and_an_empty_one_is_none():
    mask = np.zeros((115, 80), bool)
    assert box(mask, 0.0, 70.0, begun().band_centre_hz) is None
    mask[7, 79] = True
    found = box(mask, 0.0, 70.0, begun().band_centre_hz)
    assert (found.start_s, found.end_s) == pytest.approx((7 / 70, 8 / 70))
    assert found.high_hz == pytest.approx(begun().band_centre_hz[-1])


def test_what_is_removed_is_what_the_regions_sound_leaves_soft():
    inside, outside = np.random.default_rng(4).normal(size=(2, 36934)).astype(np.float32)
    gain = 10 ** (-20 / 20)
    made = explanation(15.0, "vocal", track().explanations[0].trust)
    made = replace(
        made,
        original_audio=replace(made.original_audio, samples=inside + outside),
        explanation_audio=replace(made.original_audio, samples=np.float32(inside + gain * outside)),
    )
    np.testing.assert_allclose(made.removed_audio(20.0).samples, gain * inside + outside, atol=1e-5)
    assert replace(made, explanation_audio=None).removed_audio(20.0) is None
