"""What a studio does to a voice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.recipes.detector.lone_voice import UNPRODUCED, LoneVoiceOptions, produced


def tone(fft_bin: int = 100) -> torch.Tensor:
    voice = torch.zeros(200, 372)
    voice[:, fft_bin] = 1.0
    return voice


def test_a_rest_is_silent_and_not_sung():
    options = replace(UNPRODUCED, rest_share=1, rest_s=(1, 1))
    voice, labels = produced(tone(), torch.ones(200), options, np.random.default_rng(0))
    assert int((labels == 0).sum()) == 70
    torch.testing.assert_close(voice[:, 100], labels)


def test_a_harmony_is_heard_beside_the_voice():
    options = replace(UNPRODUCED, doubled_share=1, harmony_share=1, detune_semitones=0, double_db=(-6, -6))
    shares = set()
    for seed in range(30):
        voice, labels = produced(tone(), torch.ones(200), options, np.random.default_rng(seed))
        assert labels.all()
        power = voice[10:].square().mean(0)
        power[100] = 0
        shares.add(round(12 * np.log2(int(power.argmax()) / 100)))
    assert len(shares & {-12, -5, -4, -3, 3, 4, 5, 7, 12}) >= 5


def test_an_unproduced_voice_stays_as_it_is():
    voice, labels = produced(tone(), torch.ones(200), UNPRODUCED, np.random.default_rng(0))
    assert torch.equal(voice, tone())
    assert labels.all()


def test_a_share_above_one_is_refused_by_name():
    with pytest.raises(OptionsError, match="room_share"):
        LoneVoiceOptions(room_share=2)
