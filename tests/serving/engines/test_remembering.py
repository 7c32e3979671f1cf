import numpy as np
import pytest
from phonoscope_serving.admission.work import Kind, Work
from phonoscope_serving.engines.remembered import Remembered, RememberOptions
from phonoscope_serving.engines.remembering import RememberingEngine
from phonoscope_serving.metrics import Metrics

EXPLAIN = Work(Kind.EXPLAIN)


class Counting:
    """A real engine, and what it was asked."""

    def __init__(self, engine):
        self._engine, self.asked = engine, []

    async def infer(self, model, inputs, **options):
        self.asked.append((model, len(next(iter(inputs.values())))))
        return await self._engine.infer(model, inputs, **options)

    async def close(self):
        pass


@pytest.fixture
async def counting(engine):
    return Counting(engine)


@pytest.fixture
async def remembering(counting, bundle):
    engine = RememberingEngine(counting, bundle, Remembered(RememberOptions(seconds=3600), Metrics()))
    yield engine
    await engine.close()


@pytest.fixture
def excerpts():
    return np.random.default_rng(0).normal(size=(4, 115, 80)).astype(np.float32)


async def test_rows_are_remembered_one_by_one(remembering, counting, engine, excerpts):
    asked = {"outputs": ("probability",), "work": EXPLAIN}
    whole = await engine.infer("detector", {"excerpt": excerpts}, outputs=("probability",))
    for rows in ([0, 1], [1, 2, 1], [2, 0], [3]):
        made = await remembering.infer("detector", {"excerpt": excerpts[rows]}, **asked)
        np.testing.assert_allclose(made["probability"], whole["probability"][rows], atol=1e-4)
    assert counting.asked == [("detector", 2), ("detector", 1), ("detector", 1)]


async def test_other_outputs_and_other_models_are_other_questions(remembering, counting, excerpts):
    one = {"excerpt": excerpts[:1]}
    await remembering.infer("detector", one, outputs=("probability",), work=EXPLAIN)
    made = await remembering.infer("detector", one, outputs=("fc8", "probability"), work=EXPLAIN)
    again = await remembering.infer("detector", one, outputs=("probability", "fc8"), work=EXPLAIN)
    assert made.keys() == again.keys() == {"fc8", "probability"}
    assert len(counting.asked) == 2


@pytest.mark.parametrize("kind", [Kind.OTHER, Kind.MAXIMISE, Kind.TRACK])
async def test_proofs_ascents_and_tracks_are_computed_each_time(remembering, counting, excerpts, kind):
    for _ in range(2):
        await remembering.infer("detector", {"excerpt": excerpts[:1]}, outputs=("probability",), work=Work(kind))
    assert len(counting.asked) == 2


async def test_nobody_can_change_what_others_are_given(remembering, excerpts):
    for _ in range(2):
        made = await remembering.infer("detector", {"excerpt": excerpts[:1]}, outputs=("probability",), work=EXPLAIN)
        with pytest.raises(ValueError, match="read-only"):
            made["probability"] += 1
        made.clear()
