"""How fast files of sound are decoded, against libsndfile.

A song of four minutes in stereo (the song that ships, repeated, with an echo on one side), as WAV, FLAC, MP3 and Ogg
Vorbis, decoded to what the service needs, one channel of float32 in blocks, in one thread:

    decode_over_soundfile       time of opening and reading by `open_recording`, which also looks at every packet,
                                listens to the sound for warnings and checks every block, over that of libsndfile's
                                frames in blocks, mixed by the fastest that NumPy has for it, a product with weights
    decode_over_soundfile_mean  the same over libsndfile's frames and their mean, which most write and NumPy does slowly
    decode_over_bare_frames     the same over libsndfile's frames alone, not mixed down
    section_seconds             two seconds from the middle of the file, opened for them
    memory_bytes                beyond the file itself, at most, of each way in a process of its own

Times are the processor's, which on an idle machine are the clock's, since nothing here has a second thread. All take
turns, round by round, and the fastest round of each counts, as the one that other work disturbed least.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import io
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import phonoscope_client.demo
import soundfile
from numpy.typing import NDArray
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.sound.audio import BLOCK_SAMPLES, EncodedAudio
from phonoscope_serving.sound.opening import open_recording
from service_load import circumstances, write
from tqdm import tqdm

SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"
RATE_HZ = 44_100
KINDS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
}
PACKAGES = ("av", "soundfile")


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=240.0, help="length of the song (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9, help="of everything (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    frames = stereo_song(options.seconds)
    figures = measure({kind: encoded(frames, *how) for kind, how in KINDS.items()}, options.rounds)
    figures |= {"seconds_of_music": options.seconds} | circumstances(load_bundle(options.model_repository))
    figures["versions"] |= {package: importlib.metadata.version(package) for package in PACKAGES}
    figures["machine"] |= {"threads": 1}
    write(figures, options.json)
    for kind, ratio in figures["decode_over_soundfile"].items():
        faster = options.seconds / figures["seconds"][kind]["decoded"]
        print(f"{kind:5s}{faster:6.0f} times as fast as it plays; {ratio:.2f} of the time that libsndfile takes")
    print(f"Figures: {options.json}, made on {figures['machine']['processor']}")


def stereo_song(seconds: float) -> NDArray[np.float32]:
    """The song that ships at `RATE_HZ`, `[N, 2]`, with what its low rate lacks filled in by noise of its own level."""
    samples, rate_hz = soundfile.read(SONG, dtype="float32")
    at_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    left = np.interp(at_s % (len(samples) / rate_hz), np.arange(len(samples)) / rate_hz, samples)
    left += np.random.default_rng(0).normal(0, 0.1, len(left)) * np.abs(left)
    right = 0.7 * left + 0.3 * np.roll(left, RATE_HZ // 30)
    return np.asarray(np.stack([left, right], axis=1), np.float32)


def encoded(frames: NDArray[np.float32], container: str, subtype: str) -> bytes:
    """A file of it."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", RATE_HZ, frames.shape[1], subtype, format=container) as written:
        for first in range(0, len(frames), BLOCK_SAMPLES):  # libvorbis cannot take all of it at once
            written.write(frames[first : first + BLOCK_SAMPLES])
    return file.getvalue()


def measure(files: dict[str, bytes], rounds: int) -> dict[str, Any]:
    """All ways in turn; the fastest round of each."""
    seconds = {kind: dict.fromkeys(WAYS, float("inf")) for kind in files}
    for _ in tqdm(range(rounds), desc="rounds", unit="round"):
        for kind, content in files.items():
            for way, read in WAYS.items():
                seconds[kind][way] = min(seconds[kind][way], seconds_of(read, content))
    figures: dict[str, Any] = {
        name: {kind: times["decoded"] / times[way] for kind, times in seconds.items()} for name, way in RATIOS.items()
    }
    return figures | {
        "section_seconds": {kind: times["section"] for kind, times in seconds.items()},
        "memory_bytes": {kind: {way: memory_of(way, content) for way in WAYS} for kind, content in files.items()},
        "seconds": seconds,
        "bytes": {kind: len(content) for kind, content in files.items()},
    }


def decoded(content: bytes) -> int:
    """Samples of a recording, opened and read."""
    recording = open_recording(EncodedAudio(content))
    return sum(len(block) for block in recording.blocks(0, recording.samples))


def section(content: bytes) -> int:
    """Samples of two seconds of a recording."""
    recording = open_recording(EncodedAudio(content))
    start = recording.samples // 2
    return sum(len(block) for block in recording.blocks(start, start + 2 * recording.sample_rate_hz))


def soundfile_mixed(content: bytes) -> int:
    """Samples that libsndfile reads and NumPy mixes as fast as it can."""
    weights = np.full(2, 0.5, np.float32)
    return sum(len(frames @ weights) for frames in blocks(content))


def soundfile_mean(content: bytes) -> int:
    """Samples that libsndfile reads and NumPy averages."""
    return sum(len(frames.mean(axis=1, dtype=np.float32)) for frames in blocks(content))


def soundfile_frames(content: bytes) -> int:
    """Samples that libsndfile reads."""
    return sum(len(frames) for frames in blocks(content))


def blocks(content: bytes) -> Iterator[NDArray[np.float32]]:
    """Frames `[N, C]` of a file, in blocks."""
    yield from soundfile.SoundFile(io.BytesIO(content)).blocks(BLOCK_SAMPLES, dtype="float32", always_2d=True)


def seconds_of(read: Callable[[bytes], int], content: bytes) -> float:
    """How long one reading keeps the processor busy."""
    began_s = time.process_time()
    read(content)
    return time.process_time() - began_s


def memory_of(way: str, content: bytes) -> int:
    """How much more memory a process has at its worst than before it began to read, in bytes."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_memory_here, way, content).result()


def _memory_here(way: str, content: bytes) -> int:
    Path("/proc/self/clear_refs").write_text("5")  # forgets the worst so far
    before_kb = _memory_kb("VmRSS")
    WAYS[way](content)
    return 1024 * (_memory_kb("VmHWM") - before_kb)


def _memory_kb(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0])


WAYS: dict[str, Callable[[bytes], int]] = {
    "decoded": decoded,
    "soundfile": soundfile_mixed,
    "mean": soundfile_mean,
    "bare": soundfile_frames,
    "section": section,
}
RATIOS = {
    "decode_over_soundfile": "soundfile",
    "decode_over_soundfile_mean": "mean",
    "decode_over_bare_frames": "bare",
}


if __name__ == "__main__":
    main()
