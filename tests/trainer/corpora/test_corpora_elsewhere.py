"""Corpora that a person brings: each loader on a miniature of the real layout with real file names."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from phonoscope_trainer.cli import main
from phonoscope_trainer.corpora import fma, jamendo, mir1k, musdb, named, rwc
from phonoscope_trainer.corpora.audio import read_mono
from phonoscope_trainer.corpora.corpus import SPLITS, Segment
from phonoscope_trainer.corpora.features import features
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.frontends.mel import Frontend
from support.corpora.miniature_corpora import miniature_fma, miniature_jamendo, miniature_mir1k, miniature_rwc
from support.corpora.real_data import data_folder


@pytest.mark.parametrize("layout", ["audio", "train, valid and test"])
def test_jamendo_has_its_official_split_in_either_layout(tmp_path, layout):
    corpus = jamendo.load(miniature_jamendo(tmp_path, layout))
    assert [len(corpus.of(split)) for split in SPLITS] == [61, 16, 16]
    assert corpus.tracks[0].name == "01 - 01 Les Jardins Japonais"
    assert corpus.tracks[0].vocals == (Segment(0.0, 0.05),)


@pytest.mark.parametrize("folder", ["audio", "labels"])
def test_jamendo_says_how_many_files_are_missing_and_where_they_are_to_be_had(tmp_path, folder):
    miniature_jamendo(tmp_path)
    next((tmp_path / folder).glob("03 - School.*")).unlink()
    with pytest.raises(CorpusError, match=r"1 of 93 songs, '03 - School'.*zenodo"):
        jamendo.load(tmp_path)


@pytest.mark.data
def test_every_song_of_the_jamendo_lists_has_its_label_file():
    labels = {path.stem for path in (data_folder("jamendo") / "labels").glob("*.lab")}
    assert {song for split in SPLITS for song in jamendo.song_names(split)} == labels


def test_rwc_is_sung_where_its_labels_name_a_male_a_female_or_a_group(tmp_path):
    pytest.importorskip("mirdata", reason="the extra corpora is not installed")
    corpus = rwc.load(miniature_rwc(tmp_path))
    assert corpus.tracks[0].name == "RM-P001"
    assert corpus.tracks[0].vocals == (Segment(10.293061224, 12.087845804), Segment(26.465306122, 27.5))
    assert corpus.tracks[0].group == corpus.tracks[2].group == "Kazuo Nishi"
    assert corpus.tracks[0].split == corpus.tracks[2].split


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("audio/rwc-p-m01/2.wav", r"2\.wav"),
        ("annotations/AIST.RWC-MDB-P-2001.VOCA_INST/RM-P003.VOCA_INST.TXT", "RM-P003"),
        ("metadata-master/rwc-p.csv", "Metadata"),
        ("rwc_popular_index_1.0.json", "index"),
    ],
)
def test_rwc_names_what_is_missing_and_how_to_get_it(tmp_path, missing, named):
    pytest.importorskip("mirdata", reason="the extra corpora is not installed")
    miniature_rwc(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(CorpusError, match=rf"{named}.*mirdata.*download\(\)"):
        rwc.load(tmp_path)


@pytest.mark.parametrize("package", ["mirdata", "musdb"])
def test_a_package_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # Python's own way to make an import fail
    if package == "musdb":
        for program in ("ffmpeg", "ffprobe"):
            (tmp_path / program).touch(mode=0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CorpusError, match=rf"{package}.*phonoscope\[corpora\]"):
        {"mirdata": rwc.load, "musdb": lambda root: musdb.decode(root, root)}[package](tmp_path)


def test_fma_takes_the_tracks_of_the_edition_that_is_there_and_labels_none(tmp_path):
    corpus = fma.load(miniature_fma(tmp_path))
    assert [(t.name, t.split, t.group) for t in corpus.tracks] == [
        ("000002", "train", "artist 1"),
        ("000140", "valid", "artist 54"),
        ("010250", "test", "artist 77"),
    ]
    assert all(track.vocals is None for track in corpus.tracks)
    assert len(read_mono(corpus.tracks[0].audio[0], 22050))
    assert len(corpus.digest) == 64


def test_unlabelled_music_cannot_become_training_data_by_accident(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(CorpusError, match="unlabelled"):
        features(fma.load(miniature_fma(tmp_path)).tracks, Frontend())


def test_fma_counts_the_files_that_are_missing(tmp_path):
    miniature_fma(tmp_path)
    (tmp_path / "fma_small" / "000" / "000140.mp3").unlink()
    with pytest.raises(CorpusError, match=r"1 of 3 files.*000140\.mp3.*mdeff/fma"):
        fma.load(tmp_path)
    shutil.rmtree(tmp_path / "fma_metadata")
    with pytest.raises(CorpusError, match=r"lacks fma_metadata/tracks\.csv"):
        fma.load(tmp_path)


def test_corpora_are_found_by_name_in_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PHONOSCOPE_DATA", str(tmp_path))
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    miniature_jamendo(tmp_path / "jamendo")
    miniature_fma(tmp_path / "fma")
    mir1k.decode(miniature_mir1k(tmp_path / "mir1k"), tmp_path / "cache" / "mir1k")
    assert named.load("jamendo").name == "jamendo"
    assert named.load("fma").name == "fma-small"
    assert named.load("mir1k").name == "mir1k"
    assert named.available() == ("mir1k", "jamendo"), "nobody has labelled FMA"
    for name in ("rwc", "musdb"):
        with pytest.raises(CorpusError, match=rf"not in .*{name}.*--root.*[Gg]et"):
            named.load(name)


def test_the_list_says_what_is_there_and_how_to_get_the_rest(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PHONOSCOPE_DATA", str(tmp_path))
    monkeypatch.setenv("PHONOSCOPE_CACHE", str(tmp_path / "cache"))
    miniature_jamendo(tmp_path / "jamendo")
    (tmp_path / "rwc" / "audio").mkdir(parents=True)
    miniature_mir1k(tmp_path / "mir1k")
    assert main(["corpus", "decode", "--corpus", "mir1k"]) == 0
    assert f"3 tracks in {tmp_path / 'cache' / 'mir1k'}" in capsys.readouterr().out
    assert main(["corpus", "list"]) == 0
    table, advice = capsys.readouterr().out.split("\n\n")
    rows = {line.split()[0]: line.split()[1:4] for line in table.splitlines()}
    assert rows["jamendo"] == ["yes", "93", "yes"]
    assert rows["mir1k"] == ["yes", "3", "yes"]
    assert rows["rwc"][0] == "incomplete"
    assert rows["fma"] == ["no", "-", "no"]
    assert "sigsep.github.io" in advice
    assert "zenodo.org/records/2585988" not in advice


@pytest.mark.parametrize("name", ["jamendo", "fma"])
def test_a_corpus_from_elsewhere_can_be_described(tmp_path, capsys, name):
    {"jamendo": miniature_jamendo, "fma": miniature_fma}[name](tmp_path)
    assert main(["corpus", "describe", "--corpus", name, "--root", str(tmp_path)]) == 0
    assert sum(json.loads(capsys.readouterr().out)["tracks"].values()) == {"jamendo": 93, "fma": 3}[name]
