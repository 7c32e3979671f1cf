"""What a catalogue tells: figures, causes, what to look at first, and the page."""

import json

import numpy as np
import pytest
from phonoscope_client.batch.parts import CatalogueFolder
from phonoscope_client.batch.summary.causes import causes, described, pattern
from phonoscope_client.batch.summary.figures import distribution, figures
from phonoscope_client.batch.summary.looking import look_first
from phonoscope_client.batch.summary.reading import Catalogue
from phonoscope_client.cli import main
from phonoscope_client.errors import InvalidInputError

FRAMES, BANDS = 40, 32


def region(low, high, first=0, last=FRAMES, every=1):
    mask = np.zeros((FRAMES, BANDS), bool)
    mask[first:last:every, low:high] = True
    return mask


class TestCauses:
    def test_regions_that_lie_alike_are_one_cause_wherever_in_time_they_begin(self):
        high, low = region(20, 28, 5, 15), region(2, 6, 5, 15)
        found = causes([high, low, region(20, 28, 22, 32), region(20, 27, 6, 16), region(2, 6, 12, 22)])
        assert [cause.members for cause in found] == [(0, 2, 3), (1, 4)]

    def test_what_comes_and_goes_is_another_cause_than_what_stays(self):
        found = causes([region(4, 12), region(4, 12, every=4)], alike=0.99)
        assert [cause.members for cause in found] == [(0,), (1,)]

    def test_a_description_is_the_mean_of_two_cosines(self):
        one, other = region(4, 12, 3, 30), region(8, 20, every=3)

        def halves(mask):
            groups = [mask[:, 2 * i : 2 * i + 2].mean() for i in range(16)]
            area = mask.mean(axis=1)
            lags = np.linspace(0, FRAMES // 2, 16).astype(int)
            repeats = [np.mean([area[t] * area[t + lag] for t in range(FRAMES - lag)]) for lag in lags]
            return np.array(groups), np.array(repeats)

        def cosine(a, b):
            return a @ b / np.linalg.norm(a) / np.linalg.norm(b)

        expected = np.mean([cosine(*pair) for pair in zip(halves(one), halves(other), strict=True)])
        assert described(one) @ described(other) == pytest.approx(expected)
        assert described(one) @ described(one) == pytest.approx(1)

    @pytest.mark.parametrize(
        ("mask", "said"),
        [
            (region(0, 0), "nowhere"),
            (region(3, 9), "all through"),
            (region(3, 9, 10, 20), "in one stretch"),
            (region(3, 9, 10, 20) | region(3, 5, 25, 30), "in 2 stretches"),
        ],
    )
    def test_how_a_region_comes_and_goes_is_said(self, mask, said):
        assert pattern(mask) == said


def test_a_distribution_counts_what_is_known():
    found = distribution(np.array([0.0, 0.04, 1.0, np.nan]))
    assert sum(found["histogram"]) == 3
    assert (found["histogram"][0], found["histogram"][-1]) == (2, 1)
    assert found["p50"] == pytest.approx(0.04)
    assert distribution(np.array([None, None], object)) is None


def file_row(name, label, genre, **more):
    return {
        "file": name,
        "path": f"/music/{name}",
        "kind": "file",
        "bundle": "b",
        "label": label,
        "duration_s": 1800.0,
        "warnings": [],
        "manifest_genre": genre,
        **more,
    }


def moment_row(name, at_s, label, confidence, *, holds, mask, genre="folk", **more):
    return {
        "file": name,
        "path": f"/music/{name}",
        "kind": "explanation",
        "bundle": "b",
        "label": label,
        "confidence": confidence,
        "probability": confidence,
        "at_s": at_s,
        "holds": holds,
        "relative_area": float(mask.mean()),
        "region": np.packbits(mask).tobytes(),
        "region_frames": FRAMES,
        "region_bands": BANDS,
        "low_hz": 100.0,
        "high_hz": 900.0,
        "out_of_distribution": False,
        "manifest_genre": genre,
        **more,
    }


@pytest.fixture
def catalogue(tmp_path):
    folder = CatalogueFolder(tmp_path / "songs", ["genre"])
    low, high = region(2, 6), region(20, 28)
    unexpected = {"expected_label": "instrumental", "agreement": 0.0}
    with folder.held():
        folder.begin({"ask": ["explain"], "settings": {"rule": None, "every_s": 10.0}})
        folder.add(
            [
                file_row("a.wav", "vocal", "folk", agreement=0.25, expected_label="instrumental"),
                file_row("b.wav", "vocal", "rock"),
                file_row("c.wav", "instrumental", "folk", agreement=1.0, expected_label="instrumental"),
                {"file": "a.wav", "kind": "segment", "label": "vocal", "start_s": 0.0, "end_s": 3.0},
                {"file": "a.wav", "kind": "segment", "label": "instrumental", "start_s": 3.0, "end_s": 4.0},
                moment_row("a.wav", 1.0, "vocal", 0.9, holds=False, mask=high, **unexpected),
                moment_row("a.wav", 2.0, "vocal", 0.7, holds=True, mask=high, **unexpected),
                moment_row("a.wav", 3.0, "vocal", 0.6, holds=True, mask=low, **unexpected),
                moment_row("b.wav", 1.0, "vocal", 0.99, holds=True, mask=low, genre="rock"),
                moment_row("c.wav", 1.0, "instrumental", 1.0, holds=False, mask=low),
            ]
        )
        error = {"file": "d.wav", "path": "/music/d.wav", "stage": "read", "status": "INVALID_ARGUMENT"}
        folder.write_errors([{**error, "message": "no file", "retryable": False, "attempts": 1}])
        folder.complete(4)
    return tmp_path / "songs"


def test_figures_are_what_the_rows_say(catalogue):
    found = figures(Catalogue(catalogue))
    assert (found["files"], found["answered"], found["errors"], found["complete"]) == (4, 3, 1, True)
    assert found["errors_by_status"] == {"INVALID_ARGUMENT": 1}
    assert found["hours"] == pytest.approx(1.5)
    assert found["share_held"] == pytest.approx(3 / 5)
    assert (found["agreement"], found["files_expected"]) == (pytest.approx(0.625), 2)
    vocal = found["labels"]["vocal"]
    assert (vocal["files"], vocal["share_of_time"], vocal["share_held"]) == (
        2,
        pytest.approx(0.75),
        pytest.approx(0.75),
    )
    assert found["columns"]["genre"]["folk"]["labels"] == {"instrumental": 0.5, "vocal": 0.5}
    assert found["columns"]["genre"]["rock"]["share_held"] == 1


def test_what_to_look_at_first_is_what_is_surest_and_wrong(catalogue):
    found = look_first(Catalogue(catalogue))
    assert [(each["file"], each["at_s"]) for each in found["disagreeing"]] == [("a.wav", 1), ("a.wav", 2), ("a.wav", 3)]
    # Nothing of the label "instrumental" holds, so that a sure one that does not comes last.
    assert [each["file"] for each in found["unsupported"]] == ["a.wav", "c.wav"]
    assert [each["file"] for each in found["disagreeing_files"]] == ["a.wav"]
    (cause,) = found["causes"]
    assert (cause["moments"], cause["files"], cause["pattern"]) == (2, 1, "all through")
    assert cause["example"]["at_s"] == 1.0


def test_a_catalogue_of_errors_alone_is_summed_up(tmp_path):
    folder = CatalogueFolder(tmp_path, [])
    with folder.held():
        folder.begin({"ask": [], "settings": {}})
        folder.write_errors([])
    assert figures(Catalogue(tmp_path))["labels"] == {}
    assert look_first(Catalogue(tmp_path))["causes"] == []


def test_what_is_no_catalogue_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="holds no catalogue"):
        Catalogue(tmp_path)
    (tmp_path / "job.json").write_text('{"schema_version": 99}')
    with pytest.raises(InvalidInputError, match="its schema is 99"):
        Catalogue(tmp_path)


def test_the_page_and_the_json_say_the_same(catalogue, capsys):
    assert main(["summarise", str(catalogue), "--reports", "0", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert json.loads((catalogue / "summary.json").read_text()) == document
    page = (catalogue / "summary.html").read_text()
    for part in (
        "a.wav, 0:01.0",
        "3 of 4 files answered",
        "By genre",
        "1: INVALID_ARGUMENT",
        "100–900 Hz, all through",
    ):
        assert part in page


def test_whatever_has_no_report_opens_on_the_command_that_makes_one(catalogue, capsys):
    assert main(["summarise", str(catalogue), "--reports", "0", "--json"]) == 0
    look, page = json.loads(capsys.readouterr().out)["look_first"], (catalogue / "summary.html").read_text()
    (cause,) = look["causes"]
    commands = [each["command"] for each in (look["disagreeing"][0], *cause["others"], look["disagreeing_files"][0])]
    assert commands == [
        "phonoscope explain /music/a.wav --at 1.00 --out out/why",
        "phonoscope explain /music/a.wav --at 2.00 --out out/why",
        "phonoscope track /music/a.wav --out out/why",
    ]
    assert all(f"<code>{command}</code>" in page for command in commands)


def test_moments_to_look_at_are_explained_anew_where_their_files_are(service_address, tmp_path, song, capsys):
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "tone.wav").write_bytes(song.read_bytes())
    (folder / "tone.lab").write_text("0 4 sing\n4 8 nosing\n")
    out = tmp_path / "out"
    asked = ["--server", service_address, "--quiet"]
    assert main(["batch", str(folder), "--out", str(out), "--where", "every:1s", "--trust", "kept", *asked]) == 0
    assert main(["summarise", str(out), "--reports", "2", *asked]) == 0
    document = json.loads((out / "summary.json").read_text())
    reports = [each["report"] for each in document["look_first"]["disagreeing"]]
    assert reports.count(None) == len(reports) - 2
    for name in filter(None, reports):
        assert f'href="{name}"' in (out / "summary.html").read_text()
        assert "a tone" in (out / name).read_text() or "tone.wav" in (out / name).read_text()
    assert document["look_first"]["disagreeing_files"][0]["report"] in reports
