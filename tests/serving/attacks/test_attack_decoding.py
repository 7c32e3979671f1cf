"""Recordings that take long to decode must not keep others from being heard, nor fill the memory."""

import asyncio
import time
from contextlib import aclosing

import numpy as np
import pytest
import soundfile
from phonoscope.v1 import prediction_pb2
from phonoscope_serving.errors import DeadlinePassed
from phonoscope_serving.sound.audio import EncodedAudio
from phonoscope_serving.sound.decoding import Decoder
from phonoscope_serving.sound.resampling import whole
from phonoscope_serving.sound.turns import SLICE_S, Reading, Turns
from support.corpora.sound import encoded, file, music
from support.services.attacked import attacked

SONG = EncodedAudio(encoded(music(2), 22050))


async def test_attack_recordings_without_an_end_do_not_keep_a_short_one_waiting():
    decoder = Decoder(threads=2)

    def endless(recording):
        while True:
            whole(recording, 22050)

    def endless_pieces(recording):
        yield from iter(lambda: endless(recording), None)

    async def stream(caller):
        async with aclosing(decoder.stream(SONG, endless_pieces, None, caller)) as pieces:
            async for _ in pieces:
                pass

    heavy = [asyncio.create_task(decoder.read(SONG, endless, None, "heavy")) for _ in range(4)]
    heavy += [asyncio.create_task(stream("heavy")) for _ in range(4)]
    try:
        for _ in range(3):
            assert await decoder.read(SONG, lambda recording: len(whole(recording, 22050)), None, "light") == 44100
    finally:
        for task in heavy:
            task.cancel()
        await asyncio.gather(*heavy, return_exceptions=True)
        decoder.close()


async def test_attack_the_next_turn_is_whose_turns_were_shortest():
    turns, order = Turns(1), []
    first, long, short = (Reading(turns) for _ in range(3))
    long.used_s = 2.0

    def taken(name, reading):
        with reading.turn():
            order.append(name)

    with first.turn():
        waiting = [asyncio.create_task(asyncio.to_thread(taken, "long", long))]
        while not turns.are_wanted:
            await asyncio.sleep(0.01)
        waiting.append(asyncio.create_task(asyncio.to_thread(taken, "short", short)))
        while len(turns._waiting) < 2:
            await asyncio.sleep(0.01)
        time.sleep(2 * SLICE_S)
        first.pause()
        order.append("first")
    await asyncio.gather(*waiting)
    assert order == ["short", "first", "long"]
    assert first.used_s > SLICE_S


async def test_attack_who_was_abandoned_while_waiting_begins_nothing():
    turns = Turns(1)
    first, second = Reading(turns), Reading(turns)

    def begin():
        with second.turn():
            raise AssertionError("it began")

    with first.turn():
        waiting = asyncio.create_task(asyncio.to_thread(begin))
        while not turns.are_wanted:
            await asyncio.sleep(0.01)
        second.abandon()
    with pytest.raises(DeadlinePassed):
        await waiting
    with Reading(turns).turn():
        pass


@pytest.mark.e2e
def test_attack_hours_of_silence_take_no_gigabytes(tmp_path, repository):
    """Twenty minutes of silence are some kilobytes of FLAC, and were a hundred megabytes of samples, forty times."""
    path = tmp_path / "silence.flac"
    soundfile.write(path, np.zeros(1200 * 8000, np.float32), 8000)
    silence = prediction_pb2.PredictRequest(audio=file(path.read_bytes()))
    with attacked(tmp_path, repository) as service:
        service.stub.Predict(prediction_pb2.PredictRequest(audio=file(encoded(music(11), 22050))))
        before_mib, most_mib = service.resident_mib, 0.0
        calls = [service.stub.Predict.future(silence) for _ in range(40)]
        give_up_s = time.monotonic() + 10
        while time.monotonic() < give_up_s:
            most_mib = max(most_mib, service.resident_mib)
            time.sleep(0.1)
        for call in calls:
            call.cancel()
        assert most_mib < before_mib + 400
