"""The masker of any listener: sizes that follow from its layers, and a training that learns where a label is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CheckpointError, CorpusError, OptionsError
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.label_masker import LabelMasker, seen_layers
from phonoscope_trainer.networks.listener import Layered, Listener
from phonoscope_trainer.recipes.label_masker.excerpts import Matchmaker, margins_of
from phonoscope_trainer.recipes.label_masker.objective import LabelWeights, Met, objective
from phonoscope_trainer.recipes.label_masker.training import (
    LabelMaskerOptions,
    load_label_masker,
    new_masker,
    train_label_masker,
)
from phonoscope_trainer.recipes.listened import Listened, answers
from phonoscope_trainer.recipes.masker.cutting import cut, least_inside
from torch import nn

PARAMETERS = FrontendParameters(sample_rate_hz=8000, window_samples=256, fft_samples=256, hop_samples=128, bands=12)
FRAMES = 20
TERMS = ("keep", "remove", "silhouette", "area", "variation")
SHORT = LabelMaskerOptions(
    updates=12, batch=4, validation_batches=1, validate_every=6, excerpts=8, validation_excerpts=8, bfloat16=False
)


def listener():
    """Each of three labels is a third of the bands, louder than usual."""
    torch.manual_seed(0)
    thirds = nn.Conv2d(1, 3, (1, 12), bias=True)
    with torch.no_grad():
        thirds.weight.fill_(-0.02)
        for label in range(3):
            thirds.weight[label, 0, 0, 4 * label : 4 * label + 4] = 0.2
        thirds.bias.fill_(-1.0)
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Identity(), thirds, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.fill_(8.0)
    layered = Layered(network.eval().requires_grad_(requires_grad=False), ("0", "1"), channel=True)
    return Listener("thirds", PARAMETERS, FRAMES, layered, ("low", "middle", "high"), "multi-label", (0.5,) * 3)


def music(trained, count=24):
    rng = np.random.default_rng(3)
    log_mel = (
        torch.full((count, FRAMES, 12), -8.0) + 0.1 * torch.from_numpy(rng.standard_normal((count, FRAMES, 12))).float()
    )
    for row in range(count):
        label = row % 3
        log_mel[row, :, 4 * label : 4 * label + 4] += 4
    return Listened(log_mel / 2, answers(trained, log_mel / 2), np.arange(count), np.zeros(count), ())


@pytest.fixture(scope="module")
def trained():
    return listener()


def test_the_last_layer_of_each_resolution_is_seen_deepest_first():
    layers = {"a": (8, 40, 20), "b": (8, 40, 20), "c": (16, 20, 10), "flat": (30,), "d": (4, 2, 1)}
    assert seen_layers(layers) == ("c", "b")
    with pytest.raises(OptionsError, match="none is a map"):
        seen_layers({"flat": (30,)})


def test_of_many_resolutions_some_are_seen():
    layers = {f"layer{size}": (4, 10 * size, 5 * size) for size in range(9, 0, -1)}
    seen = seen_layers(layers)
    assert len(seen) == 4
    assert (seen[0], seen[-1]) == ("layer1", "layer9")


def test_a_mask_has_the_pictures_size_and_depends_on_the_label():
    torch.manual_seed(1)
    masker = LabelMasker((23, 17), [(6, 5, 4), (3, 11, 8)], 5).eval()
    maps = (torch.randn(2, 6, 5, 4), torch.randn(2, 3, 11, 8))
    excerpt, gradient = torch.randn(2, 2, 23, 17)
    masks = [masker(excerpt, gradient, torch.eye(5)[[label, label]], *maps) for label in (0, 3)]
    assert masks[0].shape == (2, 23, 17)
    assert ((masks[0] > 0) & (masks[0] < 1)).all()
    assert (masks[0] - masks[1]).abs().max() > 1e-4


def test_what_moves_a_label_is_shown_in_each_excerpts_own_units():
    masker = LabelMasker((6, 4), [(2, 4, 2)], 3)
    masker.baseline = torch.tensor([1.0, 2.0, 3.0, 4.0])
    excerpt, gradient = torch.randn(2, 6, 4), torch.randn(2, 6, 4)
    shown = masker.pictures(excerpt, gradient)
    torch.testing.assert_close(shown[:, 0], excerpt)
    for number, expected in ((1, gradient.abs()), (2, (excerpt - masker.baseline) * gradient)):
        scale = expected.flatten(1).std(dim=1, correction=0)[:, None, None]
        torch.testing.assert_close(shown[:, number], expected / scale)
    torch.testing.assert_close(masker.pictures(excerpt, 100 * gradient), shown)
    assert not masker.pictures(excerpt, 0 * gradient)[:, 1:].any()


def test_a_region_that_is_tried_has_the_size_that_was_drawn_whatever_is_learnt():
    torch.manual_seed(2)
    logits, area = torch.randn(2, 20, 12).requires_grad_(), torch.tensor([0.25, 0.5])
    region = cut(logits - least_inside(logits, area)[:, None, None])
    torch.testing.assert_close(region.mean(dim=(1, 2)), area, atol=1 / 240, rtol=0)
    (all_alike,) = torch.autograd.grad(region.sum(), logits, retain_graph=True)
    assert all_alike.abs().max() < 1e-5  # more of everything is no other region
    worth = torch.randn(2, 20, 12)
    (drawn,) = torch.autograd.grad((region * worth).sum(), logits)
    near = (logits - least_inside(logits, area)[:, None, None]).abs() < 0.2
    assert np.corrcoef(drawn[near].numpy(), worth[near].numpy())[0, 1] > 0.9


def test_areas_that_are_none_are_refused():
    with pytest.raises(OptionsError, match=r"least first, got 0\.5 and 0\.4"):
        LabelMaskerOptions(least_area=0.5)


def test_the_objective_asks_about_what_is_moved(trained):
    heard, (seen, masker) = music(trained), new_masker(trained)
    met = Met(heard.log_mel[:2], heard.log_mel[2:4], heard.log_mel[1:3], torch.tensor([[0], [1]], dtype=torch.int32))
    terms = objective(masker.eval(), trained, seen, met, torch.tensor([0.25, 0.5]), LabelWeights())
    weighted = sum(getattr(LabelWeights(), name) * terms[name] for name in TERMS)
    torch.testing.assert_close(terms["loss"], weighted)
    assert all(torch.isfinite(value) for value in terms.values())


def test_excerpts_have_their_label_clearly_where_enough_do(trained):
    heard = music(trained)
    margins = torch.full((len(heard), 3), -2.0)
    margins[:8, 0], margins[8:16, 0] = 0.2, 1.5
    margins[:8, 1] = 0.2
    maker = Matchmaker(heard, margins)
    assert maker.having[0].tolist() == [*range(8, 16)]
    assert maker.given[0].tolist() == [*range(16)]
    assert maker.having[1].tolist() == [*range(8)]


def test_matches_meet_what_lacks_the_label(trained):
    heard = music(trained)
    margins = margins_of(heard.log_odds, trained.threshold_logits, trained.decision)
    maker = Matchmaker(heard, margins)
    matches = maker.draw(64, np.random.default_rng(0))
    assert set(matches.label) == set(maker.labels) == {0, 1, 2}
    picked = torch.from_numpy(matches.label)[:, None]
    assert (margins[matches.row].gather(1, picked) >= 0).all()
    assert (margins[matches.host].gather(1, picked) <= -1).all()
    assert (matches.host != matches.row).all()


def test_labels_that_nothing_lacks_cannot_be_learnt(trained):
    heard = music(trained)
    with pytest.raises(CorpusError, match="no label is given"):
        Matchmaker(heard, torch.ones(len(heard), 3))


def test_margins_of_one_of_several_are_over_the_strongest_other():
    log_odds = torch.tensor([[2.0, 0.5, -1.0]])
    found = margins_of(log_odds, torch.zeros(3), "multi-class")
    torch.testing.assert_close(found, torch.tensor([[1.5, -1.5, -3.0]]))
    torch.testing.assert_close(
        margins_of(torch.tensor([[2.0]]), torch.tensor([0.5]), "binary"), torch.tensor([[1.5, -1.5]])
    )


def test_a_training_goes_on_where_it_was_stopped_and_keeps_its_options(trained, tmp_path):
    heard = music(trained)
    maker = Matchmaker(heard, margins_of(heard.log_odds, trained.threshold_logits, trained.decision))
    masker = train_label_masker(tmp_path / "run", trained, maker, maker, SHORT)
    again = load_label_masker(tmp_path / "run", trained)
    weights = masker.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in again.state_dict().items())
    seen, fresh = new_masker(trained)
    assert seen == ("1",)
    assert sum(p.numel() for p in fresh.parameters()) == sum(p.numel() for p in masker.parameters())
    with pytest.raises(CheckpointError, match="other options"):
        train_label_masker(tmp_path / "run", trained, maker, maker, LabelMaskerOptions(updates=13, bfloat16=False))
