"""A Triton server that is killed under load, and started again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from phonoscope_client import running_service
from triton_server import setup as triton_setup
from triton_server.server import TritonServer, stand_in_copy

from soak.asking import Load
from soak.figures import counts, numbers, unexpected, wrong
from soak.scale import Scale

AWAY_S = 1.0  # from a kill to the next start
RECOVERY_S = 120.0  # what takes longer is no recovery


def triton_kills(model_repository: Path, content: bytes, scale: Scale) -> dict[str, Any]:
    """How many answers are wrong, and how long after a server is ready again the first right one comes."""
    if reason := triton_setup.reason_against():
        return {"skipped": reason}
    triton_setup.main()
    with tempfile.TemporaryDirectory() as folder:
        server = TritonServer(stand_in_copy(model_repository, Path(folder, "repository")), Path(folder))
        try:
            server.start()
            arguments = ["--engine", "triton", "--triton", server.address]
            with (
                running_service(["--model-repository", str(model_repository), *arguments]) as service,
                Load(service.address, content, scale.callers) as load,
            ):
                load.wait_for(lambda outcomes: any(each.status == "OK" for each in outcomes), RECOVERY_S)
                recoveries_s = [_kill(server, load) for _ in range(scale.kills)]
        finally:
            server.stop()
    first = next(each for each in load.outcomes if each.status == "OK")
    return {
        "wrong_answers": wrong(load.outcomes, [numbers(first.answer)]),
        "recovery_s": max(recoveries_s),
        # A caller is told UNAVAILABLE while the server is away; that is what the contract has it for.
        "unexpected": unexpected(load.outcomes, "UNAVAILABLE"),
        "recoveries_s": recoveries_s,
        "statuses": counts(load.outcomes),
    }


def _kill(server: TritonServer, load: Load) -> float:
    """Kills it as a power cut does; seconds from when it is ready again to the first answer that was asked since."""
    server.kill()
    time.sleep(AWAY_S)
    server.start()
    ready_s = time.perf_counter()
    load.wait_for(lambda outcomes: any(each.status == "OK" and each.ended_s > ready_s for each in outcomes), RECOVERY_S)
    later = [each.ended_s for each in load.outcomes if each.status == "OK" and each.ended_s > ready_s]
    return min(later) - ready_s if later else RECOVERY_S
