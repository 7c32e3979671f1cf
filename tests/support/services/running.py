"""The real server in a thread of this process, for tests that speak to it as any client does."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager

import grpc
import numpy as np
from google.rpc import error_details_pb2, status_pb2
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope_serving.engines.onnx.engine import OnnxEngine, OnnxOptions
from phonoscope_serving.metrics import Metrics
from phonoscope_serving.service.server import Server, ServerOptions
from phonoscope_serving.sound.decoding import Decoder

HANG_S = 600.0  # what takes longer hangs; a busy machine may be slow
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class Service:
    """A server that is running, and a channel to it."""

    def __init__(self, server, metrics, channel):
        self.server, self.metrics, self.channel = server, metrics, channel
        self.stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)

    def count(self, name, **labels):
        """The value of one metric; 0 where it was never touched."""
        return self.metrics.registry.get_sample_value(name, labels) or 0


@contextmanager
def running(bundle, *, credentials=None, server_options=None, **engine_options):
    """Starts a server on free ports and drains it afterwards."""
    loop, metrics = asyncio.new_event_loop(), Metrics()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(HANG_S)

    async def start():
        engine = OnnxEngine(bundle, OnnxOptions(**engine_options), metrics)
        options = {"drain_s": 5.0} | (server_options or {})
        where = ServerOptions("localhost:0", "127.0.0.1:0", **options)
        server = Server(engine, bundle, Decoder(2), metrics, where)
        await server.start()
        return server

    server = wait(start())
    try:
        with (
            grpc.secure_channel(server.address, credentials, UNLIMITED)
            if credentials
            else grpc.insecure_channel(server.address, UNLIMITED)
        ) as channel:
            yield Service(server, metrics, channel)
    finally:
        wait(server.drain())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(HANG_S)
        loop.close()


def wait_until(holds, look_every_s=0.01):
    """Waits for something that is to happen by itself."""
    give_up_s = time.monotonic() + HANG_S
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(look_every_s)


def refusal(call, *arguments, **options):
    """The error a call ends in."""
    try:
        call(*arguments, **options)
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call was answered")


def details(error, kind):
    """The google.rpc detail of one kind that an error carries; None where it carries none."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    for detail in status_pb2.Status.FromString(packed).details if packed else ():
        message = getattr(error_details_pb2, kind)()
        if detail.Unpack(message):
            return message
    return None


def violated(error):
    """Field → description of every field violation an error names."""
    request = details(error, "BadRequest")
    return {v.field: v.description for v in request.field_violations} if request else {}


def array(time_frequency_map):
    """A `TimeFrequencyMap` as `[T, M]` float32."""
    shape = (time_frequency_map.frames, time_frequency_map.bands)
    return np.frombuffer(time_frequency_map.values, "<f4").reshape(shape)
