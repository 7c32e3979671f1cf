"""The models of a repository: every `config.pbtxt`, read and verified."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from phonoscope_serving.bundle.config import CONFIG, ModelConfig
from phonoscope_serving.bundle.manifest import verified
from phonoscope_serving.errors import BundleError


def read_models(root: Path, files: Mapping[str, str]) -> dict[str, ModelConfig]:
    """The configuration of every model, by name.

    Args:
        root: of the model repository.
        files: path below `root` → SHA-256.

    Raises:
        BundleError: a configuration is not listed, altered or malformed.
    """
    models = {}
    for path in sorted(root.glob(f"*/{CONFIG}")):
        name = path.parent.name
        content = verified(root, f"{name}/{CONFIG}", files)
        try:
            config = text_format.Parse(content, model_config_pb2.ModelConfig())
        except text_format.ParseError as error:
            raise BundleError(f"{path}: {error}") from error
        if config.name not in ("", name):
            raise BundleError(f"{path}: name is {config.name!r}, but its folder is {name!r}")
        config.name = name
        models[name] = config
    return models
