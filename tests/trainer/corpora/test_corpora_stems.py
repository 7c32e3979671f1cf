"""Corpora that come as stems: MUSDB18 and MIR-1K decoded from miniatures of the real layouts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from phonoscope_trainer.cli import main
from phonoscope_trainer.corpora import mir1k, musdb, stems
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.labels import frame_labels
from phonoscope_trainer.corpora.rendered.activity import RECORDED, sung_segments
from phonoscope_trainer.errors import CorpusError
from support.corpora.miniature_corpora import half_sung, miniature_mir1k, miniature_musdb_hq, write_audio
from support.corpora.music import melody
from support.corpora.real_data import data_folder

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="musdb decodes with ffmpeg, which is not installed"
)


@needs_ffmpeg
def test_musdb_hq_becomes_stems_that_are_sung_where_the_voice_sounds(tmp_path):
    pytest.importorskip("musdb", reason="the extra corpora is not installed")
    corpus = musdb.decode(miniature_musdb_hq(tmp_path / "musdb18hq"), tmp_path / "stems")
    assert {t.name: t.split for t in corpus.tracks} == {
        "A Classic Education - NightOwl": "train",
        "Actions - One Minute Smile": "valid",
        "Al James - Schoolboy Facination": "test",
    }
    track = corpus.tracks[0]
    assert [(s.start_s, s.end_s) for s in track.vocals] == [(pytest.approx(1, abs=0.05), pytest.approx(2, abs=0.05))]
    voice, accompaniment = (read_mono(path, 22050) for path in track.audio)
    wanted = half_sung()[1][::2] * 1.5
    np.testing.assert_allclose(np.corrcoef(accompaniment, wanted[: len(accompaniment)])[0, 1], 1, atol=0.02)
    np.testing.assert_allclose(np.ptp(accompaniment) / np.ptp(voice), 1.5, atol=0.1)


@needs_ffmpeg
def test_musdb_in_its_compressed_form_is_decoded_stream_by_stream(tmp_path):
    example = Path(pytest.importorskip("stempeg", reason="the extra corpora is not installed").example_stem_path())
    (tmp_path / "test").mkdir()
    shutil.copy(example, tmp_path / "test" / example.name)
    corpus = musdb.decode(tmp_path, tmp_path / "stems")
    assert corpus.tracks[0].name == "The Easton Ellises - Falcon 69"
    voice, accompaniment = (read_mono(path, 22050) for path in corpus.tracks[0].audio)
    assert len(voice) == len(accompaniment) == pytest.approx(6.08 * 22050, rel=0.02)
    assert not np.allclose(voice, accompaniment)


@needs_ffmpeg
def test_a_musdb_song_with_a_missing_or_broken_stem_is_named(tmp_path):
    pytest.importorskip("musdb", reason="the extra corpora is not installed")
    miniature_musdb_hq(tmp_path)
    (tmp_path / "train" / "Actions - One Minute Smile" / "bass.wav").unlink()
    with pytest.raises(CorpusError, match="Actions - One Minute Smile has no stem bass"):
        musdb.decode(tmp_path, tmp_path / "stems")
    (tmp_path / "train" / "Actions - One Minute Smile" / "bass.wav").write_bytes(b"not audio")
    with pytest.raises(CorpusError, match="Actions - One Minute Smile: accompaniment"):
        musdb.decode(tmp_path, tmp_path / "stems")
    with pytest.raises(CorpusError, match="holds no songs"):
        musdb.decode(tmp_path / "stems", tmp_path / "stems")


@needs_ffmpeg
def test_a_broken_stem_file_is_refused_in_ffprobes_words(tmp_path):
    pytest.importorskip("musdb", reason="the extra corpora is not installed")
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "Al James - Schoolboy Facination.stem.mp4").write_bytes(b"not a film")
    with pytest.raises(CorpusError, match=r"ffprobe: .*Schoolboy Facination"):
        musdb.decode(tmp_path, tmp_path / "stems")


def test_without_ffmpeg_musdb_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match="ffmpeg and ffprobe"):
        musdb.decode(tmp_path, tmp_path / "stems")


def test_mir1k_is_decoded_from_the_authors_stereo_clips(tmp_path):
    corpus = mir1k.decode(miniature_mir1k(tmp_path / "MIR-1K"), tmp_path / "stems")
    assert [(t.name, t.group, t.split) for t in corpus.tracks] == [
        ("abjones_1_01", "abjones", "valid"),
        ("amy_1_01", "amy", "train"),
        ("titon_2_03", "titon", "test"),
    ]
    assert corpus.tracks[0].vocals == (Segment(1.0, 1.98),)
    assert np.abs(read_mono(corpus.tracks[0].voice, 16000)[:15000]).max() < 0.01


def test_decoding_goes_on_where_it_was_stopped(tmp_path):
    miniature_mir1k(tmp_path / "MIR-1K")
    broken = tmp_path / "MIR-1K" / "Wavfile" / "titon_2_03.wav"
    whole = broken.read_bytes()
    write_audio(broken, melody(0.1), 16000)
    with pytest.raises(CorpusError, match="needs 2 channels"):
        mir1k.decode(tmp_path / "MIR-1K", tmp_path / "stems")
    with pytest.raises(CorpusError, match=r"splits\.csv"):
        mir1k.load(tmp_path / "stems")
    done = (tmp_path / "stems" / "labels" / "amy_1_01.lab").stat().st_mtime_ns
    broken.write_bytes(whole)
    assert len(mir1k.decode(tmp_path / "MIR-1K", tmp_path / "stems").tracks) == 3
    assert (tmp_path / "stems" / "labels" / "amy_1_01.lab").stat().st_mtime_ns == done


def test_stems_beyond_full_scale_keep_their_balance(tmp_path):
    voice, accompaniment = half_sung(rate=16000)
    stems.write_clip(tmp_path, "loud", voice * 4, accompaniment * 2, (), 16000)
    written = [read_mono(tmp_path / part / "loud.flac", 16000) for part in ("voice", "accompaniment")]
    np.testing.assert_allclose(np.ptp(written[0]) / np.ptp(written[1]), 2 * np.ptp(voice) / np.ptp(accompaniment), 1e-3)
    assert np.abs(written[0]).max() <= 1


@pytest.mark.data
def test_the_rule_for_recorded_voices_agrees_with_people():
    tracks = mir1k.load(data_folder("mir1k")).tracks[::25]
    agreement = []
    for track in tracks:
        voice = read_mono(track.voice, 16000).astype(np.float64)
        frames = len(voice) * 70 // 16000
        found, heard = (frame_labels(s, frames, 70) for s in (sung_segments(voice, 16000, RECORDED), track.vocals))
        agreement.append(np.mean(found == heard))
    assert np.mean(agreement) > 0.92


def test_there_is_no_default_place_to_decode_from_without_a_data_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("PHONOSCOPE_DATA", raising=False)
    assert main(["corpus", "decode", "--corpus", "musdb"]) == 1
    assert "PHONOSCOPE_DATA" in capsys.readouterr().err
