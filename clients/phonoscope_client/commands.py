"""What the commands do: ask, write files, and hand back one document that says everything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from phonoscope_client import demo
from phonoscope_client.answer_parts import Waveform
from phonoscope_client.audio import wav
from phonoscope_client.auralisations import Auralisation, Network, Resynthesis
from phonoscope_client.bundles import Bundle
from phonoscope_client.channel import Tls
from phonoscope_client.client import Client
from phonoscope_client.curves import Curve
from phonoscope_client.errors import invalid
from phonoscope_client.explanations import Explanation, Masking
from phonoscope_client.inversions import Inversions
from phonoscope_client.service import running_service

Note = Callable[[str], None]
Answer = TypeVar("Answer", Explanation, Inversions, Auralisation)


@dataclass(frozen=True)
class Connection:
    """Which service answers a command.

    Attributes:
        server: `host:port`; None starts one for the command.
        timeout_s: seconds an answer may take.
        root_certificates: PEM file of the authorities to trust, which turns on TLS; None for no encryption.
        token: bearer token, where the service asks for one.
    """

    server: str | None = None
    timeout_s: float = 120.0
    root_certificates: Path | None = None
    token: str | None = None

    @contextmanager
    def open(self, note: Note) -> Iterator[Client]:
        """A client of that service, for a `with` block."""
        if self.server is None:
            with running_service(note=note) as address, Client(address, timeout_s=self.timeout_s) as client:
                yield client
            return
        tls = None if self.root_certificates is None else Tls(self.root_certificates.read_bytes())
        with Client(self.server, timeout_s=self.timeout_s, tls=tls, token=self.token) as client:
            yield client


@dataclass(frozen=True)
class Region:
    """How the region of an explanation is chosen and made to sound, as `Client.explain` takes it."""

    rule: str | None = None
    alpha: float | Literal["keep-label"] | None = None
    maximum_area: float | None = None
    masking: Masking = "m1"
    outside_db: float | None = None


def explain(
    song: Path, at_s: float, out: Path | None, region: Region, connection: Connection, *, note: Note
) -> tuple[Explanation, dict[str, Any]]:
    """Explain one moment; write the report, sounds, arrays and summary where a folder is given.

    Returns:
        The explanation, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    _must_exist(song)
    with connection.open(note) as client:
        note(f"explaining {song.name} at {at_s:.2f} s ...")
        explanation = client.explain(song, at_s, **vars(region))
    return explanation, _summary(song, explanation, _write_explanation, out, started_s)


def invert(
    song: Path, at_s: float, layers: Sequence[str], out: Path | None, connection: Connection, *, note: Note
) -> tuple[Inversions, dict[str, Any]]:
    """Invert layers at one moment; write the report, sounds, arrays and summary where a folder is given.

    Args:
        song: the recording.
        at_s: the moment, in seconds.
        layers: names of layers; none for all that can be inverted.
        out: the folder; without one no sound is asked for.
        connection: which service answers.
        note: told what is going on.

    Returns:
        The inversions, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    _must_exist(song)
    with connection.open(note) as client:
        note(f"inverting {', '.join(layers) or 'every layer'} for {song.name} at {at_s:.2f} s ...")
        inversions = client.invert_layers(song, at_s, layers=layers, listen=out is not None)
    return inversions, _summary(song, inversions, _write_inversions, out, started_s)


@dataclass(frozen=True)
class Features:
    """Which features are to be heard, as `Client.auralise` takes them."""

    layer: str
    numbers: tuple[int, ...] = ()
    strongest: int | None = None
    network: Network = "tagger"
    resynthesis: Resynthesis = "phase"
    largest_activation_only: bool = False


def auralise(
    song: Path, at_s: float, features: Features, out: Path | None, connection: Connection, *, note: Note
) -> tuple[Auralisation, dict[str, Any]]:
    """Make features heard at one moment; write the report, sounds, arrays and summary where a folder is given.

    Args:
        song: the recording.
        at_s: the moment, in seconds.
        features: which.
        out: the folder; without one no sound is asked for.
        connection: which service answers.
        note: told what is going on.

    Returns:
        The auralisation, and the summary as one JSON document.
    """
    started_s = time.monotonic()
    _must_exist(song)
    with connection.open(note) as client:
        note(f"listening with {features.layer} of the {features.network} to {song.name} around {at_s:.2f} s ...")
        auralisation = client.auralise(
            song,
            at_s,
            features.layer,
            features=features.numbers,
            strongest=features.strongest,
            network=features.network,
            resynthesis=features.resynthesis,
            largest_activation_only=features.largest_activation_only,
            listen=out is not None,
        )
    return auralisation, _summary(song, auralisation, _write_auralisation, out, started_s)


def predict(song: Path, out: Path | None, connection: Connection, *, note: Note) -> tuple[Curve, dict[str, Any]]:
    """The curve of a whole recording; write its page and arrays where a folder is given.

    Returns:
        The curve, and the same as one JSON document.
    """
    _must_exist(song)
    with connection.open(note) as client:
        note(f"listening to {song.name} ...")
        curve = client.predict(song)
    document = {"song": str(song), **curve.to_json(), "files": {}}
    if out is not None:
        document["files"] = _write_curve(out, song, curve)
    return curve, document


def describe(connection: Connection, *, note: Note) -> Bundle:
    """What a service is serving."""
    with connection.open(note) as client:
        return client.describe()


def run_demo(
    song: Path | None, at_s: float | None, out: Path, connection: Connection, *, note: Note
) -> tuple[Explanation, dict[str, Any]]:
    """Explain the song that ships with Phonoscope."""
    return explain(song or demo.SONG, demo.AT_S if at_s is None else at_s, out, Region(), connection, note=note)


def _must_exist(song: Path) -> None:
    """Say so before a service is started for it."""
    if not song.is_file():
        raise invalid("audio", f"there is no file {str(song)!r}")


def _summary(
    song: Path,
    result: Answer,
    write: Callable[[Path, Path, Answer], dict[str, str]],
    out: Path | None,
    started_s: float,
) -> dict[str, Any]:
    """An answer as one JSON document, written beside its files where a folder is given."""
    files = {} if out is None else write(out, song, result)
    seconds = round(time.monotonic() - started_s, 3)
    summary = {"song": str(song), **result.to_json(), "files": files, "seconds_after_install": seconds}
    if out is not None:
        (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


def _write_curve(out: Path, song: Path, curve: Curve) -> dict[str, str]:
    from phonoscope_client.curve_report import curve_page  # noqa: PLC0415 - Matplotlib loads slowly

    out.mkdir(parents=True, exist_ok=True)
    files = {"report": out / "curve.html", "arrays": out / "curve.npz"}
    files["report"].write_text(curve_page(curve, song=song), encoding="utf-8")
    curve.save(files["arrays"])
    return {name: str(path) for name, path in files.items()}


def _write_inversions(out: Path, song: Path, inversions: Inversions) -> dict[str, str]:
    from phonoscope_client.inversion_report import inversion_page, listening_gain  # noqa: PLC0415 - likewise

    out.mkdir(parents=True, exist_ok=True)
    files = {"report": out / "layers.html", "arrays": out / "inversions.npz", "summary": out / "summary.json"}
    files["report"].write_text(inversion_page(inversions, song=song.name), encoding="utf-8")
    inversions.save(files["arrays"])
    for name, sound in inversions.sounds.items():
        files[f"{name}_audio"] = out / f"{name}.wav"
        data = wav(sound.samples, sound.sample_rate_hz, gain=listening_gain(inversions))
        files[f"{name}_audio"].write_bytes(data)
    return {name: str(path) for name, path in files.items()}


def _write_auralisation(out: Path, song: Path, auralisation: Auralisation) -> dict[str, str]:
    from phonoscope_client.auralisation_report import auralisation_page, listening_gains  # noqa: PLC0415 - likewise

    out.mkdir(parents=True, exist_ok=True)
    files = {"report": out / "features.html", "arrays": out / "auralisation.npz", "summary": out / "summary.json"}
    files["report"].write_text(auralisation_page(auralisation, song=song.name), encoding="utf-8")
    auralisation.save(files["arrays"])
    gains = listening_gains(auralisation)
    for name, sound in auralisation.sounds.items():
        files[f"{name}_audio"] = out / f"{name}.wav"
        files[f"{name}_audio"].write_bytes(wav(sound.samples, sound.sample_rate_hz, gain=gains[name]))
    return {name: str(path) for name, path in files.items()}


def _write_explanation(out: Path, song: Path, explanation: Explanation) -> dict[str, str]:
    from phonoscope_client.report import explanation_page, listening_gain  # noqa: PLC0415 - likewise

    out.mkdir(parents=True, exist_ok=True)
    files = {
        "report": out / "report.html",
        "arrays": out / "explanation.npz",
        "summary": out / "summary.json",
    }
    files["report"].write_text(explanation_page(explanation, song=song.name), encoding="utf-8")
    explanation.save(files["arrays"])
    sounds: dict[str, Waveform | None] = {
        "original": explanation.original_audio,
        "explanation": explanation.explanation_audio,
    }
    for name, sound in sounds.items():
        if sound is not None:
            files[f"{name}_audio"] = out / f"{name}.wav"
            data = wav(sound.samples, sound.sample_rate_hz, gain=listening_gain(explanation))
            files[f"{name}_audio"].write_bytes(data)
    return {name: str(path) for name, path in files.items()}
