"""How a stock server runs the graphs: the part of each `config.pbtxt` that a device decides."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.repository import manifest as bundle
from phonoscope_trainer.repository.models import ModelConfig, replacing
from phonoscope_trainer.repository.shared_weights import copy_linked
from phonoscope_trainer.repository.tensorrt import accelerate, reason_against
from phonoscope_trainer.repository.warmup import met_inputs, write_warmup
from phonoscope_trainer.repository.whole_graph import read_graph

Device = Literal["cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda", "tensorrt")
# A CPU gains nothing from more rows at once and every caller waits longer; a GPU wants to be filled.
PREFERRED_ROWS = {"cpu": (4,), "cuda": (16, 64), "tensorrt": (16, 64)}
QUEUED_REQUESTS = 256  # a stock server refuses more, instead of letting callers wait for nothing
QUEUE_DELAY_US = 500  # how long a stock server waits for company
DECIDED_HERE = ("instance_group", "dynamic_batching", "model_warmup", "optimization")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a server runs the graphs on, and how."""

    device: Device = "cpu"
    instances: int = 1  # of every graph, on the CPU or on each GPU
    half_precision: tuple[str, ...] = ()  # graphs that TensorRT may round to 16 bits
    engine_cache: str = "/var/cache/phonoscope/tensorrt"  # on the server; one folder a graph is made below

    def __post_init__(self) -> None:
        if self.instances < 1:
            raise OptionsError(f"instances is {self.instances}; it must be 1 or more")
        if self.half_precision and self.device != "tensorrt":
            raise OptionsError(f"half precision is TensorRT's; the device is {self.device}")


CPU = Deployment()


def deploy(root: Path, out: Path, deployment: Deployment, command: str) -> str:
    """Write a bundle for another device; graphs and golden vectors stay as they are, byte for byte.

    Args:
        root: the bundle.
        out: where the new one goes, in place of the bundle that may be there; may be `root`.
        deployment: the device, and how it is used.
        command: joins the manifest's.

    Returns:
        The new bundle's digest.

    Raises:
        ExportError: `root` is not a bundle or was altered, or `out` holds something else.
        OptionsError: the deployment does not fit the bundle.
    """
    facts, entries = read_facts(root, command)
    with replacing(out) as scratch:
        shutil.copytree(root, scratch, copy_function=copy_linked(root))
        configure(scratch, deployment)
        return bundle.write_manifest(scratch, facts, entries)


def configure(root: Path, deployment: Deployment) -> None:
    """Make every configuration under `root` the device's, with warm-up inputs beside it.

    Raises:
        OptionsError: half precision is asked for a graph that TensorRT does not run.
    """
    paths = sorted(root.glob("*/config.pbtxt"))
    configs = {p.parent.name: text_format.Parse(p.read_text("utf-8"), triton.ModelConfig()) for p in paths}
    met = met_inputs(root, configs)
    accelerated = set()
    for name, inputs in met.items():
        config, note = configs[name], ""
        for field in DECIDED_HERE:
            config.ClearField(field)
        _instances(config, deployment)
        _batching(config, PREFERRED_ROWS[deployment.device])
        write_warmup(config, inputs, root / name, _warm_rows(config, deployment))
        if deployment.device == "tensorrt":
            reason = reason_against(read_graph(root / name / "1" / "model.onnx"))
            if reason:
                note = f"# Runs on the CUDA provider, not on TensorRT: {reason}.\n"
            else:
                half = name in deployment.half_precision
                accelerate(config, "FP16" if half else "FP32", deployment.engine_cache, PREFERRED_ROWS["tensorrt"][0])
                accelerated.add(name)
        (root / name / "config.pbtxt").write_text(note + text_format.MessageToString(config), encoding="utf-8")
    if absent := set(deployment.half_precision) - accelerated:
        raise OptionsError(f"half precision: TensorRT runs no graph {', '.join(sorted(absent))} of this bundle")


def _instances(config: ModelConfig, deployment: Deployment) -> None:
    group = triton.ModelInstanceGroup
    kind = group.KIND_CPU if deployment.device == "cpu" else group.KIND_GPU
    config.instance_group.add(count=deployment.instances, kind=kind)


def _batching(config: ModelConfig, preferred: tuple[int, ...]) -> None:
    # Also where nothing can be batched: without this policy a stock server runs calls that were given up long ago.
    config.dynamic_batching.default_queue_policy.CopyFrom(
        triton.ModelQueuePolicy(
            timeout_action=triton.ModelQueuePolicy.REJECT,
            max_queue_size=QUEUED_REQUESTS,
            allow_timeout_override=True,
        )
    )
    if config.max_batch_size > 1:
        config.dynamic_batching.preferred_batch_size.extend(preferred)
        config.dynamic_batching.max_queue_delay_microseconds = QUEUE_DELAY_US


def _warm_rows(config: ModelConfig, deployment: Deployment) -> tuple[int, ...]:
    return (1, *PREFERRED_ROWS[deployment.device]) if config.max_batch_size > 1 else (1,)


def read_facts(root: Path, command: str) -> tuple[bundle.Facts, dict[str, Any]]:
    """What a manifest knows, `command` added, and what its parts entered; nothing under `root` was altered.

    Raises:
        ExportError: `root` is not a bundle, or it was altered.
    """
    path = root / bundle.MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        digest = bundle.manifest_digest(manifest)
        files, before = manifest.pop("files"), manifest.pop("command")
        data = tuple(bundle.TrainingData(**each) for each in manifest.pop("training_data"))
        described = manifest.pop("digest")
        own = {each.name: manifest.pop(each.name) for each in fields(bundle.Facts) if each.name in manifest}
        facts = bundle.Facts(**own, training_data=data, command=f"{before}\n{command}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportError(f"{path} is not the manifest of a bundle: {error}") from error
    if digest != described:
        raise ExportError(f"{path} was altered: its digest is {described}, its content's {digest}")
    if altered := sorted({file for file, _ in bundle.file_digests(root).items() ^ files.items()}):
        raise ExportError(f"{root}: not the files the manifest describes: {', '.join(altered)}")
    return facts, manifest
