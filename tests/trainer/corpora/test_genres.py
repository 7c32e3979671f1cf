"""Every song as a ballad, as dance music and as hip-hop: alike in all but the arrangement."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from phonoscope_trainer.corpora import labelled
from phonoscope_trainer.corpora.genres import GENRES, GenreOptions, arrange_song, descriptions, render
from phonoscope_trainer.corpora.genres.song import rearranged
from phonoscope_trainer.corpora.genres.styles import SONG
from phonoscope_trainer.corpora.rendered.form import compose_form
from phonoscope_trainer.errors import CorpusError, OptionsError

OPTIONS = GenreOptions(seed=3, songs=2, duration_s=4)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("genres")
    render(folder, OPTIONS, progress=False)
    return folder


def test_the_label_is_not_in_the_key_the_tempo_the_singer_or_the_level():
    song = arrange_song(3, 1, OPTIONS)
    assert set(song) == set(GENRES)
    for figure in ("tempo_bpm", "tonic", "mode", "singer", "sung_s"):
        assert len({each.description[figure] for each in song.values()}) == 1
    levels = [float(np.sqrt(np.mean(np.square(each.samples)))) for each in song.values()]
    assert max(levels) / min(levels) < 1.02
    assert max(np.abs(each.samples).max() for each in song.values()) <= 1


def test_arrangements_differ_in_what_is_played():
    song = arrange_song(3, 1, OPTIONS)
    drums = {
        name: next(part["pattern"] for part in each.description["instruments"] if part["role"] == "drums")
        for name, each in song.items()
    }
    assert all(drums[name] in GENRES[name].style.drums for name in GENRES)


def test_the_same_seed_gives_the_same_song():
    first, second = (arrange_song(3, 0, OPTIONS)["dance"].samples for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_hip_hop_repeats_two_chords_of_two_bars_each():
    form = compose_form(np.random.default_rng(1), 30, SONG)
    hip_hop = rearranged(form, GENRES["hip-hop"])
    loop = form.sections[0].chords[:2]
    for section in hip_hop.sections:
        assert section.chords[:4] == tuple(loop[bar // 2 % len(loop)] for bar in range(len(section.chords)))[:4]
        assert section.band


def test_a_rendered_corpus_is_a_labelled_folder_split_by_song(root):
    music = labelled.load(root)
    assert music.labels == tuple(sorted(GENRES))
    assert len(music.songs) == 2 * len(GENRES)
    for group in {song.group for song in music.songs}:
        assert len({song.split for song in music.songs if song.group == group}) == 1
    assert set(descriptions(root)) == {song.name for song in music.songs}
    assert json.loads((root / "manifest.json").read_text())["options"]["seed"] == 3


def test_rendering_goes_on_where_it_stopped_and_makes_the_same(root, tmp_path):
    render(tmp_path, replace(OPTIONS, songs=1), progress=False)
    music = render(tmp_path, OPTIONS, progress=False)
    assert [song.path.read_bytes() for song in music.songs] == [
        song.path.read_bytes() for song in labelled.load(root).songs
    ]


def test_another_seed_does_not_mix_with_what_is_there(root):
    with pytest.raises(CorpusError, match="songs with seed 3, not 4"):
        render(root, replace(OPTIONS, seed=4), progress=False)


def test_a_folder_without_the_corpus_has_no_descriptions(tmp_path):
    with pytest.raises(CorpusError, match="no complete genre corpus"):
        descriptions(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed must not be negative"),
        ({"songs": 0}, "songs must be at least 1"),
        ({"duration_s": 3}, "duration_s must be at least 4"),
        ({"sample_rate_hz": 4000}, "sample_rate_hz must lie in"),
        ({"train_fraction": 0.9, "valid_fraction": 0.2}, "add up to more than 1"),
    ],
)
def test_options_outside_their_range_are_refused(change, message):
    with pytest.raises(OptionsError, match=message):
        GenreOptions(**change)
