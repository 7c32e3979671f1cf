"""`phonoscope track`: what it asks for, what it leaves, and what it refuses before it starts anything."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from phonoscope_client import Client, Track
from phonoscope_client.cli import get_parser, main
from phonoscope_client.commands.track import moments
from phonoscope_client.commands.track.moments import Moments, added_up

DEMO = Path(__file__).parents[2] / "clients" / "phonoscope_client" / "demo" / "song.ogg"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every:10s", Moments(every_s=10)),
        ("every:0.5", Moments(every_s=0.5)),
        ("every:1:30", Moments(every_s=90)),
        ("given:vocal", Moments(where_label="vocal")),
        ("given", Moments(where_label="vocal")),
        ("given:instrumental", Moments(where_label="instrumental")),
        ("changes", Moments(where_it_changes=True)),
        ("certain:8", Moments(most_certain=8)),
        ("uncertain:3", Moments(least_certain=3)),
        ("at:30,45.5,1:02", Moments(at_s=(30.0, 45.5, 62.0))),
        ("none", Moments()),
    ],
)
def test_where_is_parsed_as_written(text, expected):
    assert moments.parsed(text) == expected


@pytest.mark.parametrize(
    "text", ["", "every", "every:0s", "every:-1", "certain:0", "certain:x", "uncertain:", "at:", "at:1,,2", "changes:3"]
)
def test_what_names_no_moments_is_a_usage_error(text):
    with pytest.raises(argparse.ArgumentTypeError, match="names no moments; write every:10s"):
        moments.parsed(text)


def test_moments_add_up():
    asked = ["every:5s", "given:vocal", "at:1", "uncertain:4", "at:2,3"]
    expected = Moments(every_s=5, where_label="vocal", least_certain=4, at_s=(1, 2, 3))
    assert added_up([moments.parsed(each) for each in asked]) == expected


def test_options_are_parsed_as_written():
    written = "track song.mp3 --where changes --trust none --median-s 0.4 --export csv,rttm --out out --json"
    options = get_parser().parse_args(written.split())
    assert options.where == [Moments(where_it_changes=True)]
    assert (options.trust, options.median_s, options.export) == ("none", 0.4, ("csv", "rttm"))
    assert options.json == Path("-")
    assert get_parser().parse_args(["track", "song.mp3", "--json", "said.json"]).json == Path("said.json")
    assert options.timeout_s is None


@pytest.mark.parametrize(
    "arguments",
    [["--where", "sometimes"], ["--trust", "blind"], ["--export", "csv,midi"], ["--from", "soon"], ["--alpha", "x"]],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as exited:
        main(["track", "song.mp3", *arguments])
    assert exited.value.code == 2


def test_exports_without_a_folder_are_refused_before_anything_is_started(song, capsys):
    assert main(["track", str(song), "--export", "csv"]) == 1
    assert capsys.readouterr().err == "phonoscope: --export: there is no folder for the files; give --out DIR as well\n"


@pytest.fixture(scope="module")
def out(service_address, tmp_path_factory):
    out = tmp_path_factory.mktemp("track")
    asked = ["track", str(DEMO), "--where", "every:8s", "--out", str(out), "--export", "audacity,csv,lab"]
    assert main([*asked, "--server", service_address, "--json", str(out / "said.json"), "--quiet"]) == 0
    return out


class TestWithAService:
    def test_the_json_says_what_the_service_does(self, out, service_address):
        document = json.loads((out / "said.json").read_text())
        assert document == json.loads((out / "track.json").read_text())
        assert document["frames_per_second"] == 70
        assert [each["at_s"] for each in document["explanations"]] == pytest.approx([0, 8, 16, 24, 32, 40])
        assert all(each["trust"]["holds"] is not None for each in document["explanations"])
        assert document["segments"][0]["start_s"] == 0
        ends = [each["end_s"] for each in document["segments"]]
        assert ends[:-1] == [each["start_s"] for each in document["segments"]][1:]
        assert document["summary"]["explained"] == 6
        with Client(service_address, timeout_s=600) as client:
            curve = client.predict(DEMO)
        np.testing.assert_allclose(document["probability"], curve.probability, atol=1e-4)

    def test_the_folder_holds_the_page_the_arrays_and_the_exports(self, out):
        document = json.loads((out / "track.json").read_text())
        names = {Path(path).name for path in document["files"].values()}
        assert names == {path.name for path in out.iterdir()} - {"said.json"}
        assert {"track.html", "track.npz", "regions.csv", "audacity-regions.txt", "track.lab"} <= names
        track = Track.load(out / "track.npz")
        assert track.log_mel.shape == (len(track.probability), 80)
        assert [each.original_audio is not None for each in track.explanations] == [True] * 6

    def test_a_text_for_people_names_segments_and_moments(self, service_address, capsys):
        asked = ["track", str(DEMO), "--where", "at:12,20", "--trust", "kept", "--minimum-s", "1"]
        assert main([*asked, "--server", service_address]) == 0
        printed = capsys.readouterr()
        for part in ("singing in", "vocal", "instrumental", "2 moments explained by masker", "trust kept", "bundle"):
            assert part in printed.out
        assert "0:12.0 vocal" in printed.out
        assert "listening to song.ogg" in printed.err

    def test_without_a_page_there_are_json_and_exports_alone(self, service_address, tmp_path, capsys):
        asked = ["track", str(DEMO), "--where", "none", "--no-page", "--out", str(tmp_path / "out"), "--export", "rttm"]
        assert main([*asked, "--server", service_address, "--from", "0:30"]) == 0
        assert {path.name for path in (tmp_path / "out").iterdir()} == {"track.json", "track.rttm"}
        document = json.loads((tmp_path / "out" / "track.json").read_text())
        assert document["start_s"] == pytest.approx(30)
        assert document["explanations"] == []
        assert "no moment was explained" in capsys.readouterr().out

    def test_what_the_service_refuses_is_one_line(self, service_address, capsys):
        assert main(["track", str(DEMO), "--median-s", "11", "--server", service_address, "--quiet"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "median_filter_s" in line

    def test_any_listener_is_asked_about_any_label(self, service_address, tmp_path, capsys):
        asked = ["track", str(DEMO), "--listener", "tagger", "--label", "hiphop", "--contrast", "ballad"]
        more = ["--where", "every:20s", "--out", str(tmp_path), "--export", "csv,rttm,lab", "--quiet"]
        assert main([*asked, *more, "--server", service_address]) == 0
        printed = capsys.readouterr().out
        assert "hiphop in" in printed
        assert "(the most probable of ballad, dance, hiphop)" in printed
        assert "explained by gradient" in printed
        document = json.loads((tmp_path / "track.json").read_text())
        assert (document["listener"], document["label"], document["contrast"]) == ("tagger", "hiphop", "ballad")
        assert {each["label"] for each in document["explanations"]} == {"hiphop"}
        assert {each["label"] for each in document["segments"]} <= {"ballad", "dance", "hiphop"}
        assert len((tmp_path / "track.rttm").read_text().splitlines()) == len(document["segments"])
        page = (tmp_path / "track.html").read_text()
        assert "hiphop rather than ballad" in page
        assert "singing" not in page
        assert len(Track.load(tmp_path / "track.npz").labels) == 3
