"""The machine that figures were made on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

UNITS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")  # of a processor, the widest first


def machine() -> dict[str, str | int]:
    """Processor, cores that this process may use, architecture."""
    return {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "architecture": platform.machine()}


def processor() -> str:
    """What the processor calls itself, where the system tells, and the widest of the units that figures hang on."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    units = [unit for unit in UNITS if unit in known.get("flags", "").split()]
    return " ".join([known.get("model name") or platform.processor() or "unknown", *units[:1]])
