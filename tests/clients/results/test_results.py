"""Results: saving, loading, JSON."""

import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from phonoscope_client import Curve, Explanation, InvalidInputError, Inversions, SoundWarning
from support.services.client_results import auralisation, curve, explanation, inversions


def assert_same(left, right):
    assert type(left) is type(right)
    if isinstance(left, dict):
        assert list(left) == list(right)
        for name in left:
            assert_same(left[name], right[name])
        return
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


@pytest.mark.parametrize("listen", [True, False], ids=["with sound", "without sound"])
def test_inversions_are_the_same_after_saving_and_loading(tmp_path, listen):
    saved = inversions(listen=listen)
    saved.save(tmp_path / "inversions.npz")
    assert_same(Inversions.load(tmp_path / "inversions.npz"), saved)


def test_saved_inversions_can_be_read_layer_by_layer_with_numpy_alone(tmp_path):
    inversions().save(tmp_path / "inversions.npz")
    with np.load(tmp_path / "inversions.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["layers.fc8.inverted"], inversions().layers["fc8"].inverted)
        assert archive["layers.conv5.reconstruction_error"].item() == 0.4


def test_the_json_of_inversions_ranks_every_layer():
    document = json.loads(json.dumps(inversions().to_json()))
    assert list(document["layers"]) == ["conv1", "conv5", "fc8"]
    assert document["layers"]["fc8"] == {
        "reconstruction_error": 0.8,
        "reconstruction_percentile": 0.995,
        "out_of_distribution": True,
    }
    assert (document["label"], document["bundle"]["name"]) == ("vocal", "noise-1")


def test_a_moment_at_the_threshold_is_vocal():
    assert inversions(probability=0.47).label == "vocal"
    assert inversions(probability=0.469).label == "instrumental"


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


GAP = SoundWarning("gap", 12.5, 13.0, "0.500 s of sound are missing; there is silence in their place.")
NARROW = SoundWarning("narrow_band", 0.0, 47.3, "Nothing sounds above 4.0 kHz.")


@pytest.mark.parametrize("warnings", [(), (GAP,), (GAP,) * 11 + (NARROW,)], ids=["none", "one", "twelve"])
@pytest.mark.parametrize("made", [explanation, inversions, auralisation, curve], ids=lambda made: made.__name__)
def test_warnings_are_kept_in_archives_in_their_order_and_named_in_json(made, warnings, tmp_path):
    saved = replace(made(), warnings=warnings)
    saved.save(tmp_path / "saved.npz")
    assert_same(type(saved).load(tmp_path / "saved.npz"), saved)
    told = json.loads(json.dumps(saved.to_json()))["warnings"]
    assert [SoundWarning(**each) for each in told] == list(warnings)


def test_an_archive_of_an_older_client_has_no_warnings_and_is_read(tmp_path):
    explanation(warnings=(GAP,)).save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        np.savez(tmp_path / "old.npz", **{name: archive[name] for name in archive.files if "warnings" not in name})
    assert Explanation.load(tmp_path / "old.npz").warnings == ()
