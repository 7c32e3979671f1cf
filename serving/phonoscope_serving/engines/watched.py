"""An engine that is watched: whether it still computes what it should is asked whenever there is doubt.

Callers cannot make a sound engine look broken: what they see fail only raises the question, and a golden vector answers
it. One is computed, too, when nobody has asked for anything for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from phonoscope_serving.admission.work import NOBODYS, Work
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.around import AroundEngine
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.golden import PREDICT, Proof, proofs
from phonoscope_serving.errors import BundleError, EngineFailed, EngineLost, RequestError
from phonoscope_serving.tensors import Array, Tensors

FAILURES = 3  # one behind the other are a reason for doubt
IDLE_S = 30.0  # without an answer are another
PROOF_S = 30.0  # for one golden vector, behind whatever waits


class WatchedEngine(AroundEngine):
    """An `Engine` around another."""

    def __init__(self, engine: Engine, bundle: Bundle, hung_s: float) -> None:
        """Watches from the start on.

        Args:
            engine: to be watched.
            bundle: which it runs.
            hung_s: a run that goes on for longer is taken to hang.
        """
        super().__init__(engine)
        self._bundle, self._hung_s = bundle, hung_s
        self._proofs: list[Proof] = []  # of what callers ask most, and of less
        self._failures, self._answered_s = 0, 0.0

    async def start(self) -> None:
        """See `Engine.start`."""
        await super().start()
        listener = self._bundle.default
        there = {proof.ensemble: proof for proof in proofs(self._bundle)}
        asked = [there[name] for name in (listener.rules[0].ensemble, listener.model(PREDICT)) if name in there]
        if self.precision != "float32":
            # Along an ensemble less precision leads elsewhere, but always to the same place: where it is proven.
            asked = [replace(proof, made=await self._engine.infer(proof.ensemble, proof.inputs)) for proof in asked[:1]]
        self._proofs = asked
        self._answered_s = asyncio.get_running_loop().time()

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        *,
        outputs: Collection[str] | None = None,
        deadline: float | None = None,
        continues: bool = False,
        work: Work = NOBODYS,
    ) -> dict[str, Array]:
        """See `Engine.infer`."""
        try:
            answer = await self._engine.infer(
                model, inputs, outputs=outputs, deadline=deadline, continues=continues, work=work
            )
        except (EngineFailed, EngineLost):
            self._failures += 1
            raise
        self._failures, self._answered_s = 0, asyncio.get_running_loop().time()
        return answer

    async def check(self) -> None:
        """See `Engine.check`: computes a golden vector where there is doubt."""
        if self.running_s > self._hung_s:
            raise EngineLost(f"what the engine runs has not ended for {self.running_s:.0f} s")
        await super().check()
        idle_s = asyncio.get_running_loop().time() - self._answered_s
        # What nobody has asked for yet is not loaded for this.
        proof = next((each for each in self._proofs if self._engine.is_ready(each.ensemble)), None)
        if proof is None or (self._failures < FAILURES and idle_s < IDLE_S):
            return
        deadline = asyncio.get_running_loop().time() + PROOF_S
        try:
            proof.check(await self.infer(proof.ensemble, proof.inputs, deadline=deadline, continues=True))
        except (BundleError, RequestError) as error:
            self._failures = FAILURES  # until a golden vector is right again, or a caller is answered
            raise EngineLost(f"a golden vector cannot be computed: {error}") from error
