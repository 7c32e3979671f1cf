"""Explanations as others make them: Captum's methods on the detector, with the settings a user starts from.

Captum hooks into modules, and into rectifiers by their class, so the detector is laid out as a row of modules first.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator

import torch
from captum.attr import Deconvolution, GuidedGradCam, IntegratedGradients, Lime, Occlusion, Saliency
from torch import Tensor, nn
from torch.nn import functional as F

from phonoscope_trainer.experiments.explanation.network import ExplainedNetwork
from phonoscope_trainer.graphs.description import EXCERPT
from phonoscope_trainer.networks.label import is_vocal
from phonoscope_trainer.networks.svdnet import LEAKY_SLOPE, POOL

BAND_MEAN = 0.0  # what replaces a bin: the best occluder for singing-voice models (Mishra 2020, chapter 4)
LIME_SAMPLES = 1000  # SoundLIME (Mishra, Sturm & Dixon 2017, section 3)
LIME_BLOCKS = (10, 8)  # in time and in frequency
OCCLUDED = (16, 12)  # frames and bands of the patch, which moves by half of each
PASSES_AT_ONCE = 50

# Relevance to the label `[B, 115, 80]`, higher for more, of standardised excerpts `[B, 115, 80]`.
Peer = Callable[[ExplainedNetwork, Tensor], Tensor]


class Rectifier(nn.ReLU):
    """The detector's leaky rectifier, of the class that Captum gives another gradient for two of its methods."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's own name
        """`input` of any shape."""
        return F.leaky_relu(input, LEAKY_SLOPE)


class Margins(nn.Module):
    """One margin `[B, 1]` over the threshold to two scores `[B, 2]`: `non-vocal`, `vocal`."""

    def __init__(self, threshold_logit: float) -> None:
        super().__init__()
        self.threshold_logit = threshold_logit

    def forward(self, logit: Tensor) -> Tensor:
        """The score of either label is how far the logit `[B, 1]` lies on its side of the threshold."""
        margin = logit - self.threshold_logit
        return torch.cat([-margin, margin], dim=1)


def as_modules(explained: ExplainedNetwork) -> nn.Sequential:
    """The detector from `[B, 1, 115, 80]` to the scores `[B, 2]` of both labels, one module a step, same weights."""
    network = explained.network
    steps: list[nn.Module] = []
    for names in (("conv1", "conv2"), ("conv4", "conv5")):
        for name in names:
            steps += [network.get_submodule(name), Rectifier()]
        steps.append(nn.MaxPool2d(POOL))
    steps.append(nn.Flatten())
    for name in ("fc7", "fc8"):
        steps += [network.get_submodule(name), Rectifier()]
    return nn.Sequential(*steps, network.fc9, Margins(explained.threshold_logit))


def saliency(explained: ExplainedNetwork, standardised: Tensor) -> Tensor:
    """The gradient's magnitude (Simonyan, Vedaldi & Zisserman 2014)."""
    model, inputs, target = _question(explained, standardised)
    return _picture(Saliency(model).attribute(inputs, target=target))


def integrated_gradients(explained: ExplainedNetwork, standardised: Tensor) -> Tensor:
    """From the band's mean to the excerpt in 50 steps (Sundararajan, Taly & Yan 2017)."""
    model, inputs, target = _question(explained, standardised)
    attribution = IntegratedGradients(model).attribute(
        inputs, BAND_MEAN, target, n_steps=50, internal_batch_size=PASSES_AT_ONCE
    )
    return _picture(attribution)


def guided_grad_cam(explained: ExplainedNetwork, standardised: Tensor) -> Tensor:
    """Grad-CAM at Conv5 times guided back-propagation (Selvaraju et al. 2017)."""
    model, inputs, target = _question(explained, standardised)
    conv5 = next(module for module in model if module is explained.network.get_submodule("conv5"))
    with _rectifiers_change():
        return _picture(GuidedGradCam(model, conv5).attribute(inputs, target))


def deconvolution(explained: ExplainedNetwork, standardised: Tensor) -> Tensor:
    """Back-propagation through rectified gradients (Zeiler & Fergus 2014)."""
    model, inputs, target = _question(explained, standardised)
    with _rectifiers_change():
        return _picture(Deconvolution(model).attribute(inputs, target))


def occlusion(explained: ExplainedNetwork, standardised: Tensor) -> Tensor:
    """What the score loses when a patch gets the band's mean (Zeiler & Fergus 2014)."""
    model, inputs, target = _question(explained, standardised)
    strides = (1, *(size // 2 for size in OCCLUDED))
    with torch.no_grad():
        attribution = Occlusion(model).attribute(
            inputs, (1, *OCCLUDED), strides, BAND_MEAN, target, perturbations_per_eval=PASSES_AT_ONCE
        )
    return _picture(attribution)


def lime(explained: ExplainedNetwork, standardised: Tensor, samples: int = LIME_SAMPLES) -> Tensor:
    """A sparse linear model of time-frequency blocks kept or replaced: SoundLIME's scheme (Mishra et al. 2017)."""
    rows = [linear_model_of_blocks(*_question(explained, excerpt), samples) for excerpt in standardised.unsqueeze(1)]
    return torch.cat(rows)


def linear_model_of_blocks(model: nn.Module, inputs: Tensor, target: Tensor, samples: int) -> Tensor:
    """`[1, 115, 80]` the weight of each bin's block.

    Args:
        model: pictures `[B, 1, 115, 80]` to the scores `[B, 2]` of both labels.
        inputs: one picture `[1, 1, 115, 80]`.
        target: `[1]` the label that is explained.
        samples: pictures with some blocks replaced that the linear model is fitted to.
    """
    with torch.no_grad():
        attribution = Lime(model).attribute(
            inputs,
            BAND_MEAN,
            target,
            feature_mask=time_frequency_blocks(),
            n_samples=samples,
            perturbations_per_eval=PASSES_AT_ONCE,
        )
    return _picture(attribution)


PEERS: dict[str, Peer] = {
    peer.__name__: peer for peer in (saliency, integrated_gradients, guided_grad_cam, deconvolution, occlusion, lime)
}


def time_frequency_blocks() -> Tensor:
    """`[1, 1, 115, 80]` the number of the block that each bin belongs to, from 0."""
    frames, bands = (torch.arange(size) * blocks // size for size, blocks in zip(EXCERPT, LIME_BLOCKS, strict=True))
    return (frames[:, None] * LIME_BLOCKS[1] + bands)[None, None]


def _question(explained: ExplainedNetwork, standardised: Tensor) -> tuple[nn.Sequential, Tensor, Tensor]:
    """The model, its input `[B, 1, 115, 80]`, and which of its two scores the detector's label is, `[B]`."""
    with torch.no_grad():
        target = is_vocal(explained.margins(standardised), 0).long()
    return as_modules(explained), standardised.unsqueeze(1).clone().requires_grad_(), target


def _picture(attribution: Tensor) -> Tensor:
    return attribution.detach()[:, 0].float()


@contextlib.contextmanager
def _rectifiers_change() -> Iterator[None]:
    """Captum warns that it hooks rectifiers while it does so, which is what is asked of it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting (backward|forward).* hooks on ReLU")
        yield
