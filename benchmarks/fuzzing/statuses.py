"""Which statuses the contract names for each RPC, read from its comments."""

from __future__ import annotations

import re
from pathlib import Path

import grpc

CONTRACT = Path(__file__).parents[2] / "proto" / "phonoscope" / "v1" / "explainer_service.proto"
_NAMES = {status.name for status in grpc.StatusCode}


def documented(contract: str) -> dict[str, frozenset[str]]:
    """Names of the statuses each RPC may answer: OK, those common to all, and those of its own comment.

    Args:
        contract: the text of the .proto file.
    """
    common, *_ = contract.partition("\nservice ")
    found: dict[str, frozenset[str]] = {}
    comment = ""
    for line in contract[len(common) :].splitlines():
        if line.strip().startswith("//"):
            comment += line
        elif named := re.match(r"\s*rpc (\w+)\(", line):
            found[named[1]] = frozenset(_named(common + comment) | {"OK"})
            comment = ""
    return found


def _named(text: str) -> set[str]:
    return _NAMES.intersection(re.findall(r"\b[A-Z_]{4,}\b", text))
