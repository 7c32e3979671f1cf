"""What `phonoscope batch` does."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from phonoscope_client.client import Client
from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.track.moments import Moments
from phonoscope_client.commands.track.options import asked, most_trust, must_fit
from phonoscope_client.errors import invalid
from phonoscope_client.files import printable

if TYPE_CHECKING:
    from phonoscope_client.batch.asking import Answered
    from phonoscope_client.batch.items import Item
    from phonoscope_client.batch.job import Engine, Missing
    from phonoscope_client.batch.parts import CatalogueFolder
    from phonoscope_client.batch.question import CatalogueQuestion
    from phonoscope_client.batch.service import LastingService

SOME_FAILED = 3


def status(document: dict[str, Any]) -> int:
    """What the command exits with: 0, or 3 where some files failed."""
    return SOME_FAILED if document["errors"] else 0


def run(options: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """Does what the options ask; the answer as one JSON document, and as text for a person.

    Raises:
        KeyboardInterrupt: it was told to end; what was begun is in the folder.
    """
    import_module("phonoscope_client.batch")  # refuses where the extra is missing
    from phonoscope_client.batch.items import columns_of, items_of  # noqa: PLC0415 - PyArrow is an extra
    from phonoscope_client.batch.job import missing  # noqa: PLC0415 - likewise
    from phonoscope_client.batch.parts import CatalogueFolder  # noqa: PLC0415 - likewise

    began_s = time.monotonic()
    items = items_of(options.input)
    folder = CatalogueFolder(options.out, columns_of(items))
    if not options.resume and (options.out / "job.json").exists():
        raise invalid("--no-resume", f"{str(options.out)!r} holds a catalogue; give another folder")
    with folder.held():
        left = missing(folder, items, retry_errors=options.retry_errors)
        if left.answered:
            note(f"{left.answered} of {len(items)} files are there already")
        errors = left.errors
        if left.items:
            folder.incomplete()
            errors = _ask(options, connection, note, folder, items, left)
        folder.write_errors(errors)
        document = folder.complete(len(items))
    document |= {"seconds": round(time.monotonic() - began_s, 3), "out": printable(options.out)}
    document |= {"asked_now": len(left.items), "parts": len(document["parts"])}
    return document, _text(document)


def _ask(
    options: argparse.Namespace,
    connection: Connection,
    note: Note,
    folder: CatalogueFolder,
    items: list[Item],
    left: Missing,
) -> list[dict[str, Any]]:
    """Asks about what is left; the rows of all errors."""
    from phonoscope_client.batch import job  # noqa: PLC0415 - PyArrow is an extra
    from phonoscope_client.batch.service import LastingService  # noqa: PLC0415 - likewise

    ending = threading.Event()
    with LastingService(partial(connection.open, note), ending.wait) as service, _ends(ending, note):
        question = _question(options, service.client(), folder, any(item.moments for item in items))
        note(f"asking about {len(left.items)} files ...")
        size = job.PartSize(options.part_files, options.part_seconds)
        if options.engine == "ray":
            service.release()  # each worker has its own
        engine = _engine(options, connection, question, service, ending)
        with _progress_bar(len(items), len(items) - len(left.items), quiet=options.quiet) as told:
            errors = job.work_off(folder, left, engine, told, size, ending.is_set)
    if ending.is_set():
        folder.write_errors(errors)
        note("ended early; the same command goes on")
        raise KeyboardInterrupt
    return errors


def _engine(
    options: argparse.Namespace,
    connection: Connection,
    question: CatalogueQuestion,
    service: LastingService,
    ending: threading.Event,
) -> Engine:
    """What asks: threads of this process, or actors of Ray."""
    from phonoscope_client.batch import local, ray_engine  # noqa: PLC0415 - PyArrow is an extra
    from phonoscope_client.batch.asking import answered  # noqa: PLC0415 - likewise
    from phonoscope_client.batch.items import columns_of  # noqa: PLC0415 - likewise

    def with_threads(items: Sequence[Item]) -> Iterator[Answered]:
        ask = partial(answered, question=question, service=service, wait=ending.wait)
        return local.answers(items, ask, options.workers, ending.is_set)

    def with_ray(items: Sequence[Item]) -> Iterator[Answered]:
        opens = partial(connection.open, _silent)
        return ray_engine.answers(items, question, opens, columns_of(items), options.workers, ending.is_set)

    return with_ray if options.engine == "ray" else with_threads


def _silent(_: str) -> None:
    """Hears of a worker's progress; the job's own is told."""


def _question(
    options: argparse.Namespace, client: Client, folder: CatalogueFolder, has_moments: bool
) -> CatalogueQuestion:
    """What every file is asked; the folder is told.

    Raises:
        InvalidInputError: the folder holds answers to another question, or of another bundle; or that has no such
            listener or label.
    """
    from phonoscope_client.batch.question import CatalogueQuestion  # noqa: PLC0415 - PyArrow is an extra

    bundle = client.describe()
    must_fit(bundle, options)
    settings = asked(options)
    if "explain" not in options.ask or (has_moments and not options.where):
        settings |= vars(Moments())  # the manifest's moments alone
    settings["trust"] = options.trust or most_trust(bundle, options.listener)
    question = CatalogueQuestion(options.ask, settings, options.timeout_s)
    folder.begin(question.to_json() | {"bundle": {"name": bundle.name, "digest": bundle.digest}})
    return question


@contextmanager
def _ends(ending: threading.Event, note: Note) -> Iterator[None]:
    """Has a first Ctrl-C, or SIGTERM, end the job after what was begun, and a second one end it at once."""

    def end(number: int, _: FrameType | None) -> None:
        ending.set()
        note("ending after the files that were begun; once more ends at once")
        signal.signal(number, before[signal.Signals(number)])

    numbers = (signal.SIGINT, signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():  # signals arrive nowhere else
        yield
        return
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress_bar(files: int, done: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar of files on a terminal's standard error, with rate, time left and errors; elsewhere, or quiet, none."""
    with tqdm(total=files, initial=done, unit=" files", disable=True if quiet else None, smoothing=0.05) as bar:

        def told(more: int, errors: int) -> None:
            bar.set_postfix_str(f"{errors} errors", refresh=False)
            bar.update(more)

        yield told


def _text(document: dict[str, Any]) -> str:
    lines = [
        f"{document['answered']} of {document['files']} files answered, {document['errors']} failed: "
        f"{document['rows']} rows in {document['parts']} parts of {document['out']}/parts"
    ]
    if document["errors"]:
        lines.append(f"why they failed: {document['out']}/errors.parquet; --retry-errors asks once more")
    return "\n".join(lines)
