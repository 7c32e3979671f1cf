"""MANIFEST.json: what a model repository says it holds, and whether it does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from phonoscope_serving.errors import BundleError
from phonoscope_serving.tensors import Floats

MANIFEST = "MANIFEST.json"


def read_manifest(root: Path) -> dict[str, Any]:
    """The manifest of a model repository, its own digest verified.

    Raises:
        BundleError: there is none, it is no JSON object, or it is not the one its digest was made of.
    """
    path = root / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"{path} does not exist: is {root} a model repository?") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{path} must hold a JSON object")
    given, computed = field(manifest, "digest", str), manifest_digest(manifest)
    if given != computed:
        raise BundleError(f"{path}: digest is {given[:64]!r}, but what the manifest says has the digest {computed}")
    return manifest


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of all a manifest says but its `digest`: of its JSON text with sorted keys, without spaces, in UTF-8."""
    said = {name: value for name, value in manifest.items() if name != "digest"}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # JSON may name half a character, which UTF-8 has no bytes for; such a manifest is no reason to fail otherwise.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def field(document: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:  # noqa: ANN401 - JSON
    """One field of the manifest, or of an object in it.

    Raises:
        BundleError: it is missing, or of another type than `kind`.
    """
    value = document.get(name)
    if not isinstance(value, kind):
        raise BundleError(f"{MANIFEST}: {name} is missing or has the wrong type")
    return value


def verified(root: Path, path: str, files: Mapping[str, str]) -> bytes:
    """The bytes of one listed file, after its digest was found right.

    Raises:
        BundleError: the file is not listed, is missing, lies elsewhere, or was altered.
    """
    if path not in files:
        raise BundleError(f"{root / path} is not listed in the manifest")
    if not (root / path).resolve().is_relative_to(root.resolve()):
        raise BundleError(f"{MANIFEST}: {path} lies outside the model repository")
    try:
        content = (root / path).read_bytes()
    except OSError as error:
        raise BundleError(f"{root / path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != files[path]:
        raise BundleError(f"{root / path} is not the file the manifest describes (SHA-256 differs)")
    return content


def quantiles(values: list[Any], name: str) -> Floats:
    """The 0 % to 100 % quantiles of something measured on validation excerpts, `[101]` float32.

    Args:
        values: as the manifest lists them.
        name: of the field, for the message.

    Raises:
        BundleError: they are not 101 ascending numbers.
    """
    try:
        array = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        array = np.zeros(0, np.float32)
    if array.shape != (101,) or not np.isfinite(array).all() or (np.diff(array) < 0).any():
        raise BundleError(f"{MANIFEST}: {name} must be 101 ascending numbers")
    return array
