"""`phonoscope describe`: what it does."""

from __future__ import annotations

import argparse
from typing import Any

from phonoscope_client.commands.connection import Connection, Note
from phonoscope_client.commands.plain_text import bundle_text


def add_options(_: argparse.ArgumentParser) -> None:
    """It has no options of its own."""


def run(_: argparse.Namespace, connection: Connection, note: Note) -> tuple[dict[str, Any], str]:
    """What a service is serving as one JSON document, and as text for a person."""
    with connection.open(note) as client:
        bundle = client.describe()
    return bundle.to_json(), bundle_text(bundle)
