"""What the studio adds to the service: a four-minute song in a headless Chromium, beside the bare Python client.

One service and one studio, each a process of its own, share two cores with the browser. All figures come from one run,
in which both sides take turns:

    first_curve_over_service  from when a file is dropped to when the first of its curve is drawn ÷ from when the Python
                              client is given the same file to the first piece of the curve that it is told
    click_to_region_over_explain  from a click to when the region is drawn ÷ Explain of the same moment by the Python
                              client, which is given no more sound than the studio sends
    scroll_fps                median frames per second while the zoomed spectrogram scrolls
    page_kb                   all that is fetched to show the page, in 1000 bytes
    serious_axe_violations    what axe-core finds serious or critical, in both themes, with each panel open

Each is a ratio of medians; the seconds themselves stand beside them.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
import numpy as np
from bench_explain_track import flac, song
from numpy.typing import NDArray
from phonoscope_client import Client, CurvePiece, running_service
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import circumstances, write
from studio_page import Page, browser, studio

Floats = NDArray[np.float32]
CORES = 2
AROUND_S = 2  # of a moment, as the studio sends it: an excerpt, and room for the resampler
SCROLLED_S = 4.0
ZOOMS = 4


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--seconds", type=float, default=240.0, help="length of the song (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="songs that are dropped (default: %(default)s)")
    parser.add_argument("--clicks", type=int, default=24, help="moments that are clicked (default: %(default)s)")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # and of all it starts
    bundle = load_bundle(options.model_repository)
    samples, rate_hz = song(options.seconds)
    arguments = ["--model-repository", str(options.model_repository), "--device", "cpu", "--threads", str(CORES)]
    with (
        running_service(arguments) as service,
        Client(service.address, timeout_s=600) as client,
        studio(service.address) as address,
        browser() as driver,
        tempfile.TemporaryDirectory() as folder,
    ):
        page = Page(driver, address)
        figures = measure_first_curve(client, page, samples, rate_hz, options.rounds, Path(folder))
        figures |= measure_clicks(client, page, samples, rate_hz, options.clicks)
        figures |= measure_page(page)
    figures |= circumstances(bundle)
    figures["machine"] |= {"cores": CORES}
    write(figures, options.json)
    for name, value in figures.items():
        if isinstance(value, int | float):
            print(f"{name:32} {value:.4g}")
    print(f"On {figures['machine']['processor']}, {CORES} cores. Figures: {options.json}")


def measure_first_curve(
    client: Client, page: Page, samples: Floats, rate_hz: int, rounds: int, folder: Path
) -> dict[str, Any]:
    """From a file to the first of its curve, by the client and on the page; every round has a song of its own."""
    bare, shown = [], []
    for number in range(rounds + 1):
        file = folder / f"song {number}.flac"
        file.write_bytes(flac(np.roll(samples, number * rate_hz, axis=0), rate_hz))
        took = (first_piece_s(client, file), page.drop(file))
        page.wait_until_heard()
        if number:  # the first fills caches and arenas
            bare.append(took[0])
            shown.append(took[1])
    first_curve_s, service_first_s = statistics.median(shown), statistics.median(bare)
    return {
        "first_curve_over_service": first_curve_s / service_first_s,
        "first_curve_s": first_curve_s,
        "service_first_piece_s": service_first_s,
        "first_curves_s": shown,
        "service_first_pieces_s": bare,
    }


def first_piece_s(client: Client, file: Path) -> float:
    """Seconds until the service has said the first of a song's curve."""
    began_s = time.perf_counter()
    with client.explain_track(file) as parts:
        for part in parts:
            if isinstance(part, CurvePiece):
                return time.perf_counter() - began_s
    raise AssertionError("a track without a curve")


def measure_clicks(client: Client, page: Page, samples: Floats, rate_hz: int, clicks: int) -> dict[str, Any]:
    """From a click to its region, and Explain of the same moments of the song that was dropped last."""
    page.zoom_in(ZOOMS)
    seconds = len(samples) / rate_hz
    moments = np.round(np.linspace(5, seconds - 5, clicks + 2) * 4) / 4 + 0.1

    def bare(at_s: float) -> float:
        begin_s = math.floor(at_s - AROUND_S)
        cut = samples[begin_s * rate_hz : math.ceil(at_s + AROUND_S) * rate_hz]
        return explain_s(client, cut, rate_hz, at_s - begin_s)

    taken: dict[Callable[[float], float], list[float]] = {bare: [], page.click: []}
    for number, at_s in enumerate(map(float, moments)):
        for turn in (bare, page.click) if number % 2 else (page.click, bare):
            taken[turn].append(turn(at_s))
    explains, shown = (times[2:] for times in taken.values())  # the first fill caches
    click_s, explain_median_s = statistics.median(shown), statistics.median(explains)
    return {
        "click_to_region_over_explain": click_s / explain_median_s,
        "click_to_region_s": click_s,
        "explain_s": explain_median_s,
        "clicks_s": shown,
        "explains_s": explains,
    }


def explain_s(client: Client, samples: Floats, rate_hz: int, at_s: float) -> float:
    """Seconds that Explain takes, by the defaults of the service, as the page asks it."""
    began_s = time.perf_counter()
    client.explain((samples, rate_hz), at_s, listen=False)
    return time.perf_counter() - began_s


def measure_page(page: Page) -> dict[str, Any]:
    """How it scrolls, what it weighs, and whom it keeps out."""
    frames_ms = page.frames_while_scrolling(SCROLLED_S)
    files, violations = page.files(), page.violations()
    return {
        "scroll_fps": 1000 / statistics.median(frames_ms),
        "scroll_frames": len(frames_ms),
        "page_kb": sum(files.values()) / 1000,
        "page_files": len(files),
        "serious_axe_violations": sum(map(len, violations.values())),
        "violations": violations,
    }


if __name__ == "__main__":
    main()
