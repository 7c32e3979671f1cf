"""The client against the real service."""

import threading

import numpy as np
import pytest
from phonoscope_client import Client, Explanation, InvalidInputError, Inversions, OutOfRangeError

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def explained(client, song):
    return client.explain(song, 4.0, detailed=True, evidence="mean-fill")


def test_an_explanations_maps_sounds_and_axes_fit_together(explained):
    frames, bands = explained.mask.shape
    for each in (explained.log_mel, explained.relevance, explained.inverted, explained.explanation):
        assert each.shape == (frames, bands)
        assert np.isfinite(each).all()
    assert len(explained.axes.band_centre_hz) == bands
    assert (np.diff(explained.axes.band_centre_hz) > 0).all()
    assert explained.original_audio.samples.shape == explained.explanation_audio.samples.shape
    middle_s = explained.axes.start_s + (frames // 2) / explained.axes.frames_per_second
    assert explained.at_s == pytest.approx(middle_s) == pytest.approx(4.0, abs=0.5 / 70)


def test_the_trust_block_agrees_with_the_maps_and_the_threshold(explained):
    trust = explained.trust
    assert trust.relative_area == pytest.approx(explained.mask.mean(), abs=1e-6)

    def label(probability):
        return "vocal" if probability >= explained.threshold else "instrumental"

    assert label(explained.probability) == explained.label
    assert trust.label_kept == (label(trust.masked_probability) == explained.label)
    assert trust.removal_flips_label == (label(trust.removed_probability) != explained.label)
    kept = [label(each) == explained.label for each in trust.control_probabilities]
    assert (len(kept), trust.controls_that_keep_label) == (3, sum(kept))


def test_the_region_is_where_relevance_reaches_alpha(explained):
    np.testing.assert_array_equal(explained.relevance >= np.float32(explained.alpha), explained.mask)


def test_the_papers_rule_is_there_by_its_name(client, song):
    explained = client.explain(song, 4.0, rule="inversion", detailed=True, listen=False)
    scaled = (explained.inverted - explained.inverted.min()) / np.ptp(explained.inverted)
    np.testing.assert_allclose(explained.relevance, scaled, atol=1e-5)
    assert explained.rule == "inversion"


def test_what_is_heard_is_part_of_the_evidence(explained):
    heard = "vocal" if explained.trust.heard_probability >= explained.threshold else "instrumental"
    assert explained.trust.heard_label_kept == (heard == explained.label)
    assert explained.outside_db == 25


def test_random_regions_are_heard_as_the_region_is(explained):
    trust = explained.trust
    labels = ["vocal" if each >= explained.threshold else "instrumental" for each in trust.heard_control_probabilities]
    assert len(labels) == len(trust.control_probabilities)
    assert trust.heard_control_label_kept == (2 * labels.count(explained.label) > len(labels))


def test_no_region_is_no_evidence_that_is_heard(client, song):
    trust = client.explain(song, 4.0, alpha=1.0).trust
    assert trust.relative_area == 0
    assert trust.heard_probability is trust.heard_label_kept is None
    assert trust.heard_control_probabilities is trust.heard_control_label_kept is None


def test_the_original_sound_is_the_recordings_own_excerpt(explained, tone):
    sound = explained.original_audio
    start = round(explained.axes.start_s * sound.sample_rate_hz)
    np.testing.assert_allclose(sound.samples, tone[start : start + len(sound.samples)], atol=2 / 2**15)


def test_every_layer_is_inverted_from_the_excerpt_an_explanation_would_be_of(client, song, explained):
    inverted = client.invert_layers(song, 4.0)
    invertible = [layer.name for layer in client.describe().layers if layer.invertible]
    assert list(inverted.layers) == invertible
    assert len(invertible) == 8
    assert inverted.bundle == explained.bundle
    assert (inverted.at_s, inverted.label) == (explained.at_s, explained.label)
    assert inverted.axes.start_s == explained.axes.start_s
    np.testing.assert_allclose(inverted.log_mel, explained.log_mel, atol=1e-5)
    np.testing.assert_array_equal(inverted.original_audio.samples, explained.original_audio.samples)
    for layer in inverted.layers.values():
        assert layer.inverted.shape == inverted.standardised.shape == explained.mask.shape
        assert layer.audio.samples.shape == inverted.log_mel_audio.samples.shape == (36934,)
        distance = np.linalg.norm(layer.inverted - inverted.standardised)
        assert layer.reconstruction_error > 0
        assert distance / layer.reconstruction_error == pytest.approx(
            np.linalg.norm(inverted.layers["fc8"].inverted - inverted.standardised)
            / inverted.layers["fc8"].reconstruction_error,
            rel=1e-4,
        )
    assert inverted.seconds > 0


def test_only_the_layers_asked_for_come_and_silent_where_sound_is_not_wanted(client, song):
    inverted = client.invert_layers(song, 4.0, layers=["fc8", "conv5"], listen=False)
    assert list(inverted.layers) == ["fc8", "conv5"]
    assert inverted.sounds == {}


@pytest.mark.parametrize(
    ("layers", "field"), [("fc8", "layers"), (["fc9"], "layers[0]"), (["fc8", "fc8"], "layers[1]")], ids=str
)
def test_layers_that_cannot_be_are_refused_by_name(client, song, layers, field):
    with pytest.raises(InvalidInputError) as caught:
        client.invert_layers(song, 4.0, layers=layers)
    assert [violation.field for violation in caught.value.violations] == [field]


def test_real_inversions_are_the_same_after_saving_and_loading(client, song, tmp_path):
    inverted = client.invert_layers(song, 4.0, layers=["mp6"])
    inverted.save(tmp_path / "inversions.npz")
    loaded = Inversions.load(tmp_path / "inversions.npz")
    assert loaded.to_json() == inverted.to_json()
    np.testing.assert_array_equal(loaded.layers["mp6"].inverted, inverted.layers["mp6"].inverted)


def test_alpha_is_used_as_given(client, song):
    assert client.explain(song, 4.0, alpha=0.25, listen=False).alpha == 0.25


def test_a_region_is_no_larger_than_asked_for(client, song):
    explained = client.explain(song, 4.0, maximum_area=0.1, listen=False)
    assert 0 < explained.trust.relative_area <= 0.1


def test_keeping_the_label_is_done_where_it_can_be(client, song):
    assert client.explain(song, 4.0, alpha="keep-label", listen=False).trust.label_kept


def test_both_ways_of_masking_are_named_in_the_answer(client, song):
    assert client.explain(song, 4.0, masking="m1", listen=False).masking == "m1"
    assert client.explain(song, 4.0, masking="m2", listen=False).masking == "m2"


def test_without_listening_there_is_no_sound(client, song):
    explained = client.explain(song, 4.0, listen=False)
    assert explained.original_audio is explained.explanation_audio is None


def test_a_path_bytes_and_samples_are_one_recording(client, song, tone):
    from_path = client.predict(song).probability
    np.testing.assert_allclose(client.predict(song.read_bytes()).probability, from_path, atol=1e-5)
    np.testing.assert_allclose(client.predict((tone, 22050)).probability, from_path, atol=1e-3)


def test_the_curve_passes_through_the_probability_of_every_explanation(client, song, explained):
    curve = client.predict(song)
    frame = round(explained.at_s * curve.frames_per_second)
    assert curve.probability[frame] == pytest.approx(explained.probability, abs=1e-4)
    assert curve.threshold == explained.threshold
    assert curve.duration_s == pytest.approx(8, abs=0.1)


def test_cutting_a_recording_that_is_too_long_changes_nothing_about_the_explanation(client, tone):
    shorter = np.tile(tone, 10)
    longer = np.concatenate([shorter, np.zeros(1150 * 22050, np.float32)])  # over 64 MiB
    expected = client.explain((shorter, 22050), 61.7)
    explained = client.explain((longer, 22050), 61.7)
    assert explained.at_s == pytest.approx(expected.at_s, abs=1e-9)
    assert explained.axes.start_s == pytest.approx(expected.axes.start_s, abs=1e-9)
    np.testing.assert_allclose(explained.log_mel, expected.log_mel, atol=1e-4)
    np.testing.assert_array_equal(explained.original_audio.samples, expected.original_audio.samples)


def test_the_bundle_described_is_the_one_that_answers(client, explained):
    bundle = client.describe()
    assert (bundle.name, bundle.digest) == (explained.bundle.name, explained.bundle.digest)
    assert (bundle.excerpt_frames, len(bundle.band_centre_hz)) == explained.mask.shape
    assert bundle.sample_rate_hz / bundle.hop_samples == explained.axes.frames_per_second
    assert bundle.threshold == explained.threshold
    assert bundle.layers[0].name == "conv1"


def test_a_real_explanation_is_the_same_after_saving_and_loading(explained, tmp_path):
    explained.save(tmp_path / "explanation.npz")
    loaded = Explanation.load(tmp_path / "explanation.npz")
    assert loaded.to_json() == explained.to_json()
    np.testing.assert_array_equal(loaded.mask, explained.mask)
    np.testing.assert_array_equal(loaded.explanation_audio.samples, explained.explanation_audio.samples)


def test_a_moment_outside_the_recording_is_refused_with_a_request_id(client, song):
    with pytest.raises(OutOfRangeError, match="at_s") as caught:
        client.explain(song, 99.0)
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("audio", "options", "field"),
    [
        (b"this is not a recording", {}, "audio"),
        ((np.full(22050, np.nan, np.float32), 22050), {}, "samples"),
        ((np.zeros(22050, np.float32), 22050), {}, "audio"),
        ((np.ones(1, np.float32), 22050), {}, "audio"),
        ((np.ones(22050, np.float32), 1), {}, "audio"),
        (None, {"alpha": 1.5}, "alpha"),
        (None, {"maximum_area": 0.0}, "maximum_area"),
    ],
    ids=["text", "NaN", "silence", "one sample", "1 Hz", "alpha above 1", "no area"],
)
def test_bad_input_is_refused_by_field_and_the_service_carries_on(client, song, audio, options, field):
    with pytest.raises(InvalidInputError) as caught:
        client.explain(song if audio is None else audio, 0.0, **options)
    assert field in caught.value.violations[0].field
    assert client.describe().name


def test_many_threads_get_what_one_alone_gets(client, song):
    moments = [1.0, 2.5, 3.0, 4.5, 5.0, 6.5]
    alone = {at_s: client.explain(song, at_s, listen=False).probability for at_s in moments}
    together = {}

    def explain(at_s):
        together[at_s] = client.explain(song, at_s, listen=False).probability

    threads = [threading.Thread(target=explain, args=[at_s]) for at_s in moments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == pytest.approx(alone, abs=1e-5)


def test_a_client_that_was_closed_says_so_plainly(service_address):
    with Client(service_address) as client:
        client.describe()
    with pytest.raises(ValueError, match="closed"):
        client.describe()


def test_whatever_is_asked_about_a_recording_what_is_wrong_with_it_is_told(client, tone):
    narrow = (tone[: 6 * 8000], 8000)
    answers = (
        client.predict(narrow),
        client.explain(narrow, 3.0, listen=False),
        client.invert_layers(narrow, 3.0, layers=["fc8"], listen=False),
        client.auralise(narrow, 3.0, "conv3", strongest=1, listen=False),
    )
    for answer in answers:
        (warning,) = answer.warnings
        assert warning.kind == "narrow_band"
        assert 0 <= warning.start_s < warning.end_s <= 6
        assert "kHz" in warning.sentence
