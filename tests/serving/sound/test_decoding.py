import asyncio
import threading

import numpy as np
import pytest
from phonoscope_serving.errors import DeadlinePassed, InvalidRequest
from phonoscope_serving.sound.audio import EncodedAudio, PcmAudio
from phonoscope_serving.sound.decoding import Decoder
from phonoscope_serving.sound.resampling import whole
from support.corpora.sound import encoded, music

HANG_S = 600.0
SONG = EncodedAudio(encoded(music(2), 22050))


@pytest.fixture
async def decoder():
    decoder = Decoder(threads=1)
    yield decoder
    decoder.close()


async def test_decoding_does_not_hold_up_the_event_loop(decoder):
    release = threading.Event()
    reading = asyncio.create_task(decoder.read(SONG, lambda recording: release.wait(HANG_S), None))
    await asyncio.sleep(0)  # the loop is free while the thread waits, or this would never be reached
    release.set()
    assert await reading


async def test_errors_reach_the_caller(decoder):
    with pytest.raises(InvalidRequest, match="is not audio"):
        await decoder.read(EncodedAudio(b"nonsense"), lambda recording: recording.samples, None)


async def test_reading_stops_when_the_deadline_passes(decoder, clock):
    started, stopped = threading.Event(), threading.Event()

    def endless(recording):
        started.set()
        try:
            while True:
                whole(recording, 22050)
        finally:
            stopped.set()

    reading = asyncio.create_task(decoder.read(SONG, endless, clock.time() + 3600))
    await asyncio.to_thread(started.wait, HANG_S)
    clock.skip(7200)
    with pytest.raises(DeadlinePassed, match="while the audio was decoded"):
        await reading
    await asyncio.to_thread(stopped.wait, HANG_S)
    assert stopped.is_set()


async def test_reading_stops_when_the_caller_leaves(decoder):
    started, stopped = threading.Event(), threading.Event()

    def endless(recording):
        started.set()
        try:
            while True:
                whole(recording, 22050)
        finally:
            stopped.set()

    task = asyncio.create_task(decoder.read(SONG, endless, None))
    await asyncio.to_thread(started.wait, HANG_S)
    task.cancel()
    await asyncio.to_thread(stopped.wait, HANG_S)
    assert stopped.is_set()


async def test_samples_that_are_there_already_need_no_thread(decoder):
    thread = await decoder.read(PcmAudio(music(1).tobytes(), 22050, 1), lambda _: threading.current_thread(), None)
    assert thread is threading.main_thread()
    thread = await decoder.read(SONG, lambda _: threading.current_thread(), None)
    assert thread is not threading.main_thread()


def in_halves(recording):
    yield from np.array_split(whole(recording, 22050), 2)


async def test_a_recording_can_be_read_piece_by_piece(decoder):
    halves = [half async for half in decoder.stream(SONG, in_halves, None)]
    np.testing.assert_array_equal(
        np.concatenate(halves), await decoder.read(SONG, lambda recording: whole(recording, 22050), None)
    )


async def test_what_breaks_between_two_pieces_reaches_the_caller(decoder):
    def breaking(recording):
        yield recording.samples
        raise InvalidRequest.at("audio", "breaks")

    pieces = decoder.stream(SONG, breaking, None)
    assert await anext(pieces) == 44100
    with pytest.raises(InvalidRequest, match="breaks"):
        await anext(pieces)


async def test_the_deadline_ends_a_recording_that_is_read_piece_by_piece(decoder, clock):
    def endless(recording):
        yield 1
        while True:
            whole(recording, 22050)

    pieces = decoder.stream(SONG, endless, clock.time() + 3600)
    assert await anext(pieces) == 1
    clock.skip(7200)
    with pytest.raises(DeadlinePassed, match="while the audio was decoded"):
        await anext(pieces)
