"""A real Triton server as a process of its own, with the model repository as it is but for the backend."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from triton_server.setup import BACKENDS, CARRIER, ENVIRONMENT

STAND_IN = Path(__file__).with_name("stand_in.py")
SHARED_MEMORY = Path("/dev/shm")
READY_S = 600.0  # it is ready in a second on a machine that is not busy
CLIENT_S = 120.0  # no call to the server waits longer: by then it hangs
ATTEMPTS = 3
# A lock of Boost's may end a stub of the Python backend while a busy machine starts many; the server waits on for it.
STUB_DIED = "boost::interprocess::lock_exception"
END_S = 2.0  # from SIGTERM to SIGKILL


def stand_in_copy(source: Path, folder: Path) -> Path:
    """A copy of a model repository in which the Python stand-in takes the place of the onnxruntime backend."""
    root = Path(shutil.copytree(source, folder, symlinks=True, copy_function=_linked))
    for config in root.glob("*/config.pbtxt"):
        text = config.read_text()
        if 'backend: "onnxruntime"' in text:
            # The file a backend loads is the backend's own: model.onnx for one, model.py for the other.
            text = text.replace('default_model_filename: "model.onnx"\n', "")
            config.write_text(text.replace('backend: "onnxruntime"', 'backend: "python"'))
            for graph in config.parent.glob("*/model.onnx"):
                shutil.copyfile(STAND_IN, graph.with_name("model.py"))
    return root


def linked(source: str, target: str) -> None:
    """A hard link to what is there or is pointed to, or a copy where there can be none: never to be written through."""
    try:
        os.link(Path(source).resolve(), target)
    except OSError:  # the folders lie on two devices
        shutil.copy2(source, target)


def _linked(source: str, target: str) -> None:
    """Graphs are shared with the original; configurations are copied, since they are written."""
    if source.endswith(".pbtxt"):
        shutil.copyfile(source, target)
    else:
        linked(source, target)


class TritonServer:
    """A server on free ports, which are its own over a kill and a restart."""

    def __init__(self, repository: Path, folder: Path) -> None:
        """Starts nothing yet.

        Args:
            repository: a test copy.
            folder: where the log goes.
        """
        self.repository, self.log = repository, folder / "triton.log"
        self.grpc_port, http_port, metrics_port = _free_ports(3)
        self.address = f"127.0.0.1:{self.grpc_port}"
        self._segments = f"phonoscope_test_{uuid.uuid4().hex[:8]}_"
        models = sorted(config.parent.name for config in repository.glob("*/config.pbtxt"))
        self._command = [
            str(CARRIER / "bin" / "tritonserver"),
            f"--model-repository={repository}",
            f"--backend-directory={BACKENDS}",
            f"--backend-config=python,shm-region-prefix-name={self._segments}",
            *("--model-control-mode=explicit", *(f"--load-model={model}" for model in models)),
            *("--disable-auto-complete-config", "--allow-gpu-metrics=false", "--exit-timeout-secs=1"),
            *("--grpc-address=127.0.0.1", "--http-address=127.0.0.1", "--metrics-address=127.0.0.1"),
            *(f"--grpc-port={self.grpc_port}", f"--http-port={http_port}", f"--metrics-port={metrics_port}"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process and waits until every model is ready."""
        for _ in range(ATTEMPTS):
            if self._becomes_ready(self._launched()):
                return
            self.kill()
        raise AssertionError(self.log.read_text()[-4000:])

    def _launched(self) -> subprocess.Popen[bytes]:
        libraries = (str(CARRIER / "external_libs"), sysconfig.get_config_var("LIBDIR"))
        path = f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}"
        environment = os.environ | {
            "PATH": path,
            "LD_LIBRARY_PATH": ":".join(libraries),
            "OMP_NUM_THREADS": "1",
            "ORT_DISABLE_TELEMETRY": "1",
        }
        environment.pop("PYTHONPATH", None)
        with self.log.open("w") as log:
            # A session of its own: the stubs it starts are found and ended with it.
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        return self._process

    def kill(self) -> None:
        """Ends it as a power cut does: SIGKILL."""
        if self._process is not None:
            self._end(self._process, signal.SIGKILL)

    def stop(self) -> None:
        """Ends it: SIGTERM, and SIGKILL if that takes too long."""
        if self._process is not None:
            self._end(self._process, signal.SIGTERM)

    def client(self) -> InferenceServerClient:
        """A client of the server itself; every call needs a `client_timeout`."""
        return InferenceServerClient(self.address)

    @property
    def crashed(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def processes(self) -> list[int]:
        """Ids of every living process of the server."""
        return _session(self._process.pid) if self._process is not None else []

    def segments(self) -> list[Path]:
        """Shared-memory segments of the server."""
        return list(SHARED_MEMORY.glob(f"{self._segments}*"))

    def leftovers(self) -> list[int | Path]:
        """Whatever of the server is still in the machine."""
        return [*self.processes(), *self.segments()]

    def _becomes_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Waits; False where it, or one of its stubs, has crashed instead, as happens on a machine that is busy."""
        give_up = time.monotonic() + READY_S
        while not self._is_ready():
            said = self.log.read_text()
            if STUB_DIED in said or process.poll() == -signal.SIGSEGV:
                return False
            assert process.poll() is None, said[-4000:]
            assert time.monotonic() < give_up, said[-4000:]
            time.sleep(0.1)
        return True

    def _is_ready(self) -> bool:
        client = self.client()
        try:
            return bool(client.is_server_ready(client_timeout=CLIENT_S))
        except InferenceServerException:
            return False
        finally:
            client.close()

    def _end(self, process: subprocess.Popen[bytes], how: signal.Signals) -> None:
        process.send_signal(how)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        give_up = time.monotonic() + CLIENT_S
        while living := self.processes():
            assert time.monotonic() < give_up, f"still there: {living}"
            for each in living:  # each time: a stub may start a process while they are listed
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.kill(each, signal.SIGKILL)
            time.sleep(0.02)
        for segment in self.segments():
            segment.unlink(missing_ok=True)


def _session(leader: int) -> list[int]:
    """Ids of the living processes of one session, from /proc; zombies do not count."""
    living = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text().rpartition(")")
        except OSError:  # it has ended meanwhile
            continue
        state, _parent, _group, session = fields.split()[:4]
        if int(session) == leader and state not in "ZX":
            living.append(int(stat.parent.name))
    return living


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
