"""A call of which only a part is ever sent: HTTP/2 by hand, since no gRPC client would do so."""

from __future__ import annotations

import socket
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK, END_HEADERS = 1, 4
LAST_STREAM = 0x7FFF_FFFF
INITIAL_WINDOW_SIZE, FRAME_BYTES, FIRST_WINDOW = 4, 16384, 65535


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A header that is not indexed (HPACK); both shorter than 127 bytes."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


class HalfSentCall:
    """Promises a message of so many bytes, and sends as many of them but the last as it is let."""

    def __init__(self, address, method, message_bytes):
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._left = message_bytes - 1
        self._stream_window = self._connection_window = FIRST_WINDOW
        self._initial_window = FIRST_WINDOW
        self.ended = threading.Event()  # by the server
        headers = [(":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "service")]
        headers += [("content-type", "application/grpc"), ("te", "trailers")]
        block = b"".join(literal(*header) for header in headers)
        begin = frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS, 1, block)
        self._socket.sendall(PREFACE + begin + frame(DATA, 0, 1, b"\0" + struct.pack(">I", message_bytes)))
        self._stream_window -= 5
        self._connection_window -= 5
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Goes away."""
        self._socket.close()

    def _run(self):
        try:
            while not self.ended.is_set():
                self._send()
                self._receive()
        except OSError:
            self.ended.set()

    def _send(self):
        while (count := min(self._left, self._stream_window, self._connection_window, FRAME_BYTES)) > 0:
            self._socket.sendall(frame(DATA, 0, 1, bytes(count)))
            self._left -= count
            self._stream_window -= count
            self._connection_window -= count

    def _receive(self):
        head = self._exactly(9)
        payload = self._exactly(int.from_bytes(head[:3], "big"))
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        if kind == WINDOW_UPDATE:
            (more,) = struct.unpack(">I", payload)
            if stream:
                self._stream_window += more
            else:
                self._connection_window += more
        elif kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                name, value = struct.unpack_from(">HI", payload, at)
                if name == INITIAL_WINDOW_SIZE:
                    self._stream_window += value - self._initial_window
                    self._initial_window = value
            self._socket.sendall(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._socket.sendall(frame(PING, ACK, 0, payload))
        elif kind == RST_STREAM or (kind == GOAWAY and not int.from_bytes(payload[:4]) & LAST_STREAM):
            self.ended.set()  # a GOAWAY that names later streams only asks to connect again for the next call

    def _exactly(self, count):
        content = b""
        while len(content) < count:
            more = self._socket.recv(count - len(content))
            if not more:
                raise ConnectionError
            content += more
        return content
