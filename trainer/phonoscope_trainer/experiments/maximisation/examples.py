"""What a unit wants to hear, with the setting that the search finds: Tables 5 and 6, Fig. 3 and 4 of the 2019 paper.

Everything begins at the same z: the initial excerpts, those maximised and minimised with every setting, and those that
gradient ascent straight on the log-mel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phonoscope_trainer.experiments.maximisation.measures import compared
from phonoscope_trainer.graphs.maximise import AdamOptions
from phonoscope_trainer.networks.gan import Generator
from phonoscope_trainer.networks.standardise import Standardise
from phonoscope_trainer.networks.svdnet import SVDNet
from phonoscope_trainer.recipes.gan.frechet import frechet_distance
from phonoscope_trainer.recipes.maximisation.ascent import Maximiser, Reading, maximise_input
from phonoscope_trainer.recipes.maximisation.real_responses import RealResponses
from phonoscope_trainer.recipes.maximisation.response import Response
from phonoscope_trainer.recipes.maximisation.search import SearchOptions, Tried

Floats = NDArray[np.float32]
SHOWN = 4  # z of Fig. 4 and Table 6
PAIRS = (("maximised", "initial"), ("minimised", "initial"), ("maximised", "minimised"), ("input_space", "initial"))


@dataclass(frozen=True, slots=True)
class Listener:
    """What is asked: a detector, behind a generator, about a response."""

    generator: Generator
    network: SVDNet
    standardise: Standardise
    response: Response

    @torch.no_grad()
    def log_mel(self, z: Floats) -> Tensor:
        """`[N, 115, 80]` that the generator makes of `z` `[N, 128]`."""
        log_mel: Tensor = self.generator(torch.from_numpy(z))
        return log_mel

    @torch.no_grad()
    def responses(self, log_mel: Tensor) -> Floats:
        """`[N]` responses to log-mels `[N, 115, 80]`."""
        return self.response.of(self.network, self.standardise(log_mel)).numpy()


@dataclass(frozen=True, slots=True)
class Examples:
    """Log-mels `[N, 115, 80]` and responses `[N]`; row i of all of them began at the same z."""

    log_mel: Tensor
    responses: Floats


def examples(listener: Listener, maximiser: Maximiser, best: Tried, options: SearchOptions) -> dict[str, Examples]:
    """`initial`, `maximised` and `minimised` with the best setting, and `input_space`: maximised without a prior."""
    start = options.start()
    initial = listener.log_mel(start)
    setting, steps = best.setting, best.reading.steps
    opposite = maximiser(start, replace(setting, sign=-setting.sign), (steps,))[0]
    ends = {setting.sign: best.reading, -setting.sign: opposite}
    upwards = replace(setting, sign=1)
    free = maximise_input(
        initial,
        listener.network,
        listener.standardise,
        listener.response,
        upwards,
        steps,
        AdamOptions(beta1=options.beta1),
    )
    return {
        "initial": Examples(initial, listener.responses(initial)),
        "maximised": _of(ends[1], listener),
        "minimised": _of(ends[-1], listener),
        "input_space": Examples(*free),
    }


def document(
    tried: Sequence[Tried], found: Mapping[str, Examples], real: RealResponses, options: SearchOptions
) -> dict[str, object]:
    """Everything measured: `tried` are all settings, best first; `found` is what `examples` made."""
    top = real.ranked(options.examples, options.sign).astype(np.float64)
    best = tried[0]
    sets = {name: each.log_mel.double().numpy() for name, each in found.items()}
    sets |= {"music_highest": real.highest.astype(np.float64), "music_lowest": real.lowest.astype(np.float64)}
    moments = {
        f"{name}_{moment}": value
        for name, each in found.items()
        for moment, value in (
            ("mean", float(each.responses.mean(dtype=np.float64))),
            ("std", float(each.responses.std(ddof=1, dtype=np.float64))),
        )
    }
    return {
        "response": options.response,
        "sign": options.sign,
        **moments,
        "top50_mean": float(top.mean()),
        "top50_std": float(top.std(ddof=1)),
        "real_excerpts": len(real.responses),
        "real_mean": float(real.responses.mean(dtype=np.float64)),
        "real_p10": float(np.quantile(real.responses, 0.1)),
        "real_p90": float(np.quantile(real.responses, 0.9)),
        "best_fid": best.fid,
        "initial_fid": frechet_distance(top, found["initial"].responses),
        "input_space_fid": frechet_distance(top, found["input_space"].responses),
        "trajectories": len(options.trajectories),
        "grid": [each.row() for each in tried],
        "table_5": {name: each.row() for name, each in landmarks(tried).items()},
        "table_6": [
            {name: float(found[name].responses[row]) for name in ("initial", "maximised", "minimised")}
            for row in range(min(SHOWN, options.examples))
        ],
        "measures": compared(sets, PAIRS),
    }


def landmarks(tried: Sequence[Tried]) -> dict[str, Tried]:
    """The `best`, `median` and `worst` setting by FID: C1, C2 and C3 of the paper."""
    return {"best": tried[0], "median": tried[len(tried) // 2], "worst": tried[-1]}


def _of(reading: Reading, listener: Listener) -> Examples:
    return Examples(listener.log_mel(reading.points), reading.responses)
