"""Results: saving, loading, JSON."""

import json
from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from phonoscope_client import Curve, Explanation, InvalidInputError
from support.client_results import curve, explanation


def assert_same(left, right):
    assert type(left) is type(right)
    if is_dataclass(left):
        for field in fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


@pytest.mark.parametrize("listen", [True, False], ids=["with sound", "without sound"])
def test_an_explanation_is_the_same_after_saving_and_loading(tmp_path, listen):
    saved = explanation(listen=listen, at_s=0.1 + 0.2)
    saved.save(tmp_path / "explanation.npz")
    assert_same(Explanation.load(tmp_path / "explanation.npz"), saved)


def test_a_curve_is_the_same_after_saving_and_loading(tmp_path):
    saved = curve()
    saved.save(tmp_path / "curve.npz")
    assert_same(Curve.load(tmp_path / "curve.npz"), saved)


def test_a_saved_explanation_can_be_read_with_numpy_alone(tmp_path):
    explanation().save(tmp_path / "explanation.npz")
    with np.load(tmp_path / "explanation.npz", allow_pickle=False) as archive:
        assert archive["trust.label_kept"].item() is True
        assert archive["mask"].shape == (115, 80)
        assert str(archive["bundle.name"]) == "noise-1"


def test_saving_keeps_the_name_it_is_given(tmp_path):
    curve().save(tmp_path / "a name of its own")
    assert [path.name for path in tmp_path.iterdir()] == ["a name of its own"]


def test_loaded_arrays_are_read_only_like_received_ones(tmp_path):
    curve().save(tmp_path / "curve.npz")
    with pytest.raises(ValueError, match="read-only"):
        Curve.load(tmp_path / "curve.npz").probability[0] = 1


def _write_text(path):
    path.write_text("not an archive")


def _write_single_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _write_pickle(path):
    with path.open("wb") as file:
        np.savez(file, probability=np.array([{}], dtype=object))


@pytest.mark.parametrize(
    "write",
    [
        _write_text,
        _write_single_array,
        _write_pickle,
        lambda path: path.touch(),
        lambda path: explanation().save(path),
        lambda path: None,
    ],
    ids=["text", "one array", "a pickle", "nothing", "an explanation", "no file"],
)
def test_loading_what_is_not_a_curve_says_so_and_names_the_file(tmp_path, write):
    write(tmp_path / "other.npz")
    with pytest.raises(InvalidInputError, match=r"other\.npz' does not hold a saved Curve") as caught:
        Curve.load(tmp_path / "other.npz")
    assert [violation.field for violation in caught.value.violations] == ["path"]


def test_the_json_of_an_explanation_holds_the_whole_trust_block_with_true_booleans():
    document = json.loads(json.dumps(explanation().to_json()))
    assert document["trust"]["label_kept"] is True
    assert document["trust"]["out_of_distribution"] is False
    assert set(document["trust"]) == {field.name for field in fields(explanation().trust)}
    assert document["bundle"] == {"name": "noise-1", "digest": "ab" * 32}


def test_the_json_of_a_curve_names_every_value_exactly():
    original = curve()
    listed = json.loads(json.dumps(original.to_json()))["probability"]
    np.testing.assert_array_equal(np.array(listed, np.float32), original.probability)


def test_a_frame_at_the_threshold_counts_as_vocal():
    assert curve(np.array([0.4, 0.5, 0.6, 0.1])).vocal_share == 0.5
