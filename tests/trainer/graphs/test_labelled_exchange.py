"""Exchange of a listener with many labels, against its definition row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.graphs.bank import unpacked
from phonoscope_trainer.graphs.exchange_trials import OTHER, TRIALS
from phonoscope_trainer.graphs.labelled_bank import LEVELS, Sides, packed_with_labels
from phonoscope_trainer.graphs.labelled_exchange import LabelledExchange
from phonoscope_trainer.graphs.tagger import Given
from support.corpora.reference_exchange import reference_picture

PICTURE = (115, 80)
LABELS = 3
EXPLAINED = [0, 0, 1, 1, 2, 2]
STATES, MULTIPLIER, INCREMENT, SIZE = 512 * 512, 7213, 12345, 512


@pytest.fixture(scope="module")
def bank():
    noise = torch.Generator().manual_seed(3)
    log_mel = torch.rand(len(EXPLAINED), *PICTURE, generator=noise) * 6 - 8
    relevance = torch.rand(len(EXPLAINED), *PICTURE, generator=noise)
    has = np.eye(LABELS, dtype=bool)[EXPLAINED]
    return packed_with_labels(log_mel, relevance, has, EXPLAINED, torch.rand(2, 64, generator=noise), [0, 2])


def drawn(seed, draw, hosts, others):
    """By Python's whole numbers: the excerpts of a draw."""
    state, numbers = seed % STATES, []
    for _ in range(5):
        state = (state * MULTIPLIER + INCREMENT) % STATES
        numbers.append(state // SIZE)
    first, second, third = numbers[2:]
    host = (first * len(hosts) // SIZE + draw) % len(hosts)
    strange = (host + 1 + second * (len(hosts) - 1) // SIZE) % len(hosts)
    return hosts[host], hosts[strange], others[(third * len(others) // SIZE + draw) % len(others)]


def ask(bank, excerpt, region, **row):
    columns = {name: torch.tensor([[value]], dtype=torch.int32) for name, value in row.items()}
    return LabelledExchange(bank, torch.nn.Identity())(excerpt[None], region[None], **columns)[0]


@pytest.mark.parametrize("contrast", [-1, 2])
@pytest.mark.parametrize("trial", range(len(TRIALS)))
def test_every_trial_is_the_picture_of_the_definition(bank, trial, contrast):
    noise = torch.Generator().manual_seed(trial)
    excerpt = torch.rand(*PICTURE, generator=noise) * 5 - 7
    region = (torch.rand(*PICTURE, generator=noise) > 0.7).float()
    for label, seed, draw in ((0, 5, 0), (1, 1234567, 2)):
        hosts = [e for e, own in enumerate(EXPLAINED) if own != label and contrast in (-1, own)]
        others = [e for e, own in enumerate(EXPLAINED) if own == label]
        host, third, other = drawn(seed, draw, hosts, others)
        music = unpacked(bank.log_mel, bank.step).double().numpy()
        relevance = bank.levels[other].double().numpy() * region.numel() + np.arange(region.numel()).reshape(PICTURE)
        expected = reference_picture(
            TRIALS[trial], excerpt.double().numpy(), region.numpy() == 1, music[host], music[third], relevance
        )
        found = ask(bank, excerpt, region, label=label, contrast=contrast, trial=trial, draw=draw, control_seed=seed)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_another_region_is_as_large_to_the_bin(bank):
    excerpt = torch.full(PICTURE, -3.0)
    for bins in (0, 1, 17, 300, excerpt.numel()):
        region = (torch.arange(excerpt.numel()) < bins).float().view(PICTURE)
        carried = ask(bank, excerpt, region, label=1, contrast=-1, trial=OTHER, draw=0, control_seed=9)
        music = ask(bank, excerpt, torch.zeros(PICTURE), label=1, contrast=-1, trial=0, draw=0, control_seed=9)
        changed = int((carried != music).sum())
        assert bins - 3 <= changed <= bins  # a bin of the excerpt may be as loud as the host's


def test_a_bank_keeps_levels_of_relevance(bank):
    assert bank.levels.max() == LEVELS - 1
    assert len(np.unique(bank.levels[0])) == LEVELS


def test_a_contrast_that_too_little_music_has_is_passed_over():
    has = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    sides = Sides(has, np.array([0, 1, 1, 2]))
    label, contrast = (torch.tensor([[number]], dtype=torch.int32) for number in (0, 2))
    row = int(sides.host_row(label, contrast))
    assert int(sides.host_count[row]) == 3


def test_a_label_that_all_music_has_can_have_no_hosts():
    with pytest.raises(ExportError, match="each label needs two without it"):
        Sides(np.ones((4, 2), bool), np.zeros(4, int))


def test_silence_is_silence_to_the_tagger():
    assert Given()(torch.tensor([-16.118095, 0.0])).tolist() == [0.0, 1.0]
