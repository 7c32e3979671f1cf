"""Damaged files and damaged messages: whether anything dies, hangs, or is answered as no caller was told.

Files of 26 kinds, made here, are damaged at random (bits, fields, stretches, lengths, other files amid them). Most go
to the decoder in processes of their own, which hear each as `Predict` and `Explain` do; some go, within requests of
which other fields may be impossible and the bytes damaged too, to the real service over gRPC:

    inputs                  files decoded and requests sent
    crashes                 of the processes that decode, and of the service
    hangs                   files that took the decoder too long, and times the service did not answer a sound request
    internal                files that ended in no error a caller can mend, and requests answered INTERNAL or UNKNOWN
    undocumented_statuses   answers of a status that the contract does not name for the RPC
    memory_growth           resident memory at the end over that after warming up, of the process where it grew most

What failed lies beside the figures, by number; the same seed does the same damage.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from fuzzing.asking import Requests, ask_all
from fuzzing.decoding import Outcome, decode_all
from fuzzing.figures import WRONG, counts, memory_growth, told, totals, undocumented
from fuzzing.inputs import Damaged
from fuzzing.statuses import CONTRACT, documented
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.command_line import default_repository
from service_load import circumstances, write
from tqdm import tqdm

ASKED_SHARE = 0.09  # of inputs that go to the service: so many that it has met its largest batches early on
SHOWN = ("inputs", "crashes", "hangs", "internal", "undocumented_statuses", "memory_growth")


class Inputs(Protocol):
    """What can be made again by number."""

    def __getitem__(self, number: int) -> bytes:
        """The input of a number."""
        ...


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--inputs", type=int, default=104_000, help="files and requests (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)), help="that decode")
    return parser


def main() -> None:
    """Tries, prints and writes what came of it."""
    options = get_parser().parse_args()
    kept = options.json.parent / options.json.stem
    figures = fuzz(options.inputs, options.seed, options.processes, options.model_repository, kept)
    figures |= circumstances(load_bundle(options.model_repository))
    write(figures, options.json)
    for name in SHOWN:
        print(f"{name:24s}{figures[name]:10.6g}")
    failed = figures["failed_files"] or figures["failed_requests"]
    print(f"Figures: {options.json}" + (f"; inputs that failed: {kept}" if failed else ""))


def fuzz(inputs: int, seed: int, processes: int, model_repository: Path, kept: Path) -> dict[str, Any]:
    """Files to the decoder, then requests to the service.

    Args:
        inputs: of both together.
        seed: of the damage.
        processes: that decode.
        model_repository: what is served.
        kept: the folder where inputs go that failed.
    """
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    asked = round(inputs * ASKED_SHARE)
    files = Damaged(seed)
    requests = Requests(seed, files)
    began_s = time.perf_counter()
    decoding = decode_all(files, inputs - asked, processes, model_repository)
    decoded = list(keep(tqdm(decoding, "decoding", inputs - asked, unit="file"), files, kept, "file"))
    asking = ask_all(requests, asked, model_repository, kept / "service.log")
    answered = list(keep(tqdm(asking, "asking", asked, unit="request"), requests, kept, "request"))
    seconds = time.perf_counter() - began_s
    wrong_files = [outcome for outcome in decoded if outcome.kind in WRONG]
    unnamed = undocumented(answered, requests.method_name, documented(CONTRACT.read_text()))
    wrong_requests = [outcome for outcome in answered if outcome.kind in WRONG or outcome in unnamed]
    for outcome in unnamed:
        Path(kept, f"request-{outcome.number}").write_bytes(requests[outcome.number])
    grown = {
        f"decoder_{which}": memory_growth(outcome for outcome in decoded if outcome.number % processes == which)
        for which in range(processes)
    }
    grown["service"] = memory_growth(answered)
    return {
        "inputs": sum(len({outcome.number for outcome in outcomes}) for outcomes in (decoded, answered)),
        **totals([*decoded, *answered]),
        "undocumented_statuses": len(unnamed),
        "memory_growth": max(grown.values()),
        "memory_growth_by_process": grown,
        "seed": seed,
        "seconds": seconds,
        "slowest_file_seconds": max(outcome.seconds for outcome in decoded),
        "files": counts(decoded, files.format),
        "requests": counts(answered, requests.method_name),
        "failed_files": told(wrong_files, files.format),
        "failed_requests": told(wrong_requests, requests.method_name),
    }


def keep(outcomes: Iterable[Outcome], inputs: Inputs, folder: Path, name: str) -> Iterator[Outcome]:
    """Passes outcomes on; an input that failed is written at once, whatever becomes of the run.

    Args:
        outcomes: as they come.
        inputs: which makes each input again.
        folder: where it goes.
        name: what files are named.
    """
    for outcome in outcomes:
        if outcome.kind in WRONG:
            Path(folder, f"{name}-{outcome.number}").write_bytes(inputs[outcome.number])
            tqdm.write(f"{name} {outcome.number} {outcome.kind}: {outcome.detail}")
        yield outcome


if __name__ == "__main__":
    main()
