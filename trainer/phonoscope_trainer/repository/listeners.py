"""A listener of a bundle as the trainer knows listeners: its network in torch again, differentiable, with its layers.

Whoever has the bundle can train a masker or inverters for a listener of it, or judge it; the module that it was made of
need not be there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phonoscope_trainer.errors import ExportError
from phonoscope_trainer.frontends.linear import LINEAR_STFT
from phonoscope_trainer.frontends.parameters import FrontendParameters
from phonoscope_trainer.graphs.translation.as_network import AsNetwork
from phonoscope_trainer.graphs.translation.network import Translated
from phonoscope_trainer.networks.listener import Listener
from phonoscope_trainer.repository.manifest import MANIFEST
from phonoscope_trainer.repository.whole_graph import read_graph

PARAMETERS = "frontend_parameters"  # of a listener's entry
LINEAR_FRONTEND = "tagger_frontend"  # described by its code, not by its entry
# The same pictures, but for a clip's edges: its frames are centred, and those of music that is learnt from are not.
LINEAR_PARAMETERS = FrontendParameters(
    sample_rate_hz=LINEAR_STFT.sample_rate_hz,
    window_samples=LINEAR_STFT.frame_samples,
    fft_samples=LINEAR_STFT.frame_samples,
    hop_samples=LINEAR_STFT.hop_samples,
    power=1,
    scale="linear",
    bands=LINEAR_STFT.bins,
    full_scale=LINEAR_STFT.gain,
    compression="none",
)


def listeners_of(root: Path) -> tuple[str, ...]:
    """Names of a bundle's listeners; none of a bundle that describes its detector alone.

    Raises:
        ExportError: there is no bundle at `root`.
    """
    return tuple(each["name"] for each in _manifest(root).get("listeners", []))


def entry_of(root: Path, name: str = "") -> Mapping[str, Any]:
    """What the manifest says of a listener, its own rules and thresholds among it; the first one's without a name.

    Raises:
        ExportError: there is no bundle at `root`, or it has no such listener.
    """
    manifest = _manifest(root)
    entries: dict[str, dict[str, Any]] = {each["name"]: each for each in manifest.get("listeners", [])}
    found = entries.get(name) if name else next(iter(entries.values()), None)
    if found is None:
        raise ExportError(f"{root}: has no listener {name!r}; it has {', '.join(entries) or 'the detector alone'}")
    return found if found["suffix"] else {**manifest, **found}


def listener_of_bundle(root: Path, name: str) -> Listener:
    """A listener whose network can be differentiated.

    Raises:
        ExportError: see `entry_of` and `pictures_of`; or its graph holds operators that are not translated to torch.
    """
    entry = entry_of(root, name)
    parameters, frames = pictures_of(entry)
    network = Translated(read_graph(root / entry["network"] / "1" / "model.onnx"))
    as_network = AsNetwork(network, tuple(network.answered), entry["decision"])
    shared = (parameters, frames, as_network.eval(), tuple(entry["labels"]), entry["decision"])
    return Listener(entry["name"], *shared, thresholds_of(entry))


def pictures_of(entry: Mapping[str, Any]) -> tuple[FrontendParameters, int]:
    """The front-end of a listener, and how many frames an excerpt has.

    Raises:
        ExportError: they are not described by parameters.
    """
    if entry["frontend"] == LINEAR_FRONTEND:
        return LINEAR_PARAMETERS, LINEAR_STFT.clip_frames
    if PARAMETERS not in entry:
        raise ExportError(
            f"the pictures of {entry['name']} are not described by parameters: the detector has commands without "
            "--listener, and a network on sound has no pictures"
        )
    return FrontendParameters(**entry[PARAMETERS]), int(entry["frames"])


def thresholds_of(entry: Mapping[str, Any]) -> tuple[float, ...]:
    """Of a listener's labels, one a label of `multi-label`, one of `binary`, none of `multi-class`."""
    if entry["decision"] == "binary":
        return (float(entry["threshold"]),)
    return tuple(float(each) for each in entry.get("thresholds", ()))


def _manifest(root: Path) -> dict[str, Any]:
    path = root / MANIFEST
    if not path.is_file():
        raise ExportError(f"{root}: no {MANIFEST}, so no bundle; `phonoscope-train adopt` makes one of a network")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
