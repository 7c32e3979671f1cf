"""What the Dockerfile says, as far as it can be read without an engine to build it."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())


def stages():
    """Name → (parent, instructions)."""
    found = {}
    for line in DOCKERFILE.splitlines():
        if start := re.fullmatch(r"FROM (\S+) AS (\S+)", line):
            found[start[2]] = (start[1], [])
        elif line and not line.startswith("#"):
            found[list(found)[-1]][1].append(line)
    return found


def whole(stage):
    """Instructions of a stage and of those it is built upon."""
    parent, own = stages()[stage]
    return (whole(parent) if parent in stages() else []) + own


def instruction(stage, name):
    """What the last instruction of that name says."""
    return next(line.split(maxsplit=1)[1] for line in reversed(whole(stage)) if line.startswith(name))


def command(stage, given=None):
    """What the container runs: the entry point's options and those given, or else the stage's own."""
    return [*json.loads(instruction(stage, "ENTRYPOINT"))[1:], *(given or json.loads(instruction(stage, "CMD")))]
