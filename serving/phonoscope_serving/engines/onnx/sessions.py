"""Sessions of ONNX Runtime: how graphs are loaded, and what they share.

All take the memory they work in from one arena. One of each session's own would keep what its largest request ever
needed, and there are as many sessions as graphs, of which two run at a time.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import onnxruntime as ort

from phonoscope_serving.bundle.config import ModelConfig
from phonoscope_serving.errors import BundleError, OptionsError

NOWHERE = "/nonexistent/weights lie inside their graph"
DOUBLING = 0  # the arena grows by large pieces, which are cut; pieces as large as what is asked for fit little else
# The large pieces, from the second on, are as large as all runs together need. Of pieces that double, what does not fit
# one leaves it idle and takes another, and after hundreds of calls in some order there is one more; what of a piece
# nobody has written to takes no memory.
PIECE_BYTES = 2**28
LEAST_CUT_BYTES = 2**20  # of a piece, what is left over is cut off from this on; by default only from 128 MiB on

# An ONNX model, written out since the service does without the package that writes them: y = x, one float32.
IDENTITY = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01g'
    b"Z\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01"
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)

Device = Literal["auto", "cpu", "cuda"]


def session_options(threads: int) -> ort.SessionOptions:
    """The options that every session is made with.

    Args:
        threads: of one operator.
    """
    _share_arena()
    options = ort.SessionOptions()
    # Each session has threads of its own, which sleep unless it runs, and hold .1 MB each. One pool for all sessions
    # would hold less, but its threads spin whatever is said here: an explanation took a fourth more of the processor,
    # and longer where others wanted that too (measured with 1.31, whose Python cannot have them not spin).
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
    grows = {
        "arena_extend_strategy": DOUBLING,
        "max_dead_bytes_per_chunk": LEAST_CUT_BYTES,
        "initial_growth_chunk_size_bytes": PIECE_BYTES,  # once it was told to give back
    }
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


def shrink_arena() -> None:
    """Has the arena give back every piece that nobody uses, but for the first: ONNX Runtime does so after such a run.

    What is run is a graph that gives what it is given, at once.
    """
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    _identity().run(None, {"x": np.zeros(1, np.float32)}, options)


@cache
def grow_by_large_pieces() -> None:
    """Has the arena grow by `PIECE_BYTES`, once in a process: it does so from the first time on that it gave back."""
    shrink_arena()


@cache
def _identity() -> ort.InferenceSession:
    return load_session("identity", IDENTITY, session_options(1), ["CPUExecutionProvider"])


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
