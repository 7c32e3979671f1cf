import gc
from contextlib import suppress

import numpy as np
import pytest
from av.container import InputContainer
from phonoscope_serving.errors import InvalidRequest
from phonoscope_serving.sound.audio import LIMITS
from phonoscope_serving.sound.files.coded_file import CodedFile
from support.corpora.sound import music
from support.corpora.sound_files import coded


@pytest.fixture
def flac():
    return coded(music(4), 22050, "flac", "flac")


@pytest.mark.parametrize("cut_at", [None, 60], ids=["a file that is heard", "a file that is refused"])
def test_a_file_is_let_go_as_soon_as_nobody_reads_it(flac, cut_at):
    gc.collect()
    gc.disable()  # which finds rings of references, but only once many have come together
    try:
        before = {id(each) for each in _containers()}
        with suppress(InvalidRequest):
            sum(len(piece) for piece in CodedFile(flac[:cut_at], "audio", LIMITS).frames(0, 1000))
        assert [each for each in _containers() if id(each) not in before] == []
    finally:
        gc.enable()


def _containers() -> list[InputContainer]:
    # not isinstance: what others left lazy would wake up
    return [each for each in gc.get_objects() if issubclass(type(each), InputContainer)]


def test_pieces_are_short_follow_each_other_and_are_silent_beyond_the_end(flac):
    file = CodedFile(flac, "audio", LIMITS)
    whole = np.concatenate(list(file.frames(0, file.samples)), axis=1)
    pieces = list(file.frames(20_000, file.samples + 100_000))
    assert max(piece.shape[1] for piece in pieces) <= 1 << 16
    section = np.concatenate(pieces, axis=1)
    np.testing.assert_array_equal(section[:, :-100_000], whole[:, 20_000:])
    assert not section[:, -100_000:].any()
