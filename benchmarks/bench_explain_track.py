"""What a whole track costs: its curve, and an explanation every ten frames, over gRPC, on two cores.

A four-minute song (the one that ships, repeated, as a FLAC file), asked for by the Python client from a service that
runs as a process of its own, on the CPU or with the options behind `--`, such as `--engine openvino --precision
bfloat16`; both share two cores. All figures come from one run:

    realtime_factor_curve  seconds of music per second of waiting, the curve alone
    realtime_factor_kept   the same with an explanation every ten frames by the bundle's default rule, and whether each
                           region alone keeps the label; by every other rule beside it
    realtime_factor_full   the same with full trust: also exchange with other music
    speedup_over_explain_calls  time of as many Explain calls ÷ time of the track (kept): the client is given the same
                           file for each moment, one after another, and the least evidence by exchange that it knows
    speedup_over_excerpt_calls  the same where calls send no more sound than the excerpt needs, from as many callers as
                           are served best: what sharing one pass, and no more than one trial, are worth by themselves
    speedup_full           that with full evidence, against full trust
    memory_growth          largest memory of a service that heard 60 minutes ÷ that of one that heard 10, both as a
                           flow whose length it is not told
    equal_to_explain       whether each moment of that sample has the same region, and probabilities within 1e-4, as
                           Explain gives it with the same control seed; `largest_difference` says how far they are

Rounds take turns; the fastest of each counts, which other work disturbed least, and medians stand beside it.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import phonoscope_client.demo
import soundfile
from numpy.typing import NDArray
from phonoscope_client import Client, Explanation, Track, TrackExplanation, running_service
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import circumstances, write
from tqdm import tqdm

Floats = NDArray[np.float32]
SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"
CORES = 2
EVERY_FRAMES = 10
SEED = 7
CALLERS = (1, 4, 8)
FILE_CALLS = 16  # of a round: each sends the whole file
CLOSE = 1e-4  # of probabilities
SHORT_S, LONG_S = 600, 3600  # of the flows that memory is measured on
AROUND_S = 1.0  # of an excerpt, on either side


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=240.0, help="length of the song (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of everything (default: %(default)s)")
    parser.add_argument("--sample", type=int, default=96, help="moments asked of Explain, too (default: %(default)s)")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of phonoscope-serve; behind --")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # and of all it starts
    bundle = load_bundle(options.model_repository)
    samples, rate_hz = song(options.seconds)
    arguments = ["--model-repository", str(options.model_repository), "--threads", str(CORES)]
    arguments += options.options or ["--device", "cpu"]
    with running_service(arguments) as service, Client(service.address, timeout_s=600) as client:
        every_s = EVERY_FRAMES / bundle.default.front_end.frames_per_second
        figures = measure(client, samples, rate_hz, every_s, options.rounds, options.sample)
    figures |= measure_memory(arguments, samples.mean(axis=1, dtype=np.float32), rate_hz)
    figures |= circumstances(bundle)
    figures["machine"] |= {"threads": CORES}
    figures["options"] = options.options
    write(figures, options.json)
    for name, value in figures.items():
        if isinstance(value, bool | float):
            print(f"{name:28} {value if isinstance(value, bool) else f'{value:.4g}'}")
    print(f"On {figures['machine']['processor']}, {CORES} cores. Figures: {options.json}")


def measure(client: Client, samples: Floats, rate_hz: int, every_s: float, rounds: int, sample: int) -> dict[str, Any]:
    """Tracks and single calls in turn."""
    file, seconds = flac(samples, rate_hz), len(samples) / rate_hz
    samples, _ = soundfile.read(io.BytesIO(file), dtype="float32", always_2d=True)  # as the file has them
    rules = [rule.name for rule in client.describe().rules]
    asked: dict[str, Callable[[], Track]] = {
        "curve": lambda: client.explain_track(file).collect(),
        "kept": lambda: client.explain_track(file, every_s=every_s, control_seed=SEED).collect(),
        "full": lambda: client.explain_track(file, every_s=every_s, control_seed=SEED, trust="full").collect(),
    }
    others = {
        rule: lambda rule=rule: client.explain_track(file, every_s=every_s, control_seed=SEED, rule=rule).collect()
        for rule in rules[1:]
    }
    tracks = {name: ask() for name, ask in asked.items()}  # fills caches and arenas
    every = tracks["kept"].explanations
    moments = [every[at] for at in np.unique(np.linspace(0, len(every) - 1, sample).astype(int))]
    taken: dict[str, list[float]] = {}
    count = len(every)

    def ask_of_file(at_s: float) -> Explanation:
        return client.explain(file, at_s, listen=False, control_seed=SEED, evidence="kept")

    answers: list[Explanation] = []
    for _ in tqdm(range(rounds), desc="rounds", unit="round"):
        for name, ask in asked.items():
            taken.setdefault(name, []).append(seconds_of(ask))
        for evidence in ("kept", "full"):
            spent, answers = by_explain(client, samples, rate_hz, [each.at_s for each in moments], evidence)
            taken.setdefault(f"excerpts_{evidence}", []).append(spent * count / len(moments))
        few = moments[:: max(1, len(moments) // FILE_CALLS)]
        spent = seconds_of(lambda few=few: [ask_of_file(each.at_s) for each in few])  # type: ignore[misc]  # a default
        taken.setdefault("file_calls", []).append(spent * count / len(few))
    taken |= {f"kept_{rule}": [seconds_of(ask)] for rule, ask in others.items()}
    best = {name: min(times) for name, times in taken.items()}
    full = {each.at_s: each for each in tracks["full"].explanations}
    equal, difference = compared(moments, [full[each.at_s] for each in moments], answers)
    return {
        "realtime_factor_curve": seconds / best["curve"],
        "realtime_factor_kept": seconds / best["kept"],
        "realtime_factor_full": seconds / best["full"],
        "speedup_over_explain_calls": best["file_calls"] / best["kept"],
        "speedup_over_excerpt_calls": best["excerpts_kept"] / best["kept"],
        "speedup_full": best["excerpts_full"] / best["full"],
        "equal_to_explain": equal,
        "largest_difference": difference,
        "rule": rules[0],
        "realtime_factor_kept_by_rule": {
            rules[0]: seconds / best["kept"],
            **{rule: seconds / best[f"kept_{rule}"] for rule in others},
        },
        "explanations": count,
        "moments_compared": len(moments),
        "seconds": best,
        "median_seconds": {name: statistics.median(times) for name, times in taken.items()},
    }


def by_explain(
    client: Client, samples: Floats, rate_hz: int, moments: list[float], evidence: str
) -> tuple[float, list[Explanation]]:
    """Seconds that single calls about some moments take, from as many callers as are served best; and the answers."""
    excerpts = [(max(0.0, math.floor(at_s - AROUND_S)), at_s) for at_s in moments]  # whole seconds: frames stay

    def ask(excerpt: tuple[float, float]) -> Explanation:
        begin_s, at_s = excerpt
        begin, end = round(begin_s * rate_hz), round((at_s + AROUND_S + 1) * rate_hz)
        cut = (samples[begin:end], rate_hz)
        return client.explain(cut, at_s - begin_s, listen=False, control_seed=SEED, evidence=evidence)  # type: ignore[arg-type]

    best: tuple[float, list[Explanation]] | None = None
    for callers in CALLERS:
        with ThreadPoolExecutor(callers) as pool:
            began_s = time.perf_counter()
            answers = list(pool.map(ask, excerpts))
            spent = time.perf_counter() - began_s
        if best is None or spent < best[0]:
            best = spent, answers
    assert best is not None
    return best


def compared(
    kept: list[TrackExplanation], full: list[TrackExplanation], answers: list[Explanation]
) -> tuple[bool, float]:
    """Whether moments of a track are explained as Explain explains them, and how far their probabilities are apart."""
    largest, same = 0.0, True
    for one, other, own in zip(kept, full, answers, strict=True):
        pairs = [(one.probability, own.probability), (one.trust.masked_probability, own.trust.masked_probability)]
        for trial in ("carried", "silhouette", "removed"):
            mine, theirs = getattr(other.trust, trial), getattr(own.trust, trial)
            pairs += zip(mine.probabilities, theirs.probabilities[:1], strict=False)
        largest = max([largest, *(abs((mine or 0.0) - (theirs or 0.0)) for mine, theirs in pairs)])
        # A bin whose relevance is alpha but for the last bits may lie on either side, in any two batches.
        differing = one.mask != own.mask
        same = same and float(np.abs(own.relevance - own.alpha)[differing].max(initial=0.0)) < 1e-5
    return same and largest <= CLOSE, largest


def measure_memory(arguments: list[str], samples: Floats, rate_hz: int) -> dict[str, Any]:
    """Largest memory of a service that hears a flow of samples, by its length."""
    peaks = {}
    for seconds in (SHORT_S, LONG_S):
        with running_service(arguments) as service, Client(service.address) as client:
            flow = _flow(samples, rate_hz, seconds)
            track = client.explain_track(flow, every_s=10, trust="none").collect()
            assert track.summary.complete
            peaks[seconds] = _peak_bytes(service.process.pid)
    return {
        "memory_growth": peaks[LONG_S] / peaks[SHORT_S],
        "memory_mib": {f"{seconds // 60} minutes": peak / 2**20 for seconds, peak in peaks.items()},
    }


def _flow(samples: Floats, rate_hz: int, seconds: float) -> Iterator[bytes]:
    """A WAV file of the song, again and again, whose header does not say how long it is."""
    header = io.BytesIO()
    soundfile.write(header, samples[:0], rate_hz, format="WAV", subtype="PCM_16")
    start = header.getvalue()
    yield start[:-4] + b"\xff\xff\xff\xff"
    content, left = (samples * 32767).astype("<i2").tobytes(), round(seconds * rate_hz) * 2
    while left > 0:
        for at in range(0, min(left, len(content)), 1 << 18):
            yield content[at : min(at + (1 << 18), left)]
        left -= len(content)


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def song(seconds: float) -> tuple[Floats, int]:
    """`[N, C]` of the song that ships, repeated."""
    samples, rate_hz = soundfile.read(SONG, dtype="float32", always_2d=True)
    times = 1 + int(seconds * rate_hz) // len(samples)
    return np.tile(samples, (times, 1))[: round(seconds * rate_hz)], rate_hz


def flac(samples: Floats, rate_hz: int) -> bytes:
    """A file of samples."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="FLAC")
    return file.getvalue()


def seconds_of(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
