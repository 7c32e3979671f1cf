"""Which excerpts of which songs a bank takes: of two rendered songs, by detectors whose answers are written down."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from phonoscope_trainer.corpora.corpus import Segment
from phonoscope_trainer.corpora.rendered import RenderedSong
from phonoscope_trainer.errors import ExportError, OptionsError
from phonoscope_trainer.export import bank
from phonoscope_trainer.export.bank import BankOptions, made_bank
from phonoscope_trainer.graphs.bank import FULL_SCALE
from support.corpora.music import melody

OPTIONS = BankOptions(songs=6, excerpts=3, sounds=2)
SUNG = (Segment(0.0, 8.0),)


@pytest.fixture(autouse=True)
def _songs(monkeypatch):
    """In place of rendered songs, which take seconds each: eight loud seconds, which are sung, then eight soft ones."""

    def render(seed, index, options):
        loud, soft = melody(8, seed=index), 0.2 * melody(8, seed=100 + index)
        return RenderedSong(np.concatenate([loud, 0 * soft]), np.concatenate([0 * loud, soft]), SUNG, {})

    monkeypatch.setattr(bank, "render_song", render)


def answering(probability):
    """A detector that answers as it is told, for samples `[B, N]`."""
    heard = []

    def explain(inputs):
        samples = inputs["samples"]
        heard.append(samples)
        rows = len(samples)
        generator = torch.Generator().manual_seed(rows)
        return {
            "log_mel": torch.rand(rows, 115, 80, generator=generator) * 10 - 12,
            "relevance": torch.rand(rows, 115, 80, generator=generator),
            "probability": torch.tensor([[probability(each)] for each in samples]),
        }

    return explain, heard


def is_sung(samples):
    """Whether an excerpt is one of the loud ones."""
    return bool(samples.square().mean().sqrt() > 0.05)


def test_each_song_gives_at_most_one_excerpt_of_either_answer_until_there_are_enough():
    explain, heard = answering(lambda samples: 0.97 if is_sung(samples) else 0.02)
    made, said = made_bank(OPTIONS, explain)
    assert (made.excerpts, made.sounds) == (3, 2)
    assert said["excerpts"] == 3
    assert "nobody else" in said["licence"]
    assert len(heard) == 2 * 3, "three songs were enough, and each was asked about twice"
    sounds = made.sound.float() / FULL_SCALE
    assert [[is_sung(each) for each in row] for row in sounds] == [[False, False], [True, True]]
    assert not torch.equal(sounds[0, 0], sounds[0, 1])


@pytest.mark.parametrize(
    ("probability", "lacking"), [(0.95, "without singing"), (0.05, "sung"), (0.5, "without singing")]
)
def test_what_the_detector_answers_wrongly_or_unclearly_is_not_taken(probability, lacking):
    with pytest.raises(ExportError, match=f"of 6 songs the detector answers 0 .*{lacking}.* rightly and clearly"):
        made_bank(OPTIONS, answering(lambda _: probability)[0])


@pytest.mark.parametrize("options", [{"excerpts": 1}, {"sounds": 1}, {"excerpts": 3, "sounds": 4}])
def test_a_bank_needs_a_host_and_a_third(options):
    with pytest.raises(OptionsError):
        BankOptions(**options)
