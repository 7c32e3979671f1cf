"""What came of inputs, in numbers."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fuzzing.decoding import CRASHED, HUNG, INTERNAL, Outcome

DEFECTS = (INTERNAL, "INTERNAL", "UNKNOWN")
WRONG = (CRASHED, HUNG, *DEFECTS)
MOST_SHOWN = 50  # of what failed


def totals(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many processes died, hung, or erred without telling the caller what to do.

    Args:
        outcomes: of files and requests.
    """
    kinds = Counter(outcome.kind for outcome in outcomes)
    return {"crashes": kinds[CRASHED], "hangs": kinds[HUNG], "internal": sum(kinds[defect] for defect in DEFECTS)}


def undocumented(
    outcomes: Iterable[Outcome], method: Callable[[int], str], documented: Mapping[str, frozenset[str]]
) -> list[Outcome]:
    """Requests that were answered by a status that the contract does not name for their RPC.

    Args:
        outcomes: of requests.
        method: the name of the RPC that a request is for, by its number.
        documented: names of statuses, by RPC.
    """
    return [each for each in outcomes if each.kind not in documented[method(each.number)] | {CRASHED, HUNG}]


def counts(outcomes: Iterable[Outcome], group: Callable[[int], str]) -> dict[str, dict[str, int]]:
    """How many inputs of each group ended how.

    Args:
        outcomes: of inputs of one sort.
        group: what an input belongs to, by its number.
    """
    found = defaultdict[str, Counter[str]](Counter)
    for outcome in outcomes:
        found[group(outcome.number)][outcome.kind] += 1
    return {name: dict(found[name].most_common()) for name in sorted(found)}


def told(outcomes: Iterable[Outcome], group: Callable[[int], str]) -> list[dict[str, Any]]:
    """What went wrong, for people; the first so many."""
    return [
        {"number": each.number, "of": group(each.number), "ended": each.kind, "detail": each.detail}
        for each in list(outcomes)[:MOST_SHOWN]
    ]


def memory_growth(outcomes: Iterable[Outcome]) -> float:
    """A process' memory at the end over that after it warmed up: medians over the last and the second fifth of inputs.

    The service loads a graph when it is first asked for it, and sets memory aside for the largest batch it has met.

    Args:
        outcomes: of one process, in order; those without memory are left out.
    """
    resident_bytes: Sequence[int] = [each.resident_bytes for each in outcomes if each.resident_bytes]
    fifth = max(1, len(resident_bytes) // 5)
    warm, end = resident_bytes[fifth : 2 * fifth] or resident_bytes, resident_bytes[-fifth:]
    return statistics.median(end) / statistics.median(warm) if resident_bytes else 0.0
