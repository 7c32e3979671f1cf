"""The service as a process of its own, so that its memory can be told from that of whoever attacks it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import grpc
from phonoscope.v1 import explainer_service_pb2_grpc
from phonoscope_client import running_service

from support.services.running import UNLIMITED

MIB = 1 << 20


class Attacked:
    """A service, its process, and a channel to it."""

    def __init__(self, running, channel):
        self.process, self.address, self.log_path = running.process, running.address, running.log_path
        self.metrics_address, self.channel = running.metrics_address, channel
        self.stub = explainer_service_pb2_grpc.ExplainerServiceStub(channel)

    @property
    def resident_mib(self):
        """Memory the process takes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MIB

    @contextmanager
    def another_channel(self):
        """A connection of its own."""
        options = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.address, options) as channel:
            yield channel


@contextmanager
def attacked(folder, repository, *options):
    """Starts a service; its log goes to `folder`."""
    arguments = ["--model-repository", str(repository), "--device", "cpu", "--threads", "1", *options]
    with (
        running_service(arguments, log_path=folder / "log") as running,
        grpc.insecure_channel(running.address, UNLIMITED) as channel,
    ):
        yield Attacked(running, channel)
