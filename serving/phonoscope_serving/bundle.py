"""The bundle: what the model repository says of itself, read once and verified.

Everything the service knows of the method comes through here: names, shapes, rates and thresholds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from phonoscope_serving.engines.engine import Floats
from phonoscope_serving.errors import BundleError

ModelConfig = Any  # tritonclient's inference.ModelConfig, which ships without types

MANIFEST = "MANIFEST.json"
CONFIG = "config.pbtxt"
GRAPH = "model.onnx"
GOLDEN = "golden.npz"
ENTRY_POINTS = ("explain", "masked", "predict", "listen")  # the models the service calls; the rest it only reads about


@dataclass(frozen=True)
class FrontEnd:
    """What the front-end makes of sound."""

    sample_rate_hz: int
    frame_samples: int
    hop_samples: int
    excerpt_frames: int
    excerpt_samples: int
    band_centre_hz: tuple[float, ...]

    @property
    def frames_per_second(self) -> float:
        """Frames per second."""
        return self.sample_rate_hz / self.hop_samples

    @property
    def context_frames(self) -> int:
        """Frames of an excerpt on either side of the one it speaks of."""
        return (self.excerpt_frames - 1) // 2

    def frames(self, samples: int) -> int:
        """Whole frames in so many samples."""
        return max(0, 1 + (samples - self.frame_samples) // self.hop_samples)

    def samples(self, frames: int) -> int:
        """Samples that so many frames span."""
        return (frames - 1) * self.hop_samples + self.frame_samples


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
    default_alpha: float
    reconstruction_error_quantiles: Floats  # `[101]`, 0 % to 100 %
    metrics: Mapping[str, float]
    training_data: tuple[TrainingData, ...]
    command: str

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
        return _verified(self.root, max(versions, key=lambda p: int(PurePosixPath(p).parts[1])), self.files)

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
    manifest = _read_manifest(root)
    files: dict[str, str] = _field(manifest, "files", dict)
    digest = hashlib.sha256(json.dumps(files, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    if digest != _field(manifest, "digest", str):
        raise BundleError(f"{root / MANIFEST}: digest does not match the list of files (computed {digest})")
    for path in files:
        _verified(root, path, files)
    models = _read_models(root, files)
    return Bundle(
        root=root,
        name=_field(manifest, "name", str),
        digest=digest,
        files=files,
        models=models,
        front_end=_front_end(models),
        layers=_layers(models),
        threshold=float(_field(manifest, "threshold", (int, float))),
        default_alpha=float(_field(manifest, "default_alpha", (int, float))),
        reconstruction_error_quantiles=_quantiles(manifest),
        metrics={name: float(value) for name, value in _field(manifest, "metrics", dict).items()},
        training_data=tuple(
            TrainingData(_field(d, "name", str), _field(d, "licence", str), _field(d, "digest", str))
            for d in _field(manifest, "training_data", list)
        ),
        command=_field(manifest, "command", str),
    )


def _read_manifest(root: Path) -> dict[str, Any]:
    path = root / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path} does not exist: is {root} a model repository?") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{path} must hold a JSON object")
    return manifest


def _field(document: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - JSON
    value = document.get(name)
    if not isinstance(value, kind):
        raise BundleError(f"{MANIFEST}: {name} is missing or has the wrong type")
    return value


def _verified(root: Path, path: str, files: Mapping[str, str]) -> bytes:
    """The bytes of one listed file, after its digest was found right."""
    if not (root / path).resolve().is_relative_to(root.resolve()):
        raise BundleError(f"{MANIFEST}: {path} lies outside the model repository")
    try:
        content = (root / path).read_bytes()
    except OSError as error:
        raise BundleError(f"{root / path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != files[path]:
        raise BundleError(f"{root / path} is not the file the manifest describes (SHA-256 differs)")
    return content


def _read_models(root: Path, files: Mapping[str, str]) -> dict[str, ModelConfig]:
    models = {}
    for path in sorted(root.glob(f"*/{CONFIG}")):
        name = path.parent.name
        if f"{name}/{CONFIG}" not in files:
            raise BundleError(f"{path} is not listed in the manifest")
        try:
            config = text_format.Parse(_verified(root, f"{name}/{CONFIG}", files), model_config_pb2.ModelConfig())
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


def _parameter(models: Mapping[str, ModelConfig], model: str, name: str) -> str:
    text: str = models[model].parameters[name].string_value if name in models[model].parameters else ""
    if not text:
        raise BundleError(f"{model}/{CONFIG}: parameter {name} is missing")
    return text


def _front_end(models: Mapping[str, ModelConfig]) -> FrontEnd:
    def number(name: str) -> int:
        text = _parameter(models, "frontend", name)
        if not text.isdecimal() or int(text) == 0:
            raise BundleError(f"frontend/{CONFIG}: parameter {name} must be a whole number above 0, not {text!r}")
        return int(text)

    names = ("sample_rate_hz", "frame_samples", "hop_samples", "excerpt_frames", "excerpt_samples")
    try:
        centres = tuple(float(hz) for hz in _parameter(models, "frontend", "band_centre_hz").split(","))
    except ValueError as error:
        raise BundleError(f"frontend/{CONFIG}: parameter band_centre_hz: {error}") from error
    front_end = FrontEnd(**{name: number(name) for name in names}, band_centre_hz=centres)
    if front_end.samples(front_end.excerpt_frames) != front_end.excerpt_samples:
        raise BundleError(f"frontend/{CONFIG}: excerpt_samples is not what excerpt_frames frames span")
    return front_end


def _layers(models: Mapping[str, ModelConfig]) -> tuple[Layer, ...]:
    shapes = {output.name: tuple(output.dims) for output in models["detector"].output}
    names = [name.strip() for name in _parameter(models, "detector", "layers").split(",")]
    unknown = [name for name in names if name not in shapes]
    if unknown:
        raise BundleError(f"detector/{CONFIG}: no output for layer {', '.join(unknown)}")
    return tuple(Layer(name, shapes[name]) for name in names)


def _quantiles(manifest: Mapping[str, Any]) -> Floats:
    name = "reconstruction_error_quantiles"
    quantiles = np.asarray(_field(manifest, name, list), np.float32)
    if quantiles.shape != (101,) or not np.isfinite(quantiles).all() or (np.diff(quantiles) < 0).any():
        raise BundleError(f"{MANIFEST}: {name} must be 101 ascending numbers")
    return quantiles
