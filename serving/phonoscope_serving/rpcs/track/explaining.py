"""Explanations of several moments at once: a rule's relevance, the regions in it, and what is tried on them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope_serving.bundle.doubt import DOUBT, FOREIGN, WRONG
from phonoscope_serving.bundle.exchange import EXCHANGED
from phonoscope_serving.bundle.rules import Rule
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.answer import LARGEST_SEED
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange, Explained, Share, trial_rows
from phonoscope_serving.rpcs.explain.region import (
    KNOWN,
    Alpha,
    LargestAlphaThatKeepsLabel,
    largest_alpha,
    region_inputs,
)
from phonoscope_serving.rpcs.explain.trust import Trust, weigh
from phonoscope_serving.rpcs.track.question import TrackQuestion, TrustLevel
from phonoscope_serving.tensors import Array, Floats

ROWS = 8  # explained at once: a turn of the engine, and what a call that was cancelled still costs
DRAWS = {"carried": 1, "silhouette": 1, "removed": 1}  # of an exchange
MASKED, AREA, ALPHA = "masked_probability", "relative_area", "effective_alpha"


@dataclass(frozen=True)
class Moment:
    """One explanation; maps are `[T, M]` float32."""

    frame: int
    rule: str
    log_mel: Floats
    relevance: Floats
    mask: Floats  # 1 inside the region
    alpha: float
    trust: Trust
    level: TrustLevel  # what of `trust` was tried
    samples: Floats  # `[N]` the excerpt
    audio: Floats | None  # `[N]` the region as sound

    @property
    def holds(self) -> bool | None:
        """Whether the explanation holds by what was tried; None where nothing was."""
        if self.level is TrustLevel.NONE:
            return None
        exchange = self.trust.exchange
        if exchange is None:
            return bool(self.mask.any()) and self.trust.label_kept
        return bool(exchange.carried.kept) and not exchange.silhouette.kept


@dataclass(frozen=True)
class Excerpts:
    """Moments that are to be explained, a row each."""

    frames: Sequence[int]
    samples: Floats  # `[K, N]`

    def rows(self, first: int, stop: int) -> Excerpts:
        """Some of them."""
        return Excerpts(self.frames[first:stop], self.samples[first:stop])


class Explainer:
    """Explains moments of one track."""

    def __init__(self, call: Call, question: TrackQuestion, rule: Rule) -> None:
        """Asks nothing yet.

        Args:
            call: what answers.
            question: how regions are chosen, and what is tried on them.
            rule: that says how relevant each bin is.

        Raises:
            NotInBundle: regions are to be exchanged, and the bundle has no other music.
        """
        if question.trust is TrustLevel.FULL and call.bundle.exchange is None:
            raise NotInBundle(f"the bundle {call.bundle.name} has no other music: full trust cannot be given")
        self._call, self._question, self._rule = call, question, rule
        self._doubts = () if call.bundle.doubt_quantiles is None else (DOUBT, WRONG, FOREIGN)
        self._asked = ("mask", ALPHA, AREA, *(() if question.trust is TrustLevel.NONE else (MASKED,)))

    async def explain(self, excerpts: Excerpts, taken: Mapping[str, Array] | None) -> list[Moment]:
        """Regions, and what was tried on them.

        Args:
            excerpts: the moments, at most `ROWS`.
            taken: what one pass over the track gave of them; None where they are to be heard by themselves.
        """
        seeds = self._seeds(excerpts)
        answer = await (self._of_excerpts(excerpts, seeds) if taken is None else self._of_pass(taken, seeds))
        question = self._question
        exchanges = await self._exchanged(excerpts, answer, seeds) if question.trust is TrustLevel.FULL else {}
        sounds = await self._sounds(excerpts, answer["mask"]) if question.outside_db is not None else None
        return [
            self._moment(excerpts, answer, row, seeds[row], exchanges.get(row), sounds)
            for row in range(len(excerpts.frames))
        ]

    async def _of_excerpts(self, excerpts: Excerpts, seeds: Sequence[int]) -> dict[str, Array]:
        """By the bundle's own ensemble, as `Explain`: relevance first, then the regions in it."""
        wanted = [*KNOWN, "probability", "reconstruction_error", *self._doubts]
        inputs = {"samples": excerpts.samples} | self._region_inputs(seeds)
        known = await self._call.infer(self._rule.ensemble, inputs, outputs=wanted, continues=True)
        inputs = {name: known[name] for name in KNOWN} | self._region_inputs(seeds)
        if isinstance(self._question.region, LargestAlphaThatKeepsLabel):
            inputs["alpha"] = await self._largest_alphas(known, inputs)
        return known | await self._call.infer("evidence", inputs, outputs=self._asked, continues=True)

    async def _of_pass(self, taken: Mapping[str, Array], seeds: Sequence[int]) -> dict[str, Array]:
        """The same of moments whose features are known."""
        assert self._rule.along is not None
        known, model, takes = dict(taken), self._rule.along.explain, self._rule.along.takes
        regions = self._region_inputs(seeds)
        inputs = {name: tensor for name, tensor in (known | regions).items() if name in takes}
        wanted = ["reconstruction_error", *self._doubts, *(() if "relevance" in known else ("relevance",))]
        if isinstance(self._question.region, Alpha):
            asked = [name for name in self._asked if name != ALPHA]
            made = await self._call.infer(model, inputs, outputs=[*wanted, *asked], continues=True)
            return known | made | {ALPHA: regions["alpha"]}
        known |= await self._call.infer(model, inputs, outputs=wanted, continues=True)
        inputs = {name: known[name] for name in KNOWN} | regions
        if isinstance(self._question.region, LargestAlphaThatKeepsLabel):
            inputs["alpha"] = await self._largest_alphas(known, inputs)
        return known | await self._call.infer("evidence", inputs, outputs=self._asked, continues=True)

    def _moment(
        self,
        excerpts: Excerpts,
        answer: Mapping[str, Array],
        row: int,
        seed: int,
        exchange: Exchange | None,
        sounds: Floats | None,
    ) -> Moment:
        level = self._question.trust
        measured = {name: float(answer[name][row, 0]) for name in (*Trust.SINGLE, *self._doubts) if name in answer}
        measured.setdefault(MASKED, measured["probability"])
        evidence = Evidence.FULL if level is TrustLevel.FULL else Evidence.KEPT
        return Moment(
            frame=excerpts.frames[row],
            rule=self._rule.name,
            log_mel=answer["log_mel"][row],
            relevance=answer["relevance"][row],
            mask=answer["mask"][row],
            alpha=float(answer[ALPHA][row, 0]),
            trust=weigh(measured, self._call.bundle, self._rule, seed, evidence=evidence, exchange=exchange),
            level=level,
            samples=excerpts.samples[row],
            audio=None if sounds is None else sounds[row],
        )

    def _seeds(self, excerpts: Excerpts) -> list[int]:
        """As `Explain` has them."""
        if self._question.control_seed is not None:
            return [self._question.control_seed] * len(excerpts.frames)
        return [zlib.crc32(samples.tobytes()) & LARGEST_SEED for samples in excerpts.samples]

    def _region_inputs(self, seeds: Sequence[int]) -> dict[str, Array]:
        one = region_inputs(self._question.region, self._question.masking, self._rule.default_alpha)
        rows = {name: np.repeat(tensor, len(seeds), axis=0) for name, tensor in one.items()}
        return rows | {"control_seed": np.array(seeds, np.int32)[:, None]}

    async def _largest_alphas(self, known: Mapping[str, Array], inputs: Mapping[str, Array]) -> Floats:
        """`[K, 1]`; each is a sweep of its own."""
        settings = {name: tensor for name, tensor in inputs.items() if name not in KNOWN}
        alphas = []
        for row in range(len(known["probability"])):
            own = slice(row, row + 1)
            one = {name: tensor[own] for name, tensor in known.items()}
            alphas.append(await largest_alpha(self._call, one, {name: each[own] for name, each in settings.items()}))
        return np.concatenate(alphas)

    async def _exchanged(
        self, excerpts: Excerpts, answer: Mapping[str, Array], seeds: Sequence[int]
    ) -> dict[int, Exchange]:
        """What becomes of each region in other music, by row; of an empty one, nothing is tried."""
        bundle, tried = self._call.bundle, dict[int, dict[str, Array]]()
        assert bundle.exchange is not None
        vocal = bundle.is_vocal(answer["probability"][:, 0])
        for row, seed in enumerate(seeds):
            own = slice(row, row + 1)
            explained = Explained(
                bool(vocal[row]), seed, excerpts.samples[own], answer["log_mel"][own], answer["mask"][own]
            )
            if explained.region.any():
                tried[row] = trial_rows(bundle.exchange, explained, DRAWS)
        exchanges = {row: Exchange() for row in range(len(seeds))}
        if not tried:
            return exchanges
        inputs = {name: np.concatenate([each[name] for each in tried.values()]) for name in next(iter(tried.values()))}
        made = await self._call.infer(EXCHANGED, inputs, continues=True)
        for row, probabilities in zip(tried, made["probability"].reshape(-1, len(DRAWS)).tolist(), strict=True):
            shares: dict[str, Any] = {
                trial: Share((each,), int(bundle.is_vocal(each) == vocal[row]))
                for trial, each in zip(DRAWS, probabilities, strict=True)
            }
            exchanges[row] = Exchange(**shares)
        return exchanges

    async def _sounds(self, excerpts: Excerpts, masks: Floats) -> Floats:
        """The regions as sound, `[K, N]`."""
        assert self._question.outside_db is not None
        gain = np.full((len(masks), 1), 10 ** (-self._question.outside_db / 20), np.float32)
        inputs = {"samples": excerpts.samples, "mask": masks, "outside_gain": gain}
        audio: Floats = (await self._call.infer("heard", inputs, outputs=["audio"], continues=True))["audio"]
        return audio
