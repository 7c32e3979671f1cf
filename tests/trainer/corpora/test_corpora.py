"""Corpora: labels, splits, the folder of anybody's own music, MIR-1K in miniature."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from phonoscope_trainer.corpora import folder, mir1k, named
from phonoscope_trainer.corpora.audio import read_mono, read_sum
from phonoscope_trainer.corpora.corpus import Corpus, Segment, Track
from phonoscope_trainer.corpora.labels import frame_labels, merge_gaps, read_lab, segments_of, write_lab
from phonoscope_trainer.errors import CorpusError
from support.corpora.music import melody
from support.corpora.real_data import data_folder


def write_audio(path: Path, seconds: float = 1.0, rate: int = 16000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = melody(seconds, sample_rate_hz=rate)
    soundfile.write(path, np.stack([samples] * channels, axis=1), rate)
    return path


def miniature_mir1k(root: Path) -> Path:
    rows = [("amy_1_01", "amy", "train"), ("amy_2_01", "amy", "train"), ("bug_1_01", "bug", "test")]
    with (root / "splits.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("clip", "singer", "split", "seconds", "vocal_fraction"), *((*row, 1, 0.5) for row in rows)])
    (root / "labels").mkdir()
    for clip, _, _ in rows:
        write_audio(root / "voice" / f"{clip}.ogg")
        write_audio(root / "accompaniment" / f"{clip}.ogg")
        (root / "labels" / f"{clip}.lab").write_text("0.0 0.2 nosing\n0.2 0.5 sing\n0.5 0.6 nosing\n0.6 0.9 sing\n")
    return root


def test_lab_files_survive_a_round_trip(tmp_path):
    vocals = (Segment(0.5, 1.25), Segment(2.0, 2.125))
    write_lab(tmp_path / "song.lab", vocals, duration_s=3)
    assert read_lab(tmp_path / "song.lab") == vocals
    assert (tmp_path / "song.lab").read_text().splitlines()[-1] == "2.125 3.000 nosing"


def test_touching_sung_lines_become_one_segment(tmp_path):
    (tmp_path / "a.lab").write_text("0 1 sing\n1 2 sing\n2 3 nosing\n")
    assert read_lab(tmp_path / "a.lab") == (Segment(0, 2),)


@pytest.mark.parametrize("line", ["0 1", "0 1 humming", "2 1 sing", "-1 1 sing", "zero 1 sing"])
def test_a_malformed_lab_line_is_named_with_its_number(tmp_path, line):
    (tmp_path / "a.lab").write_text(f"0 1 nosing\n{line}\n")
    with pytest.raises(CorpusError, match=r"a\.lab:2"):
        read_lab(tmp_path / "a.lab")


def test_a_frame_belongs_to_the_segment_that_holds_its_start():
    labels = frame_labels([Segment(1 / 70, 3 / 70)], frames=5, frames_per_second=70)
    assert labels.tolist() == [False, True, True, False, False]


def test_segments_of_frames_give_the_frames_back():
    frames = np.array([True, False, False, True, True, False, True])
    np.testing.assert_array_equal(frame_labels(segments_of(frames, 50), 7, 50), frames)


def test_only_pauses_shorter_than_the_gap_are_closed():
    vocals = [Segment(0, 1), Segment(1.4, 2), Segment(2.5, 3)]
    assert merge_gaps(vocals, 0.5) == (Segment(0, 2), Segment(2.5, 3))
    assert merge_gaps(vocals, 0.0) == tuple(vocals)


def test_a_corpus_refuses_splits_that_divide_a_singer(tmp_path):
    path = write_audio(tmp_path / "a.wav")
    tracks = (Track("a", "amy", "train", (), mixture=path), Track("b", "amy", "test", (), mixture=path))
    with pytest.raises(CorpusError, match="amy"):
        Corpus("c", "own", tracks)


def test_a_corpus_refuses_two_tracks_of_one_name(tmp_path):
    track = Track("a", "amy", "train", (), mixture=write_audio(tmp_path / "a.wav"))
    with pytest.raises(CorpusError, match="'a'"):
        Corpus("c", "own", (track, track))


@pytest.mark.parametrize("files", [{}, {"voice": Path("v")}, {"mixture": Path("m"), "voice": Path("v")}])
def test_a_track_has_either_a_mixture_or_both_stems(files):
    with pytest.raises(CorpusError, match="either a mixture or both"):
        Track("a", "a", "train", (), **files)


def test_a_track_refuses_overlapping_segments():
    with pytest.raises(CorpusError, match="overlap"):
        Track("a", "a", "train", (Segment(0, 2), Segment(1, 3)), mixture=Path("m"))


def test_the_digest_depends_on_the_labels(tmp_path):
    path = write_audio(tmp_path / "a.wav")
    one = Corpus("c", "own", (Track("a", "a", "train", (Segment(0, 1),), mixture=path),))
    other = Corpus("c", "own", (Track("a", "a", "train", (Segment(0, 2),), mixture=path),))
    assert one.digest != other.digest
    assert one.digest == Corpus("c", "own", one.tracks).digest


def test_audio_of_any_rate_and_channel_count_becomes_mono_at_the_asked_rate(tmp_path):
    path = write_audio(tmp_path / "a.wav", seconds=1, rate=44100, channels=3)
    samples = read_mono(path, 22050)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples[100:-100], melody(1, sample_rate_hz=44100)[::2][100:-100], atol=0.15)


def test_stems_are_summed_to_the_length_of_the_shortest(tmp_path):
    paths = write_audio(tmp_path / "a.wav", 1.0, 22050), write_audio(tmp_path / "b.wav", 0.5, 22050)
    total = read_sum(paths, 22050)
    assert len(total) == 11025
    np.testing.assert_allclose(total, read_mono(paths[0], 22050)[:11025] + read_mono(paths[1], 22050), atol=1e-6)


def test_something_that_is_not_audio_is_refused_by_name(tmp_path):
    (tmp_path / "a.wav").write_text("not audio")
    with pytest.raises(CorpusError, match=r"a\.wav"):
        read_mono(tmp_path / "a.wav", 22050)


def test_mir1k_is_read_in_the_layout_of_its_readme(tmp_path):
    corpus = mir1k.load(miniature_mir1k(tmp_path))
    assert [(t.name, t.group, t.split) for t in corpus.of("train")] == [
        ("amy_1_01", "amy", "train"),
        ("amy_2_01", "amy", "train"),
    ]
    assert corpus.of("test")[0].vocals == (Segment(0.2, 0.9),), "pauses under half a second are closed"
    assert mir1k.load(tmp_path, merge_gaps_s=0).of("test")[0].vocals == (Segment(0.2, 0.5), Segment(0.6, 0.9))


def test_training_clips_of_mir1k_are_sung_only_where_the_voice_sounds(tmp_path):
    miniature_mir1k(tmp_path)
    voice = melody(2.0, sample_rate_hz=16000)
    voice[12_000:20_000] *= 0.003
    for clip in ("amy_1_01", "bug_1_01"):
        soundfile.write(tmp_path / "voice" / f"{clip}.ogg", voice, 16000)
        (tmp_path / "labels" / f"{clip}.lab").write_text("0.0 0.2 nosing\n0.2 1.8 sing\n")
    corpus = mir1k.load(tmp_path)
    assert corpus.of("test")[0].vocals == (Segment(0.2, 1.8),), "as people heard it"
    times = [time for segment in corpus.of("train")[0].vocals for time in (segment.start_s, segment.end_s)]
    np.testing.assert_allclose(times, [0.2, 0.75, 1.25, 1.8], atol=0.06)


def test_mir1k_names_the_file_that_is_missing(tmp_path):
    miniature_mir1k(tmp_path)
    (tmp_path / "voice" / "bug_1_01.ogg").unlink()
    with pytest.raises(CorpusError, match=r"voice/bug_1_01\.flac or \.ogg is missing.*corpus decode"):
        mir1k.load(tmp_path)


@pytest.mark.data
def test_the_real_mir1k_has_its_825_clips_and_keeps_singers_apart():
    corpus = mir1k.load(data_folder("mir1k"))
    assert [len(corpus.of(split)) for split in ("train", "valid", "test")] == [560, 132, 133]


def test_a_folder_takes_what_is_labelled_and_what_is_known_to_be_instrumental(tmp_path):
    for name in ("labelled", "instrumental", "unknown"):
        write_audio(tmp_path / f"{name}.wav")
    (tmp_path / "labelled.lab").write_text("0 1 sing\n")
    (tmp_path / "manifest.csv").write_text("file,vocals\ninstrumental.wav,no (piano)\nunknown.wav,yes\n")
    corpus = folder.load(tmp_path)
    assert {t.name: len(t.vocals) for t in corpus.tracks} == {"labelled": 1, "instrumental": 0}


def test_adding_a_song_to_a_folder_moves_no_other_song(tmp_path):
    for i in range(12):
        write_audio(tmp_path / f"song{i}.wav", 0.1)
        (tmp_path / f"song{i}.lab").write_text("0 0.1 sing\n")
    before = {t.name: t.split for t in folder.load(tmp_path).tracks}
    write_audio(tmp_path / "another.wav", 0.1)
    (tmp_path / "another.lab").write_text("0 0.1 sing\n")
    after = {t.name: t.split for t in folder.load(tmp_path).tracks}
    assert before.items() <= after.items()


def test_a_manifest_may_assign_the_splits(tmp_path):
    write_audio(tmp_path / "a.wav")
    (tmp_path / "a.lab").write_text("0 1 sing\n")
    (tmp_path / "manifest.csv").write_text("file,split\na.wav,valid\n")
    assert folder.load(tmp_path).tracks[0].split == "valid"
    (tmp_path / "manifest.csv").write_text("file,split\na.wav,dev\n")
    with pytest.raises(CorpusError, match="'dev'"):
        folder.load(tmp_path)


def test_a_folder_without_labels_says_so(tmp_path):
    with pytest.raises(CorpusError, match=r"no audio file with a \.lab"):
        folder.load(tmp_path)
    with pytest.raises(CorpusError, match="no such folder"):
        folder.load(tmp_path / "missing")


def test_a_corpus_that_is_not_there_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path))
    monkeypatch.delenv("PHONOSCOPE_DATA", raising=False)
    for name, advice in [
        ("rendered", "corpus rendered"),
        ("mir1k", r"PHONOSCOPE_DATA.*mirlab.*corpus decode"),
        ("jamendo", r"PHONOSCOPE_DATA.*zenodo.*audio.*labels"),
        ("rwc", r"PHONOSCOPE_DATA.*staff.aist.go.jp.*audio/rwc-p-m01"),
        ("musdb", r"PHONOSCOPE_DATA.*sigsep.*corpus decode"),
        ("fma", r"PHONOSCOPE_DATA.*mdeff/fma.*fma_metadata"),
        ("folder", "--root"),
    ]:
        with pytest.raises(CorpusError, match=advice):
            named.load(name)
    with pytest.raises(CorpusError, match="rendered, speech, played, mir1k, jamendo, rwc, musdb, fma, real, folder"):
        named.load("jamendo-2")
    assert named.available() == ()
