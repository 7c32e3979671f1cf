"""What the processor multiplies in."""

from __future__ import annotations

from pathlib import Path

from phonoscope_serving.bundle.precision import Precision
from phonoscope_serving.errors import OptionsError

CPU_INFO = Path("/proc/cpuinfo")
# Linux's names. A library may compute in bfloat16 without any of them, by float32: slower, and to no better end.
BFLOAT16_UNITS = frozenset({"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"})


def flags(cpu_info: Path = CPU_INFO) -> frozenset[str]:
    """The features that the first core says it has; empty where the system does not tell."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return frozenset()
    told = (line.partition(":") for line in lines)
    return next(
        (frozenset(what.split()) for name, _, what in told if name.strip() in {"flags", "Features"}), frozenset()
    )


def bfloat16_units(cpu_info: Path = CPU_INFO) -> frozenset[str]:
    """Those of the processor's features that multiply in bfloat16."""
    return flags(cpu_info) & BFLOAT16_UNITS


def require_units(precision: Precision, cpu_info: Path = CPU_INFO) -> None:
    """Refuses a precision that the processor would only imitate.

    Raises:
        OptionsError: it has no units of that precision.
    """
    if precision == "bfloat16" and not bfloat16_units(cpu_info):
        raise OptionsError(
            "--precision bfloat16: this processor has no units that multiply in bfloat16 (AMX or AVX512_BF16): "
            "it would imitate them in float32, and be slower; use --precision float32"
        )
