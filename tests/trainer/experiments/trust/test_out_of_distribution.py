"""How the flag is judged: every pair counted one by one, and candidates against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import CorpusError
from phonoscope_trainer.experiments.trust.doubt_candidates import BANK, NEAREST, Candidates, spread
from phonoscope_trainer.experiments.trust.out_of_distribution import document, table
from phonoscope_trainer.networks.doubt import SIZES
from phonoscope_trainer.recipes.doubt.excerpts import Seen
from support.bundles.doubting import made_up_doubt

AT = 0.4  # threshold, before the sigmoid
WIDTHS = {**SIZES, "fc8": 64}


def seen(family, seed, scale=1.0, count=64):
    noise = torch.Generator().manual_seed(seed)
    layers = {name: scale * torch.randn(count, size, generator=noise) for name, size in WIDTHS.items()}
    layers["logit"] = 2 * torch.randn(count, 1, generator=noise)
    layers["misfit"] = torch.rand(count, 1, generator=noise)
    return Seen(family, layers, np.random.default_rng(seed).random(count) < 0.5, np.repeat(np.arange(count // 16), 16))


@pytest.fixture(scope="module")
def candidates():
    return Candidates.fitted([seen("train", 0, count=640)], made_up_doubt(), AT)


MUSIC = [seen("real, songs", 1), seen("mir1k", 2)]
FOREIGN = [seen("white noise", 3, scale=3.0), seen("barks", 4, scale=2.0)]


def chance(above, below):
    """That one lies above the other; ties are half."""
    return np.mean([(a > b) + 0.5 * (a == b) for a in above for b in below])


def test_figures_are_shares_of_pairs(candidates):
    found = document(candidates, MUSIC, FOREIGN, limit=0.9)
    scores = {each.family: candidates.of(each)["doubt"] for each in (*MUSIC, *FOREIGN)}
    music = np.concatenate([scores[each.family] for each in MUSIC])
    wrong = np.concatenate([(each.layers["logit"][:, 0].numpy() >= AT) != each.is_sung for each in MUSIC])
    assert found["auroc_wrong"] == pytest.approx(chance(music[wrong], music[~wrong]))
    kinds = {each.family: chance(scores[each.family], music) for each in FOREIGN}
    assert found["candidates"]["doubt"]["foreign"] == pytest.approx(kinds)
    assert found["auroc_foreign"] == pytest.approx(np.mean(list(kinds.values())))
    assert found["auroc_foreign_untaught"] == pytest.approx(kinds["barks"])
    assert found["flagged"]["barks"] == pytest.approx((scores["barks"] > 0.9).mean())
    assert found["auroc_wrong_interval"]["low"] <= found["auroc_wrong"] <= found["auroc_wrong_interval"]["high"]
    assert len(table(found).splitlines()) == 1 + len(found["candidates"])


def test_candidates_are_those_of_their_definitions(candidates):
    music = MUSIC[0]
    found, logit = candidates.of(music), music.layers["logit"][:, 0].double().numpy()
    np.testing.assert_allclose(found["confidence"], -np.abs(logit - AT), atol=1e-5)
    np.testing.assert_allclose(found["energy"], -np.log(1 + np.exp(logit)), atol=1e-5)
    train = seen("train", 0, count=640).layers["fc7"].double().numpy()
    bank = train[np.linspace(0, len(train) - 1, BANK).astype(int)] / train.std(axis=0, ddof=1)
    for row in (0, 40):
        own = music.layers["fc7"][row].double().numpy() / train.std(axis=0, ddof=1)
        nearest = sorted(np.linalg.norm(own - each) for each in bank)[:NEAREST]
        assert found["neighbours_fc7"][row] == pytest.approx(np.mean(nearest), rel=1e-3)


def test_the_spread_is_that_of_three_neighbours_in_one_piece():
    logit = torch.randn(32, generator=torch.Generator().manual_seed(0))
    found = spread(logit).numpy()
    for row in range(32):
        first, last = row // 16 * 16, row // 16 * 16 + 15
        near = [float(logit[min(max(row + step, first), last)]) for step in (-1, 0, 1)]
        assert found[row] == pytest.approx(np.std(near), abs=1e-5)


def test_answers_that_are_all_right_judge_nothing(candidates):
    music = seen("real", 1)
    right = Seen("real", music.layers, music.layers["logit"][:, 0].numpy() >= AT, music.track)
    with pytest.raises(CorpusError, match="all right or all wrong"):
        document(candidates, [right], FOREIGN, limit=0.9)
