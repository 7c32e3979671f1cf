"""How many cores this process may use: those it may run on, and what its control groups let it take of them."""

from __future__ import annotations

import math
import os
from pathlib import Path

GROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def cores() -> int:
    """Cores this process may use, at least 1; part of a core counts as one."""
    return max(1, math.ceil(min(len(os.sched_getaffinity(0)), quota(GROUPS, _groups(OWN_GROUP)))))


def quota(root: Path, groups: dict[str, str]) -> float:
    """Cores that control groups let a process take; infinite where they set no limit.

    Args:
        root: where their file systems are.
        groups: controllers, comma between them, → the group it is in, from that root; "" is version 2.
    """
    limits = [math.inf]
    for controllers, group in groups.items():
        if not controllers:
            limits += [_version_2(folder) for folder in _upwards(root, group)]
        elif "cpu" in controllers.split(","):
            limits += [_version_1(folder) for folder in _upwards(root / "cpu", group)]
    return min(limits)


def _groups(file: Path) -> dict[str, str]:
    """Lines of `NUMBER:CONTROLLERS:GROUP`."""
    try:
        lines = file.read_text().splitlines()
    except OSError:  # no Linux, or none with control groups
        return {}
    return {controllers: group for _, controllers, group in (line.split(":", 2) for line in lines)}


def _upwards(root: Path, group: str) -> list[Path]:
    """A group's folder and those around it, all of which limit it; a container may see no more than the root."""
    parts = Path(group).parts[1:]
    return [root.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _version_2(folder: Path) -> float:
    try:
        limit_us, period_us = (folder / "cpu.max").read_text().split()
        return math.inf if limit_us == "max" else int(limit_us) / int(period_us)
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf


def _version_1(folder: Path) -> float:
    try:
        limit_us, period_us = (int((folder / f"cpu.cfs_{what}_us").read_text()) for what in ("quota", "period"))
        return limit_us / period_us if limit_us > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):
        return math.inf
