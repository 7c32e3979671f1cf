"""Damaged files given to the decoder in processes of their own, watched from outside: what dies or hangs is noticed."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import numpy as np
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.errors import DeadlinePassed, InvalidRequest, OutOfRange
from phonoscope_serving.sound.audio import EncodedAudio
from phonoscope_serving.sound.excerpt import excerpt_around, require_frame
from phonoscope_serving.sound.opening import open_recording
from phonoscope_serving.sound.resampling import whole

from fuzzing.inputs import SECONDS, Damaged

HANG_S = 120.0  # for one file, which takes milliseconds: no machine is so busy
HEARD, REFUSED, INTERNAL, CRASHED, HUNG = "heard", "refused", "internal", "crashed", "hung"


@dataclass(frozen=True)
class Outcome:
    """What came of one file."""

    number: int  # which makes the file again
    kind: str  # `HEARD`, `REFUSED`, …
    detail: str  # of what should not have been
    seconds: float
    resident_bytes: int  # of the process that decoded it; 0 where it is gone


def decode_all(
    inputs: Damaged, count: int, processes: int, model_repository: Path, hang_s: float = HANG_S
) -> Iterator[Outcome]:
    """Gives files `0` to `count - 1` to the decoder, side by side.

    Args:
        inputs: the files.
        count: of files.
        processes: that decode.
        model_repository: whose excerpts are taken.
        hang_s: after which a process that says nothing is given up.

    Returns:
        One outcome for each, in the order they come.
    """
    decoders = {
        decoder.pipe: decoder
        for decoder in (
            _Decoder(range(first, count, processes), inputs, model_repository) for first in range(processes)
        )
    }
    while decoders:
        for pipe in wait(list(decoders), timeout=1.0):
            decoder = decoders[pipe]  # type: ignore[index]  # `wait` gives what it was given
            yield from decoder.outcomes()
        for decoder in list(decoders.values()):
            if decoder.silent_s() > hang_s:
                yield from decoder.replaced(HUNG, f"no answer within {hang_s:g} s")
        decoders = {decoder.pipe: decoder for decoder in decoders.values() if decoder.remaining}


def resident_bytes(process: int) -> int:
    """Memory a process has now, not at its worst.

    Args:
        process: its number.
    """
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class _Decoder:
    """One process, and the numbers of the files it still has to decode."""

    def __init__(self, numbers: range, inputs: Damaged, model_repository: Path) -> None:
        self.remaining = numbers
        self._inputs, self._model_repository = inputs, model_repository
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe(duplex=False)
        arguments = (theirs, self.remaining, self._inputs, self._model_repository)
        self._process: BaseProcess = context.Process(target=_decode, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self._heard_s = time.monotonic()

    def outcomes(self) -> Iterator[Outcome]:
        """What it has to say."""
        try:
            while self.remaining and self.pipe.poll():
                outcome = self.pipe.recv()
                self.remaining = self.remaining[1:]
                self._heard_s = time.monotonic()
                yield outcome
        except EOFError:
            self._process.join()
            yield from self.replaced(CRASHED, f"exit code {self._process.exitcode}")

    def silent_s(self) -> float:
        """For how long it has said nothing while there was something to decode, in seconds."""
        return time.monotonic() - self._heard_s if self.remaining else 0.0

    def replaced(self, kind: str, detail: str) -> Iterator[Outcome]:
        """Ends it, goes on behind the file it was at."""
        self._process.kill()
        self._process.join()
        self.pipe.close()
        yield Outcome(self.remaining[0], kind, detail, time.monotonic() - self._heard_s, 0)
        self.remaining = self.remaining[1:]
        if self.remaining:
            self._start()


def _decode(pipe: Connection, numbers: range, inputs: Damaged, model_repository: Path) -> None:
    """Runs in a process of its own."""
    front_end = load_bundle(model_repository).default.front_end
    gc.collect()
    gc.freeze()
    for number in numbers:
        content, moment = inputs[number], Random(number).uniform(0, SECONDS)
        began_s = time.perf_counter()
        kind, detail = outcome_of(content, front_end, moment)
        pipe.send(Outcome(number, kind, detail, time.perf_counter() - began_s, resident_bytes(os.getpid())))


def outcome_of(content: bytes, front_end: FrontEnd, at_s: float) -> tuple[str, str]:
    """Hears a file as the service does, all of it and one moment; gives what came of it, and what is wrong with that.

    Args:
        content: the file.
        front_end: what an excerpt is.
        at_s: the moment.
    """
    try:
        recording = open_recording(EncodedAudio(content))
        require_frame(recording, front_end)
        curve = whole(recording, front_end.sample_rate_hz)
        excerpt = excerpt_around(recording, front_end, at_s)
        sentences = [warning.sentence for warning in (*recording.warnings, *excerpt.warnings)]
    except (InvalidRequest, OutOfRange, DeadlinePassed):
        return REFUSED, ""
    except Exception as error:  # noqa: BLE001 - whatever else is raised is what is looked for
        return INTERNAL, f"{type(error).__name__}: {error}"
    if not (np.isfinite(curve).all() and np.isfinite(excerpt.samples).all() and all(sentences)):
        return INTERNAL, "samples are not finite, or a warning says nothing"
    return HEARD, ""
