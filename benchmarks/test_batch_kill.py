"""Does a batch job lose or repeat anything when what it consists of is killed at random moments?

A catalogue of short recordings, one of them no recording at all, is asked about with `phonoscope batch`; meanwhile the
job, a worker of Ray (`--engine ray`) or the service is sent SIGKILL at moments drawn at random, and the job started
again, where it is what was killed. After every kill, and at the end, the folder is read:

    kills             how many there were, all in all; by what was killed, `killed`
    lost              files that are nowhere at the end, or failed for no fault of their own
    twice             rows that are there twice, at any time, and files that at the end both failed and did not
    unreadable_parts  Parquet files that could not be read, at any time
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import no_telemetry  # noqa: F401 - acts as it is imported
from catalogues.examining import examined
from catalogues.processes import Job, MortalService
from catalogues.recordings import BROKEN, catalogue
from tqdm import tqdm

END_S = 1200.0  # a job that takes longer hangs
OPTIONS = ("--where", "every:1s", "--trust", "kept")


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--quick", action="store_true", help="three kills, one of each kind, to try it out")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="of the moments (default: by chance)")
    return parser


@dataclass
class Trial:
    """What is killed, when, and what was found of it.

    Attributes:
        service: answers.
        address: its address.
        folder: of recordings.
        sound: names of those that can be heard.
        random: draws moments.
        life_s: how long a job takes that nobody kills.
        told: of every kill.
    """

    service: MortalService
    address: str
    folder: Path
    sound: set[str]
    random: random.Random
    told: tqdm[None]
    life_s: float = 0.0
    found: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)

    def job(self, out: Path, *options: str) -> Job:
        """A new run."""
        return Job(self.folder, out, self.address, *OPTIONS, *options)

    def note(self, what: str, out: Path) -> None:
        """One more kill, and what the folder looks like."""
        self.killed[what] += 1
        self.told.update()
        self.examine(out, finished=False)

    def examine(self, out: Path, *, finished: bool) -> None:
        """Adds up what is wrong with a folder."""
        self.found.update(vars(examined(out, self.sound, {BROKEN}, finished=finished)))

    def moment_s(self, longest_s: float) -> float:
        """A moment before that."""
        return self.random.uniform(0.0, longest_s)


def kill_jobs(trial: Trial, kills: int, root: Path) -> None:
    """Kills jobs; each is started again until its catalogue is complete."""
    catalogues = 0
    while trial.killed["job"] < kills:
        out = root / f"job-{catalogues}"
        catalogues += 1
        complete = False
        while not complete:
            with trial.job(out) as job:
                last = trial.killed["job"] >= kills
                complete = job.finished(END_S if last else trial.moment_s(trial.life_s))
                if complete:
                    job.said()
                else:
                    job.kill()
                    trial.note("job", out)
        trial.examine(out, finished=True)


def kill_services(trial: Trial, kills: int, root: Path) -> None:
    """Kills the service of jobs that go on by themselves."""
    catalogues = 0
    while trial.killed["service"] < kills:
        out = root / f"service-{catalogues}"
        catalogues += 1
        with trial.job(out) as job:
            while trial.killed["service"] < kills and not job.finished(trial.moment_s(trial.life_s)):
                trial.service.kill()
                trial.note("service", out)
                trial.service.start()
            if not job.finished(END_S):
                raise RuntimeError("a job whose service was killed hangs")
            job.said()
        trial.examine(out, finished=True)


def kill_workers(trial: Trial, kills: int, root: Path) -> None:
    """Kills actors of Ray; Ray starts them again, and the job goes on by itself."""
    catalogues = 0
    while trial.killed["worker"] < kills:
        out = root / f"worker-{catalogues}"
        catalogues += 1
        with trial.job(out, "--engine", "ray", "--workers", "2") as job:
            while trial.killed["worker"] < kills and not job.finished(trial.moment_s(3.0)):
                if not (workers := job.workers()):
                    time.sleep(0.1)
                    continue
                with suppress(ProcessLookupError):
                    os.kill(trial.random.choice(workers), signal.SIGKILL)
                    trial.note("worker", out)
            if not job.finished(END_S):
                raise RuntimeError("a job whose worker was killed hangs")
            job.said()
        trial.examine(out, finished=True)


def measure(kills: dict[str, int], files: int, seed: int) -> dict[str, Any]:
    """Kills so many of each kind."""
    kinds = {"job": kill_jobs, "worker": kill_workers, "service": kill_services}
    with (
        tempfile.TemporaryDirectory() as temporary,
        MortalService([]) as service,
        tqdm(total=sum(kills.values()), unit=" kills") as told,
    ):
        root = Path(temporary)
        sound = catalogue(root / "recordings", files, 3.0)
        trial = Trial(service, service.start(), root / "recordings", sound, random.Random(seed), told)
        began_s = time.monotonic()
        with trial.job(root / "first") as job:
            job.finished(END_S)
            job.said()
        trial.life_s = time.monotonic() - began_s
        trial.examine(root / "first", finished=True)
        for kind, count in kills.items():
            kinds[kind](trial, count, root)
    found = {name: trial.found[name] for name in ("lost", "twice", "unreadable_parts")}
    return {"kills": sum(trial.killed.values()), **found, "killed": dict(trial.killed), "files": files, "seed": seed}


def main() -> None:
    """Kills, prints and writes what was found."""
    options = get_parser().parse_args()
    kills = {"worker": 6, "job": 12, "service": 12} if not options.quick else {"worker": 1, "job": 1, "service": 1}
    if importlib.util.find_spec("ray") is None:
        print("Ray is not installed: jobs are killed instead of its workers")
        kills["job"] += kills.pop("worker")
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    figures = measure(kills, 24 if not options.quick else 12, seed)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"{figures['kills']} kills: {figures['lost']} files lost, {figures['twice']} rows twice.")


if __name__ == "__main__":
    main()
