"""One repository, ONNX Runtime and OpenVINO, the same numbers in float32."""

import numpy as np
import pytest
from support.bundles.golden_vectors import assert_golden, golden_inputs
from support.same_numbers import REGIONS
from support.triton.inputs import MODELS, UNBATCHED, inputs_of

CLOSE = 1e-4  # of the largest number of a tensor: two libraries add up in another order
# Of bins that are equal but for the last bits a pool remembers one or the other, which moves what went through it.
REMEMBERED = {"relevance": 2e-2, "heard": 1e-2}
# The logarithm of a bin with next to no energy is of what rounding leaves: with AVX2 one in 130 thousand is .002 off.
QUIET = {"log_mel": 1e-4}
SHARES = REMEMBERED | QUIET | REGIONS


def assert_close(found, expected):
    """Names, types and shapes alike, numbers nearly so."""
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        off = np.abs(np.asarray(found[name], np.float64) - tensor)
        largest = max(1.0, float(np.abs(tensor).max(initial=0)))
        far = off > CLOSE * largest
        assert far.mean() <= (SHARES.get(name, 0) if tensor.ndim > 2 else 0), (name, off.max())


@pytest.mark.parametrize("model", MODELS)
def test_both_engines_give_the_same_numbers(on_openvino, bare, bundle, model):
    inputs = inputs_of(model, 1 if model in UNBATCHED else 3, bare.run)
    found = on_openvino.run(model, inputs)
    assert list(found) == [output.name for output in bundle.models[model].output]
    assert_close(found, bare.run(model, inputs))


@pytest.mark.parametrize(
    ("ensemble", "outputs"),
    [
        ("invert_layers", ["inverted_fc8"]),
        ("invert_layers", ["reconstruction_error_conv5", "log_mel"]),
        ("explain_gradient", ["mask", "relative_area"]),
        ("explain_masker", ["mask", "control_regions"]),
        ("auralise", ["heard", "chosen", "strength"]),
        ("detector", ["mp6_gradient", "conv4"]),
    ],
    ids=str,
)
def test_both_engines_give_the_same_numbers_where_only_some_are_wanted(on_openvino, bare, ensemble, outputs):
    inputs = inputs_of(ensemble, 2, bare.run)
    found = on_openvino.run(ensemble, inputs, outputs)
    assert found.keys() == set(outputs)
    assert_close(found, bare.run(ensemble, inputs, outputs))


@pytest.mark.parametrize("ensemble", ["explain_masker", "predict", "invert_layers"])
def test_golden_vectors_are_reproduced(on_openvino, bundle, ensemble):
    assert_golden(bundle, ensemble, on_openvino.run(ensemble, golden_inputs(bundle, ensemble)))


def test_more_rows_than_are_run_together_get_what_each_would_get_alone(on_openvino, bare):
    inputs = inputs_of("explain_masker", 9, bare.run)
    together = on_openvino.run("explain_masker", inputs)
    for row in (0, 4, 8):
        alone = on_openvino.run("explain_masker", {name: each[row : row + 1] for name, each in inputs.items()})
        assert_close({name: each[row : row + 1] for name, each in together.items()}, alone)


def test_what_was_answered_is_not_changed_by_what_is_asked_next(on_openvino, bare):
    inputs = inputs_of("detector", 3, bare.run)
    first = on_openvino.run("detector", {name: each[:1] for name, each in inputs.items()})
    kept = {name: each.copy() for name, each in first.items()}
    on_openvino.run("detector", {name: each[1:2] for name, each in inputs.items()})
    for name, each in kept.items():
        np.testing.assert_array_equal(first[name], each, err_msg=name)
