"""A bundle's golden vectors, and how near to them an engine must come."""

from __future__ import annotations

import numpy as np

# Which of nearly equal bins a pool passes the gradient to, the last bit decides; sound is summed up twice in float32.
TOLERANCES = {"explain_gradient": 5e-3, "heard": 1e-3, "exchange_heard": 1e-3, "auralise": 1e-3}
USUAL = 2e-4
# Share of bins that may be others: one as relevant as alpha falls inside or outside by its last bit; and of bins that
# are equal but for the last bit a pool remembers one or the other, which moves a patch of what a feature heard.
OTHER_BINS = {"mask": 1e-3, "explanation": 1e-3, "control_regions": 1e-3, "heard": 1e-2}


def golden_inputs(bundle, ensemble):
    """The golden inputs of one ensemble."""
    prefix = f"{ensemble}.input."
    return {name.removeprefix(prefix): tensor for name, tensor in bundle.golden().items() if name.startswith(prefix)}


def assert_golden(bundle, ensemble, answer):
    """Compares an engine's answer to the golden inputs with what the trainer found in PyTorch."""
    golden = bundle.golden()
    for name, tensor in answer.items():
        expected = golden[f"{ensemble}.output.{name}"]
        if name in OTHER_BINS:
            assert (np.abs(tensor - expected) > USUAL).mean() < OTHER_BINS[name], name
        else:
            atol = TOLERANCES.get(ensemble, USUAL)
            np.testing.assert_allclose(tensor, expected, rtol=1e-4, atol=atol, err_msg=name)
