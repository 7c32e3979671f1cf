"""A name server on loopback that knows one name, whose addresses change: what a headless Service is in a cluster."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NAME = "phonoscope.soak"
ADDRESS, INTERNET, ANSWERED = 1, 1, 0x8580  # RFC 1035: record A, class IN, an authoritative response
TTL_S = 1
QUESTION_AT, RECORD_NAME = 12, b"\xc0\x0c"  # every record is named as the question is


@contextmanager
def name_server(addresses: list[str]) -> Iterator[str]:
    """Answers every question for IPv4 addresses with those in a list, as it is then; yields where, `host:port`.

    Args:
        addresses: of the name; may be changed meanwhile.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]

        def answer() -> None:
            while True:
                query, asker = listening.recvfrom(512)
                if not query:
                    return
                listening.sendto(_response(query, tuple(addresses)), asker)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", ("127.0.0.1", port))
            thread.join()


def _response(query: bytes, addresses: tuple[str, ...]) -> bytes:
    end = QUESTION_AT
    while query[end]:
        end += query[end] + 1
    question = query[QUESTION_AT : end + 5]
    (kind,) = struct.unpack(">H", question[-4:-2])
    found = addresses if kind == ADDRESS else ()
    records = (
        RECORD_NAME + struct.pack(">HHIH", ADDRESS, INTERNET, TTL_S, 4) + socket.inet_aton(each) for each in found
    )
    return query[:2] + struct.pack(">HHHHH", ANSWERED, 1, len(found), 0, 0) + question + b"".join(records)
