"""What is maximised: any weighted sum of the detector's units (Mishra et al. 2019, section 2).

Written as terms with commas between them, `LAYER[:CHANNEL][@FRAMExBAND][*WEIGHT]`; the weight may also come first,
`WEIGHT*LAYER`. `phonoscope maximise` reads the same:

    output                  the last unit, before its sigmoid
    fc7:12                  one unit
    mp6                     a layer's mean
    conv5:3@16x10           one position of one map; without a position, the map's mean
    fc7:12*0.5,fc8*-1       several layers
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.errors import OptionsError
from phonoscope_trainer.frontends.mel import EXCERPT_FRAMES, FRONTEND
from phonoscope_trainer.graphs.response import UNITS
from phonoscope_trainer.networks import feature_inverters
from phonoscope_trainer.networks.svdnet import CONVOLUTIONS, POOL, SVDNet

CHANNELS = feature_inverters.CHANNELS | {"logit": 1}
FIRST = {layer: sum(CHANNELS[name] for name in UNITS[:number]) for number, layer in enumerate(UNITS)}
WIDTH = sum(CHANNELS.values())  # channels of all layers
OUTPUT = "output"  # what the last unit is called besides `logit`
WITHOUT_MAPS = ("fc7", "fc8", "logit")
ANYWHERE = (-1, -1)  # position: the mean of a map
NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?"
TERM = re.compile(
    rf"(?:(?P<first>{NUMBER})\*)?(?P<layer>[a-z][a-z0-9]*)(?::(?P<channel>[0-9]+))?"
    rf"(?:@(?P<frame>[0-9]+)x(?P<band>[0-9]+))?(?:\*(?P<last>{NUMBER}))?"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A weight for every channel of every layer, and where in a map to look."""

    weights: NDArray[np.float32]  # [705], in the order of UNITS
    position: tuple[int, int]  # frame and band, or ANYWHERE

    def of(self, network: SVDNet, standardised: Tensor) -> Tensor:
        """`[B]` responses to standardised excerpts `[B, 115, 80]`."""
        activations = network.activations(standardised)
        total = standardised.new_zeros(len(standardised))
        for layer in UNITS:
            weights = torch.from_numpy(self.weights[FIRST[layer] : FIRST[layer] + CHANNELS[layer]])
            if weights.any():
                units = activations[layer]
                if units.ndim > 2:
                    units = units.mean(dim=(2, 3)) if self.position == ANYWHERE else units[:, :, *self.position]
                total = total + units @ weights
        return total


def parsed(text: str) -> Response:
    """The response that `text` describes.

    Raises:
        OptionsError: it names no such layer or channel, or two positions.
    """
    weights, positions = np.zeros(WIDTH, np.float32), set()
    for term in text.split(","):
        found = TERM.fullmatch(term.strip())
        if found is None or None not in (found["first"], found["last"]):
            raise OptionsError(f"response: {term!r} is not LAYER[:CHANNEL][@FRAMExBAND][*WEIGHT], such as fc7:12*0.5")
        layer = "logit" if found["layer"] == OUTPUT else found["layer"]
        if layer not in CHANNELS:
            raise OptionsError(f"response: layer is {layer!r}; it must be one of {', '.join(UNITS)} or {OUTPUT}")
        channels, weight = CHANNELS[layer], float(found["first"] or found["last"] or 1)
        if found["channel"] is None:
            weights[FIRST[layer] : FIRST[layer] + channels] += weight / channels
        elif int(found["channel"]) < channels:
            weights[FIRST[layer] + int(found["channel"])] += weight
        else:
            raise OptionsError(f"response: {layer} has channels 0 to {channels - 1}, got {found['channel']}")
        if found["frame"] is not None:
            positions.add(_inside(layer, int(found["frame"]), int(found["band"])))
    if len(positions) > 1:
        raise OptionsError(f"response: one position for all terms, got {len(positions)}")
    return Response(weights, positions.pop() if positions else ANYWHERE)


def _inside(layer: str, frame: int, band: int) -> tuple[int, int]:
    if layer in WITHOUT_MAPS:
        raise OptionsError(f"response: {layer} has no positions")
    frames, bands = EXCERPT_FRAMES, FRONTEND.bands
    for name in UNITS[: UNITS.index(layer) + 1]:
        frames, bands = (frames - 2, bands - 2) if name in CONVOLUTIONS else (frames // POOL, bands // POOL)
    if frame >= frames or band >= bands:
        raise OptionsError(
            f"response: {layer} has frames 0 to {frames - 1}, bands 0 to {bands - 1}; got {frame}x{band}"
        )
    return frame, band
