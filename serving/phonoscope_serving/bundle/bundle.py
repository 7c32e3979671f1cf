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
from typing import Any
from zipfile import BadZipFile

import numpy as np

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.bundle.graphs.weights import with_weights
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.listeners.reading import read_listeners
from phonoscope_serving.bundle.manifest import field, read_manifest, verified
from phonoscope_serving.bundle.models import read_models
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
    listeners: tuple[Listener, ...]  # the one that is asked by default first
    metrics: Mapping[str, float]
    training_data: tuple[TrainingData, ...]
    command: str

    @property
    def default(self) -> Listener:
        """The listener that is asked where a request names none."""
        return self.listeners[0]

    def graph(self, model: str) -> bytes:
        """The ONNX graph of a model, its weights inside, verified as it is read: what is run is what was verified.

        Raises:
            BundleError: the file is missing or was altered, or one of weights that it refers to.
        """
        versions = [
            path
            for path in self.files
            if (parts := PurePosixPath(path).parts)[0] == model and parts[-1] == GRAPH and parts[1].isdecimal()
        ]
        if not versions:
            raise BundleError(f"{self.root}: the manifest lists no graph {model}/VERSION/{GRAPH}")
        path = max(versions, key=lambda p: int(PurePosixPath(p).parts[1]))
        folder = PurePosixPath(path).parent
        return with_weights(
            verified(self.root, path, self.files),
            lambda name: verified(self.root, str(folder / name), self.files),
            str(self.root / path),
        )

    def golden(self) -> dict[str, Floats]:
        """The golden vectors, `ENSEMBLE.input.TENSOR` and `ENSEMBLE.output.TENSOR`, verified as they are read.

        Raises:
            BundleError: the file is missing, not listed, was altered or holds something else.
        """
        content = verified(self.root, GOLDEN, self.files)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
            # What is there under another name already is only named.
            golden = {name: found[str(each)] if each.dtype.kind == "U" else each for name, each in found.items()}
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            AttributeError,
            NotImplementedError,
            BadZipFile,
            zlib.error,
        ) as error:
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
    return Bundle(
        root=root,
        name=field(manifest, "name", str),
        digest=field(manifest, "digest", str),
        manifest=manifest,
        files=files,
        models=models,
        listeners=read_listeners(manifest, models),
        metrics={name: float(value) for name, value in field(manifest, "metrics", dict).items()},
        training_data=tuple(
            TrainingData(field(d, "name", str), field(d, "licence", str), field(d, "digest", str))
            for d in field(manifest, "training_data", list)
        ),
        command=field(manifest, "command", str),
    )
