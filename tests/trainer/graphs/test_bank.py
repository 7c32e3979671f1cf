"""Other music as small as it is packed: nothing is lost that matters."""

from __future__ import annotations

import numpy as np
import torch
from phonoscope_trainer.graphs.bank import FULL_SCALE, packed, unpacked


def test_log_mel_comes_back_within_half_a_step():
    log_mel = torch.rand(2, 3, 115, 80, generator=torch.Generator().manual_seed(1)) * 18 - 16
    bank = packed(log_mel, log_mel, torch.zeros(2, 2, 10))
    assert bank.step < 0.08, "two thirds of a decibel"
    np.testing.assert_allclose(unpacked(bank.log_mel, bank.step), log_mel, atol=bank.step / 2 + 1e-5)
    assert (bank.excerpts, bank.sounds) == (3, 2)


def test_ranks_order_every_bin_by_its_relevance_once():
    relevance = torch.rand(2, 2, 115, 80, generator=torch.Generator().manual_seed(2))
    ranks = packed(relevance, relevance, torch.zeros(2, 1, 10)).ranks[1, 0].flatten()
    assert sorted(ranks.tolist()) == list(range(9200))
    assert (relevance[1, 0].flatten()[ranks.long().argsort()].diff() >= 0).all()


def test_sound_has_sixteen_bits():
    samples = torch.tensor([[[0.5, -0.25, 1.0, -1.0, 1e-5]], [[0.0, 0.1, 0.2, 0.3, 0.4]]])
    bank = packed(torch.zeros(2, 1, 115, 80), torch.zeros(2, 1, 115, 80), samples)
    np.testing.assert_allclose(bank.sound / FULL_SCALE, samples, atol=1 / FULL_SCALE)


def test_a_bank_of_usual_size_takes_less_than_one_and_a_half_megabytes():
    bank = packed(torch.zeros(2, 16, 115, 80), torch.zeros(2, 16, 115, 80), torch.zeros(2, 4, 36934))
    assert sum(each.numel() * each.element_size() for each in (bank.log_mel, bank.ranks, bank.sound)) < 1.5e6
