"""How much memory the service holds, and how large its bundle is.

    resident_mb     resident memory of `phonoscope-serve`, in MB of 10⁶ bytes, once every RPC was called of every
                    listener that answers it, `Explain` by each of its rules
    bundle_mb       what the files of the bundle come to; a link takes no more than its own name
    growth          by what factor resident memory grew over 2000 further calls, of all these, most often `Predict` and
                    `Explain`: from `resident_mb` to the median within the last tenth of them
    drift           the same from the median within the first tenth on, and as much again as one more tenth would have
                    brought: without what only a second call of its kind takes, so that a leak shows by itself
    started_mb      resident memory before the first call
    most_mb         the most there was at any time, the start included
    further_mb      median of resident memory within each tenth of the further calls, looked at after every call
    loaded_graphs   how many were loaded at the start, and at the end
    calls           which were asked, and how often in all; `not_in_bundle` those that no model of the bundle answers

The service runs as a process of its own, as it does in use, with its default options or those behind `--`. Linux alone
tells how much memory a process has. `make bench-memory` runs this.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from urllib.request import urlopen

import grpc
import phonoscope_client.demo
from fuzzing.decoding import resident_bytes
from phonoscope.v1 import auralisation_pb2, bundle_pb2, inversion_pb2, maximisation_pb2, prediction_pb2, track_pb2
from phonoscope.v1.audio_pb2 import Audio
from phonoscope.v1.explainer_service_pb2_grpc import ExplainerServiceStub
from phonoscope.v1.explanation_pb2 import ExplainRequest
from phonoscope_client import running_service
from phonoscope_serving.bundle.bundle import Bundle, load_bundle
from phonoscope_serving.bundle.listeners.listener import Listener
from phonoscope_serving.command_line import default_repository
from phonoscope_serving.rpcs.auralise.networks import audible_networks
from service_load import circumstances, write
from tqdm import tqdm

SONG = Path(phonoscope_client.demo.__path__[0]) / "song.ogg"
AT_S = 8.0  # the moment that is asked about
MB = 1e6
PARTS = 10  # of the further calls; memory is looked at after each
OFTEN, SELDOM = 20, 1  # how often calls come beside each other
OPTIONS = [("grpc.max_receive_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    rpc: str
    of: str  # the listener, and what else tells it from others of its RPC
    request: Any  # a message; of `ExplainTrack` all of its parts
    weight: int = SELDOM

    @property
    def name(self) -> str:
        """Of which it is."""
        return f"{self.rpc} {self.of}".strip()

    def ask(self, stub: ExplainerServiceStub) -> None:
        """Waits for all of the answer."""
        answer = getattr(stub, self.rpc)(self.request if not isinstance(self.request, list) else iter(self.request))
        if isinstance(answer, grpc.Call):
            for _ in answer:
                pass


def get_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, required=True, metavar="PATH", help="where the figures go")
    parser.add_argument("--model-repository", type=Path, default=default_repository(), metavar="DIR")
    parser.add_argument("--calls", type=int, default=2000, help="after each was asked once (default: %(default)s)")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of phonoscope-serve; behind --")
    return parser


def main() -> None:
    """Measures, prints and writes the figures."""
    options = get_parser().parse_args()
    figures = measure(options.model_repository, options.calls, options.options)
    write(figures, options.json)
    print("{resident_mb:.0f} MB resident ({started_mb:.0f} at the start), bundle {bundle_mb:.1f} MB".format(**figures))
    print(f"{figures['growth']:.3f} of that after {options.calls} further calls. Figures: {options.json}")


def measure(model_repository: Path, further: int, options: Sequence[str] = ()) -> dict[str, Any]:
    """The figures of one service.

    Args:
        model_repository: what it serves.
        further: calls after each was asked once.
        options: of `phonoscope-serve`.
    """
    bundle = load_bundle(model_repository)
    with (
        running_service(["--model-repository", str(model_repository), *options]) as service,
        grpc.insecure_channel(service.address, OPTIONS) as channel,
    ):
        process, stub = service.process.pid, ExplainerServiceStub(channel)
        started = resident_bytes(process)
        at_start = loaded_graphs(service.metrics_address)
        calls, absent = asked_once(stub, [*every_call(bundle)])
        resident = resident_bytes(process)
        asked, tenths = Counter(call.name for call in calls), []
        for mix in tqdm(mixes(calls, further), desc="further calls", unit="tenth"):
            seen = []
            for call in mix:
                call.ask(stub)
                seen.append(resident_bytes(process))
            asked.update(call.name for call in mix)
            tenths += [median(seen)] if seen else []
        most, at_end = most_resident_bytes(process), loaded_graphs(service.metrics_address)
    return {
        "resident_mb": resident / MB,
        "bundle_mb": sum(path.lstat().st_size for path in model_repository.rglob("*") if path.is_file()) / MB,
        "growth": tenths[-1] / resident if tenths else 1.0,
        "drift": drift(tenths),
        "started_mb": started / MB,
        "most_mb": most / MB,
        "further_mb": [each / MB for each in tenths],
        "loaded_graphs": [at_start, at_end],
        "calls": dict(sorted(asked.items())),
        "not_in_bundle": absent,
        "options": list(options),
        **circumstances(bundle),
    }


def every_call(bundle: Bundle) -> Iterator[Call]:
    """Every RPC of every listener, whether or not the bundle can answer it."""
    sound = Audio(encoded=SONG.read_bytes())
    audible = audible_networks(bundle)
    yield Call("DescribeBundle", "", bundle_pb2.DescribeBundleRequest())
    for listener in bundle.listeners:
        of: dict[str, Any] = {"listener": listener.name}
        yield Call("Predict", listener.name, prediction_pb2.PredictRequest(audio=sound, **of), OFTEN)
        for rule in listener.rules:
            asked = ExplainRequest(audio=sound, at_s=AT_S, rule=rule.name, listen=True, **of)
            yield Call("Explain", f"{listener.name} {rule.name}", asked, OFTEN)
        yield Call("ExplainTrack", listener.name, track(listener))
        inverted = inversion_pb2.InvertLayersRequest(audio=sound, at_s=AT_S, listen=True, **of)
        yield Call("InvertLayers", listener.name, inverted)
        layer = next(iter(audible[listener.name].layers)) if listener.name in audible else ""
        heard = auralisation_pb2.AuraliseRequest(audio=sound, at_s=AT_S, layer=layer, strongest=3, listen=True, **of)
        yield Call("Auralise", listener.name, heard)
        wanted = maximisation_pb2.MaximiseRequest(
            terms=[maximisation_pb2.ResponseTerm(layer="logit")], examples=2, steps=20, listen=True, **of
        )
        yield Call("Maximise", listener.name, wanted)


def track(listener: Listener) -> list[track_pb2.ExplainTrackRequest]:
    """The whole song, heard and explained."""
    content = SONG.read_bytes()
    settings = track_pb2.TrackSettings(
        encoded=track_pb2.EncodedStream(size_bytes=len(content)),
        moments=track_pb2.TrackMoments(every_s=10.0),
        trust=track_pb2.TRUST_LEVEL_FULL,
        listener=listener.name,
    )
    asked = track_pb2.ExplainTrackRequest
    return [asked(settings=settings), asked(chunk=content)]


def asked_once(stub: ExplainerServiceStub, calls: Sequence[Call]) -> tuple[list[Call], list[str]]:
    """Asks each; those that were answered, and the names of those that the bundle has no models for."""
    answered, absent = [], []
    for call in tqdm(calls, desc="every RPC", unit="call"):
        try:
            call.ask(stub)
            answered.append(call)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            absent.append(call.name)
    return answered, absent


def mixes(calls: Sequence[Call], further: int) -> list[list[Call]]:
    """So many calls in all, by their weights, in ten parts; the same every time."""
    drawn = Random(0).choices(calls, [call.weight for call in calls], k=further)
    return [drawn[further * part // PARTS : further * (part + 1) // PARTS] for part in range(PARTS)] if further else []


def drift(parts: Sequence[float]) -> float:
    """By what factor memory grew over all calls, of its median within each of some equal parts of them.

    The medians of the first part and the last are one part less than all calls apart.
    """
    return 1 + (parts[-1] / parts[0] - 1) * len(parts) / (len(parts) - 1) if len(parts) > 1 else 1.0


def loaded_graphs(metrics_address: str) -> int:
    """How many graphs a service says it has loaded."""
    with urlopen(f"http://{metrics_address}/metrics") as page:
        lines = page.read().decode().splitlines()
    return sum(line.startswith("phonoscope_graphs_loaded{") and float(line.split()[-1]) > 0 for line in lines)


def most_resident_bytes(process: int) -> int:
    """The most memory a process has had."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
