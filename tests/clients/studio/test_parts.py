"""What needs no service: levels, segments, maps on other axes, cuts of a song, and answers that are kept."""

import itertools
import json

import numpy as np
import pytest
from phonoscope_client.errors import (
    BusyError,
    DeadlineExceededError,
    NotInBundleError,
    OutOfRangeError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
    invalid,
)
from phonoscope_client.results.parts import Axes
from phonoscope_client.results.segments import Segment
from phonoscope_client.studio.moments.kept import Kept
from phonoscope_client.studio.moments.pictures import Grid, on_grid
from phonoscope_client.studio.shelf.levels import Levels
from phonoscope_client.studio.shelf.segments import Segments
from phonoscope_client.studio.shelf.sound import MOST_PEAKS, Sound
from phonoscope_client.studio.web.failures import answer_error, described
from phonoscope_client.transport import decoding
from starlette.exceptions import HTTPException

RATE = 70.0


@pytest.fixture
def levels(tmp_path):
    made = Levels(tmp_path / "levels", 80)
    yield made
    made.close()


def test_an_hour_of_levels_is_a_file_that_has_no_name_and_no_memory(levels, tmp_path):
    piece = np.random.default_rng(0).uniform(-8, 3, (350, 80)).astype(np.float32)
    for _ in range(720):
        levels.append(piece)
    assert levels.frames == 252_000
    assert not list(tmp_path.iterdir())
    assert levels.tile(984).shape == (96, 80)
    assert levels.tile(985).shape == (0, 80)
    np.testing.assert_array_equal(levels.shown(350, 700), levels.shown(0, 350))


def test_levels_are_relative_to_the_loudest_so_far(levels):
    levels.append(np.zeros((2, 80), np.float32))
    before_db = levels.loudest_db
    assert levels.tile(0).min() == 255
    levels.append(np.full((1, 80), np.log(10), np.float32))
    assert levels.loudest_db - before_db == pytest.approx(20, abs=0.5)
    assert levels.tile(0)[0, 0] == pytest.approx(255 * 50 / 70, abs=2)
    assert levels.tile(0)[2, 0] == 255


@pytest.mark.parametrize("size", [1, 7, 350, 3000])
def test_segments_are_the_same_however_the_curve_is_cut(size):
    random = np.random.default_rng(1)
    curve = np.clip(np.repeat(random.uniform(0, 1, 60), 50) + random.normal(0, 0.2, 3000), 0, 1).astype(np.float32)
    half = round(0.8 * RATE) // 2
    padded = np.pad(curve >= 0.4, half, mode="edge")
    most = [2 * padded[at : at + 2 * half + 1].sum() > 2 * half + 1 for at in range(len(curve))]
    edges = [0, *(np.flatnonzero(np.diff(most)) + 1), len(curve)]
    expected = [("a" if most[start] else "b", start, end) for start, end in itertools.pairwise(edges)]
    summed = [Segment(start / RATE, end / RATE, label, 0.5) for label, start, end in expected]

    segments, told = Segments(("a", "b"), RATE, 0.4, 0.8), []
    for first in range(0, len(curve), size):
        told.extend(segments.decided(curve[first : first + size]))
    assert len(told) >= len(expected) - 2
    told.extend(segments.rest(summed))
    assert [(part["label"], round(part["start_s"] * RATE), round(part["end_s"] * RATE)) for part in told] == expected


def test_a_map_lies_on_the_grid_where_its_own_axes_say():
    grid = Grid(70.0, np.array([100, 1000, 4000, 8000], np.float32))
    axes = Axes(2.0, 35.0, np.arange(0, 5512, 50, dtype=np.float32))
    values = np.zeros((10, len(axes.band_centre_hz)), np.uint8)
    values[4, 20] = 9  # at 1000 Hz
    shown, start_s = on_grid(values, axes, grid)
    assert shown.shape == (20, 4)
    assert start_s == pytest.approx(2.0)
    assert np.argwhere(shown).tolist() == [[8, 1], [9, 1]]


def test_a_map_on_the_grids_own_axes_stays_as_it_is():
    band_hz = np.array([100, 1000], np.float32)
    values = np.ones((5, 2), np.uint8)
    shown, start_s = on_grid(values, Axes(-0.5, 70.0, band_hz), Grid(70.0, band_hz))
    assert shown is values
    assert start_s == pytest.approx(-0.5)


@pytest.fixture
def sound(song, tmp_path):
    return Sound(song, decoding.measure(song), tmp_path, "song")


def test_of_a_decoded_song_no_more_than_a_moment_is_sent(sound, song, tone):
    assert sound.around(4.0, 1.6) == (song, 0)
    sound.decode()
    (samples, rate_hz), start_s = sound.around(4.0, 1.6)
    assert (rate_hz, start_s, samples.shape) == (22050, 2, (4 * 22050, 1))
    np.testing.assert_allclose(samples[:, 0], tone[2 * 22050 : 6 * 22050], atol=1e-4)
    sound.forget()
    assert sound.around(4.0, 1.6) == (song, 0)


def test_a_moment_at_the_end_is_cut_there_and_none_beyond_it(sound):
    sound.decode()
    (samples, _), start_s = sound.around(7.9, 1.6)
    assert (start_s, len(samples)) == (6, 2 * 22050)
    with pytest.raises(OutOfRangeError, match="song's end"):
        sound.around(8.1, 1.6)


def test_peaks_are_of_the_whole_song(sound, tone):
    per_second, peaks = sound.peaks()
    assert len(peaks) == pytest.approx(8 * per_second, abs=1)
    assert len(peaks) < MOST_PEAKS
    assert peaks[:, 1].max() == round(127 * float(tone.max()))
    assert peaks[:, 0].min() == round(127 * float(tone.min()))


def test_a_song_too_long_for_a_file_of_samples_is_drawn_all_the_same(sound, song, tmp_path):
    longer = Sound(song, sound.length, tmp_path, "longer", most_samples_bytes=1000)
    np.testing.assert_array_equal(longer.peaks()[1], sound.peaks()[1])
    assert longer.around(4.0, 1.6) == (song, 0)
    assert (tmp_path / "longer.f32").stat().st_size == 0


def test_what_was_not_used_for_longest_is_forgotten():
    kept = Kept(2, "thing")
    first, second = kept.keep("a"), kept.keep("b")
    assert kept.get(first) == "a"
    third = kept.keep("c")
    assert (kept.get(first), kept.get(third)) == ("a", "c")
    with pytest.raises(HTTPException) as caught:
        kept.get(second)
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (BusyError("full", retry_after_s=1.5), 503, "busy"),
        (UnavailableError("away"), 503, "starting again"),
        (DeadlineExceededError("late"), 504, "--timeout-s"),
        (UnauthenticatedError("who"), 502, "PHONOSCOPE_TOKEN"),
        (NotInBundleError("the bundle has no generator"), 422, "generator"),
        (invalid("rule", "give masker"), 400, "masker"),
        (ServiceError("a defect", request_id="7"), 502, "request 7"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else "",
)
async def test_what_goes_wrong_is_said_in_words_with_what_to_do(error, status, word):
    answer = await answer_error(None, error)
    said = json.loads(answer.body)["error"]
    assert answer.status_code == status
    assert word in said["message"]
    assert (said["retry_after_s"] is not None) == (status == 503)
    assert said["field"] == ("rule" if status == 400 else None)


def test_a_busy_service_is_asked_again_when_it_says():
    assert described(BusyError("full", retry_after_s=1.5))["retry_after_s"] == 1.5
