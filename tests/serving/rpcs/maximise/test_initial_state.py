import numpy as np
import pytest
from google.protobuf import text_format
from phonoscope_serving.errors import BundleError
from phonoscope_serving.rpcs.maximise.initial_state import read_initial_state
from tritonclient.grpc import model_config_pb2

SAID = {"moment": "0", "step": "0", "evaluated_step": "-1", "best_z": "1", "best_objective": "-inf"}
STATE = {"z": ("FP32", 3), "moment": ("FP32", 3), "step": ("INT32", 1), "evaluated_step": ("INT32", 1)}
STATE |= {"best_z": ("FP32", 3), "best_objective": ("FP32", 1)}


def config(said):
    """A model whose rows have a state, and one setting, which is no part of it."""
    inputs = STATE | {"steps": ("INT32", 1)}
    text = 'name: "optimiser" max_batch_size: 4'
    text += "".join(
        f' input {{ name: "{n}" data_type: TYPE_{kind} dims: {size} }}' for n, (kind, size) in inputs.items()
    )
    text += "".join(
        f' output {{ name: "next_{n}" data_type: TYPE_{kind} dims: {size} }}' for n, (kind, size) in STATE.items()
    )
    if said is not None:
        text += f' parameters {{ key: "initial_state" value {{ string_value: "{said}" }} }}'
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def written(said):
    return ",".join(f"{name}:{value}" for name, value in said.items() if value is not None)


def test_everything_but_the_point_is_filled_as_the_model_says():
    state = read_initial_state(config(written(SAID)))
    expected = {
        "moment": np.zeros((1, 3), np.float32),
        "step": np.zeros((1, 1), np.int32),
        "evaluated_step": np.full((1, 1), -1, np.int32),
        "best_z": np.ones((1, 3), np.float32),
        "best_objective": np.full((1, 1), -np.inf, np.float32),
    }
    assert state.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(state[name], tensor, err_msg=name)
        assert state[name].dtype == tensor.dtype, name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"step": None},
            "must give NAME:NUMBER once for each of moment, step, evaluated_step, best_z, best_o",
        ),
        ({"momentum": "0"}, "must give NAME:NUMBER once for each of"),
        ({"steps": "0"}, "must give NAME:NUMBER once for each of"),
        ({"step": "0,step:0"}, "must give NAME:NUMBER once for each of"),
        ({"best_objective": "low"}, "gives 'low' for best_objective; it must be a number of type float32"),
        ({"best_objective": "nan"}, "gives 'nan' for best_objective; it must be a number of type float32"),
        ({"step": "0.5"}, "gives '0.5' for step; it must be a number of type int32"),
        ({"step": "3000000000"}, "gives '3000000000' for step; it must be a number of type int32"),
    ],
    ids=["missing", "unknown", "a setting", "twice", "a word", "no number", "a fraction", "too large"],
)
def test_a_state_that_cannot_be_is_refused_by_the_parameters_name(change, message):
    with pytest.raises(BundleError, match=rf"optimiser/config\.pbtxt: parameter initial_state {message}"):
        read_initial_state(config(written(SAID | change)))


def test_a_model_that_does_not_say_where_its_rows_begin_is_refused():
    with pytest.raises(BundleError, match=r"optimiser/config\.pbtxt: parameter initial_state is missing"):
        read_initial_state(config(None))
