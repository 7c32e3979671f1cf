"""What answers a request: one bundle, and the engine that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phonoscope.v1 import bundle_reference_pb2

from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.watched import WatchedEngine
from phonoscope_serving.rpcs.auralise.networks import AudibleNetwork, audible_networks
from phonoscope_serving.rpcs.maximise.settings import Maximiser, maximiser


@dataclass(frozen=True, eq=False)
class Served:
    """Never changed, only replaced as a whole, so that no answer is made of two bundles."""

    bundle: Bundle
    engine: WatchedEngine
    audible: Mapping[str, AudibleNetwork]
    maximiser: Maximiser | None  # None where the bundle cannot maximise
    reference: bundle_reference_pb2.BundleReference  # named in every answer


def served(bundle: Bundle, engine: WatchedEngine) -> Served:
    """A bundle and its engine, with all that is derived from them once.

    Args:
        bundle: verified.
        engine: runs that bundle; it may be started later.

    Raises:
        BundleError: a part of the bundle is inconsistent.
    """
    reference = bundle_reference_pb2.BundleReference(name=bundle.name, digest=bundle.digest)
    return Served(bundle, engine, audible_networks(bundle), maximiser(bundle), reference)
