"""Doubt fitted to what is known: how pieces are heard, what is learned, and what a run keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError, CorpusError
from phonoscope_trainer.frontends.mel import Frontend
from phonoscope_trainer.networks.doubt import SIZES, bands_of, maps_of
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.doubt.excerpts import EXCERPTS_OF_A_PIECE, PIECE_FRAMES, Ear, Seen
from phonoscope_trainer.recipes.doubt.fit import chances, doubt_quantiles, fitted
from phonoscope_trainer.recipes.doubt.run import DoubtOptions, FittedDoubt, load_doubt, save_doubt

AT = 0.3  # threshold, before the sigmoid


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return SVDNet().eval()


def test_excerpts_of_a_piece_are_those_heard_one_by_one(network):
    standardise = Standardise(torch.linspace(1, -2, 80), torch.full((80,), 1.1))
    pieces = torch.randn(2, PIECE_FRAMES, 80, generator=torch.Generator().manual_seed(1))
    layers = Ear(network, standardise, Frontend()).layers(pieces)
    for row in (0, 5, EXCERPTS_OF_A_PIECE, 2 * EXCERPTS_OF_A_PIECE - 1):
        piece, number = divmod(row, EXCERPTS_OF_A_PIECE)
        excerpt = standardise(pieces[piece : piece + 1, 9 * number : 9 * number + 115])
        with torch.inference_mode():
            alone = network.activations(excerpt)
        expected = {"bands": bands_of(excerpt), "maps": maps_of(alone["mp6"])} | {
            name: alone[name] for name in ("fc7", "fc8", "logit")
        }
        for name, value in expected.items():
            torch.testing.assert_close(layers[name][row], value[0], atol=1e-4, rtol=1e-4, msg=name)


def seen(family, seed, count=320, shift=0.0, certain=False):
    """Music whose answers are the more often wrong the nearer they are to the threshold; shifted, it is foreign."""
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    layers = {name: torch.randn(count, size, generator=noise) + shift for name, size in SIZES.items()}
    margin = rng.normal(scale=3, size=count)
    is_wrong = rng.random(count) < (0 if certain else 0.5 * np.exp(-np.abs(margin)))
    layers["logit"] = torch.from_numpy(margin + AT).float()[:, None]
    return Seen(family, layers, (margin >= 0) != is_wrong, np.repeat(np.arange(count // 16), 16))


@pytest.fixture(scope="module")
def doubt():
    return fitted([seen("a", 0), seen("b", 1)], [seen("c", 2), seen("d", 3)], [seen("noise", 4, shift=1.0)], AT)


def test_what_is_foreign_and_what_is_unsure_is_doubted(doubt):
    music, foreign = chances(doubt, seen("e", 5)), chances(doubt, seen("noise", 6, shift=1.0))
    assert music["foreign"].median() < 0.2 < 0.8 < foreign["foreign"].median()
    margin = np.abs(seen("e", 5).margin(AT))
    assert np.corrcoef(margin, music["wrong"].numpy())[0, 1] < -0.6
    assert (music["doubt"] >= torch.maximum(music["wrong"], music["foreign"])).all()


def test_a_chance_of_being_wrong_is_one(doubt):
    many = seen("f", 7, count=6400)
    near = np.abs(many.margin(AT)) < 1
    told = chances(doubt, many)["wrong"].numpy()
    assert told[near].mean() == pytest.approx(many.is_wrong(AT)[near].mean(), abs=0.1)


def test_quantiles_ascend_and_families_count_alike(doubt):
    quantiles = doubt_quantiles(doubt, [seen("c", 2, count=64), seen("d", 3, count=640)])
    assert len(quantiles) == 101
    assert list(quantiles) == sorted(quantiles)


def test_music_whose_answers_are_all_right_fits_nothing():
    with pytest.raises(CorpusError, match="right and to wrong answers"):
        fitted([seen("a", 0)], [seen("c", 2, certain=True)], [seen("noise", 4, shift=1.0)], AT)


def test_a_run_is_the_doubt_of_one_detector(tmp_path, doubt, network):
    save_doubt(tmp_path, DoubtOptions(), FittedDoubt(doubt, tuple(np.linspace(0, 1, 101))), network)
    again = load_doubt(tmp_path, network)
    torch.testing.assert_close(again.doubt.state_dict(), doubt.state_dict(), rtol=0, atol=0)
    assert again.entries["doubt"]["quantiles"] == tuple(np.linspace(0, 1, 101))
    with pytest.raises(CheckpointError, match="fitted to another detector"):
        load_doubt(tmp_path, network.rescaled(1.1, 0))
