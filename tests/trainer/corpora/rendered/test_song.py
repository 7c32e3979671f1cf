"""Songs made from nothing: the same each time, labelled where the voice sounds, and free of clipping."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from phonoscope_trainer.corpora.rendered import RenderedSong, RenderOptions, render_song
from phonoscope_trainer.corpora.rendered.form import compose_form
from phonoscope_trainer.corpora.rendered.styles import CHOIRS
from phonoscope_trainer.errors import OptionsError

SHORT = RenderOptions(shortest_s=8, longest_s=9)
SEED = 5
INDICES = range(12)  # a third of such songs has no singer


@pytest.fixture(scope="module")
def songs() -> list[RenderedSong]:
    return [render_song(SEED, index, SHORT) for index in INDICES]


def inside(song: RenderedSong) -> np.ndarray:
    times = np.arange(len(song.voice)) / SHORT.sample_rate_hz
    sung = np.zeros(len(times), dtype=bool)
    for segment in song.vocals:
        sung |= (times >= segment.start_s) & (times < segment.end_s)
    return sung


def test_a_song_is_remade_identically_whatever_was_rendered_before(songs):
    for index in (3, 0):
        again = render_song(SEED, index, SHORT)
        np.testing.assert_array_equal(again.voice, songs[index].voice)
        np.testing.assert_array_equal(again.accompaniment, songs[index].accompaniment)
        assert again.vocals == songs[index].vocals
        assert again.description == songs[index].description


def test_a_song_does_not_depend_on_how_many_there_are(songs):
    many = RenderOptions(seed=9, songs=1000, shortest_s=8, longest_s=9)
    np.testing.assert_array_equal(render_song(SEED, 1, many).voice, songs[1].voice)


def test_other_seeds_and_indices_give_other_songs(songs):
    assert not np.array_equal(render_song(SEED + 1, 0, SHORT).accompaniment, songs[0].accompaniment)
    described = [song.description for song in songs]
    assert len({d["tempo_bpm"] for d in described}) == len(songs)
    assert len({d["style"] for d in described}) > 2


def test_stems_are_finite_equally_long_and_their_sum_does_not_clip(songs):
    for song in songs:
        assert song.voice.dtype == song.accompaniment.dtype == np.float32
        assert song.voice.shape == song.accompaniment.shape
        assert 8 * SHORT.sample_rate_hz <= len(song.voice) <= 9 * SHORT.sample_rate_hz
        for samples in (song.voice, song.accompaniment, song.voice + song.accompaniment):
            assert np.isfinite(samples).all()
            assert np.abs(samples).max() < 1


def test_segments_hold_the_voice_and_the_voice_fills_them(songs):
    sung_songs = [song for song in songs if song.vocals]
    assert len(sung_songs) >= 5
    for song in sung_songs:
        power = np.square(song.voice, dtype=np.float64)
        sung = inside(song)
        assert power[sung].sum() >= 0.95 * power.sum()
        window = SHORT.sample_rate_hz // 20
        frames = power[: len(power) // window * window].reshape(-1, window).mean(axis=1)
        frames_sung = sung[: len(frames) * window].reshape(-1, window).all(axis=1)
        loud = frames > 1e-4 * frames[frames_sung].mean()
        assert loud[frames_sung].mean() > 0.8


def test_no_song_is_digitally_silent_between_its_notes(songs):
    tenth = SHORT.sample_rate_hz // 10
    for song in songs:
        mixture = song.voice + song.accompaniment
        tenths = mixture[: len(mixture) // tenth * tenth].reshape(-1, tenth)
        assert np.sqrt(np.square(tenths, dtype=np.float64).mean(axis=1)).min() > 10 ** (-90 / 20)


def test_pauses_between_segments_are_at_least_three_tenths_of_a_second(songs):
    for song in songs:
        for before, after in pairwise(song.vocals):
            assert after.start_s - before.end_s >= 0.3 - 1e-9


def test_an_instrumental_song_has_neither_voice_nor_labels():
    for index in range(60):
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(index,)).spawn(4)[0])
        form = compose_form(rng, float(rng.uniform(8, 9)))
        if not any(section.sung for section in form.sections):
            song = render_song(SEED, index, SHORT)
            assert song.vocals == ()
            assert not song.voice.any()
            assert song.description["singers"] == []
            return
    pytest.fail("no instrumental song among sixty")


def test_choir_patches_sound_in_the_accompaniment_and_are_never_labelled():
    found = 0
    for index in range(100, 160):
        rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(index,)).spawn(4)[0])
        form = compose_form(rng, float(rng.uniform(8, 9)))
        if any(section.sung for section in form.sections):
            continue
        song = render_song(SEED, index, SHORT)
        if song.description["choir_patches"]:
            found += 1
            assert set(song.description["choir_patches"]) <= set(CHOIRS)
            assert song.accompaniment.any()
            assert not song.voice.any()
            assert song.vocals == ()
    assert found


def test_a_lower_sample_rate_keeps_the_duration():
    slow = RenderOptions(shortest_s=4, longest_s=4, sample_rate_hz=16_000)
    song = render_song(SEED, 0, slow)
    assert len(song.voice) == len(song.accompaniment) == 64_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed must not be negative, is -1"),
        ({"songs": 0}, "songs must be at least 1"),
        ({"shortest_s": 1.0}, "shortest_s must be at least 4"),
        ({"shortest_s": 60.0, "longest_s": 50.0}, "at most longest_s"),
        ({"sample_rate_hz": 44_100}, "sample_rate_hz must lie in"),
        ({"train_fraction": 1.5}, "train_fraction must lie in"),
        ({"valid_fraction": -0.1}, "valid_fraction must lie in"),
        ({"train_fraction": 0.8, "valid_fraction": 0.3}, "must not add up to more than 1"),
    ],
)
def test_options_outside_their_range_are_named(wrong, message):
    with pytest.raises(OptionsError, match=message):
        RenderOptions(**wrong)


def test_every_prefix_of_the_songs_has_about_the_asked_for_splits():
    options = RenderOptions(train_fraction=0.8, valid_fraction=0.1)
    for count in (20, 55, 400):
        splits = [options.split_of(index) for index in range(count)]
        assert abs(splits.count("train") / count - 0.8) < 0.06
        assert splits.count("valid") > 0
        assert splits.count("test") > 0
