"""Numbers two runs must agree on though they may round differently: another processor, thread count or batch size."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pytest
from phonoscope_serving.bundle.listeners.decision import Claim

from support.bundles.golden_vectors import OTHER_BINS

ATOL = 1e-5
RELEVANCE_ATOL = 1e-4  # a mask is steep where it lies on one half: its logits are tens, and round accordingly
# A bin as relevant as alpha falls inside or outside a region by its last bit, and moves a little what follows from it.
MOVED_ATOL = 1e-3
OF_REGIONS = {
    *("relative_area", "masked_probability", "removed_probability", "control_probabilities"),
    *("heard_probability", "heard_control_probabilities"),
    *(f"control_{number}_probability" for number in (1, 2, 3)),
}
TRIALS = ("carried", "silhouette", "removed", "random", "shifted", "other")
REGIONS = OTHER_BINS | dict.fromkeys(("remainder", "control_1", "control_2", "control_3"), OTHER_BINS["mask"])


def assert_same_numbers(found, expected):
    """Two answers of engines, name → tensor: names, types and shapes alike, numbers nearly so."""
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert (found[name].dtype, found[name].shape) == (tensor.dtype, tensor.shape), name
        if name in REGIONS and tensor.ndim > 1:
            assert np.mean(np.abs(found[name] - tensor) > ATOL) < REGIONS[name], name
        else:
            atol = MOVED_ATOL if name in OF_REGIONS else RELEVANCE_ATOL if name == "relevance" else ATOL
            np.testing.assert_allclose(found[name], tensor, rtol=0, atol=atol, err_msg=name)


def assert_same_trust(found, expected):
    """Two trusts, as the domain or as the contract has them: labels, counts and seeds alike, numbers nearly so."""
    ours, theirs = _fields(found), _fields(expected)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if value is None or isinstance(value, int | Enum | Claim):  # labels are, too
            assert ours[name] == value, name
        elif name == "exchange":
            _assert_same_exchange(ours[name], value)
        elif name == "doubt":
            _assert_same_doubt(ours[name], value)
        else:
            # Its place among 100 quantiles follows the error, and may do so steeply.
            moved = name in OF_REGIONS or name == "reconstruction_percentile"
            assert ours[name] == pytest.approx(value, rel=0, abs=MOVED_ATOL if moved else ATOL), name


def _assert_same_doubt(found, expected):
    for name in ("doubt", "wrong", "foreign", "percentile"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=0, abs=MOVED_ATOL), name


def _assert_same_exchange(found, expected):
    for trial in TRIALS:
        ours, theirs = (getattr(each, trial) for each in (found, expected))
        assert (ours.n, ours.kept) == (theirs.n, theirs.kept), trial
        assert list(ours.probabilities) == pytest.approx(list(theirs.probabilities), rel=0, abs=MOVED_ATOL), trial


def _fields(trust):
    if not hasattr(trust, "DESCRIPTOR"):
        return vars(trust)
    values = {field.name: getattr(trust, field.name) for field in trust.DESCRIPTOR.fields}
    return {name: tuple(value) if hasattr(value, "append") else value for name, value in values.items()}
