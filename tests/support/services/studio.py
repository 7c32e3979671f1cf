"""A real studio as a process, and a visitor who asks it as a browser does."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

HANG_S = 600  # what takes longer hangs; a busy machine may be slow


class Answer:
    """What was answered."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """What went wrong, in words."""
        return self.json["error"]


class Visitor:
    """Asks one studio, with the cookie that its address gives, or without."""

    def __init__(self, address):
        self.address = address
        self.host, self.token = re.fullmatch(r"http://([^/]+)/\?token=(\S+)", address).groups()
        self.cookie = ""

    def enter(self):
        """Opens the address that the studio printed."""
        answer = self.ask("GET", f"/?token={self.token}")
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def begin(self, method, path, body=None, **headers):
        """A connection on which something was asked, and the answer as it comes."""
        connection = http.client.HTTPConnection(self.host, timeout=HANG_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named.setdefault("cookie", self.cookie)
        connection.request(method, path, body, named)
        return connection, connection.getresponse()

    def ask(self, method, path, body=None, **headers):
        connection, response = self.begin(method, path, body, **headers)
        try:
            return Answer(response)
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, question, **headers):
        return self.ask("POST", path, json.dumps(question), **{"content-type": "application/json"} | headers)

    def drop(self, content, name):
        """Drops a file."""
        return self.ask("POST", f"/api/songs?name={name}", content)

    def lines(self, path, question=None):
        """The parts of an answer that comes line by line."""
        answer = self.get(path) if question is None else self.post(path, question)
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]


class Running:
    """A studio that is running."""

    def __init__(self, process, address):
        self.process, self.address = process, address

    def visitor(self):
        """One who has opened its page."""
        visitor = Visitor(self.address)
        visitor.enter()
        return visitor

    def interrupt(self):
        """Ctrl-C; what it exits with."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(HANG_S)


def children(pid):
    """Processes that one has started."""
    tasks = Path("/proc", str(pid), "task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@contextmanager
def running_studio(*arguments, env=None):
    """`phonoscope studio` as a process, ended with the block."""
    command = [sys.executable, "-m", "phonoscope_client.cli", "studio", "--no-browser", "--quiet", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            said = process.stdout.readline()
            found = re.fullmatch(r"open (\S+)\n", said)
            assert found, said + process.stderr.read()
            yield Running(process, found[1])
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(HANG_S)
