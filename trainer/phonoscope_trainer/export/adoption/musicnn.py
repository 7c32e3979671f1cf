"""The worked recipe: `MTT_vgg` of musicnn 0.1.0, from its published wheel to a listener."""

from __future__ import annotations

from pathlib import Path

import torch

from phonoscope_trainer.corpora.packages import package_files
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.networks.musicnn import FRAMES, TAGS, MusicnnVgg
from phonoscope_trainer.repository.manifest import TrainingData

NAME, VERSION, INSIDE = "musicnn", "0.1.0", "musicnn/MTT_vgg"
# librosa's defaults of 2019, but for what the package sets. It rounds the bands to half precision and goes on with them
# in it, in which 10⁴ times a loud band is infinite; from there on this front-end is of single precision.
MUSICNN_FRONTEND = FrontendParameters(
    sample_rate_hz=16_000,
    window_samples=512,
    fft_samples=512,
    hop_samples=256,
    bands=96,
    compression="log10",
    floor=1e-12,
    offset=1.0,
    slope=10_000.0,
    rounding="float16",
)
TRAINED_ON = TrainingData("MagnaTagATune", "as its owners state; none of it is here", "")
UNKNOWN = 0.2  # threshold of every tag where there is no music to tell how often it is given


def checkpoint_folder(wheel: Path | None = None) -> Path:
    """Where the checkpoint is, fetched the first time.

    Raises:
        CorpusError: the wheel cannot be had.
    """
    return package_files(NAME, VERSION, INSIDE, wheel)


def musicnn_listener(network: MusicnnVgg, usual: torch.Tensor | None = None) -> Listener:
    """The listener.

    Args:
        network: in evaluation mode.
        usual: `[50]` the mean probability of each tag over music. A tag is given from there on: of a calibrated network
            that is the threshold with the least balanced error.
    """
    thresholds = torch.full((len(TAGS),), UNKNOWN) if usual is None else usual.clamp(0.02, 0.9)
    return Listener(NAME, MUSICNN_FRONTEND, FRAMES, network, TAGS, "multi-label", tuple(thresholds.tolist()))
