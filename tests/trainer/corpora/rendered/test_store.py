"""The rendered corpus on disk: complete, resumable, split by song."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora.rendered import RenderOptions, load, render, render_song
from phonoscope_trainer.errors import CorpusError, OptionsError
from phonoscope_trainer.writing import UNFINISHED

OPTIONS = RenderOptions(seed=11, songs=3, shortest_s=4, longest_s=5)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendered")
    render(folder, OPTIONS, workers=1, progress=False)
    return folder


def test_every_song_has_stems_labels_and_a_description(root):
    corpus = load(root)
    assert [track.name for track in corpus.tracks] == ["rendered_00000", "rendered_00001", "rendered_00002"]
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["options"]["seed"] == 11
    assert set(manifest["songs"]) == {track.name for track in corpus.tracks}
    for track in corpus.tracks:
        assert track.group == track.name
        described = manifest["songs"][track.name]
        assert described["split"] == track.split
        assert {"style", "tempo_bpm", "instruments", "choir_patches", "singers"} <= set(described)


def test_the_files_are_the_song_and_their_sum_does_not_clip(root):
    for index, track in enumerate(load(root).tracks):
        song = render_song(OPTIONS.seed, index, OPTIONS)
        voice, rate_hz = soundfile.read(track.voice, dtype="float32")
        accompaniment, _ = soundfile.read(track.accompaniment, dtype="float32")
        assert rate_hz == OPTIONS.sample_rate_hz
        np.testing.assert_allclose(voice, song.voice, atol=1 / 32_768)
        assert np.abs(voice + accompaniment).max() < 1
        assert [s.start_s for s in track.vocals] == pytest.approx([s.start_s for s in song.vocals], abs=0.001)


def test_two_processes_render_the_same_corpus_as_one(root, tmp_path):
    corpus = render(tmp_path, OPTIONS, workers=2, progress=False)
    assert corpus.digest == load(root).digest
    for one, two in zip(load(root).tracks, corpus.tracks, strict=True):
        for first, second in zip(one.audio, two.audio, strict=True):
            assert first.read_bytes() == second.read_bytes()


def test_rendering_goes_on_where_it_stopped(tmp_path):
    render(tmp_path, replace(OPTIONS, songs=1), workers=1, progress=False)
    finished = tmp_path / "voice" / "rendered_00000.flac"
    before = finished.stat().st_mtime_ns
    interrupted = tmp_path / "voice" / "rendered_00001.flac.0123456789abcdef.partial"
    interrupted.write_bytes(b"interrupted")
    corpus = render(tmp_path, replace(OPTIONS, songs=2), workers=1, progress=False)
    assert len(corpus.tracks) == 2
    assert finished.stat().st_mtime_ns == before
    assert [path for path in tmp_path.rglob("*") if UNFINISHED in path.name] == [interrupted]


def test_songs_of_another_seed_are_not_mixed_in(root):
    with pytest.raises(CorpusError, match="holds songs with seed 11, not 12"):
        render(root, replace(OPTIONS, seed=12), workers=1, progress=False)


def test_a_folder_without_a_corpus_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"manifest\.json is missing"):
        load(tmp_path)


def test_at_least_one_worker_is_needed(tmp_path):
    with pytest.raises(OptionsError, match="workers must be at least 1, is 0"):
        render(tmp_path, OPTIONS, workers=0, progress=False)
