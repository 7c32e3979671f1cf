"""Evidence by exchange with other music: which trials are made, and how often the answer is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from phonoscope_serving.bundle.exchange import EXCHANGE_HEARD, EXCHANGED, ExchangeBank
from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.bundle.rules import CONTRAST, LABEL
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.tensors import Array, Floats


class Evidence(Enum):
    """What is tried on a region."""

    FULL = "full"  # exchange, with all controls
    KEPT = "kept"  # of that, the region and its silhouette
    MEAN_FILL = "mean_fill"  # no exchange


# How often each thing is tried; the listener is asked once for each, and that is what evidence costs.
DRAWS: Mapping[Evidence, Mapping[str, int]] = {
    Evidence.FULL: {"carried": 3, "silhouette": 3, "removed": 2, "random": 1, "shifted": 1, "other": 1},
    Evidence.KEPT: {"carried": 2, "silhouette": 2},
}
CARRIED, RANDOM = "carried", "random"
HEARD = (CARRIED, "silhouette")
UNNAMED = -1  # instead of the number of a label: of a contrast none, of what is explained the one predicted


@dataclass(frozen=True)
class Share:
    """How often something kept the label."""

    probabilities: tuple[float, ...] = ()  # as `Claim.probability` gives them, one for each try
    keeps: tuple[bool, ...] = ()  # likewise, whether the label was kept

    @property
    def n(self) -> int:
        """How often it was tried."""
        return len(self.probabilities)

    @property
    def kept(self) -> int:
        """How often the label was kept."""
        return sum(self.keeps)

    @classmethod
    def of(cls, claim: Claim, probability: Floats) -> Share:
        """What tries with `probability` `[n, K]` come to."""
        return cls(tuple(claim.probability(probability).tolist()), tuple(claim.holds(probability).tolist()))


@dataclass(frozen=True)
class Exchange:
    """What came of the trials; the contract has the meaning of each."""

    carried: Share = Share()
    silhouette: Share = Share()
    removed: Share = Share()
    random: Share = Share()
    shifted: Share = Share()
    other: Share = Share()
    heard: Share = Share()  # of `HEARD` as sound, one try each; none where nobody listened
    audio: Floats | None = None  # `[2, N]` those sounds

    @property
    def shares(self) -> dict[str, Share]:
        """What was tried, by name."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "heard" and isinstance(value, Share) and value.n
        }

    @property
    def carried_over_silhouette(self) -> float | None:
        """The headline; None where nothing was tried."""
        if not self.carried.n or not self.silhouette.n:
            return None
        return self.carried.kept / self.carried.n - self.silhouette.kept / self.silhouette.n


@dataclass(frozen=True)
class Explained:
    """A region that is to be tried, one excerpt."""

    claim: Claim  # what it explains
    seed: int  # of all draws
    samples: Floats  # `[1, N]`
    log_mel: Floats  # `[1, T, M]`
    region: Floats  # `[1, T, M]` 1 inside
    control_regions: Floats | None = None  # `[1, C, T, M]`; needed where random regions are tried


def evidence_of(listener: Listener, asked: Evidence | None) -> Evidence:
    """The evidence that is given where some is asked for, or where the best is.

    Raises:
        NotInBundle: the listener has no other music.
    """
    if listener.exchange is None and asked in DRAWS:
        raise NotInBundle(f"the bundle has no other music for {listener.name}: it gives evidence by mean fill alone")
    return asked or (Evidence.FULL if listener.exchange else Evidence.MEAN_FILL)


async def exchange(call: Call, explained: Explained, evidence: Evidence, listen: bool) -> Exchange | None:
    """What becomes of the label in other music; None where there is none, or it was not asked for.

    Of a region without a bin there is nothing to try.
    """
    bank = call.listener.exchange
    if bank is None or evidence is Evidence.MEAN_FILL:
        return None
    if not explained.region.any():
        return Exchange()
    draws = DRAWS[evidence]
    answer = await call.infer(call.listener.model(EXCHANGED), trial_rows(bank, explained, draws), continues=True)
    ends = np.cumsum(list(draws.values()))[:-1]
    tries = zip(draws, np.split(answer["probability"], ends), strict=True)
    shares: dict[str, Any] = {trial: Share.of(explained.claim, probability) for trial, probability in tries}
    found = Exchange(**shares)
    if not listen:
        return found
    inputs = trial_rows(bank, explained, dict.fromkeys(HEARD, 1))
    inputs["samples"] = np.repeat(explained.samples, len(HEARD), axis=0)
    heard = await call.infer(call.listener.model(EXCHANGE_HEARD), inputs, continues=True)
    return replace(found, heard=Share.of(explained.claim, heard["heard_probability"]), audio=heard["audio"])


def trial_rows(bank: ExchangeBank, explained: Explained, draws: Mapping[str, int]) -> dict[str, Array]:
    """The inputs of `exchanged`: a row for each draw of each trial, in their order."""
    tries = [(trial, draw) for trial, count in draws.items() for draw in range(count)]
    ones = np.ones((len(tries), 1), np.int32)
    return {
        "log_mel": np.repeat(explained.log_mel, len(tries), axis=0),
        "region": np.stack([_region(explained, trial, draw) for trial, draw in tries]),
        "trial": np.array([[bank.trials[CARRIED if trial == RANDOM else trial]] for trial, _ in tries], np.int32),
        "draw": np.array([[draw] for _, draw in tries], np.int32),
        "control_seed": ones * np.int32(explained.seed),
        **_side(bank, explained.claim, len(tries)),
    }


def _side(bank: ExchangeBank, claim: Claim, rows: int) -> dict[str, Array]:
    """What says which music of the bank has the label: its number, or, of two, whether it is the first."""
    if bank.takes_label:
        numbers = {LABEL: claim.label, CONTRAST: UNNAMED if claim.contrast is None else claim.contrast}
        return {name: np.full((rows, 1), number, np.int32) for name, number in numbers.items()}
    return {"vocal": np.full((rows, 1), claim.label == 0, np.int32)}


def _region(explained: Explained, trial: str, draw: int) -> Floats:
    """What a row carries: a random region is carried as the region itself is."""
    region: Floats = explained.region[0]
    if trial == RANDOM:
        assert explained.control_regions is not None
        region = explained.control_regions[0, draw]
    return region
