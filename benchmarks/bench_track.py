"""How fast a whole track is heard, against hearing it window by window.

A four-minute track (the song that ships, repeated), every frame of it predicted, on two threads of ONNX Runtime:

    realtime_factor        seconds of music per second, samples to probabilities: `frontend`, then `track_detector`,
                           in pieces of a minute as the service cuts them
    speedup_over_windows   the same frames through `track_detector`, against windows of 115 frames, one for each frame
                           (hop 1), through `detector`, in batches of the size at which it is fastest
    max_logit_difference   largest difference between the two in the windows' logits

Windows are measured on a sample, spread evenly over the track with both its ends; their time is scaled to the number of
frames; `windows_measured` says how many ran. Both ways take turns, round by round, and the fastest round of each
counts, as the one that other work on the machine disturbed least; medians stand beside it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
import onnxruntime
import phonoscope_client.demo
from numpy.typing import NDArray
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.rpcs.predict import Piece, pieces
from phonoscope_trainer.corpora.audio import read_mono
from service_load import circumstances, write
from tqdm import tqdm

Floats = NDArray[np.float32]
SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"
THREADS = 2
BATCH_ROWS = (1, 4, 16, 64)


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=240.0, help="length of the track (default: %(default)s)")
    parser.add_argument("--windows", type=int, default=128, help="windows in the sample (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of everything (default: %(default)s)")
    return parser


class Graphs:
    """The three graphs of a bundle that the figures are about."""

    def __init__(self, bundle: Bundle, model_repository: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self._sessions = {
            name: onnxruntime.InferenceSession(
                str(model_repository / name / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for name in ("frontend", "track_detector", "detector")
        }
        self.front_end = bundle.default.front_end

    def standardised(self, samples: Floats) -> Floats:
        """`[T, M]` of samples `[N]`."""
        return self._run("frontend", "standardised", samples=samples)

    def logits_of_piece(self, standardised: Floats, piece: Piece) -> Floats:
        """`[T']` for the frames that a piece answers for."""
        silence = {
            "silence_before": np.array([piece.silence_before], np.int32),
            "silence_after": np.array([piece.silence_after], np.int32),
        }
        return self._run("track_detector", "logit", standardised=standardised, **silence)

    def logits_of_windows(self, windows: Floats) -> Floats:
        """`[W]` of windows `[W, 115, M]`."""
        (logit,) = self._sessions["detector"].run(["logit"], {"excerpt": windows})
        return np.asarray(logit[:, 0])

    def _run(self, graph: str, output: str, **inputs: NDArray[Any]) -> Floats:
        (value,) = self._sessions[graph].run([output], {name: array[None] for name, array in inputs.items()})
        return np.asarray(value[0])


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    bundle = load_bundle(options.model_repository)
    graphs = Graphs(bundle, options.model_repository)
    figures = measure(graphs, options.seconds, options.windows, options.rounds) | circumstances(bundle)
    figures["machine"] |= {"threads": THREADS}
    write(figures, options.json)
    print(f"A track is heard {figures['realtime_factor']:.0f} times as fast as it plays, every frame of it;")
    print(f"windows at hop 1 take {figures['speedup_over_windows']:.0f} times as long. Figures: {options.json}")


def measure(graphs: Graphs, seconds: float, windows: int, rounds: int) -> dict[str, Any]:
    """Both ways in turn, after a first round that fills caches and arenas, and gives the logits to compare."""
    front_end = graphs.front_end
    samples = np.resize(read_mono(SONG, front_end.sample_rate_hz), round(seconds * front_end.sample_rate_hz))
    cut = pieces(front_end.frames(len(samples)), front_end)
    stretches = [samples[piece.first_sample : piece.first_sample + piece.samples] for piece in cut]

    def through_front_end() -> list[Floats]:
        return [graphs.standardised(stretch) for stretch in stretches]

    standardised = through_front_end()

    def through_track_detector() -> Floats:
        return np.concatenate([graphs.logits_of_piece(*each) for each in zip(standardised, cut, strict=True)])

    logits = through_track_detector()
    at, sample = sampled_windows(graphs, samples, windows)
    difference = float(np.abs(graphs.logits_of_windows(sample) - logits[at]).max())

    heard: list[float] = []
    track: list[float] = []
    by_rows: dict[int, list[float]] = {rows: [] for rows in BATCH_ROWS}
    for _ in tqdm(range(rounds), desc="rounds", unit="round"):
        track.append(seconds_of(through_track_detector))
        heard.append(track[-1] + seconds_of(through_front_end))
        for rows, times in by_rows.items():
            times.append(window_seconds(graphs, sample, rows) * len(logits) / len(sample))
    return figures_of(seconds, heard, track, by_rows) | {
        "max_logit_difference": difference,
        "frames": len(logits),
        "windows_measured": len(sample) * len(BATCH_ROWS) * rounds,
    }


def figures_of(
    seconds: float, heard: list[float], track: list[float], by_rows: dict[int, list[float]]
) -> dict[str, Any]:
    """What the times say: the fastest rounds, medians beside them."""
    rows = min(by_rows, key=lambda rows: min(by_rows[rows]))
    medians = {"heard": statistics.median(heard), "track_detector": statistics.median(track)}
    return {
        "realtime_factor": seconds / min(heard),
        "speedup_over_windows": min(by_rows[rows]) / min(track),
        "windows_a_batch": rows,
        "speedup_by_windows_a_batch": {str(rows): min(times) / min(track) for rows, times in by_rows.items()},
        "seconds": {"heard": min(heard), "track_detector": min(track), "windows": min(by_rows[rows])},
        "median_seconds": medians | {"windows": statistics.median(by_rows[rows])},
    }


def sampled_windows(graphs: Graphs, samples: Floats, windows: int) -> tuple[NDArray[np.intp], Floats]:
    """Frames `[W]` spread over the track, both ends among them, and their windows `[W, 115, M]` with silence around."""
    front_end = graphs.front_end
    silence = graphs.standardised(np.zeros(front_end.frame_samples, np.float32)).repeat(front_end.context_frames, 0)
    padded = np.concatenate([silence, graphs.standardised(samples), silence])
    at = np.linspace(0, front_end.frames(len(samples)) - 1, windows).astype(int)
    return at, np.stack([padded[frame : frame + front_end.excerpt_frames] for frame in at])


def window_seconds(graphs: Graphs, sample: Floats, rows: int) -> float:
    """How long the sampled windows take, so many a batch."""
    batches = [sample[first : first + rows] for first in range(0, len(sample), rows)]
    return seconds_of(lambda: [graphs.logits_of_windows(batch) for batch in batches])


def seconds_of(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
