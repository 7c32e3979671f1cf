"""Files that are there whole or not at all."""

import stat

import numpy as np
import pytest
from phonoscope_client.files import replacing, write_bytes, write_text
from support.services.client_results import curve


def test_a_file_is_written_whole_under_its_own_name(tmp_path):
    write_text(tmp_path / "page.html", "größer\n")
    write_bytes(tmp_path / "sound.wav", b"\x00\xff")
    assert (tmp_path / "page.html").read_bytes() == "größer\n".encode()
    assert (tmp_path / "sound.wav").read_bytes() == b"\x00\xff"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "sound.wav"]


def test_what_was_there_stays_until_the_new_file_is_whole(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text("before")
    with replacing(path) as file:
        file.write(b"half of")
        file.flush()
        assert path.read_text() == "before"
        file.write(b" it")
    assert path.read_text() == "half of it"


def test_writing_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "curve.npz"
    path.write_text("before")
    monkeypatch.setattr(np, "savez_compressed", _write_half)
    with pytest.raises(OSError, match="disk is full"):
        curve().save(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_a_file_as_they_may_any_other(tmp_path):
    (tmp_path / "plain").touch()
    write_text(tmp_path / "written", "")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "written")]
    assert modes[0] == modes[1]


def _write_half(file, **_):
    file.write(b"half")
    raise OSError("the disk is full")
