"""Explanations of several moments at once: a rule's relevance, the regions in it, and what is tried on them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from phonoscope_serving.bundle.doubt import DOUBT, FOREIGN, WRONG
from phonoscope_serving.bundle.exchange import EXCHANGED
from phonoscope_serving.bundle.listeners.decision import Claim
from phonoscope_serving.bundle.listeners.reading import HEARD
from phonoscope_serving.bundle.rules import EVIDENCE, Rule
from phonoscope_serving.errors import NotInBundle
from phonoscope_serving.rpcs.call import Call
from phonoscope_serving.rpcs.explain.answer import LARGEST_SEED
from phonoscope_serving.rpcs.explain.asked import told
from phonoscope_serving.rpcs.explain.exchange import Evidence, Exchange, Explained, Share, trial_rows
from phonoscope_serving.rpcs.explain.region import (
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
    probability: Floats  # `[K]` what the listener says of the excerpt
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
        if question.trust is TrustLevel.FULL and call.listener.exchange is None:
            raise NotInBundle(f"the bundle {call.bundle.name} has no other music: full trust cannot be given")
        self._call, self._question, self._rule = call, question, rule
        self._doubts = () if call.listener.doubt_quantiles is None else (DOUBT, WRONG, FOREIGN)
        self._numbers = (*((Trust.ERROR,) if rule.inverts else ()), *self._doubts)
        self._asked = ("mask", ALPHA, AREA, *(() if question.trust is TrustLevel.NONE else (MASKED,)))

    async def explain(self, excerpts: Excerpts, taken: Mapping[str, Array] | None) -> list[Moment]:
        """Regions, and what was tried on them.

        Args:
            excerpts: the moments, at most `ROWS`.
            taken: what one pass over the track gave of them; None where they are to be heard by themselves.
        """
        seeds, question = self._seeds(excerpts), self._question
        answer = await (self._of_excerpts(excerpts, seeds) if taken is None else self._of_pass(taken, seeds))
        exchanges = await self._exchanged(excerpts, answer, seeds) if question.trust is TrustLevel.FULL else {}
        sounds = await self._sounds(excerpts, answer["mask"]) if question.outside_db is not None else None
        return [
            self._moment(excerpts, answer, row, seeds[row], exchanges.get(row), sounds)
            for row in range(len(excerpts.frames))
            if self._is_explained(answer, row)
        ]

    async def _of_excerpts(self, excerpts: Excerpts, seeds: Sequence[int]) -> dict[str, Array]:
        """By the bundle's own ensemble, as `Explain`: relevance first, then the regions in it."""
        wanted = [*self._rule.known, "probability", *self._numbers]
        inputs = {"samples": excerpts.samples} | self._region_inputs(seeds) | self._told(len(seeds))
        known = await self._call.infer(self._rule.ensemble, inputs, outputs=wanted, continues=True)
        inputs = {name: known[name] for name in self._rule.known} | self._region_inputs(seeds)
        if isinstance(self._question.region, LargestAlphaThatKeepsLabel):
            inputs["alpha"] = await self._largest_alphas(known, inputs)
        return known | await self._call.infer(
            self._call.listener.model(EVIDENCE), inputs, outputs=self._asked, continues=True
        )

    async def _of_pass(self, taken: Mapping[str, Array], seeds: Sequence[int]) -> dict[str, Array]:
        """The same of moments whose features are known."""
        assert self._rule.along is not None
        known, model, takes = dict(taken), self._rule.along.explain, self._rule.along.takes
        regions = self._region_inputs(seeds)
        inputs = {name: tensor for name, tensor in (known | regions).items() if name in takes}
        wanted = [*self._numbers, *(() if "relevance" in known else ("relevance",))]
        if isinstance(self._question.region, Alpha):
            asked = [name for name in self._asked if name != ALPHA]
            made = await self._call.infer(model, inputs, outputs=[*wanted, *asked], continues=True)
            return known | made | {ALPHA: regions["alpha"]}
        known |= await self._call.infer(model, inputs, outputs=wanted, continues=True)
        inputs = {name: known[name] for name in self._rule.known} | regions
        if isinstance(self._question.region, LargestAlphaThatKeepsLabel):
            inputs["alpha"] = await self._largest_alphas(known, inputs)
        evidence = self._call.listener.model(EVIDENCE)
        return known | await self._call.infer(evidence, inputs, outputs=self._asked, continues=True)

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
        names = (*Trust.SINGLE, Trust.ERROR, *self._doubts)
        measured = {name: answer[name][row] for name in names if name in answer}
        measured.setdefault(MASKED, measured["probability"])
        listener, claim = self._call.listener, self._claim(answer, row)
        evidence = Evidence.FULL if level is TrustLevel.FULL else Evidence.KEPT
        return Moment(
            frame=excerpts.frames[row],
            rule=self._rule.name,
            log_mel=answer["log_mel"][row],
            relevance=answer["relevance"][row],
            mask=answer["mask"][row],
            alpha=float(answer[ALPHA][row, 0]),
            probability=measured["probability"],
            trust=weigh(measured, listener, claim, self._rule, seed, evidence=evidence, exchange=exchange),
            level=level,
            samples=excerpts.samples[row],
            audio=None if sounds is None else sounds[row],
        )

    def _claim(self, answer: Mapping[str, Array], row: int) -> Claim:
        """That a moment has the label which is asked for, or else the one that is predicted for it."""
        asked = self._question
        return self._call.listener.decision.claim(asked.label, asked.contrast, answer["probability"][row])

    def _is_explained(self, answer: Mapping[str, Array], row: int) -> bool:
        """Whether the rule explains the label which is asked for, not only another that is predicted."""
        predicted = self._call.listener.decision.predicted(answer["probability"][row])
        return self._rule.takes_label or self._claim(answer, row).label == predicted

    def _told(self, rows: int) -> dict[str, Array]:
        one = told(self._call.listener, self._rule, self._question.label, self._question.contrast)
        return {name: np.repeat(number, rows, axis=0) for name, number in one.items()}

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
        settings = {name: tensor for name, tensor in inputs.items() if name not in self._rule.known}
        alphas = []
        for row in range(len(known["probability"])):
            own = slice(row, row + 1)
            one = {name: known[name][own] for name in self._rule.known}
            inputs_of_one = {name: each[own] for name, each in settings.items()}
            alphas.append(await largest_alpha(self._call, self._claim(known, row), one, inputs_of_one))
        return np.concatenate(alphas)

    async def _exchanged(
        self, excerpts: Excerpts, answer: Mapping[str, Array], seeds: Sequence[int]
    ) -> dict[int, Exchange]:
        """What becomes of each region in other music, by row; of an empty one, nothing is tried."""
        listener, tried = self._call.listener, dict[int, dict[str, Array]]()
        assert listener.exchange is not None
        claims = [self._claim(answer, row) for row in range(len(seeds))]
        for row, seed in enumerate(seeds):
            own = slice(row, row + 1)
            explained = Explained(claims[row], seed, excerpts.samples[own], answer["log_mel"][own], answer["mask"][own])
            if explained.region.any():
                tried[row] = trial_rows(listener.exchange, explained, DRAWS)
        exchanges = {row: Exchange() for row in range(len(seeds))}
        if not tried:
            return exchanges
        inputs = {name: np.concatenate([each[name] for each in tried.values()]) for name in next(iter(tried.values()))}
        made = await self._call.infer(listener.model(EXCHANGED), inputs, continues=True)
        for row, probability in zip(tried, np.split(made["probability"], len(tried)), strict=True):
            shares: dict[str, Any] = {
                trial: Share.of(claims[row], each[None]) for trial, each in zip(DRAWS, probability, strict=True)
            }
            exchanges[row] = Exchange(**shares)
        return exchanges

    async def _sounds(self, excerpts: Excerpts, masks: Floats) -> Floats:
        """The regions as sound, `[K, N]`."""
        assert self._question.outside_db is not None
        gain = np.full((len(masks), 1), 10 ** (-self._question.outside_db / 20), np.float32)
        inputs = {"samples": excerpts.samples, "mask": masks, "outside_gain": gain}
        audio: Floats = (
            await self._call.infer(self._call.listener.model(HEARD), inputs, outputs=["audio"], continues=True)
        )["audio"]
        return audio
