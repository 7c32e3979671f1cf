"""What makes a model repository a bundle: digests, golden vectors and a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from phonoscope_trainer.repository.tolerances import with_tolerances

MANIFEST = "MANIFEST.json"


@dataclass(frozen=True, slots=True)
class TrainingData:
    """One corpus behind the networks."""

    name: str
    licence: str
    digest: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What only training knows about a bundle."""

    name: str  # name and version
    threshold: float | None  # chosen on validation data; None where no listener has exactly one
    metrics: Mapping[str, float]
    training_data: tuple[TrainingData, ...]
    command: str


def file_digests(root: Path) -> dict[str, str]:
    """SHA-256 of every file of the bundle but the manifest, by path relative to `root`."""
    paths = sorted(p for p in root.rglob("*") if p.is_file() and p != root / MANIFEST)
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest in canonical JSON, without its own entry `digest`; by its list of files of all of them."""
    listed = {name: value for name, value in manifest.items() if name != "digest"}
    text = json.dumps(listed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_manifest(root: Path, facts: Facts, entries: Mapping[str, Any]) -> str:
    """Write the manifest of the files now under `root`, with tolerances and what its parts say; the bundle's digest."""
    files = file_digests(root)
    known = {name: value for name, value in asdict(facts).items() if value is not None}
    manifest = {**known, **with_tolerances(entries), "files": files}
    digest = manifest_digest(manifest)
    manifest = {"name": facts.name, "digest": digest} | manifest
    (root / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return digest
