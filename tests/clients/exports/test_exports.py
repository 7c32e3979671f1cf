"""Tracks as other people's tools read them: each format by a reader that people use, or by a slow and obvious one."""

import csv
import sys
from dataclasses import replace
from io import StringIO

import mir_eval.io
import pytest
from phonoscope_client import InvalidInputError, MissingExtraError
from phonoscope_client.exports import formats
from phonoscope_client.results.track import Segment
from praatio import textgrid
from pyannote.database.util import load_rttm
from support.services.track_results import explanation, summary, track

HOSTILE = 'say "x"\t=1+1,\n<b>\\'


@pytest.fixture
def made():
    return track()


def written(track, formats_asked, folder, song="a song"):
    return formats.write(track, song, formats_asked, folder)


def spans(track):
    return [(each.start_s, each.end_s, each.label) for each in track.summary.segments]


def test_segments_and_regions_as_tables_hold_what_the_track_does(made, tmp_path):
    files = written(made, ["csv"], tmp_path)
    assert sorted(files) == ["regions.csv", "segments.csv"]
    segments = list(csv.DictReader(StringIO((tmp_path / "segments.csv").read_text())))
    assert [(float(row["start_s"]), float(row["end_s"]), row["label"]) for row in segments] == spans(made)
    assert [row["share_held"] for row in segments] == ["0.0", "1.0", ""]
    regions = list(csv.DictReader(StringIO((tmp_path / "regions.csv").read_text())))
    assert [(float(row["at_s"]), row["label"], row["holds"]) for row in regions] == [
        (5.0, "instrumental", "False"),
        (15.0, "vocal", "True"),
        (25.0, "instrumental", ""),
    ]
    box = made.explanations[0].box(made.begun)
    assert float(regions[0]["low_hz"]) == pytest.approx(box.low_hz, abs=1e-5)
    assert float(regions[0]["end_s"]) == pytest.approx(box.end_s, abs=1e-5)


def audacity_labels(text):
    """Audacity's reader, as its manual describes it: a line that begins with a backslash belongs to the one before."""
    found = []
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "\\":
            found[-1] += (float(fields[1]), float(fields[2]))
        else:
            found.append((float(fields[0]), float(fields[1]), fields[2]))
    return found


def test_audacity_gets_segments_and_regions_with_their_frequencies(made, tmp_path):
    written(made, ["audacity"], tmp_path)
    segments = audacity_labels((tmp_path / "audacity-segments.txt").read_text())
    assert [(start, end) for start, end, _ in segments] == [(start, end) for start, end, _ in spans(made)]
    assert segments[1][2] == "vocal 93 %"
    regions = audacity_labels((tmp_path / "audacity-regions.txt").read_text())
    assert [text for _, _, text, *_ in regions] == [
        "instrumental, does not hold",
        "vocal, holds",
        "instrumental, not tried",
    ]
    for (start_s, end_s, _, low_hz, high_hz), each in zip(regions, made.explanations, strict=True):
        box = each.box(made.begun)
        assert (start_s, end_s, low_hz, high_hz) == pytest.approx(
            (box.start_s, box.end_s, box.low_hz, box.high_hz), abs=1e-6
        )
        assert start_s < each.at_s < end_s or abs(start_s - each.at_s) < 1
        assert 0 < low_hz < high_hz < 8000


def test_praat_gets_a_tier_without_gaps_and_a_point_for_each_moment(made, tmp_path):
    written(made, ["textgrid"], tmp_path)
    grid = textgrid.openTextgrid(str(tmp_path / "track.TextGrid"), includeEmptyIntervals=True)
    assert grid.tierNames == ("segments", "explanations")
    assert (grid.minTimestamp, grid.maxTimestamp) == (0, 30)
    assert [tuple(each) for each in grid.getTier("segments").entries] == spans(made)
    points = [tuple(each) for each in grid.getTier("explanations").entries]
    assert points == [(5.0, "instrumental, does not hold"), (15.0, "vocal, holds"), (25.0, "instrumental, not tried")]


def test_a_textgrid_of_a_part_of_a_track_is_empty_before_it(made, tmp_path):
    late = replace(made, first_frame=700, summary=summary(segments=(Segment(12.0, 35.0, "vocal", 0.9),)))
    written(late, ["textgrid"], tmp_path)
    grid = textgrid.openTextgrid(str(tmp_path / "track.TextGrid"), includeEmptyIntervals=True)
    found = [tuple(each) for each in grid.getTier("segments").entries]
    assert found == [(0.0, 12.0, ""), (12.0, 35.0, "vocal"), (35.0, 40.0, "")]


def test_rttm_names_where_somebody_sings(made, tmp_path):
    written(made, ["rttm"], tmp_path, song="a song.mp3")
    (name, annotation), *others = load_rttm(tmp_path / "track.rttm").items()
    assert (name, others) == ("a_song.mp3", [])
    assert [(each.start, each.end) for each in annotation.itersegments()] == [(9.5, 20.25)]


def test_lab_files_are_those_of_the_corpora(made, tmp_path):
    written(made, ["lab"], tmp_path)
    intervals, labels = mir_eval.io.load_labeled_intervals(str(tmp_path / "track.lab"))
    assert intervals.tolist() == [[start, end] for start, end, _ in spans(made)]
    assert labels == ["nosing", "sing", "nosing"]


@pytest.mark.filterwarnings("ignore:Passing a schema to Validator:DeprecationWarning")  # how jams calls jsonschema
def test_jams_files_are_valid_and_hold_the_boxes(made, tmp_path):
    import jams  # noqa: PLC0415 - it loads slowly

    written(made, ["jams"], tmp_path)
    document = jams.load(str(tmp_path / "track.jams"), validate=True, strict=True)
    segments, regions = document.annotations
    assert [(each.time, each.time + each.duration, each.value) for each in segments.data] == spans(made)
    assert [each.confidence for each in segments.data] == [0.81, 0.93, 0.77]
    assert [each["at_s"] for each in regions.sandbox.regions] == [5.0, 15.0, 25.0]
    assert regions.sandbox.regions[1]["holds"] is True
    assert document.file_metadata.duration == 30


def test_names_that_are_markup_or_break_lines_break_no_format(tmp_path):
    odd = explanation(15.0, HOSTILE, track().explanations[0].trust)
    hostile = track(explanations=(odd,), summary=summary(segments=(Segment(0.0, 30.0, HOSTILE, 0.5),)))
    written(hostile, formats.FORMATS, tmp_path, song=HOSTILE)
    assert len(audacity_labels((tmp_path / "audacity-regions.txt").read_text())) == 1
    assert len(audacity_labels((tmp_path / "audacity-segments.txt").read_text())) == 1
    grid = textgrid.openTextgrid(str(tmp_path / "track.TextGrid"), includeEmptyIntervals=True)
    assert [each.label for each in grid.getTier("segments").entries] == ['say "x" =1+1, <b>\\']
    assert len((tmp_path / "track.lab").read_text().splitlines()) == 1
    assert len(mir_eval.io.load_labeled_intervals(str(tmp_path / "track.lab"))[1]) == 1
    (row,) = csv.DictReader(StringIO((tmp_path / "segments.csv").read_bytes().decode(), newline=""))
    assert row["label"] == HOSTILE


def test_a_track_without_segments_or_regions_is_written_all_the_same(made, tmp_path):
    nothing = made.explanations[0]
    empty = replace(
        made,
        explanations=(replace(nothing, mask=nothing.mask & False),),
        summary=summary(segments=(), relevance=(), explained=0),
    )
    written(empty, formats.FORMATS, tmp_path)
    assert (tmp_path / "audacity-regions.txt").read_text() == ""
    assert load_rttm(tmp_path / "track.rttm") == {}
    grid = textgrid.openTextgrid(str(tmp_path / "track.TextGrid"), includeEmptyIntervals=True)
    assert [tuple(each) for each in grid.getTier("segments").entries] == [(0.0, 30.0, "")]


def test_an_unknown_format_is_refused_by_name(made, tmp_path):
    with pytest.raises(InvalidInputError, match="'midi' is no format; give some of csv, audacity"):
        written(made, ["csv", "midi"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_jams_without_its_library_asks_for_the_extra(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jams", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phonoscope\[jams\]'"):
        written(made, ["lab", "jams"], tmp_path)
    assert list(tmp_path.iterdir()) == []
