"""Files asked about side by side from one process: threads, which wait for a service that does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from phonoscope_client.batch.asking import Answered, Interrupted
from phonoscope_client.batch.items import Item

LOOK_EVERY_S = 0.5  # whether the job is to end


def answers(
    items: Sequence[Item], ask: Callable[[Item], Answered], workers: int, ending: Callable[[], bool]
) -> Iterator[Answered]:
    """What comes of each file, as it comes; at most so many are asked about at once.

    Args:
        items: the files.
        ask: asks about one.
        workers: how many at once.
        ending: whether the job is to end: then those that were begun are finished, and no more are begun.
    """
    left = iter(items)
    pool = ThreadPoolExecutor(workers, "asking")
    running: set[Future[Answered]] = set()
    try:
        while True:
            while len(running) < workers and not ending() and (item := next(left, None)) is not None:
                running.add(pool.submit(ask, item))
            if not running:
                return
            done, running = wait(running, LOOK_EVERY_S, FIRST_COMPLETED)
            for each in done:
                if not isinstance(each.exception(), Interrupted):
                    yield each.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
