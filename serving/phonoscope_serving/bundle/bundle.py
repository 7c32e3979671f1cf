"""The bundle: what the model repository says of itself, read once and verified.

Everything the service knows of the method comes through here: names, shapes, rates and thresholds.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, overload
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, read_front_end
from phonoscope_serving.bundle.doubt import read_doubt_quantiles
from phonoscope_serving.bundle.exchange import ExchangeBank, read_exchange_bank
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.layers import Layer, read_inversion_error_quantiles, read_layers
from phonoscope_serving.bundle.manifest import MANIFEST, field, quantiles, read_manifest, verified
from phonoscope_serving.bundle.models import read_models
from phonoscope_serving.bundle.rules import Rule, read_rules
from phonoscope_serving.bundle.signature import require_signature
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats

GRAPH = "model.onnx"
GOLDEN = "golden.npz"
GOLDEN_NAME = re.compile(r"[^.]+\.(input|output)\.[^.]+")


@dataclass(frozen=True)
class TrainingData:
    """One corpus behind the bundle."""

    name: str
    licence: str
    digest: str


@dataclass(frozen=True)
class Bundle:
    """A verified model repository."""

    root: Path
    name: str
    digest: str  # SHA-256 of all the manifest says
    manifest: Mapping[str, Any]  # as it was read; what only one RPC needs of it, that RPC looks up
    files: Mapping[str, str]  # path below `root` → SHA-256
    models: Mapping[str, ModelConfig]  # name → parsed config.pbtxt
    front_end: FrontEnd
    layers: tuple[Layer, ...]
    threshold: float
    rules: tuple[Rule, ...]  # the default first
    exchange: ExchangeBank | None  # None where regions can be tried by mean fill alone
    doubt_quantiles: Floats | None  # `[101]`, 0 % to 100 %; None where it cannot tell how far answers are to be doubted
    reconstruction_error_quantiles: Floats  # likewise
    inversion_error_quantiles: Mapping[str, Floats]  # layer that can be inverted → `[101]`, likewise; first layer first
    metrics: Mapping[str, float]
    training_data: tuple[TrainingData, ...]
    command: str

    @overload
    def is_vocal(self, probability: float) -> bool: ...

    @overload
    def is_vocal(self, probability: Floats) -> npt.NDArray[np.bool_]: ...

    def is_vocal(self, probability: float | Floats) -> bool | npt.NDArray[np.bool_]:
        """Whether the detector says that somebody sings: at the threshold or above it.

        Args:
            probability: of singing; compared in float32, in which graphs and messages hold it.
        """
        vocal = np.asarray(probability, np.float32) >= np.float32(self.threshold)
        return vocal if np.ndim(vocal) else bool(vocal)

    def graph(self, model: str) -> bytes:
        """The ONNX graph of a model, verified as it is read: what is run is what was verified.

        Raises:
            BundleError: the file is missing or was altered.
        """
        versions = [
            path
            for path in self.files
            if (parts := PurePosixPath(path).parts)[0] == model and parts[-1] == GRAPH and parts[1].isdecimal()
        ]
        if not versions:
            raise BundleError(f"{self.root}: the manifest lists no graph {model}/VERSION/{GRAPH}")
        return verified(self.root, max(versions, key=lambda p: int(PurePosixPath(p).parts[1])), self.files)

    def golden(self) -> dict[str, Floats]:
        """The golden vectors, `ENSEMBLE.input.TENSOR` and `ENSEMBLE.output.TENSOR`, verified as they are read.

        Raises:
            BundleError: the file is missing, not listed, was altered or holds something else.
        """
        content = verified(self.root, GOLDEN, self.files)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                golden = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, AttributeError, NotImplementedError, BadZipFile, zlib.error) as error:
            raise BundleError(f"{self.root / GOLDEN} holds no arrays: {error}") from error
        if wrong := [name for name in golden if not GOLDEN_NAME.fullmatch(name)]:
            raise BundleError(f"{self.root / GOLDEN} holds {wrong[0][:80]!r}, not MODEL.input.TENSOR or .output.TENSOR")
        return golden


def load_bundle(root: Path, signed_by: Path | None = None) -> Bundle:
    """Reads a model repository and verifies its manifest's digest and that of every file it names.

    Args:
        root: folder that holds MANIFEST.json and the models.
        signed_by: PEM of the public key that the manifest must be signed with; None asks for no signature.

    Raises:
        BundleError: a file is missing, altered, not listed, malformed or not signed; the message names it.
        OptionsError: see `require_signature`.
    """
    manifest = read_manifest(root)
    if signed_by is not None:
        require_signature(root, signed_by)
        if read_manifest(root) != manifest:
            raise BundleError(f"{root}: the manifest changed while its signature was verified")
    files: dict[str, str] = field(manifest, "files", dict)
    for path in files:
        verified(root, path, files)
    models = read_models(root, files)
    layers, rules = read_layers(models), read_rules(manifest, models)
    return Bundle(
        root=root,
        name=field(manifest, "name", str),
        digest=field(manifest, "digest", str),
        manifest=manifest,
        files=files,
        models=models,
        front_end=_front_end(models),
        layers=layers,
        threshold=_threshold(manifest),
        rules=rules,
        exchange=read_exchange_bank(manifest, models),
        doubt_quantiles=read_doubt_quantiles(manifest, models, rules),
        reconstruction_error_quantiles=quantiles(
            field(manifest, "reconstruction_error_quantiles", list), "reconstruction_error_quantiles"
        ),
        inversion_error_quantiles=read_inversion_error_quantiles(manifest, models, layers),
        metrics={name: float(value) for name, value in field(manifest, "metrics", dict).items()},
        training_data=tuple(
            TrainingData(field(d, "name", str), field(d, "licence", str), field(d, "digest", str))
            for d in field(manifest, "training_data", list)
        ),
        command=field(manifest, "command", str),
    )


def _threshold(manifest: Mapping[str, Any]) -> float:
    threshold = field(manifest, "threshold", (int, float))
    if isinstance(threshold, bool) or not 0 < threshold < 1:  # NaN is neither
        raise BundleError(f"{MANIFEST}: threshold is {threshold}; it must lie between 0 and 1")
    return float(threshold)


def _front_end(models: Mapping[str, ModelConfig]) -> FrontEnd:
    front_end = read_front_end(models, "frontend")
    if front_end.samples(front_end.excerpt_frames) != front_end.excerpt_samples:
        raise BundleError(f"frontend/{CONFIG}: excerpt_samples is not what excerpt_frames frames span")
    return front_end
