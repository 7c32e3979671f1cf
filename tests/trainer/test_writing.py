"""A file is there as a whole or not at all, whoever else writes it and wherever its writer stops."""

from __future__ import annotations

import pytest
from phonoscope_trainer.writing import write_text, written_whole


def test_a_writer_that_fails_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "table.json"
    write_text(path, "before")
    with pytest.raises(TypeError), written_whole(path) as unfinished, unfinished.open("w") as file:
        file.writelines(["half", 2])
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_until_a_file_is_whole_its_name_holds_the_one_before(tmp_path):
    path = tmp_path / "table.json"
    with written_whole(path) as unfinished:
        unfinished.write_text("after")
        assert not path.exists()
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_two_who_write_the_same_file_at_once_do_not_meet(tmp_path):
    path = tmp_path / "features.npy"
    with written_whole(path) as one:
        one.write_text("one, ")
        with written_whole(path) as other:
            other.write_text("the other's, all of it")
        with one.open("a") as file:
            file.write("whole")
    assert path.read_text() == "one, whole"
    assert list(tmp_path.iterdir()) == [path]
