"""`resound_NETWORK`: what features hear, as sound with the recording's own phase (Choi et al. 2016, section 3).

A picture becomes a gain for every bin of the recording's transform, which is then inverted:

    phase      the paper's: the picture is the magnitude, the recording lends its phase alone
    spectrum   the authors' code's: the recording's complex spectrum times the picture over its largest value

A picture of the tagger is in the units of a magnitude. One of the detector is in standardised log-mel, of a scale that
means nothing: for `phase` it is given the excerpt's own energy, made a mel magnitude again, and brought to Fourier bins
by the pseudo-inverse of the filterbank; for `spectrum` bands reach bins by the filterbank's triangles.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.frontends.linear import LinearStftOptions
from phonoscope_trainer.frontends.mel import FrontendOptions
from phonoscope_trainer.graphs.description import EXCERPT, EXCERPT_SAMPLES, Graph, TensorSpec, maps
from phonoscope_trainer.graphs.listen import bin_weights_of_bands
from phonoscope_trainer.graphs.sonify import bins_of_bands
from phonoscope_trainer.graphs.transform import Transform, excerpt_transform, magnitude
from phonoscope_trainer.networks.standardise import Standardise

PHASE, SPECTRUM = 1, 2  # values of the tensor `resynthesis`
RESYNTHESIS = TensorSpec("resynthesis", (1,), "int32")
NOTHING = 1e-12  # the largest value of a picture with nothing in it


class TaggerSound(nn.Module):
    """Pictures of the tagger as sound."""

    def __init__(self, options: LinearStftOptions) -> None:
        super().__init__()
        self.options = options
        window = np.hanning(options.frame_samples + 1)[:-1]  # periodic
        self.transform = Transform(window, options.hop_samples, options.clip_frames)

    def forward(self, spectrum: Tensor, heard: Tensor, resynthesis: Tensor) -> Tensor:
        """`audio` `[1, R, N]`.

        Args:
            spectrum: `[1, 2, T, bins]` of the clip.
            heard: `[1, R, T, bins]` pictures in the units the tagger is given.
            resynthesis: int32 `[1, 1]`: 1 the recording's phase, 2 its spectrum.
        """
        gain = torch.where(
            resynthesis[:, :, None, None] == PHASE,
            heard / (magnitude(spectrum).unsqueeze(1) * self.options.gain),
            heard / largest(heard),
        )
        padded = self.transform.sound(gain[0].unsqueeze(1) * spectrum)
        half = self.options.frame_samples // 2
        audio = padded[:, half : half + self.options.clip_samples]
        return F.pad(audio, (0, self.options.clip_samples - audio.shape[1])).unsqueeze(0)


class DetectorSound(nn.Module):
    """Pictures of the detector as sound."""

    bins_of_bands: Tensor
    spread: Tensor

    def __init__(self, options: FrontendOptions, standardise: Standardise) -> None:
        super().__init__()
        self.standardise = standardise
        self.transform = excerpt_transform(options)
        self.register_buffer("bins_of_bands", torch.from_numpy(bins_of_bands(options)).float(), persistent=False)
        spread = torch.from_numpy(bin_weights_of_bands(options, self.transform.bins)).float()
        self.register_buffer("spread", spread, persistent=False)

    def forward(self, samples: Tensor, standardised: Tensor, heard: Tensor, resynthesis: Tensor) -> Tensor:
        """`audio` `[1, R, N]`.

        Args:
            samples: `[1, N]` of the excerpt.
            standardised: `[1, 115, 80]` what the detector is given of it.
            heard: `[1, R, 115, 80]` pictures in the same units, each of its own scale.
            resynthesis: int32 `[1, 1]`: 1 the recording's phase, 2 its spectrum.
        """
        spectrum = self.transform.spectrum(samples)
        energy = torch.sqrt(torch.sum(standardised * standardised, dim=(1, 2), keepdim=True)).unsqueeze(1)
        own = torch.sqrt(torch.sum(heard * heard, dim=(2, 3), keepdim=True))
        scaled = heard * (energy / torch.clamp(own, min=NOTHING))
        mel = torch.exp(scaled * self.standardise.std + self.standardise.mean)
        wanted = torch.clamp(mel @ self.bins_of_bands, min=0)
        gain = torch.where(
            resynthesis[:, :, None, None] == PHASE,
            wanted / magnitude(spectrum).unsqueeze(1),
            (heard / largest(heard)) @ self.spread,
        )
        return self.transform.sound(gain[0].unsqueeze(1) * spectrum).unsqueeze(0)


def largest(heard: Tensor) -> Tensor:
    """`[1, R, 1, 1]` the largest absolute value of each picture of `[1, R, T, F]`; never 0, so that it may divide."""
    return torch.clamp(heard.abs().amax(dim=(2, 3), keepdim=True), min=NOTHING)


def tagger_sound_graph(options: LinearStftOptions) -> Graph:
    """The description of `resound_tagger`."""
    shape = (options.clip_frames, options.bins)
    return Graph(
        "resound_tagger",
        TaggerSound(options),
        (TensorSpec("spectrum", (2, *shape)), TensorSpec("heard", (-1, *shape)), RESYNTHESIS),
        (TensorSpec("audio", (-1, options.clip_samples)),),
        (torch.ones(1, 2, *shape), torch.ones(1, 2, *shape), torch.ones(1, 1, dtype=torch.int32)),
        maximum_batch=1,
    )


def detector_sound_graph(options: FrontendOptions, standardise: Standardise) -> Graph:
    """The description of `resound_detector`."""
    return Graph(
        "resound_detector",
        DetectorSound(options, standardise),
        (
            TensorSpec("samples", (EXCERPT_SAMPLES,)),
            *maps("standardised"),
            TensorSpec("heard", (-1, *EXCERPT)),
            RESYNTHESIS,
        ),
        (TensorSpec("audio", (-1, EXCERPT_SAMPLES)),),
        (
            torch.ones(1, EXCERPT_SAMPLES),
            torch.ones(1, *EXCERPT),
            torch.ones(1, 2, *EXCERPT),
            torch.ones(1, 1, dtype=torch.int32),
        ),
        maximum_batch=1,
    )
