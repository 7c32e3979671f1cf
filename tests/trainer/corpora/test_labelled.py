"""Folders of recordings with one label each, and the clips that are cut of them."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora import clips, labelled
from phonoscope_trainer.corpora.corpus import split_of
from phonoscope_trainer.errors import CorpusError
from support.corpora.miniature_corpora import write_audio


def test_the_class_is_the_sub_folder(tmp_path):
    write_audio(tmp_path / "slow" / "one.wav")
    write_audio(tmp_path / "fast" / "live" / "two.flac")
    (tmp_path / "slow" / "notes.txt").write_text("not audio")
    music = labelled.load(tmp_path)
    assert music.labels == ("fast", "slow")
    assert [(song.name, song.label) for song in music.songs] == [
        ("fast/live/two.flac", "fast"),
        ("slow/one.wav", "slow"),
    ]
    assert all(song.split == split_of(song.name) for song in music.songs)


def test_a_table_names_files_labels_groups_and_splits(tmp_path):
    for name in ("a.wav", "b.wav", "c.wav"):
        write_audio(tmp_path / name)
    rows = ("file,label,group,split", "a.wav,slow,x,test", "b.wav,fast,x,test", "c.wav,fast,y,train")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    music = labelled.load(tmp_path)
    assert [song.label for song in music.of("test")] == ["slow", "fast"]
    assert [song.name for song in music.of("train")] == ["c.wav"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,genre\na.wav,slow\n", "columns file and label"),
        ("file,label\na.wav,slow\n", "fewer than two labels"),
        ("file,label\na.wav,slow\nmissing.wav,fast\n", r"missing\.wav: is named in"),
        ("file,label,group,split\na.wav,slow,x,test\nb.wav,fast,x,train\n", "splits divide the group 'x'"),
        ("file,label,split\na.wav,slow,best\nb.wav,fast,train\n", "split is 'best'"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(tmp_path, table, message):
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name)
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(CorpusError, match=message):
        labelled.load(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        labelled.load(tmp_path / "nowhere")


def test_ten_clips_run_from_the_first_sample_to_the_last():
    ramp = np.arange(100_000, dtype=np.float32)
    found = clips.cut(ramp)
    assert found.shape == (10, 44_100)
    assert (found[0, 0], found[-1, -1]) == (0, 99_999)
    np.testing.assert_allclose(np.diff(found[:, 0]), (100_000 - 44_100) / 9, atol=1)


def test_silence_follows_what_is_shorter_than_a_clip():
    found = clips.cut(np.ones(1000, np.float32))
    assert found[:, :1000].all()
    assert not found[:, 1000:].any()


def test_clips_are_kept_and_follow_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "song.wav"
    soundfile.write(path, np.full(50_000, 0.5), 11_025)
    (first,) = clips.clips([path], "songs", progress=False)
    assert first.dtype == np.int16
    np.testing.assert_allclose(first / clips.FULL_SCALE, 0.5, atol=1e-4)
    soundfile.write(path, np.full(60_000, -1.0), 11_025)
    (second,) = clips.clips([path], "songs", progress=False)
    np.testing.assert_allclose(second / clips.FULL_SCALE, -1, atol=1e-3)
