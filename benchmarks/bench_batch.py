"""What a batch job costs over the bare engine, on two cores, with one service.

A catalogue of one song that ships, cut at different places into as many FLAC files, an explanation every two seconds
whose region is tried alone (`--trust kept`). All figures come from one run, whose rounds take turns; the fastest round
of each counts, as the one that other work on the machine disturbed least, and medians stand beside it:

    share_of_engine  throughput of `phonoscope batch --server` ÷ that of the bare engine: decoder, graphs and what
                     answers `ExplainTrack`, called from within one process, with no gRPC, client or Parquet, as many
                     files at once as are answered fastest
    ray_share        throughput of `phonoscope batch --engine ray --workers 2`, on a local cluster that is there ÷ that
                     of the job of threads; null where Ray is not installed

A job's time is what it reports of itself, from reading its input to its last byte; of Ray's it includes the start of
its workers.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import phonoscope_client.demo
import soundfile
from phonoscope_client.questions.track import explain_track as track_question
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.track import messages as track_messages
from phonoscope_serving.rpcs.track.answer import explain_track
from phonoscope_serving.sound.decoding import Decoder
from service_load import circumstances, service, write

CORES = 2
AT_ONCE = (1, 2, 4)
EVERY_S = 2.0
ASKED = ("--where", f"every:{EVERY_S:g}s", "--trust", "kept", "--median-s", "0")
SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--files", type=int, default=64, help="in the catalogue (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="each lasts (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of everything (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # and of all it starts
    bundle = load_bundle(options.model_repository)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "songs")
        catalogue(folder, options.files, options.seconds)
        with service(options.model_repository, "--threads", str(CORES)) as address:
            figures = measure(bundle, folder, address, options.rounds) | circumstances(bundle)
    figures |= {"files": options.files, "seconds_each": options.seconds}
    write(figures, options.json)
    ray = "" if figures["ray_share"] is None else f", Ray with two workers {figures['ray_share']:.0%} of that"
    print(f"A batch job has {figures['share_of_engine']:.0%} of the engine's throughput{ray}. Figures: {options.json}")


def catalogue(folder: Path, files: int, seconds: float) -> None:
    """The song again and again, from another place in each file."""
    folder.mkdir()
    samples, rate_hz = soundfile.read(SONG, dtype="float32")
    for number in range(files):
        turned = np.roll(samples, -number * len(samples) // files, axis=0)
        wanted = np.resize(turned, (round(seconds * rate_hz), *samples.shape[1:]))
        soundfile.write(folder / f"{number:03}.flac", wanted, rate_hz)


def measure(bundle: Bundle, folder: Path, address: str, rounds: int) -> dict[str, Any]:
    """Engine, job and Ray in turn; the first round is not counted.

    It fills caches and arenas, and finds how many files at once the engine answers fastest.
    """
    taken: dict[str, list[float]] = {}
    rows: set[int] = set()
    fastest = AT_ONCE[0]
    has_ray = importlib.util.find_spec("ray") is not None
    with local_cluster(has_ray) as cluster, tempfile.TemporaryDirectory() as temporary:
        for number in range(rounds + 1):
            at_once = AT_ONCE if not number else (fastest,)
            bare = {each: asyncio.run(by_engine(bundle, folder, each)) for each in at_once}
            fastest = min(bare, key=bare.__getitem__)
            spent = {"engine": bare[fastest]}
            ways: dict[str, tuple[str, dict[str, str]]] = {"job": ("local", {})}
            ways |= {"ray": ("ray", cluster)} if has_ray else {}
            for name, (engine, environment) in ways.items():
                said = by_job(folder, Path(temporary, f"{name}-{number}"), address, engine, environment)
                spent[name] = said["seconds"]
                rows.add(said["rows"])
            print({name: round(seconds, 2) for name, seconds in spent.items()}, flush=True)
            if number:
                for name, seconds in spent.items():
                    taken.setdefault(name, []).append(seconds)
    if len(rows) != 1:
        raise RuntimeError(f"jobs differ in how many rows they leave: {rows}")
    best = {name: min(times) for name, times in taken.items()}
    return {
        "share_of_engine": best["engine"] / best["job"],
        "ray_share": best["job"] / best["ray"] if has_ray else None,
        "engine_files_at_once": fastest,
        "rows": rows.pop(),
        "seconds": best,
        "median_seconds": {name: statistics.median(times) for name, times in taken.items()},
    }


async def by_engine(bundle: Bundle, folder: Path, at_once: int) -> float:
    """Seconds that the bare engine takes for the whole catalogue, so many files at once."""
    engine = OnnxEngine(bundle, OnnxOptions(threads=CORES), Metrics())
    await engine.start()
    call, paths = Call(engine, bundle, Decoder(CORES)), iter(sorted(folder.iterdir()))

    async def worker() -> None:
        for path in paths:
            asked = track_question(path, every_s=EVERY_S, trust="kept").requests()
            question = track_messages.question(next(asked).settings, call.listener)

            async def chunks(asked: Iterator[Any] = asked) -> AsyncIterator[bytes]:
                for each in asked:
                    yield each.chunk

            async with aclosing(explain_track(call, question, chunks())) as events:
                async for _ in events:
                    pass

    began_s = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    spent = time.perf_counter() - began_s
    await engine.close()
    return spent


def by_job(folder: Path, out: Path, address: str, engine: str, environment: dict[str, str]) -> dict[str, Any]:
    """What a job says of itself."""
    command = [sys.executable, "-m", "phonoscope_client.cli", "batch", os.fspath(folder), "--out", os.fspath(out)]
    command += ["--server", address, "--quiet", "--json", "--engine", engine, *ASKED]
    command += ["--workers", "2"] if engine == "ray" else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)
    if done.returncode:
        raise RuntimeError(f"a job ended with {done.returncode}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@contextmanager
def local_cluster(wanted: bool) -> Iterator[dict[str, str]]:
    """A cluster of Ray on this machine, and what tells a job of it."""
    if not wanted:
        yield {}
        return
    os.environ |= {"RAY_gcs_server_port_wait_time_s": "180"}  # Ray gives up after 30 s
    import ray  # noqa: PLC0415 - only where it is installed

    ray.init("local", num_cpus=CORES, object_store_memory=200 * 2**20, include_dashboard=False, log_to_driver=False)
    try:
        yield {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main()
