"""The machinery behind `make fuzz`, on few inputs; the real run takes minutes."""

import multiprocessing
import os
import pickle
import random
import signal

import pytest
from fuzz import ASKED_SHARE, fuzz
from fuzzing.damage import damaged, sealed
from fuzzing.decoding import CRASHED, HEARD, HUNG, REFUSED, Outcome, decode_all
from fuzzing.figures import memory_growth, totals, undocumented
from fuzzing.formats import FORMATS, files
from fuzzing.inputs import Damaged
from fuzzing.messages import METHODS
from fuzzing.statuses import CONTRACT, documented
from phonoscope_serving.sound.audio import EncodedAudio
from phonoscope_serving.sound.opening import open_recording
from support.bundles.repository import REPOSITORY

PATIENT_S = 3600.0  # a slow machine is no hang


def test_every_format_is_heard_before_it_is_damaged():
    assert len(FORMATS) >= 12
    for name, content in files(0.5).items():
        assert open_recording(EncodedAudio(content)).samples > 0, name


def test_a_damaged_file_is_made_again_by_its_number_in_other_processes_too():
    one, other = Damaged(1), Damaged(2)
    again = pickle.loads(pickle.dumps(one))
    numbers = range(3 * len(FORMATS))
    assert [one[number] for number in numbers] == [again[number] for number in numbers]
    assert [one[number] for number in numbers] != [other[number] for number in numbers]
    assert sum(one[number] != one.whole(number) for number in numbers) > len(numbers) // 2


def test_pages_of_ogg_are_sealed_as_their_writers_do():
    ogg = files(0.5)["ogg-vorbis"]
    assert sealed(ogg) == ogg
    broken = bytearray(ogg)
    broken[len(ogg) // 2] ^= 1
    assert sealed(bytes(broken)) not in (ogg, bytes(broken))


def test_what_is_empty_or_short_can_be_damaged_too():
    for number in range(200):
        damaged(b"", [b""], random.Random(number))
        damaged(b"\0", [b"x"], random.Random(number))


@pytest.mark.e2e
def test_files_and_requests_end_as_callers_were_told(tmp_path):
    figures = fuzz(300, 5, 2, REPOSITORY, tmp_path)
    assert figures["inputs"] == 300
    assert {figures[name] for name in ("crashes", "hangs", "internal", "undocumented_statuses")} == {0}, figures
    assert set(figures["files"]) == set(FORMATS)
    assert sum(sum(kinds.values()) for kinds in figures["requests"].values()) == round(300 * ASKED_SHARE)


def test_a_decoder_that_dies_is_counted_and_replaced():
    outcomes = decode_all(Damaged(0), 40, 1, REPOSITORY, PATIENT_S)
    first = next(outcomes)
    (child,) = multiprocessing.active_children()
    child.kill()
    rest = list(outcomes)
    assert [outcome.number for outcome in (first, *rest)] == list(range(40))
    assert [outcome.kind for outcome in rest].count(CRASHED) == 1
    assert totals([first, *rest]) == {"crashes": 1, "hangs": 0, "internal": 0}


def test_a_decoder_that_says_nothing_is_counted_and_replaced():
    outcomes = decode_all(Damaged(0), 3, 1, REPOSITORY, hang_s=5.0)
    first = next(outcomes)
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGSTOP)
    rest = list(outcomes)
    assert [outcome.number for outcome in (first, *rest)] == [0, 1, 2]
    assert {outcome.kind for outcome in rest} <= {HUNG, HEARD, REFUSED}


def test_the_contract_names_the_statuses_of_every_rpc():
    named = documented(CONTRACT.read_text())
    assert set(named) == {method.name for method in METHODS}
    assert all({"OK", "INVALID_ARGUMENT", "UNAVAILABLE"} <= statuses for statuses in named.values())
    assert "OUT_OF_RANGE" in named["Explain"]
    assert "OUT_OF_RANGE" not in named["Predict"]
    answered = [Outcome(0, "OUT_OF_RANGE", "", 0.1, 1), Outcome(1, "OK", "", 0.1, 1), Outcome(1, CRASHED, "", 0.1, 0)]
    assert undocumented(answered, lambda _: "Predict", named) == answered[:1]


def test_memory_is_compared_once_a_process_is_warm():
    def growth(resident_bytes):
        return memory_growth(Outcome(number, HEARD, "", 0.1, each) for number, each in enumerate(resident_bytes))

    assert growth([10] * 20 + [100] * 80) == 1
    assert growth([10] * 20 + [100] * 60 + [200] * 20) == 2
    assert growth([0, 50, 50]) == 1
