"""Sessions of ONNX Runtime: how graphs are loaded, and what they share.

All take the memory they work in from one arena. One of each session's own would keep what its largest request ever
needed, and there are as many sessions as graphs, of which two run at a time.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import onnxruntime as ort

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.errors import BundleError, OptionsError

NOWHERE = "/nonexistent/weights lie inside their graph"
DOUBLING = 0  # the arena grows by large pieces, which are cut; pieces as large as what is asked for fit little else
LEAST_CUT_BYTES = 2**20  # of a piece, what is left over is cut off from this on; by default only from 128 MiB on

Device = Literal["auto", "cpu", "cuda"]


def session_options(threads: int) -> ort.SessionOptions:
    """The options that every session is made with.

    Args:
        threads: of one operator.
    """
    _share_arena()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    entries = {
        # Spinning threads would take the cores from the event loop between two graphs. Bounded, to 50 or 500 µs and to
        # the time of a run (`session.force_spinning_stop`), they made no call faster, alone or among many (measured).
        "session.intra_op.allow_spinning": "0",
        # Weights outside a graph are outside its digest too: a bare name would be read from the working directory.
        "session.model_external_initializers_file_folder_path": NOWHERE,
        "session.use_env_allocators": "1",
        # Weights stay: in the arena they would lie between what comes and goes.
        "session.use_device_allocator_for_initializers": "1",
    }
    for key, value in entries.items():
        options.add_session_config_entry(key, value)
    return options


@cache
def _share_arena() -> None:
    """Makes the arena, once in a process: ONNX Runtime keeps it for good."""
    where = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    grows = {"arena_extend_strategy": DOUBLING, "max_dead_bytes_per_chunk": LEAST_CUT_BYTES}
    ort.create_and_register_allocator(where, ort.OrtArenaCfg(grows))


def load_session(name: str, graph: bytes, options: ort.SessionOptions, providers: list[str]) -> ort.InferenceSession:
    """Loads one graph.

    Args:
        name: of its model, for the message.
        graph: the content of its file.
        options: see `session_options`.
        providers: see `providers`.

    Raises:
        BundleError: it cannot be loaded.
    """
    try:
        session = ort.InferenceSession(graph, options, providers=providers)
    except Exception as error:  # ONNX Runtime raises its own types, some of them bare Exception
        raise BundleError(f"{name}: ONNX Runtime cannot load the graph: {error}") from error
    session.disable_fallback()
    session._model_bytes = None  # which it keeps for a fallback, beside the weights that were read from it
    return session


def shrinking() -> ort.RunOptions:
    """Options of a run after which the arena gives back every piece that nobody uses."""
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def check_graph(config: ModelConfig, session: ort.InferenceSession) -> None:
    """Refuses a graph that lacks a tensor its config promises.

    Raises:
        BundleError: naming it.
    """
    for kind, promised, present in (
        ("input", config.input, session.get_inputs()),
        ("output", config.output, session.get_outputs()),
    ):
        if absent := {tensor.name for tensor in promised} - {tensor.name for tensor in present}:
            raise BundleError(f"{config.name}: its graph has no {kind} {', '.join(sorted(absent))}")


def providers(device: Device) -> list[str]:
    """What ONNX Runtime runs graphs with, the preferred first.

    Raises:
        OptionsError: CUDA was asked for, and there is no provider of it.
    """
    cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not cuda:
        raise OptionsError("device: cuda was asked for, but this ONNX Runtime has no CUDA provider")
    return ["CUDAExecutionProvider", "CPUExecutionProvider"] if cuda and device != "cpu" else ["CPUExecutionProvider"]
