"""Several replicas behind the client's own balancer: some are told to stop under load, one joins."""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from phonoscope_client import Client, PhonoscopeError, RunningService, running_service

from soak.names import NAME, name_server
from soak.scale import Scale

HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")  # replicas of one port
ANSWERED = 'grpc_server_handled_total{grpc_code="OK",grpc_method="Explain"'
HANG_S = 120.0
Sound = tuple[Any, int]


def stops(model_repository: Path, sound: Sound, scale: Scale) -> dict[str, Any]:
    """How many calls fail while two replicas are told to stop in turn, and how many do not end in order."""
    port = _free_port(HOSTS[:2])
    statuses: list[int] = []
    with ExitStack() as stack:
        replicas = [stack.enter_context(ExitStack()) for _ in range(2)]
        running = [
            each.enter_context(replica(model_repository, host, port))
            for each, host in zip(replicas, HOSTS[:2], strict=True)
        ]
        target = "ipv4:" + ",".join(f"{host}:{port}" for host in HOSTS[:2])
        with asking(target, sound, scale.callers) as told:
            for number in range(scale.stops):
                at = number % 2
                running[at].process.terminate()
                statuses.append(running[at].process.wait(HANG_S))
                replicas[at].close()
                running[at] = replicas[at].enter_context(replica(model_repository, HOSTS[at], port))
                _wait_for_answers(running[at])
    failed = {name: count for name, count in told.items() if name != "answered"}
    return {
        "drain_failed": sum(failed.values()) + sum(status != 0 for status in statuses),
        "unexpected": failed,
        "answered": told["answered"],
        "statuses": dict(Counter(statuses)),
    }


def third_replica(model_repository: Path, sound: Sound, scale: Scale) -> dict[str, Any]:
    """Which share of the calls a replica answers that joined two others a minute ago."""
    port = _free_port(HOSTS)
    addresses = list(HOSTS[:2])
    with ExitStack() as stack:
        running = [stack.enter_context(replica(model_repository, host, port)) for host in addresses]
        server = stack.enter_context(name_server(addresses))
        told = stack.enter_context(asking(f"dns://{server}/{NAME}:{port}", sound, scale.callers))
        running.append(stack.enter_context(replica(model_repository, HOSTS[2], port)))
        addresses.append(HOSTS[2])
        time.sleep(scale.joined_s - scale.counted_s)
        before = [_answered(each) for each in running]
        time.sleep(scale.counted_s)
        counted = [_answered(each) - since for each, since in zip(running, before, strict=True)]
    failed = {name: count for name, count in told.items() if name != "answered"}
    share = counted[2] / sum(counted) if sum(counted) else 0.0
    return {"third_replica_share": share, "unexpected": failed, "answers_by_replica": counted}


@contextmanager
def replica(model_repository: Path, host: str, port: int) -> Iterator[RunningService]:
    """A service at an address of its own."""
    with running_service(["--model-repository", str(model_repository), "--address", f"{host}:{port}"]) as service:
        yield service


@contextmanager
def asking(target: str, sound: Sound, callers: int) -> Iterator[Counter[str]]:
    """Callers who share one client, for the length of the block; how their calls end, by name of the error."""
    told: Counter[str] = Counter()
    stop = threading.Event()

    def ask(client: Client) -> None:
        while not stop.is_set():
            try:
                client.explain(sound, 1.0, listen=False)
                told["answered"] += 1
            except PhonoscopeError as error:
                told[f"{type(error).__name__}: {error}"] += 1

    with Client(target, timeout_s=HANG_S) as client:
        threads = [threading.Thread(target=ask, args=(client,)) for _ in range(callers)]
        for thread in threads:
            thread.start()
        try:
            while not told:
                time.sleep(0.05)
            yield told
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _wait_for_answers(service: RunningService) -> None:
    """Waits until the balancer has found a replica again."""
    give_up_s = time.monotonic() + HANG_S
    while not _answered(service) and time.monotonic() < give_up_s:
        time.sleep(0.1)


def _answered(service: RunningService) -> float:
    with urllib.request.urlopen(f"http://{service.metrics_address}/metrics") as page:
        lines = page.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(ANSWERED))


def _free_port(hosts: tuple[str, ...]) -> int:
    """A port that is free at all of them."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind((hosts[0], 0))
            port = int(first.getsockname()[1])
            try:
                for host in hosts[1:]:
                    stack.enter_context(socket.socket()).bind((host, port))
            except OSError:
                continue
            return port
