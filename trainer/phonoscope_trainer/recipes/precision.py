"""Which precision a training's activations are worth on the processor that it runs on."""

from __future__ import annotations

import torch

# CPUs below these have no instruction for bfloat16, and PyTorch's stand-ins are some twenty times slower than float32.
CPUS_WITHOUT_BFLOAT16 = ("DEFAULT", "NO AVX", "AVX2")


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is not slower than float32 there."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability() not in CPUS_WITHOUT_BFLOAT16


def activations(device: torch.device, *, bfloat16: bool) -> torch.autocast:
    """A context whose activations are bfloat16 if that is asked for and the processor has it, else float32.

    Args:
        device: that computes.
        bfloat16: asked for. Weights and their update stay float32 in any case.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16 and has_bfloat16(device))
