"""Real services on one bundle, each of which can be given a fault of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import contextmanager

import grpc
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope_serving.bundle.bundle import load_bundle
from phonoscope_serving.errors import EngineFailed, QueueFull
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.server import Server, ServerOptions
from phonoscope_serving.service.swapping.watching import watch
from phonoscope_serving.sound.decoding import Decoder

from support.services.running import HANG_S

CALL_EVERY_S = 0.5


class Replay:
    """What the real engine answers, asked once for each input: ten services would keep two cores busy for minutes."""

    def __init__(self, bare):
        self._bare, self._answers, self._turn = bare, {}, threading.Lock()

    def run(self, model, inputs, outputs):
        key = (model, outputs, *(tensor.tobytes() for tensor in inputs.values()))
        with self._turn:
            if key not in self._answers:
                self._answers[key] = self._bare.run(model, inputs, outputs)
            return dict(self._answers[key])


class FaultyEngine:
    """An `Engine` that answers as the real one, which cannot be broken to order, until it is given a fault."""

    def __init__(self, replay):
        self._replay = replay
        self.fault = None  # alters a model's answer, or raises instead of it

    device = "replayed"
    precision = "float32"
    running_s = 0.0

    async def start(self):
        pass

    def is_ready(self, model):
        return True

    async def infer(self, model, inputs, *, outputs=None, deadline=None, continues=False, work=None):
        wanted = None if outputs is None else tuple(outputs)
        answer = await asyncio.to_thread(self._replay.run, model, inputs, wanted)
        return await self.fault(model, answer, continues) if self.fault else answer

    async def check(self):
        pass

    async def close(self):
        pass


async def slow(model, answer, continues):
    await asyncio.sleep(1.5)
    return answer


async def failing(model, answer, continues):
    raise EngineFailed("the graph could not be run")


async def refusing(model, answer, continues):
    if continues:  # the engine is sound, and proves it when it is asked to
        return answer
    raise QueueFull("too many rows wait", 0.1)


def output_changed(name, change, model=None):
    """A graph whose outputs with that in their names have gone wrong; every graph, where none is named."""

    async def fault(asked, answer, continues):
        if model not in (None, asked):
            return answer
        return {each: change(tensor) if name in each else tensor for each, tensor in answer.items()}

    return fault


class FaultyService:
    """A service under a trickle of calls."""

    def __init__(self, server, engine, call, request, loop, metrics):
        self._server, self._engine, self._loop, self._metrics = server, engine, loop, metrics
        self._call, self._request, self._stop = call, request, threading.Event()
        self._watcher = None
        self.metrics_address = server.metrics_address

    def break_down(self, fault=None, request=None, offered=None):
        """From now on answers have a fault, callers send something else, or there is another bundle in a folder.

        With none of them the service goes away.
        """
        self._engine.fault, self._request = fault, request or self._request
        if offered:
            self._watcher = asyncio.run_coroutine_threadsafe(
                watch(offered, None, self._take, self._metrics), self._loop
            )
        elif not (fault or request):
            self.stop()

    async def _take(self, folder):
        load_bundle(folder)
        return True

    def begin(self):
        self._caller = threading.Thread(target=self._ask, daemon=True)
        self._caller.start()

    def stop(self):
        if not self._stop.is_set():
            self._stop.set()
            self._caller.join(HANG_S)
            if self._watcher:
                self._watcher.cancel()
            asyncio.run_coroutine_threadsafe(self._server.drain(), self._loop).result(HANG_S)

    def _ask(self):
        with grpc.insecure_channel(self._server.address) as channel:
            method = getattr(explainer_service_pb2_grpc.ExplainerServiceStub(channel), self._call)
            calls = deque(maxlen=64)  # a call that nobody holds is cancelled
            while not self._stop.wait(CALL_EVERY_S):
                calls.append(method.future(self._request))  # what comes of it is for the metrics to say


@contextmanager
def faulty_services(bundle, bare, asked):
    """Starts a service for each name, and its caller; yields them by name.

    Args:
        bundle: what they serve.
        bare: the real engine, loaded.
        asked: name → method and request.
    """
    loop, replay = asyncio.new_event_loop(), Replay(bare)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start(call, request):
        engine, metrics = FaultyEngine(replay), Metrics()
        where = ServerOptions("127.0.0.1:0", "127.0.0.1:0", drain_s=5.0)
        server = Server(engine, bundle, Decoder(1), metrics, where)
        await server.start()
        return FaultyService(server, engine, call, request, loop, metrics)

    services = {}
    try:
        for name, (call, request) in asked.items():
            services[name] = asyncio.run_coroutine_threadsafe(start(call, request), loop).result(HANG_S)
            services[name].begin()
        yield services
    finally:
        for service in services.values():
            service.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(HANG_S)
        loop.close()
