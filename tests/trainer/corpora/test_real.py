"""Real music by kind, the mixes made of it, and corpora by specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from phonoscope_trainer.corpora import folder, mixes, named, real
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.labels import frame_labels, write_lab
from phonoscope_trainer.errors import CorpusError
from support.corpora.miniature_real import RATE_HZ, write_audio, write_real


@pytest.fixture
def miniature(tmp_path) -> Path:
    return write_real(tmp_path / "real")


def test_each_track_knows_its_kind_and_the_licences_of_all_are_named(miniature):
    corpus = named.load(f"real:{miniature}")
    assert [track.kind for track in corpus.tracks] == [
        "stems",
        "songs",
        "songs",
        "voice",
        "voice",
        "silver",
        "instrumental",
    ]
    assert corpus.licence == "CC BY 4.0; CC0 1.0; GPL-2+"
    assert corpus.tracks[-1].vocals == ()
    stems = corpus.tracks[0]
    assert (stems.name, stems.mixture, stems.vocals) == ("stems/a.b", None, (Segment(0.5, 1.5),))


def test_a_group_that_the_splits_divide_is_one_by_song(miniature):
    groups = {track.name: track.group for track in real.load(miniature).tracks}
    assert (groups["songs/one"], groups["songs/two"], groups["voice/x"]) == ("songs/one", "songs/two", "singer")


def test_a_row_without_a_split_is_named(miniature):
    (miniature / "splits.csv").write_text("file,split\n")
    with pytest.raises(CorpusError, match=r"splits\.csv.*stems/voice/a\.b\.ogg"):
        real.load(miniature)


def test_mixes_hold_their_voice_at_its_level_and_are_the_same_every_time(miniature, tmp_path, monkeypatch):
    made = []
    for cache in ("one", "other"):
        monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / cache))
        made.append(mixes.mixes(real.load(miniature), "test", count=4))
    levels_db = []
    for track, again in zip(*made, strict=True):
        assert (track.kind, track.split, track.vocals) == ("mixes", "test", (Segment(3.5, 4.5),))
        voice, accompaniment = (read_mono(path, RATE_HZ) for path in track.audio)
        np.testing.assert_array_equal(voice, read_mono(again.audio[0], RATE_HZ))
        sung = frame_labels(track.vocals, len(voice), RATE_HZ)
        levels_db.append(10 * np.log10(np.square(voice[sung]).mean() / np.square(accompaniment[sung]).mean()))
        assert not voice[: 3 * RATE_HZ - 1].any(), "the accompaniment is alone at first"
    np.testing.assert_allclose(sorted(levels_db), np.linspace(-6, 3, 4), atol=0.1)
    assert {track.group for track in made[0]} == {"singer", "other"}


def test_a_split_without_voices_has_no_mixes(miniature):
    with pytest.raises(CorpusError, match="solo voice"):
        mixes.mixes(real.load(miniature), "valid")


def test_any_number_of_folders_are_corpora_by_their_paths(tmp_path):
    for name in ("mine", "yours"):
        write_audio(tmp_path / name / "a.wav")
        write_lab(tmp_path / name / "a.lab", [], 2.0)
    assert [named.load(f"folder:{tmp_path / name}").name for name in ("mine", "yours")] == ["mine", "yours"]


def test_a_folder_says_splits_groups_and_licences_in_its_tables(tmp_path):
    for name in ("a", "b"):
        write_audio(tmp_path / "sub" / f"{name}.wav")
        write_lab(tmp_path / "sub" / f"{name}.lab", [], 2.0)
    (tmp_path / "splits.csv").write_text("file,split\na.wav,valid\nb.wav,valid\n")
    (tmp_path / "manifest.csv").write_text("file,licence,group\na.wav,CC0 1.0,duo\nsub/b.wav,CC BY 4.0,duo\n")
    corpus = folder.load(tmp_path)
    assert [(t.name, t.group, t.split) for t in corpus.tracks] == [("sub/a", "duo", "valid"), ("sub/b", "duo", "valid")]
    assert corpus.licence == "CC BY 4.0; CC0 1.0"


def test_a_folder_has_stems_beside_each_other_or_in_folders(tmp_path):
    write_audio(tmp_path / "one.vocals.wav")
    write_audio(tmp_path / "one.accompaniment.wav")
    write_audio(tmp_path / "one.wav")
    write_lab(tmp_path / "one.lab", [Segment(0, 1)], 2.0)
    write_audio(tmp_path / "album/voice/two.b.wav")
    write_audio(tmp_path / "album/accompaniment/two.b.ogg")
    (tmp_path / "album/labels").mkdir()
    write_lab(tmp_path / "album/labels/two.b.lab", [Segment(1, 2)], 2.0)
    tracks = {track.name: track for track in folder.load(tmp_path).tracks}
    assert set(tracks) == {"one", "album/two.b"}
    assert tracks["one"].audio == (tmp_path / "one.vocals.wav", tmp_path / "one.accompaniment.wav")
    assert tracks["album/two.b"].vocals == (Segment(1, 2),)
