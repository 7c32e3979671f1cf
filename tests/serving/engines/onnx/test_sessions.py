"""What sessions of ONNX Runtime hold and share."""

import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from phonoscope_serving.engines.onnx.sessions import load_session, session_options
from phonoscope_serving.errors import BundleError

SESSIONS = 6
# Sessions that each need some memory to work in, used in turn; what that has come to is printed, in units of the need.
USED_IN_TURN = """
import os, resource, sys
import numpy as np
from phonoscope_serving.engines.onnx.sessions import load_session, session_options
graph, sessions = open(sys.argv[1], "rb").read(), int(sys.argv[2])

def resident_bytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

loaded = [load_session("each", graph, session_options(1), ["CPUExecutionProvider"]) for _ in range(sessions)]
given = {"x": np.ones((8, 2**20), np.float32)}
before = resident_bytes()
for session in loaded:
    session.run(["y"], given)
print((resident_bytes() - before) / given["x"].nbytes)
"""
# What the arena holds of the memory that a run needed, before it is told to give back and after; in the same units.
GIVEN_BACK = """
import os, resource, sys
import numpy as np
from phonoscope_serving.engines.onnx.sessions import load_session, session_options, shrink_arena
session = load_session("each", open(sys.argv[1], "rb").read(), session_options(1), ["CPUExecutionProvider"])

def resident_bytes():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

given = {"x": np.ones((8, 2**20), np.float32)}
little = {"x": given["x"][:1]}
session.run(["y"], little)  # the first piece of an arena stays for good
before = resident_bytes()
session.run(["y"], given)
held = resident_bytes()
shrink_arena()
print((held - before) / given["x"].nbytes, (resident_bytes() - before) / given["x"].nbytes)
"""


def graph(weight: np.ndarray) -> bytes:
    """y = the sum of exp(x w), which has to be held in between."""
    nodes = [
        helper.make_node("Mul", ["x", "w"], ["xw"]),
        helper.make_node("Exp", ["xw"], ["e"]),
        helper.make_node("ReduceSum", ["e"], ["y"], keepdims=0),
    ]
    values = {"x": [None, None], "y": []}
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items())
    made = helper.make_graph(nodes, "each", [x], [y], [numpy_helper.from_array(weight, "w")])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells how much memory a process has")
def test_sessions_used_in_turn_work_in_the_same_memory(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(graph(np.full(1, 0.5, np.float32)))
    command = [sys.executable, "-c", USED_IN_TURN, str(path), str(SESSIONS)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert float(told.stdout) < SESSIONS - 1, "each works in two such arrays at most, and not each in its own"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells how much memory a process has")
def test_an_arena_that_is_told_to_keeps_nothing_of_what_a_run_needed(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(graph(np.full(1, 0.5, np.float32)))
    command = [sys.executable, "-c", GIVEN_BACK, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    held, left = map(float, told.stdout.split())
    assert held > 1, "the arena keeps what it has grown to"
    assert left < 0.5


def test_a_session_keeps_no_second_copy_of_its_graph():
    weight = np.arange(4, dtype=np.float32)
    session = load_session("each", graph(weight), session_options(1), ["CPUExecutionProvider"])
    assert not [name for name, value in vars(session).items() if isinstance(value, bytes)]
    (y,) = session.run(["y"], {"x": np.ones((1, 4), np.float32)})
    assert y == pytest.approx(np.exp(weight).sum(), rel=1e-5)


def test_a_graph_that_is_none_is_refused_by_the_name_of_its_model():
    with pytest.raises(BundleError, match=r"^each: ONNX Runtime cannot load the graph"):
        load_session("each", b"no graph", session_options(1), ["CPUExecutionProvider"])
