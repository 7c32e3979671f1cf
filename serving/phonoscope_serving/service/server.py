"""The gRPC server: what is registered on it, how it starts and how it drains."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from phonoscope_serving.admission.admission import Admission
from phonoscope_serving.bundle.bundle import Bundle
from phonoscope_serving.engines.engine import Engine
from phonoscope_serving.engines.remembered import Remembered, RememberOptions
from phonoscope_serving.engines.remembering import RememberingEngine
from phonoscope_serving.engines.watched import WatchedEngine
from phonoscope_serving.errors import OptionsError
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.rpcs.quality import Quality
from phonoscope_serving.service.arriving.receiving import Receiver
from phonoscope_serving.service.health import SERVING, Health
from phonoscope_serving.service.interceptors import interceptor
from phonoscope_serving.service.listening.metrics_port import MetricsPort
from phonoscope_serving.service.security import Security, is_loopback
from phonoscope_serving.service.servicer import SERVICE_NAME, ExplainerServicer, register
from phonoscope_serving.service.swapping.served import Served, served
from phonoscope_serving.service.swapping.shelf import Shelf
from phonoscope_serving.sound.audio import LIMITS
from phonoscope_serving.sound.decoding import Decoder

LOG = logging.getLogger("phonoscope.server")

MESSAGE_BYTES = LIMITS.max_bytes + (1 << 20)  # the largest audio, and the fields beside it

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A megabyte of zeros fits into a kilobyte that was compressed: only what is sent as it is can be weighed.
    ("grpc.compression_enabled_algorithms_bitset", 1),
    # Connections that look fast would be let send megabytes of requests that nobody has asked for yet.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.so_reuseport", 0),  # a second service on the same port is a mistake, not a share
    # Callers may keep an idle connection open through a load balancer by pinging every ten seconds, and not more often.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),  # else a peer that is frozen is asked once a minute
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
)


@dataclass(frozen=True)
class ServerOptions:
    """Where the service listens and how it ends; a port of 0 is chosen by the system."""

    address: str = "127.0.0.1:50051"
    metrics_address: str = "127.0.0.1:9464"
    health_address: str = ""  # health alone, in plain text, for probes that have no certificate; empty: nowhere
    reflection: bool = True  # tell callers the contract
    drain_s: float = 30.0  # for calls in flight when the service is told to stop
    max_held_bytes: int = 512 << 20  # of requests being answered or waiting for it
    receive_s: float = 60.0  # a request may take to arrive
    budget_s: float = 15.0  # engine seconds of each kind of work that are taken on
    silent_peer_s: float = 20.0  # a connection whose other end says nothing, not even to a ping, ends after so long
    hung_s: float = 30.0  # a run that goes on for longer hangs: health turns NOT_SERVING
    connection_age_s: float = 30.0  # callers then connect again, and so find new replicas; 0: never
    connection_grace_s: float = 600.0  # for calls in flight on a connection of that age
    remember: RememberOptions = field(default_factory=RememberOptions)  # what was computed, for those who ask the same
    security: Security = field(default_factory=Security)

    @property
    def channel(self) -> list[tuple[str, int]]:
        """Options of any gRPC server here: a ping after half of the time that peers may be silent, then an answer."""
        half_ms = max(1, round(self.silent_peer_s * 500))
        # Without the last, gRPC waits a minute for the answer to a ping.
        waits = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
        return [*CHANNEL_OPTIONS, *((wait, half_ms) for wait in waits)]

    @property
    def age(self) -> list[tuple[str, int]]:
        """How long a connection lasts; gRPC itself varies the age by a tenth, so that not all callers come at once."""
        if not self.connection_age_s:
            return []
        age = ("grpc.max_connection_age_ms", round(self.connection_age_s * 1000))
        grace = ("grpc.max_connection_age_grace_ms", round(self.connection_grace_s * 1000))
        return [age, grace]


class Server:
    """A bundle on its engine behind one port; another bundle may take its place."""

    def __init__(
        self, engine: Engine, bundle: Bundle, decoder: Decoder, metrics: Metrics, options: ServerOptions
    ) -> None:
        """Registers everything; `start` binds the ports.

        Raises:
            OptionsError: the security options cannot work.
        """
        self._decoder, self._metrics, self._options = decoder, metrics, options
        self._quality = Quality(metrics.registry)
        self._shelf = Shelf(self._served(engine, bundle), self._tell_bundle)
        tokens = options.security.tokens()
        receiver = Receiver(options.max_held_bytes, options.receive_s)
        around = interceptor(metrics, tokens, receiver, Admission(options.budget_s, metrics))
        self._grpc = grpc.aio.server(interceptors=[around], options=[*options.channel, *options.age])
        self._health = Health()
        metrics.serving.set_function(lambda: float(self._health.is_serving(SERVICE_NAME)))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        register(ExplainerServicer(self._shelf, decoder, self._quality), self._grpc)
        if options.reflection:
            names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._grpc)
        self._health_grpc = grpc.aio.server(options=options.channel)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._health_grpc)
        self._following: asyncio.Task[None] | None = None
        self._metrics_port = MetricsPort(metrics.registry)
        self.address = ""  # set by `start`
        self.metrics_address = ""
        self.health_address = ""

    async def start(self) -> None:
        """Starts the engine, then listens: whoever can connect is answered.

        Raises:
            BundleError: the engine cannot load the bundle.
            OptionsError: a port cannot be bound.
        """
        await self._shelf.current.engine.start()
        self._health.set(SERVICE_NAME, SERVING)
        self.metrics_address = await self._metrics_port.start(self._options.metrics_address)
        self.address = self._bind()
        await self._grpc.start()
        if self._options.health_address:
            self.health_address = _listening(self._health_grpc, "health address", self._options.health_address)
            await self._health_grpc.start()
        self._following = asyncio.create_task(self._health.follow(SERVICE_NAME, self._shelf.check))

    @property
    def running_s(self) -> float:
        """How long what the engine runs has gone on, in seconds."""
        return self._shelf.running_s

    @property
    def bundle(self) -> Bundle:
        """What answers a request that begins now."""
        return self._shelf.current.bundle

    async def swap(self, engine: Engine, bundle: Bundle) -> None:
        """Has another bundle answer all requests that begin from now on, once its engine has proven it.

        Args:
            engine: not started yet; closed here where it cannot be.
            bundle: what it runs.

        Raises:
            BundleError: the bundle is inconsistent, or cannot be loaded; the one before it goes on.
        """
        following = self._served(engine, bundle)
        try:
            await following.engine.start()
        except BaseException:  # cancelled, too
            await following.engine.close()
            raise
        self._shelf.replace(following)

    async def drain(self) -> None:
        """Says NOT_SERVING, takes no more calls, finishes those in flight within `drain_s`, and stops."""
        LOG.info("draining", extra={"drain_s": self._options.drain_s})
        began_s = asyncio.get_running_loop().time()
        if self._following is not None:
            self._following.cancel()
        self._health.drain()
        await self._grpc.stop(self._options.drain_s)
        if asyncio.get_running_loop().time() - began_s >= self._options.drain_s:
            LOG.warning("calls were cut off", extra={"drain_s": self._options.drain_s})
        await self._health_grpc.stop(None)
        await self._shelf.close()
        await asyncio.to_thread(self._decoder.close)
        await self._metrics_port.close()
        LOG.info("stopped")

    def _served(self, engine: Engine, bundle: Bundle) -> Served:
        """With nothing remembered yet: of another bundle other numbers would be."""
        watched = WatchedEngine(engine, bundle, self._options.hung_s)
        if not self._options.remember.seconds:
            return served(bundle, watched)
        remembered = Remembered(self._options.remember, self._metrics)
        return served(bundle, RememberingEngine(watched, bundle, remembered), remembered)

    def _tell_bundle(self, served: Served, loaded: int) -> None:
        self._metrics.bundle_info.info({"name": served.bundle.name, "digest": served.bundle.digest})
        self._metrics.bundles_loaded.set(loaded)
        self._quality.observe_bundle(served.bundle)
        LOG.info(
            "bundle served", extra={"bundle": served.bundle.name, "digest": served.bundle.digest, "loaded": loaded}
        )

    def _bind(self) -> str:
        address, credentials = self._options.address, self._options.security.credentials()
        if credentials is None and not is_loopback(address):
            LOG.warning(
                "other machines reach this address, and all that is sent is in the clear", extra={"at": address}
            )
        return _listening(self._grpc, "address", address, credentials)


def _listening(server: Any, what: str, address: str, credentials: grpc.ServerCredentials | None = None) -> str:  # noqa: ANN401 - grpc ships no types
    """Has a server listen, and says where: at a port of 0, the system chooses one."""
    host = address.rpartition(":")[0]
    try:
        port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError as error:
        # grpc gives no reason: most often the port is taken, or, with TLS, the files are no certificate and key.
        with_tls = ", or not with this certificate and key" if credentials else ""
        raise OptionsError(f"{what}: cannot listen on {address}{with_tls}") from error
    return f"{host}:{port}"
