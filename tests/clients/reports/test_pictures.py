"""Pictures: where bands, seconds and regions come to lie."""

import io
import re

import matplotlib.image
import numpy as np
import pytest
from phonoscope_client.reports.curve import columns
from phonoscope_client.reports.pictures import Scale, decibels, frequency_ticks, png, time_ticks
from phonoscope_client.reports.region import area, outline
from support.services.client_results import mel_centres_hz


def decoded(data):
    """`[M, T, 4]` colours in [0, 1], the top row first."""
    return matplotlib.image.imread(io.BytesIO(data), format="png")


@pytest.mark.parametrize("band", [0, 1, 17, 42, 78, 79])
def test_a_bands_centre_frequency_lies_in_the_middle_of_its_row(band):
    centres = mel_centres_hz()
    (tick,) = frequency_ticks(centres, [float(centres[band])])
    assert tick.place == pytest.approx((band + 0.5) / 80, abs=1e-9)


def test_frequencies_between_centres_rise_and_those_beyond_the_bands_are_left_out():
    ticks = frequency_ticks(mel_centres_hz(), [5, 100, 101, 1000, 1001, 7700, 9000])
    assert [tick.text for tick in ticks] == ["100 Hz", "101 Hz", "1 kHz", "1.001 kHz", "7.7 kHz"]
    places = [tick.place for tick in ticks]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < 1


def test_the_usual_ticks_are_labelled_in_hertz_and_kilohertz():
    texts = [tick.text for tick in frequency_ticks(mel_centres_hz())]
    assert texts == ["100 Hz", "200 Hz", "500 Hz", "1 kHz", "2 kHz", "5 kHz"]


@pytest.mark.parametrize(("start_s", "stop_s"), [(29.186, 30.829), (-0.8, 0.84), (0.0, 0.001), (0.0, 95.0)])
def test_time_ticks_lie_where_their_text_says(start_s, stop_s):
    ticks = time_ticks(start_s, stop_s)
    assert 3 <= len(ticks) <= 11
    for tick in ticks:
        assert start_s + tick.place * (stop_s - start_s) == pytest.approx(float(tick.text), abs=1e-6)


def test_zero_seconds_has_no_sign():
    assert "0.0" in [tick.text for tick in time_ticks(-0.3, 0.3)]


def test_long_times_are_minutes_and_seconds():
    ticks = time_ticks(0, 166)
    assert [tick.text for tick in ticks][:3] == ["0:00", "0:30", "1:00"]
    assert ticks[2].place == pytest.approx(60 / 166)


def test_a_picture_has_a_pixel_for_each_bin_with_the_lowest_band_at_the_bottom():
    values = np.zeros((5, 3), np.float32)
    values[4, 0] = 1  # last frame, lowest band
    picture = decoded(png(values, Scale("gray", 0, 1)))
    assert picture.shape == (3, 5, 4)
    assert np.argwhere(picture[..., 0] == 1).tolist() == [[2, 4]]


def test_values_beyond_the_scale_take_its_end_colours():
    values = np.array([[-9, 0, 1, 9]], np.float32)
    picture = decoded(png(values, Scale("gray", 0, 1)))
    assert picture[::-1, 0, 0].tolist() == [0, 0, 1, 1]


def test_outside_the_region_a_picture_is_transparent():
    inside = np.array([[True, False], [False, True]])
    alpha = decoded(png(np.ones((2, 2), np.float32), Scale("gray", 0, 1), inside=inside))[..., 3]
    np.testing.assert_array_equal(alpha.astype(bool), inside.T[::-1])


def test_the_colour_bar_runs_from_the_lowest_colour_to_the_highest():
    gradient = Scale("gray", -3, 3).gradient(3)
    assert (gradient[0], gradient[-1]) == ("#000000", "#ffffff")


def test_a_tenth_of_the_magnitude_is_20_decibels_less():
    assert decibels(np.log(np.array([[1.0, 0.1]], np.float32))) == pytest.approx(np.array([[0, -20]]), abs=1e-4)


@pytest.fixture(params=range(3))
def mask(request):
    return np.random.default_rng(request.param).uniform(size=(9, 7)) > 0.5


def test_the_outline_has_an_edge_exactly_between_bins_that_differ(mask):
    padded = np.pad(mask, 1)
    frames, bands = mask.shape
    across, down = set(), set()
    for x, y, direction, end in re.findall(r"M(\d+) (\d+)([HV])(\d+)", outline(mask)):
        if direction == "H":
            across |= {(frame, int(y)) for frame in range(int(x), int(end))}
        else:
            down |= {(int(x), row) for row in range(int(y), int(end))}

    def inside(frame, row):  # rows count from the highest band down
        return padded[frame + 1, bands - row]

    assert across == {
        (frame, row)
        for frame in range(frames)
        for row in range(bands + 1)
        if inside(frame, row) != inside(frame, row - 1)
    }
    assert down == {
        (frame, row)
        for frame in range(frames + 1)
        for row in range(bands)
        if inside(frame, row) != inside(frame - 1, row)
    }


def test_the_area_covers_exactly_the_bins_of_the_region(mask):
    bands = mask.shape[1]
    covered = {
        (frame, bands - 1 - int(row))
        for first, row, last in re.findall(r"M(\d+) (\d+)H(\d+)v1H\1z", area(mask))
        for frame in range(int(first), int(last))
    }
    assert covered == {tuple(bin_) for bin_ in np.argwhere(mask).tolist()}


@pytest.mark.parametrize("frames", [1, 7, 1000, 12345])
def test_the_columns_of_a_curve_hold_the_lowest_mean_and_highest_of_every_frame_once(frames):
    probability = np.random.default_rng(frames).uniform(size=frames).astype(np.float32)
    low, mean, high = columns(probability, most=100)
    pieces = np.split(probability, (np.arange(1, len(mean)) * frames / len(mean)).astype(int))
    assert len(mean) == min(frames, 100)
    np.testing.assert_array_equal(low, [piece.min() for piece in pieces])
    np.testing.assert_allclose(mean, [piece.mean() for piece in pieces], rtol=1e-5)
    np.testing.assert_array_equal(high, [piece.max() for piece in pieces])
