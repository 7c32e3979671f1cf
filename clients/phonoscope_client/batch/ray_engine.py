"""Files asked about from many processes and machines, by Ray Data; it needs the extra `ray`.

What travels to workers are paths, which mean the same on every machine, and back come rows as Arrow. Each worker is an
actor with one client, or one service of its own. A worker that dies is started again by Ray, and its file asked about
once more: nothing was written but by the job, so each file is in one part. What is wrong with a file is a row.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from importlib import import_module
from typing import Any

import pyarrow as pa

from phonoscope_client.batch.asking import Answered, answered
from phonoscope_client.batch.items import Item
from phonoscope_client.batch.question import CatalogueQuestion
from phonoscope_client.batch.schema import rows_schema
from phonoscope_client.batch.service import LastingService, OpenClient
from phonoscope_client.errors import MissingExtraError, PhonoscopeError, ServiceError, UnavailableError

OBJECT_STORE_BYTES = 200 * 2**20  # of a cluster of the job's own: rows of some files, not sound
MOST_STARTS = 3  # of a cluster
MOST_BLOCKS = 4096  # each is handed out, and after the death of a worker asked about again, as one

_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told of what is asked
    "RAY_gcs_server_port_wait_time_s": "180",  # Ray gives up after 30 s, which a busy machine takes to start it
}


def must_be_installed() -> Any:  # noqa: ANN401 - a module
    """Ray Data.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("ray.data") and import_module("ray")
    except ModuleNotFoundError as error:
        message = f"many machines need the extra: pip install 'phonoscope[ray]' (there is no {error.name})"
        raise MissingExtraError(message) from error


class Asker:
    """A worker: an actor with one client.

    Args:
        open_client: opens it.
        question: what every file is asked.
        columns: of the manifest.
    """

    def __init__(self, open_client: OpenClient, question: CatalogueQuestion, columns: Sequence[str]) -> None:
        self._service = LastingService(open_client, _slept)
        self._question, self._schema = question, rows_schema(columns)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """What came of one file, in bytes; why the job cannot go on, where that is so."""
        said = json.loads(row["item"])
        columns = tuple((name, value) for name, value in said["columns"])
        item = Item(said["file"], said["path"], tuple(said["moments"]), said["expected"], columns)
        try:
            found = answered(item, self._question, self._service, _slept)
        except PhonoscopeError as failure:
            return {"file": item.file, "rows": b"", "error": "", "failure": str(failure)}
        table = pa.Table.from_pylist(found.rows or [], self._schema)
        error = json.dumps(found.error) if found.error else ""
        return {"file": item.file, "rows": _bytes(table) if found.rows else b"", "error": error, "failure": ""}


def answers(
    items: Sequence[Item],
    question: CatalogueQuestion,
    open_client: OpenClient,
    columns: Sequence[str],
    workers: int,
    ending: Callable[[], bool],
) -> Iterator[Answered]:
    """What comes of each file, as it comes; see `local.answers`.

    Args:
        items: the files.
        question: what each is asked.
        open_client: opens each worker's client.
        columns: of the manifest.
        workers: how many actors.
        ending: whether the job is to end early.

    Raises:
        ServiceError: a worker cannot go on.
        UnavailableError: there is no cluster.
        MissingExtraError: Ray is not installed.
    """
    ray = must_be_installed()
    # Of a worker that died Ray tells on standard output, where the job's own answer is to stand.
    with redirect_stdout(sys.stderr), _cluster(ray, workers):
        settings = ray.data.DataContext.get_current()
        settings.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)  # the job's own bar and notes say how far it is
        asked = ray.data.from_items(
            [{"item": json.dumps(asdict(item))} for item in items], override_num_blocks=min(len(items), MOST_BLOCKS)
        ).map(
            Asker,
            fn_constructor_args=(open_client, question, tuple(columns)),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        for row in asked.iter_rows():
            if row["failure"]:
                raise ServiceError(row["failure"])
            error = json.loads(row["error"]) if row["error"] else None
            yield Answered(row["file"], _rows(row["rows"]), error)
            if ending():
                return


@contextmanager
def _cluster(ray: Any, workers: int) -> Iterator[None]:  # noqa: ANN401 - a module
    """The cluster that RAY_ADDRESS names or this process is part of, else one of the job's own on this machine."""
    if ray.is_initialized():
        yield
        return
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    _start(ray, os.environ.get("RAY_ADDRESS"), workers)
    try:
        yield
    finally:
        ray.shutdown()


def _start(ray: Any, address: str | None, workers: int) -> None:  # noqa: ANN401 - a module
    """Joins a cluster, or starts one, which on a busy machine Ray gives up on too early, and then does next time."""
    own = {"num_cpus": workers, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    options: dict[str, Any] = {"address": address} if address else {"address": "local", **own}
    for attempt in range(1, MOST_STARTS + 1):
        try:
            ray.init(log_to_driver=False, logging_level="error", **options)
        except Exception as error:
            ray.shutdown()
            if attempt == MOST_STARTS:
                done = "reached" if address else "started"
                raise UnavailableError(f"no Ray cluster could be {done}: {error}") from error
        else:
            return


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _rows(content: bytes) -> list[dict[str, Any]] | None:
    if not content:
        return None
    rows: list[dict[str, Any]] = pa.ipc.open_stream(content).read_all().to_pylist()
    return rows


def _slept(seconds: float) -> bool:
    time.sleep(seconds)
    return False  # an actor is ended, not told to end
