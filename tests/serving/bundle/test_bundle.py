import json
import shutil

import numpy as np
import pytest
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import BundleError
from support.bundles.repository import REPOSITORY, copied, edit_manifest, put, put_listed, replace, without_inverters


@pytest.fixture
def repository(tmp_path):
    return copied(tmp_path)


def test_facts_come_from_the_repository(bundle):
    manifest = json.loads((REPOSITORY / "MANIFEST.json").read_text())
    assert (bundle.name, bundle.digest) == (manifest["name"], manifest["digest"])
    assert bundle.default.decision.thresholds[0] == manifest["threshold"]
    assert bundle.default.front_end.frames_per_second == 70
    assert bundle.default.front_end.context_frames == 57
    assert len(bundle.default.front_end.band_centre_hz) == 80
    assert bundle.default.layers[0].name == "conv1"
    assert bundle.default.layers[0].shape == (64, 113, 78)
    assert [layer.name for layer in bundle.default.layers][-1] == "fc8"


def test_a_probability_on_the_threshold_is_vocal_and_one_below_is_not(bundle):
    """The graphs' float32 nearest to the threshold is on it, be it an array's or a number that was taken out."""
    on = np.float32(bundle.default.decision.thresholds[0])
    below = np.nextafter(on, np.float32(0))
    decision = bundle.default.decision
    singing = decision.claim("vocal", "", np.array([0], np.float32))
    assert singing.holds(np.array([[below], [on], [1]], np.float32)).tolist() == [False, True, True]
    assert [decision.predicted(np.array([each], np.float32)) for each in (below, on, 1)] == [1, 0, 0]


def test_frames_and_samples_are_each_others_inverse(bundle):
    front_end = bundle.default.front_end
    for frames in (1, 2, 115, 4200):
        samples = front_end.samples(frames)
        assert front_end.frames(samples) == frames
        assert front_end.frames(samples - 1) == frames - 1
    assert front_end.frames(0) == 0


def test_a_repository_whose_facts_change_changes_the_bundle(repository):
    replace(repository, "frontend/config.pbtxt", 'string_value: "315"', 'string_value: "147"')
    with pytest.raises(BundleError, match="excerpt_samples is not what excerpt_frames frames span"):
        load_bundle(repository)


@pytest.mark.parametrize("path", ["detector/1/model.onnx", "mask/config.pbtxt", "golden.npz"])
def test_an_altered_file_is_refused_by_name(repository, path):
    put(repository, path, (repository / path).read_bytes() + b"\n")
    with pytest.raises(BundleError, match=path):
        load_bundle(repository)


def test_a_graph_altered_after_loading_is_not_run(repository):
    bundle = load_bundle(repository)
    put(repository, "mask/1/model.onnx", b"something else")
    with pytest.raises(BundleError, match=r"mask/1/model\.onnx"):
        bundle.graph("mask")


def test_a_missing_file_is_named(repository):
    (repository / "listen/1/model.onnx").unlink()
    with pytest.raises(BundleError, match=r"listen/1/model\.onnx cannot be read"):
        load_bundle(repository)


def test_a_model_the_manifest_does_not_list_is_refused(repository):
    (repository / "stowaway").mkdir()
    put(repository, "stowaway/config.pbtxt", 'name: "stowaway"')
    with pytest.raises(BundleError, match=r"stowaway/config\.pbtxt is not listed"):
        load_bundle(repository)


def test_golden_vectors_altered_after_loading_are_no_proof(repository):
    bundle = load_bundle(repository)
    put(repository, "golden.npz", b"something else")
    with pytest.raises(BundleError, match=r"golden\.npz is not the file the manifest describes"):
        bundle.golden()


def test_a_list_of_files_that_was_altered_is_refused(repository):
    manifest = json.loads((repository / "MANIFEST.json").read_text())
    del manifest["files"]["golden.npz"]
    put(repository, "MANIFEST.json", json.dumps(manifest))
    with pytest.raises(BundleError, match=r"MANIFEST\.json: digest is '[0-9a-f]{64}', but what the manifest says has"):
        load_bundle(repository)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["threshold"], 0.2),
        (["rules", "masker", "alpha"], 0.9),
        (["default_rule"], "gradient"),
        (["reconstruction_error_quantiles", 99], 1e6),
        (["inversion_error_quantiles", "fc8", 100], 1e6),
        (["maximisation", "minimise", "steps"], 1),
        (["name"], "another"),
        (["digest"], "0" * 64),
    ],
    ids=lambda place: ".".join(map(str, place)) if isinstance(place, list) else "",
)
def test_whatever_the_manifest_says_is_under_its_digest(repository, place, value):
    manifest = json.loads((repository / "MANIFEST.json").read_text())
    *outer, last = place
    document = manifest
    for name in outer:
        document = document[name]
    document[last] = value
    put(repository, "MANIFEST.json", json.dumps(manifest))
    with pytest.raises(BundleError, match="digest is"):
        load_bundle(repository)


def test_how_the_manifest_is_laid_out_is_not_under_its_digest(repository, bundle):
    manifest = json.loads((repository / "MANIFEST.json").read_text())
    put(repository, "MANIFEST.json", json.dumps(dict(reversed(manifest.items())), indent=7, ensure_ascii=True))
    again = load_bundle(repository)
    assert (again.digest, again.manifest) == (bundle.digest, bundle.manifest)


def test_the_manifest_is_read_once(repository):
    bundle = load_bundle(repository)
    put(repository, "MANIFEST.json", "{}")
    assert bundle.manifest["threshold"] == bundle.default.decision.thresholds[0]


def test_a_file_outside_the_repository_is_refused(repository):
    edit_manifest(repository, files={"../secret": "0" * 64})
    with pytest.raises(BundleError, match="outside the model repository"):
        load_bundle(repository)


def test_a_folder_without_a_manifest_is_no_repository(tmp_path):
    with pytest.raises(BundleError, match=r"is .* a model repository"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"name": 3}'])
def test_a_manifest_that_makes_no_sense_is_refused(repository, content):
    put(repository, "MANIFEST.json", content)
    with pytest.raises(BundleError, match=r"MANIFEST\.json"):
        load_bundle(repository)


@pytest.mark.parametrize("quantiles", [[], [0.0] * 100, [1.0] * 100 + [0.5], [float("nan")] * 101])
def test_quantiles_must_be_101_ascending_numbers(repository, quantiles):
    edit_manifest(repository, reconstruction_error_quantiles=quantiles)
    with pytest.raises(BundleError, match="reconstruction_error_quantiles must be 101 ascending numbers"):
        load_bundle(repository)


def test_a_bundle_without_inverters_is_complete(tmp_path):
    assert load_bundle(without_inverters(tmp_path)).default.inversion_error_quantiles == {}


def test_every_layer_that_is_inverted_needs_the_distribution_of_its_errors(repository, bundle):
    quantiles = {layer: q.tolist() for layer, q in bundle.default.inversion_error_quantiles.items()}
    edit_manifest(repository, inversion_error_quantiles={"fc8": quantiles["fc8"]})
    with pytest.raises(BundleError, match=r"inversion_error_quantiles must be of conv1, conv2, .*, fc8"):
        load_bundle(repository)
    edit_manifest(repository, inversion_error_quantiles=quantiles | {"fc8": [1.0] * 50})
    with pytest.raises(BundleError, match=r"inversion_error_quantiles\.fc8 must be 101 ascending numbers"):
        load_bundle(repository)


def test_every_layer_that_is_inverted_needs_its_error(repository):
    replace(repository, "invert_layers/config.pbtxt", '"reconstruction_error_fc7"', '"mistake_fc7"')
    with pytest.raises(BundleError, match=r"invert_layers/config\.pbtxt: there is no output reconstruction_error_fc7"):
        load_bundle(repository)


def test_inverters_without_what_makes_them_heard_are_refused(repository):
    shutil.rmtree(repository / "sonify")
    files = json.loads((repository / "MANIFEST.json").read_text())["files"]
    edit_manifest(repository, files={path: digest for path, digest in files.items() if "sonify" not in path})
    with pytest.raises(BundleError, match="there is invert_layers, but no model sonify"):
        load_bundle(repository)


@pytest.mark.parametrize("model", ["explain_masker", "evidence"])
def test_a_bundle_that_does_not_tell_its_random_regions_is_refused(repository, model):
    replace(repository, f"{model}/config.pbtxt", '"control_regions"', '"regions"')
    with pytest.raises(BundleError, match=rf"{model}/config\.pbtxt: there is no output control_regions"):
        load_bundle(repository)


def test_a_layer_without_an_output_is_refused(repository):
    replace(repository, "detector/config.pbtxt", "conv1,conv2", "conv1,conv9")
    with pytest.raises(BundleError, match="no output for layer conv9"):
        load_bundle(repository)


def test_a_missing_parameter_is_named(repository):
    replace(repository, "frontend/config.pbtxt", "hop_samples", "hop")
    with pytest.raises(BundleError, match="parameter hop_samples is missing"):
        load_bundle(repository)


def test_a_config_with_an_unknown_field_is_refused(repository):
    put_listed(repository, "mask/config.pbtxt", 'nome: "mask"')
    with pytest.raises(BundleError, match=r"mask/config\.pbtxt"):
        load_bundle(repository)


def test_a_config_under_another_name_is_refused(repository):
    replace(repository, "mask/config.pbtxt", 'name: "mask"\n', 'name: "veil"\n')
    with pytest.raises(BundleError, match="name is 'veil', but its folder is 'mask'"):
        load_bundle(repository)


def test_the_newest_version_of_a_graph_is_the_one_that_is_run(repository):
    for version, content in (("2", b"second"), ("10", b"tenth")):
        (repository / "mask" / version).mkdir()
        put_listed(repository, f"mask/{version}/model.onnx", content)
    assert load_bundle(repository).graph("mask") == b"tenth"
