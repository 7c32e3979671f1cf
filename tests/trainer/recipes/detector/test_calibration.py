"""A run's calibration: kept with the checkpoint that it belongs to, and heard by whoever loads the detector."""

from __future__ import annotations

import pytest
import torch
from phonoscope_trainer.errors import CheckpointError
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes import checkpoint
from phonoscope_trainer.recipes.detector.calibration import CALIBRATION, Calibration, Family, keep, kept
from phonoscope_trainer.recipes.detector.modern import load_detector, load_uncalibrated

FAMILY = Family(groups=2, recordings=3, error=0.1, worst_group="x", worst_group_error=0.2)
CHOSEN = Calibration(0.5, 1.5, 0.4, 0.02, 0.1, "a rule", {"songs": FAMILY})


@pytest.fixture
def run(tmp_path):
    """An untrained network after ten updates, as a checkpoint has it."""
    state = {"network": SVDNet().state_dict(), "step": 10}
    standardise = Standardise(torch.zeros(80), torch.ones(80))
    checkpoint.save(tmp_path, state | {"standardise": standardise.state_dict()})
    return tmp_path


def test_what_is_kept_is_found_again(run):
    keep(run, CHOSEN, 10)
    assert kept(run, 10) == CHOSEN


def test_the_calibration_of_another_checkpoint_is_not_this_ones(run):
    keep(run, CHOSEN, 9)
    assert load_uncalibrated(run)[2] is None


def test_a_run_without_one_has_none(run):
    assert kept(run, 10) is None


@pytest.mark.parametrize("text", ["", "[]", '{"updates": 10}', '{"updates": 10, "families": {"a": {}}}'])
def test_what_is_no_calibration_is_named(run, text):
    (run / CALIBRATION).write_text(text)
    with pytest.raises(CheckpointError, match=f"{CALIBRATION} is no calibration"):
        kept(run, 10)


def test_the_loaded_detector_is_calibrated_and_only_its_last_layer_differs(run):
    plain, _, _ = load_uncalibrated(run)
    keep(run, CHOSEN, 10)
    calibrated, _ = load_detector(run)
    excerpt = torch.randn(2, 115, 80)
    with torch.inference_mode():
        before, after = plain.activations(excerpt), calibrated.activations(excerpt)
    torch.testing.assert_close(after["logit"], 0.5 * before["logit"] + 1.5)
    torch.testing.assert_close(after["fc8"], before["fc8"])
