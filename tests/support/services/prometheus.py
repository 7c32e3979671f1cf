"""A real Prometheus that scrapes what a test names."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

from support.services.running import HANG_S
from support.system_programs import program


class Prometheus:
    """One that is running, asked over HTTP."""

    def __init__(self, address):
        self._address = address

    def samples(self, expression):
        """The samples of an expression now; none while it is still starting."""
        url = f"http://{self._address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 400:
                raise AssertionError(f"{expression}: {error.read().decode()}") from error
            return []
        except OSError:
            return []

    def ask(self, expression, within_s=HANG_S):
        """The samples of an expression, as soon as there are any."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if samples := self.samples(expression):
                return samples
            time.sleep(0.2)
        raise AssertionError(f"Prometheus has no sample of {expression}")

    def exemplars(self, expression):
        """The exemplars of a series in the last minutes."""
        asked = {"query": expression, "start": time.time() - 600, "end": time.time() + 60}
        url = f"http://{self._address}/api/v1/query_exemplars?" + urllib.parse.urlencode(asked)
        with urllib.request.urlopen(url, timeout=60) as answer:
            return [each for series in json.load(answer)["data"] for each in series["exemplars"]]


@contextmanager
def prometheus(folder, targets, *, rules=None, interval_s=5):
    """Starts one.

    Args:
        folder: an empty one of the test's own.
        targets: name of the job → HOST:PORT to scrape.
        rules: file of rules to evaluate; None for none.
        interval_s: between two scrapes, and two evaluations.
    """
    config = {
        "global": dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), f"{interval_s}s"),
        "rule_files": [str(rules)] if rules else [],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in targets.items()
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program("prometheus", "prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}"]
    command += ["--enable-feature=exemplar-storage"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield Prometheus(address)
        finally:
            process.terminate()
