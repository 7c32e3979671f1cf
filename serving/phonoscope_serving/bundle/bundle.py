"""The bundle: what the model repository says of itself, read once and verified.

Everything the service knows of the method comes through here: names, shapes, rates and thresholds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from phonoscope_serving.bundle.config import CONFIG, ModelConfig, parameter, read_front_end
from phonoscope_serving.bundle.front_end import FrontEnd
from phonoscope_serving.bundle.manifest import MANIFEST, field, quantiles, read_manifest, verified
from phonoscope_serving.bundle.rules import Rule, read_rules
from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats

GRAPH = "model.onnx"
GOLDEN = "golden.npz"
ENTRY_POINTS = (
    "masked",
    "heard",
    "predict",
)  # the models the service calls, beside `explain_RULE`; others it reads about
INVERSION_ENTRY_POINTS = ("invert_layers", "sonify")  # likewise, of a bundle whose layers can be inverted


@dataclass(frozen=True)
class Layer:
    """One layer of the detector, and its shape for one excerpt."""

    name: str
    shape: tuple[int, ...]


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
    digest: str  # SHA-256 over `files`
    files: Mapping[str, str]  # path below `root` → SHA-256
    models: Mapping[str, ModelConfig]  # name → parsed config.pbtxt
    front_end: FrontEnd
    layers: tuple[Layer, ...]
    threshold: float
    rules: tuple[Rule, ...]  # the default first
    reconstruction_error_quantiles: Floats  # `[101]`, 0 % to 100 %
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
        """The golden vectors: `ENSEMBLE.input.TENSOR` and `ENSEMBLE.output.TENSOR`."""
        with np.load(self.root / GOLDEN, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}


def load_bundle(root: Path) -> Bundle:
    """Reads a model repository and verifies the digest of every file it names.

    Args:
        root: folder that holds MANIFEST.json and the models.

    Raises:
        BundleError: a file is missing, altered, not listed or malformed; the message names it.
    """
    manifest = read_manifest(root)
    files: dict[str, str] = field(manifest, "files", dict)
    digest = hashlib.sha256(json.dumps(files, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    if digest != field(manifest, "digest", str):
        raise BundleError(f"{root / MANIFEST}: digest does not match the list of files (computed {digest})")
    for path in files:
        verified(root, path, files)
    models = _read_models(root, files)
    return Bundle(
        root=root,
        name=field(manifest, "name", str),
        digest=digest,
        files=files,
        models=models,
        front_end=_front_end(models),
        layers=_layers(models),
        threshold=float(field(manifest, "threshold", (int, float))),
        rules=read_rules(manifest, models),
        reconstruction_error_quantiles=quantiles(
            field(manifest, "reconstruction_error_quantiles", list), "reconstruction_error_quantiles"
        ),
        inversion_error_quantiles=_inversion_error_quantiles(manifest, models),
        metrics={name: float(value) for name, value in field(manifest, "metrics", dict).items()},
        training_data=tuple(
            TrainingData(field(d, "name", str), field(d, "licence", str), field(d, "digest", str))
            for d in field(manifest, "training_data", list)
        ),
        command=field(manifest, "command", str),
    )


def _read_models(root: Path, files: Mapping[str, str]) -> dict[str, ModelConfig]:
    models = {}
    for path in sorted(root.glob(f"*/{CONFIG}")):
        name = path.parent.name
        if f"{name}/{CONFIG}" not in files:
            raise BundleError(f"{path} is not listed in the manifest")
        try:
            config = text_format.Parse(verified(root, f"{name}/{CONFIG}", files), model_config_pb2.ModelConfig())
        except text_format.ParseError as error:
            raise BundleError(f"{path}: {error}") from error
        if config.name not in ("", name):
            raise BundleError(f"{path}: name is {config.name!r}, but its folder is {name!r}")
        config.name = name
        models[name] = config
    missing = {*ENTRY_POINTS, "frontend", "detector"} - models.keys()
    if missing:
        raise BundleError(f"{root}: there is no model {', '.join(sorted(missing))}")
    return models


def _front_end(models: Mapping[str, ModelConfig]) -> FrontEnd:
    front_end = read_front_end(models, "frontend")
    if front_end.samples(front_end.excerpt_frames) != front_end.excerpt_samples:
        raise BundleError(f"frontend/{CONFIG}: excerpt_samples is not what excerpt_frames frames span")
    return front_end


def _layers(models: Mapping[str, ModelConfig]) -> tuple[Layer, ...]:
    shapes = {output.name: tuple(output.dims) for output in models["detector"].output}
    names = [name.strip() for name in parameter(models, "detector", "layers").split(",")]
    unknown = [name for name in names if name not in shapes]
    if unknown:
        raise BundleError(f"detector/{CONFIG}: no output for layer {', '.join(unknown)}")
    return tuple(Layer(name, shapes[name]) for name in names)


def inverted_output(layer: str) -> str:
    """The output of `invert_layers` that holds a layer's inversion."""
    return f"inverted_{layer}"


def error_output(layer: str) -> str:
    """The output of `invert_layers` that holds a layer's normalised reconstruction error."""
    return f"reconstruction_error_{layer}"


def _inversion_error_quantiles(manifest: Mapping[str, Any], models: Mapping[str, ModelConfig]) -> dict[str, Floats]:
    """The quantiles of every layer that can be inverted; none where the bundle has no inverters."""
    present = [name for name in INVERSION_ENTRY_POINTS if name in models]
    if not present:
        return {}
    if missing := set(INVERSION_ENTRY_POINTS) - set(present):
        raise BundleError(f"{MANIFEST}: there is {present[0]}, but no model {missing.pop()}")
    name = "inversion_error_quantiles"
    given = field(manifest, name, dict)
    made = {output.name for output in models["invert_layers"].output}
    inverted = [layer.name for layer in _layers(models) if inverted_output(layer.name) in made]
    if set(given) != set(inverted):
        raise BundleError(f"{MANIFEST}: {name} must be of {', '.join(inverted)}, the layers invert_layers inverts")
    if missing := {error_output(layer) for layer in inverted} - made:
        raise BundleError(f"invert_layers/{CONFIG}: there is no output {', '.join(sorted(missing))}")
    return {layer: quantiles(field(given, layer, list), f"{name}.{layer}") for layer in inverted}
