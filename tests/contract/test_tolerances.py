"""What bundles say of how far their golden vectors are held, and what serving holds where they say nothing."""

from dataclasses import asdict

from phonoscope_serving.bundle.precision import PRECISIONS
from phonoscope_serving.bundle.precision import TOLERANCES as HELD
from phonoscope_trainer.repository.tolerances import TOLERANCES as STATED


def test_trainer_and_serving_have_the_same():
    assert {precision: asdict(each) for precision, each in HELD.items()} == STATED
    assert set(PRECISIONS) == set(STATED)
