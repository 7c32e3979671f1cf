import pytest
from phonoscope_serving.sound.warning import AT_MOST, SoundWarning, WarningKind, summarised


def warning(kind, start_s, end_s):
    return SoundWarning(WarningKind[kind], start_s, end_s, f"{kind} at {start_s}")


def test_warnings_are_told_in_order_of_time():
    told = summarised([warning("GAP", 5, 6), warning("CLIPPED", 0, 9), warning("TRUNCATED", 9, 9)])
    assert [each.kind.name for each in told] == ["CLIPPED", "GAP", "TRUNCATED"]


def test_neighbours_of_one_kind_are_one():
    (only,) = summarised([warning("DAMAGED", at / 10, at / 10 + 0.02) for at in range(50)])
    assert (only.start_s, only.end_s) == (0, pytest.approx(4.92))


def test_distant_ones_are_apart():
    assert len(summarised([warning("GAP", 1, 2), warning("GAP", 3, 4)])) == 2


def test_damage_beside_what_is_missing_belongs_to_it():
    told = summarised([warning("DAMAGED", 4.98, 5.0), warning("GAP", 5, 6), warning("DAMAGED", 9, 9.02)])
    assert [(each.kind.name, each.start_s) for each in told] == [("GAP", 5), ("DAMAGED", 9)]


def test_nobody_reads_a_thousand():
    told = summarised([warning("GAP", 2 * at, 2 * at + 1) for at in range(1000)])
    assert len(told) == AT_MOST
    assert told[-1].end_s == 1999


def test_a_later_recordings_warnings_are_later():
    assert warning("GAP", 1, 2).later(10) == SoundWarning(WarningKind.GAP, 11, 12, "GAP at 1")
