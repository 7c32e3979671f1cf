"""The tagger's network and its front-end."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.linear import LINEAR_STFT, LinearStft, LinearStftOptions
from phonoscope_trainer.networks.stages import Convolution, Pooling, extents, walk
from phonoscope_trainer.networks.tagger import CLIP_SHAPE, VARIANTS, Tagger
from support.corpora.music import melody


def clip() -> torch.Tensor:
    return torch.from_numpy(melody(seconds=4, sample_rate_hz=11025))[None]


def test_the_front_end_is_librosas_magnitude_times_the_gain():
    expected = np.abs(librosa.stft(clip()[0].numpy(), n_fft=512, hop_length=256)).T * LINEAR_STFT.gain
    magnitude = LinearStft()(clip())
    assert magnitude.shape == (1, *CLIP_SHAPE)
    np.testing.assert_allclose(magnitude[0].numpy(), expected, atol=1e-5)


def test_a_clip_is_four_seconds_of_173_frames_and_257_bins():
    assert (LINEAR_STFT.clip_samples, LINEAR_STFT.clip_frames, LINEAR_STFT.bins) == (44_100, 173, 257)


def test_frames_that_hops_do_not_divide_are_refused():
    with pytest.raises(OptionsError, match="frame_samples must be a multiple of hop_samples"):
        LinearStftOptions(hop_samples=200)


@pytest.mark.parametrize("variant", VARIANTS)
def test_folding_leaves_the_function_as_it_was(variant):
    torch.manual_seed(0)
    network = Tagger(3, variant, batch_norm=True)
    last = network.get_submodule(f"fc{len(network.kernels) + 2}")
    torch.nn.init.normal_(last.weight)
    network.train()
    magnitude = LinearStft()(clip())
    with torch.no_grad():
        network(torch.cat([magnitude, 2 * magnitude]))  # gives the running statistics something to say
        network.eval()
        torch.testing.assert_close(network.folded()(magnitude), network(magnitude), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_walking_the_stages_ends_in_what_the_dense_layers_hear(variant):
    network = Tagger(3, variant).eval()
    depth = len(network.kernels)
    first, last = network.get_submodule(f"fc{depth + 1}"), network.get_submodule(f"fc{depth + 2}")
    torch.nn.init.normal_(last.weight)
    magnitude = LinearStft()(clip())
    with torch.no_grad():
        *_, (name, maps) = walk(network.stages(), magnitude.unsqueeze(1))
        torch.testing.assert_close(last(torch.relu(first(maps.flatten(1)))), network(magnitude))
    assert name == f"mp{depth}"
    assert [type(stage) for stage in network.stages()] == [Convolution, Pooling] * depth


def test_an_untrained_tagger_finds_every_class_equally_likely():
    with torch.no_grad():
        assert Tagger(4).eval()(LinearStft()(clip())).abs().max() == 0


def test_a_receptive_field_is_every_frame_that_can_change_one_output():
    stages = Tagger(3).stages()[:6]
    frames = 48
    bumps = torch.zeros(frames, 1, frames, 8)
    bumps[range(frames), 0, range(frames), 0] = 1
    with torch.no_grad():
        for stage in stages[::2]:
            stage.layer.weight.fill_(1)
        convolved = list(walk(stages[:5], bumps))[-1][1][:, 0]
    middle = convolved.shape[1] // 2
    assert int((convolved[:, middle, 0] > 0).sum()) == extents(stages)["conv3"].field == 18
