"""What answers are worth on a bundle's own validation excerpts, to compare those it gives with."""

from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry, Gauge

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.tensors import Floats


class Baselines:
    """Means over validation excerpts, of each listener that has any.

    Args:
        registry: of the process's metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reconstruction_error = Gauge(
            "phonoscope_baseline_reconstruction_error",
            "Mean of phonoscope_reconstruction_error over the bundle's validation excerpts.",
            ["bundle", "listener"],
            registry=registry,
        )
        self.inversion_error = Gauge(
            "phonoscope_baseline_inversion_error",
            "Mean of phonoscope_inversion_error over the bundle's validation excerpts.",
            ["bundle", "listener", "layer"],
            registry=registry,
        )

    def observe_bundle(self, bundle: Bundle) -> None:
        """Shows a bundle's.

        Args:
            bundle: that answers from now on.
        """
        for listener in bundle.listeners:
            named = (bundle.name, listener.name)
            if listener.reconstruction_error_quantiles is not None:
                self.reconstruction_error.labels(*named).set(_mean(listener.reconstruction_error_quantiles))
            for layer, quantiles in listener.inversion_error_quantiles.items():
                self.inversion_error.labels(*named, layer).set(_mean(quantiles))


def _mean(quantiles: Floats) -> float:
    """The mean of a distribution of which the 0 % to 100 % quantiles are known, evenly spaced."""
    return float(np.trapezoid(quantiles, dx=1 / (len(quantiles) - 1)))
