"""A bundle as ONNX Runtime computes it, against its golden vectors, which PyTorch computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from google.protobuf import text_format
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.repository.golden import read_golden

ALLOWED = 1e-3  # of a probability or of the largest of another tensor: float32 summed in another order
FEW = 0.01  # share of a picture's bins that may be further: a mask's edge falls on one side or the other


def verified(root: Path) -> dict[str, float]:
    """Ensemble → how far its outputs are from the golden ones at most, bins at a mask's edge left out.

    Raises:
        ExportError: one is further than float32 explains.
    """
    golden, sessions = read_golden(root), dict[str, onnxruntime.InferenceSession]()
    found = {}
    for ensemble in sorted({name.partition(".")[0] for name in golden}):
        config = text_format.Parse((root / ensemble / "config.pbtxt").read_text("utf-8"), triton.ModelConfig())
        prefix = f"{ensemble}.input."
        known = {name.removeprefix(prefix): value for name, value in golden.items() if name.startswith(prefix)}
        for step in config.ensemble_scheduling.step:
            if step.model_name not in sessions:
                path = root / step.model_name / "1" / "model.onnx"
                sessions[step.model_name] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            feeds = {inner: known[outer] for inner, outer in step.input_map.items()}
            values = sessions[step.model_name].run(list(step.output_map), feeds)
            known |= dict(zip(step.output_map.values(), values, strict=True))
        expected = {
            name.removeprefix(f"{ensemble}.output."): value
            for name, value in golden.items()
            if name.startswith(f"{ensemble}.output.")
        }
        found[ensemble] = max(_apart(known[name], value) for name, value in expected.items())
        if found[ensemble] > ALLOWED:
            raise ExportError(f"{ensemble}: is {found[ensemble]:.3g} from its golden vectors, {ALLOWED:g} is allowed")
    return found


def _apart(ours: NDArray[np.generic], golden: NDArray[np.generic]) -> float:
    a, b = np.asarray(ours, np.float64), np.asarray(golden, np.float64)
    apart = np.abs(a - b) / max(1.0, float(np.abs(b).max(initial=0)))
    return float(np.quantile(apart, 1 - FEW)) if a.ndim > 2 else float(apart.max(initial=0))
