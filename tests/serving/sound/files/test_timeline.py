from fractions import Fraction

import numpy as np
import pytest
from phonoscope_serving.sound.files.timeline import PacketTimes, placed, trimmed

RATE_HZ = 1000  # a sample a millisecond: tolerance is 15 samples


def times(stamps, durations=None, time_base=Fraction(1, RATE_HZ)):
    durations = [100] * len(stamps) if durations is None else durations
    return PacketTimes(time_base, np.array(stamps, float), np.array(durations, float))


def timeline(starts, length=100, longest_gap_s=100.0):
    lengths = np.full(len(starts), length)
    return placed(np.array(starts, float), lengths, RATE_HZ, longest_gap_s, exact=True)


def slowly_placed(starts, length, tolerance=15, longest_repeat=2000, longest_gap=100_000):
    """Packet by packet: behind the one before, unless the time stamp is off by more than the tolerance."""
    result, offset, shift = [], starts[0], 0
    for packet, start in enumerate(starts):
        follows = packet * length
        if abs(start - follows - offset) > tolerance:
            jump = start - follows - offset
            if -longest_repeat <= jump <= longest_gap:
                shift += jump
            offset += jump
        result.append(follows + shift)
    return result


def test_packets_that_follow_each_other_are_placed_without_a_seam():
    found = timeline([0, 101, 199, 305, 390, 500])
    assert found.starts.tolist() == [0, 100, 200, 300, 400, 500]
    assert found.samples == 600
    assert not found.gaps
    assert not found.repeats


def test_recordings_begin_at_their_first_packet_whatever_its_time_stamp():
    assert timeline([5000, 5100, 5200]).starts.tolist() == [0, 100, 200]


def test_what_is_missing_stays_silent():
    found = timeline([0, 100, 700, 800])
    assert found.starts.tolist() == [0, 100, 700, 800]
    assert list(found.gaps) == [(200, 700)]
    assert found.samples == 900


def test_what_time_stamps_repeat_lies_where_it_was_heard():
    found = timeline([0, 100, 200, 100, 200, 300])
    assert found.starts.tolist() == [0, 100, 200, 100, 200, 300]
    assert list(found.repeats) == [100]
    assert found.samples == 400


def test_time_stamps_that_begin_again_are_another_recording():
    found = timeline([0, *range(3000, 4000, 100), 0, 100], longest_gap_s=10)
    assert found.starts.tolist()[-2:] == [4000, 4100]


def test_a_jump_too_far_is_not_believed():
    found = timeline([0, 100, 10**9, 10**9 + 100])
    assert found.starts.tolist() == [0, 100, 200, 300]
    assert list(found.repeats) == [200]


@pytest.mark.parametrize("seed", range(20))
def test_placing_many_packets_is_placing_one_after_another(seed):
    rng = np.random.default_rng(seed)
    steps = 100 + rng.integers(-5, 6, 3000) + np.where(rng.random(3000) < 0.01, rng.integers(-4000, 4000, 3000), 0)
    starts = np.concatenate([[0], np.cumsum(steps)])
    np.testing.assert_array_equal(timeline(starts).starts, slowly_placed(starts.tolist(), 100))


def test_the_first_packet_heard_at_a_sample_is_the_one_that_holds_it():
    found = timeline([0, 100, 700, 800])
    assert [found.first_packet(sample) for sample in (0, 99, 100, 199, 200, 500, 700, 899, 900)] == [
        0,
        0,
        1,
        1,
        2,
        2,
        2,
        3,
        4,
    ]


def test_padding_is_not_part_of_the_recording():
    found = trimmed(timeline([0, 100, 700]), 30, 50)
    assert found.starts.tolist() == [-30, 70, 670]
    assert found.samples == 720
    assert list(found.gaps) == [(170, 670)]


def test_packets_without_time_stamps_follow_the_one_before():
    stamps, durations = times([np.nan, np.nan, 500, np.nan, 900, np.nan]).in_samples(RATE_HZ)
    assert stamps.tolist() == [0, 100, 500, 600, 900, 1000]
    assert durations.tolist() == [100] * 6


@pytest.mark.parametrize(
    ("time_base", "exact"), [((1, 1000), True), ((1, 14_112_000), True), ((1, 999), False), ((1, 90), False)]
)
def test_only_ticks_that_divide_samples_are_exact(time_base, exact):
    assert times([0], time_base=Fraction(*time_base)).ends_like_clockwork(RATE_HZ) is exact


def test_absurd_time_stamps_of_damaged_files_are_bounded():
    stamps, durations = times([-(2.0**63), 2.0**63], [2.0**63, 0]).in_samples(RATE_HZ)
    assert np.isfinite(stamps).all()
    assert np.isfinite(durations).all()
    found = placed(stamps, np.array([100, 100]), RATE_HZ, 1200.0, exact=True)
    assert found.samples == 200
