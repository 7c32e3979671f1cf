"""Bundles that take each other's place under load."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnx
from phonoscope.v1 import bundle_pb2, explainer_service_pb2_grpc
from phonoscope_client import running_service
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.engines.golden import proofs
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.errors import BundleError
from phonoscope_serving.metrics import Metrics
from triton_server.server import linked

from soak.asking import Load, one_call
from soak.figures import Numbers, counts, numbers, unexpected, wrong
from soak.overload import watched_memory
from soak.scale import Scale

SWAP_S = 120.0  # for one; a busy machine may be slow
BIAS, SHIFT = "fc9.bias", 0.5  # of the detector's last layer: every answer of the second bundle is another


def swaps(model_repository: Path, content: bytes, scale: Scale) -> dict[str, Any]:
    """How many swaps fail, calls that fail meanwhile among them, and how many answers are made of two bundles."""
    with tempfile.TemporaryDirectory() as folder:
        second = other_bundle(model_repository, Path(folder, "second"))
        roots = (model_repository.resolve(), second)
        right = [_answer(root, content) for root in roots]
        link = Path(folder, "current")
        point(link, roots[0])
        with (
            running_service(["--model-repository", str(link), "--watch"]) as service,
            watched_memory(service.process.pid) as memory,
            Load(service.address, content, scale.callers) as load,
        ):
            load.wait_for(lambda outcomes: len(outcomes) > scale.callers, SWAP_S)
            took_s = [
                _swap(service.address, link, roots[number % 2], right[number % 2].digest)
                for number in range(1, scale.swaps + 1)
            ]
            before = len(load.outcomes)
            load.wait_for(lambda outcomes: len(outcomes) > before + scale.callers, SWAP_S)
    errors = unexpected(load.outcomes)
    done_s = [each for each in took_s if each is not None]
    return {
        "swap_failed": len(took_s) - len(done_s) + sum(errors.values()),
        "swap_mixed": wrong(load.outcomes, right),
        "unexpected": errors,
        "swaps": len(took_s),
        "seconds": {"median": float(np.median(done_s)) if done_s else None, "most": max(done_s, default=None)},
        "statuses": counts(load.outcomes),
        "resident_mib": {"first": memory[0] / 2**20, "most": max(memory) / 2**20, "last": memory[-1] / 2**20},
    }


def point(link: Path, folder: Path) -> None:
    """Publishes a bundle: a link to it takes the other's name, at once or not at all."""
    beside = link.with_name(f".{link.name}.beside")
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder)
    beside.replace(link)


def other_bundle(source: Path, folder: Path) -> Path:
    """A bundle whose detector answers otherwise, with golden vectors of its own.

    Args:
        source: the bundle it is made of.
        folder: where to.
    """
    root = Path(shutil.copytree(source, folder, copy_function=linked))
    graph = onnx.load_from_string(load_bundle(root).graph("detector"))
    (bias,) = (each for each in graph.graph.initializer if each.name.endswith(BIAS))
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(SHIFT), bias.name))
    _put(root, "detector/1/model.onnx", graph.SerializeToString())
    bundle = load_bundle(root)
    engine = OnnxEngine(bundle, OnnxOptions(device="cpu"), Metrics())
    with suppress(BundleError):  # the golden vectors are still the other's; its graphs are loaded by then
        engine.load()
    golden = dict(bundle.golden())
    for proof in proofs(bundle):
        made = engine.run(proof.ensemble, proof.inputs, tuple(proof.made))
        golden |= {f"{proof.ensemble}.output.{name}": tensor for name, tensor in made.items()}
    with tempfile.TemporaryFile() as content:
        np.savez(content, **golden)  # type: ignore[arg-type]  # names of arrays, not of options
        content.seek(0)
        _put(root, "golden.npz", content.read())
    return root


def _put(root: Path, path: str, content: bytes) -> None:
    """Replaces a file, which others may share, and has the manifest agree."""
    for name in (path, "MANIFEST.json"):
        kept = (root / name).read_bytes()
        (root / name).unlink()
        (root / name).write_bytes(content if name == path else kept)
    manifest = json.loads((root / "MANIFEST.json").read_text())
    manifest["files"][path] = hashlib.sha256(content).hexdigest()
    manifest["name"] = f"{manifest['name'].removesuffix('-shifted')}-shifted"
    del manifest["digest"]
    said = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    manifest["digest"] = hashlib.sha256(said.encode()).hexdigest()
    (root / "MANIFEST.json").write_text(json.dumps(manifest))


def _answer(root: Path, content: bytes) -> Numbers:
    """What a service answers that serves nothing else."""
    with running_service(["--model-repository", str(root)]) as service:
        (outcome,) = one_call(service.address, content)
    assert outcome.status == "OK", outcome
    return numbers(outcome.answer)


def _swap(address: str, link: Path, root: Path, digest: str) -> float | None:
    """Publishes a bundle; seconds until it is served, None where it is not."""
    began_s = time.monotonic()
    point(link, root)
    with grpc.insecure_channel(address) as channel:
        stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)
        while time.monotonic() < began_s + SWAP_S:
            if stub.DescribeBundle(bundle_pb2.DescribeBundleRequest()).bundle.digest == digest:
                return time.monotonic() - began_s
            time.sleep(0.1)
    return None
