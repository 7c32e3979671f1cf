"""How the tests share the machine, and what a run leaves behind of itself."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # this environment's own commands, first
os.environ.setdefault("OMP_NUM_THREADS", "1")  # workers, and what they start, share the cores
os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime looks as it is imported, and reports to its makers otherwise

# What shares a session's servers and engines stays with one worker, so that they are started once; elsewhere a file's
# tests share what the file makes. The groups that take longest begin first.
GROUPS = ("serving/engines/triton/server", "serving", "clients", "e2e", "trainer/commands")
LONGEST = (
    "serving/engines/triton/server",
    "trainer/commands",
    "serving",
    "trainer/graphs/test_maximise.py",
    "trainer/experiments",
)


def pytest_addoption(parser):
    parser.addoption("--summary", type=Path, metavar="FILE", help="write how the run went, as JSON")


def pytest_configure(config):
    if config.option.summary:
        config.option.summary.unlink(missing_ok=True)
    config.stash[BEGAN] = (time.monotonic(), os.getloadavg()[0])


def pytest_collection_modifyitems(items):
    def place(item):
        path = item.path.relative_to(TESTS).as_posix()
        return next((rank for rank, part in enumerate(LONGEST) if path.startswith(part)), len(LONGEST))

    items.sort(key=place)  # stable: within a file the order stays


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """After each file, memory that nothing holds goes back: an engine is half a gigabyte, and malloc keeps it."""
    done = yield
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
    return done


class Groups(LoadScopeScheduling):
    """Hands out groups instead of files. (xdist's own `loadgroup` groups nothing under pytest 9.2.)"""

    def _split_scope(self, nodeid):
        path = nodeid.partition("::")[0].removeprefix(f"{TESTS.name}/")
        return next((group for group in GROUPS if path.startswith(f"{group}/")), path)


def pytest_xdist_make_scheduler(config, log):
    return Groups(config, log)


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    """Where a summary is wanted: how long the run took, what came of the tests, how busy the machine was before."""
    if config.option.summary is None or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return
    began_s, load_before = config.stash[BEGAN]
    ended = {each: len(terminalreporter.stats.get(each, ())) for each in ("passed", "failed", "error", "skipped")}
    summary = {
        "seconds": round(time.monotonic() - began_s, 1),
        "tests": ended["passed"] + ended["failed"] + ended["skipped"],
        "failed": ended["failed"] + ended["error"],
        "skipped": ended["skipped"],
        "load_before": round(load_before, 2),
    }
    config.option.summary.parent.mkdir(parents=True, exist_ok=True)
    config.option.summary.write_text(json.dumps(summary, indent=2) + "\n")


BEGAN = pytest.StashKey[tuple[float, float]]()
