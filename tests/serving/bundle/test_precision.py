"""Which graphs may be run in less precision, and how far that may lead."""

import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.bundle.precision import TOLERANCES, reducible, tolerance
from phonoscope_serving.errors import BundleError
from support.bundles.repository import copied, edit_manifest, put_listed


def test_networks_may_be_reduced_and_nothing_that_must_stay_exact(bundle):
    found = reducible(bundle)
    assert {"detector", "track_detector", "tagger", "masker", "explanation_inverter", "inverter_fc8"} <= found
    exact = {"frontend", "tagger_frontend", "mask", "region", "maximise", "exchange", "asked_label_tagger", "generate"}
    assert not found & (exact | {"griffin_lim", "sonify", "listen", "resound_tagger", "explain_masker"})


def test_tolerances_are_the_contracts_unless_the_bundle_states_its_own(tmp_path, bundle):
    assert tolerance(bundle, "bfloat16") == TOLERANCES["bfloat16"]
    root = copied(tmp_path)
    edit_manifest(root, tolerances={"bfloat16": {"number": 0.5, "spread": 0.25, "size": 0.125}})
    stated = tolerance(load_bundle(root), "bfloat16")
    assert (stated.number, stated.spread, stated.size) == (0.5, 0.25, 0.125)
    assert tolerance(load_bundle(root), "float32") == TOLERANCES["float32"]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"bfloat16": 0.1}, "bfloat16 is missing or has the wrong type"),
        ([], "tolerances is missing or has the wrong type"),
        ({"bfloat16": {"number": 0.1, "spread": 0.1}}, "size is missing or has the wrong type"),
        ({"bfloat16": {"number": 0.1, "spread": 0.1, "size": 2}}, "tolerances of bfloat16 must lie between 0 and 1"),
        ({"bfloat16": {"number": float("nan"), "spread": 0.1, "size": 0.1}}, "must lie between 0 and 1"),
    ],
    ids=str,
)
def test_malformed_tolerances_are_refused(tmp_path, stated, message):
    root = copied(tmp_path)
    edit_manifest(root, tolerances=stated)
    with pytest.raises(BundleError, match=message):
        tolerance(load_bundle(root), "bfloat16")


def test_a_graph_that_says_something_else_of_its_precision_is_refused(tmp_path):
    root = copied(tmp_path)
    config = (root / "masker/config.pbtxt").read_text()
    put_listed(root, "masker/config.pbtxt", config + 'parameters { key: "precision" value { string_value: "int4" } }')
    with pytest.raises(BundleError, match=r"masker/config\.pbtxt: parameter precision is 'int4', not any or float32"):
        reducible(load_bundle(root))
