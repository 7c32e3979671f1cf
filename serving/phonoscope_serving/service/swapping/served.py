"""What answers a request: one bundle, and the engine that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope.v1 import bundle_reference_pb2

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.remembered import Remembered
from phonoscope_serving.rpcs.auralise.networks import AudibleNetwork, audible_networks
from phonoscope_serving.rpcs.maximise.settings import Maximiser, maximiser


@dataclass(frozen=True, eq=False)
class Served:
    """Never changed, only replaced as a whole, so that no answer is made of two bundles."""

    bundle: Bundle
    engine: Engine
    audible: Mapping[str, AudibleNetwork]
    maximiser: Maximiser | None  # None where the bundle cannot maximise
    reference: bundle_reference_pb2.BundleReference  # named in every answer
    remembered: Remembered | None = None  # of this bundle's answers; None where nothing is


def served(bundle: Bundle, engine: Engine, remembered: Remembered | None = None) -> Served:
    """A bundle and its engine, with all that is derived from them once.

    Args:
        bundle: verified.
        engine: runs that bundle; it may be started later.
        remembered: what it was asked a short while ago; None where nothing is remembered.

    Raises:
        BundleError: a part of the bundle is inconsistent.
    """
    reference = bundle_reference_pb2.BundleReference(name=bundle.name, digest=bundle.digest)
    return Served(bundle, engine, audible_networks(bundle), maximiser(bundle), reference, remembered)
