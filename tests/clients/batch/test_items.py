"""What a catalogue consists of, and what is expected of it."""

import errno
import io
import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from phonoscope_client.batch.expectation import Expectation, expectation
from phonoscope_client.batch.items import Item, columns_of, items_of
from phonoscope_client.errors import InvalidInputError


def test_a_folder_is_searched_to_its_depths_for_recordings_and_labels_beside_them(tmp_path):
    for name in ("b.wav", "deep/er/a.MP3", "notes.txt", ".hidden.wav", ".cache/c.wav", "b.lab"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert items_of(str(tmp_path)) == [
        Item("b.wav", str(tmp_path / "b.wav"), expected=str(tmp_path / "b.lab")),
        Item("deep/er/a.MP3", str(tmp_path / "deep/er/a.MP3")),
    ]


def test_links_are_followed_once_and_one_that_leads_nowhere_is_a_missing_file(tmp_path):
    music, more = tmp_path / "music", tmp_path / "more"
    for folder in (music, more):
        folder.mkdir()
    (more / "a.wav").touch()
    (music / "linked").symlink_to(more)
    (more / "back").symlink_to(music)
    (music / "lost.flac").symlink_to(tmp_path / "gone.flac")
    assert [item.file for item in items_of(str(music))] == ["linked/a.wav", "lost.flac"]


def test_a_folder_that_cannot_be_read_is_named_rather_than_left_out(tmp_path, monkeypatch):
    (tmp_path / "open").mkdir()
    (tmp_path / "closed").mkdir()
    (tmp_path / "open" / "a.wav").touch()
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("closed"):  # as the system refuses it to all but root
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InvalidInputError, match=r"closed' cannot be read: Permission denied"):
        items_of(str(tmp_path))


def test_sound_that_the_service_may_not_know_is_listed(tmp_path):
    (tmp_path / "a.wma").touch()
    assert [item.file for item in items_of(str(tmp_path))] == ["a.wma"]


def write_csv(path, rows):
    names = list(rows[0])
    lines = [names, *([str(row[name] or "") for name in names] for row in rows)]
    path.write_text("\n".join(",".join(f'"{each}"' for each in line) for line in lines))


def write_lines(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize(("suffix", "write"), [("csv", write_csv), ("jsonl", write_lines), ("parquet", write_parquet)])
def test_manifests_of_every_kind_say_the_same(tmp_path, suffix, write):
    manifest = tmp_path / f"songs.{suffix}"
    write(
        manifest,
        [
            {"path": "a b.mp3", "moments": "30 45.5", "expected": "none", "genre": "folk, old"},
            {"path": "/music/c.mp3", "moments": None, "expected": "c.lab", "genre": None},
        ],
    )
    assert items_of(str(manifest)) == [
        Item("a b.mp3", str(tmp_path / "a b.mp3"), (30.0, 45.5), "instrumental", (("genre", "folk, old"),)),
        Item("/music/c.mp3", "/music/c.mp3", (), str(tmp_path / "c.lab")),
    ]
    assert columns_of(items_of(str(manifest))) == ("genre",)


def test_moments_of_several_rows_about_one_file_add_up(tmp_path):
    write_lines(tmp_path / "m.jsonl", [{"file": "a.wav", "moments": [1, 2]}, {"file": "a.wav", "moments": 3.5}])
    (item,) = items_of(str(tmp_path / "m.jsonl"))
    assert item.moments == (1.0, 2.0, 3.5)


def test_standard_input_lists_paths_or_objects(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO('a.wav\n\n{"path": "b.wav", "expected": "vocal"}\n/x/c d.wav\n'))
    assert items_of("-") == [
        Item("a.wav", str(tmp_path / "a.wav")),
        Item("b.wav", str(tmp_path / "b.wav"), expected="vocal"),
        Item("/x/c d.wav", "/x/c d.wav"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"song": "a"}', "line 1 names no file"),
        ('{"path": ', "line 1 is no JSON"),
        ('{"path": "a", "moments": "soon"}', "line 1: 'soon'; give seconds"),
        ('{"path": "a", "moments": [-1]}', "0 or more"),
        ('{"path": "a", "expected": 3}', "line 1: 3; give a label"),
        ('{"path": "a", "expected": "all"}\n{"path": "a", "expected": "none"}', "expects both 'vocal' and 'instrument"),
        ("", "holds no recordings"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(tmp_path, text, said):
    (tmp_path / "m.jsonl").write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        items_of(str(tmp_path / "m.jsonl"))


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "there is no folder or file"), ("a.wav", "no folder and no manif")]
)
def test_what_is_no_input_is_refused(tmp_path, name, said):
    (tmp_path / "a.wav").touch()
    with pytest.raises(InvalidInputError, match=said):
        items_of(str(tmp_path / name))


def test_a_lab_is_what_is_expected(tmp_path):
    (tmp_path / "a.lab").write_text("0.0 1.0 nosing\n1.0 3.0 sing\n")
    expected = expectation(str(tmp_path / "a.lab"))
    assert expected.label is None
    assert [expected.at(at_s) for at_s in (0, 0.99, 1, 3)] == ["instrumental", "instrumental", "vocal", None]
    labels = np.array(["vocal"] * 10 + ["instrumental"] * 10 + ["vocal"] * 20)  # four seconds of ten frames each
    reference = [labels[i] == ("instrumental" if i < 10 else "vocal") for i in range(30)]
    assert expected.agreement(labels, 0.0, 10.0) == pytest.approx(np.mean(reference))
    assert expected.agreement(labels[35:], 3.5, 10.0) is None


def test_a_label_is_expected_all_through():
    assert expectation("vocal") == Expectation(((0.0, float("inf"), "vocal"),))
    assert expectation(None) is None
    assert expectation("vocal").label == "vocal"


@pytest.mark.parametrize("text", [None, "1.0 sing\n", "a b sing\n"])
def test_what_is_no_lab_is_refused(tmp_path, text):
    if text:
        (tmp_path / "a.lab").write_text(text)
    with pytest.raises(InvalidInputError, match="cannot be read as start, end and label"):
        expectation(str(tmp_path / "a.lab"))
