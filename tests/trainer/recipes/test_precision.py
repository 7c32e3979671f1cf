"""bfloat16 is for processors that have it."""

import pytest
import torch
from phonoscope_trainer.recipes.precision import activations, has_bfloat16

CPU = torch.device("cpu")


def dtype_of_products(*, bfloat16):
    square = torch.ones(2, 2)
    with activations(CPU, bfloat16=bfloat16):
        return (square @ square).dtype


@pytest.mark.parametrize(("capability", "dtype"), [("AVX2", torch.float32), ("AVX512", torch.bfloat16)])
def test_activations_are_bfloat16_where_the_processor_has_it(monkeypatch, capability, dtype):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)  # there is one processor here
    assert dtype_of_products(bfloat16=True) is dtype
    assert dtype_of_products(bfloat16=False) is torch.float32


def test_every_gpu_has_it():
    assert has_bfloat16(torch.device("cuda"))
