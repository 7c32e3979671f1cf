"""Versions of ONNX's operators."""

from __future__ import annotations

import onnx
from onnx import version_converter

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.repository.models import OPSET


def at_version(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model with operators of the version that graphs are exported with.

    Raises:
        ExportError: there is an operator that cannot be brought there.
    """
    version = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), OPSET)
    if version == OPSET:
        return model
    try:
        return version_converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError) as error:
        raise ExportError(f"the network's operators are of version {version}, not {OPSET}: {error}") from error
