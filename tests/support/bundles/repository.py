"""Copies of the model repository, altered on purpose."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
from phonoscope_trainer.repository.golden import read_golden
from triton_server.server import linked

REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"


def copied(folder):
    """A copy to alter: files are shared with the original until `put` replaces one."""
    return Path(shutil.copytree(REPOSITORY, folder / "repository", copy_function=linked))


def put(root, path, content):
    """Replaces one file, leaving the original's content alone."""
    (root / path).unlink(missing_ok=True)
    (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def edit_manifest(root, **fields):
    """Changes fields of the manifest and makes its digest right again."""
    manifest = json.loads((root / "MANIFEST.json").read_text()) | fields
    del manifest["digest"]
    said = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    put(root, "MANIFEST.json", json.dumps(manifest | {"digest": hashlib.sha256(said.encode()).hexdigest()}))


def without_inverters(folder):
    """A copy whose layers cannot be inverted, as bundles exported without inverters are."""
    inverters = [path.name for path in REPOSITORY.glob("inverter_*")]
    root = without(folder, "invert_layers", "sonify", *inverters)
    edit_manifest(root, inversion_error_quantiles={})
    return root


def without_generator(folder):
    """A copy that cannot maximise, as bundles exported without a generator are."""
    return without(folder, "maximise", "generate", "generated", "griffin_lim")


def of_tagger():
    """The models of the tagger: what is heard of it, and what makes it a listener."""
    return ("tagger", "tagger_frontend", *(path.name for path in REPOSITORY.glob("*_tagger")))


def without_auralisation(folder):
    """A copy whose features cannot be heard, as bundles exported without a tagger are."""
    return without(folder, "auralise", "auralise_detector", "deconvnet_detector", "resound_detector", *of_tagger())


def without(folder, *models):
    """A copy without some models and their golden vectors."""
    root = copied(folder)
    for model in models:
        shutil.rmtree(root / model, ignore_errors=True)  # a bundle may not have had it
    kept = {name: array for name, array in read_golden(root).items() if name.partition(".")[0] not in models}
    np.savez(folder / "golden.npz", **kept)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    left = {path: digest for path, digest in files.items() if (root / path).exists()}
    edit_manifest(root, files=left, listeners=[each for each in listeners(root) if (root / each["network"]).exists()])
    put_listed(root, "golden.npz", (folder / "golden.npz").read_bytes())
    return root


def listeners(root):
    """What the manifest says of each."""
    return json.loads((root / "MANIFEST.json").read_text())["listeners"]


def replace(root, path, old, new):
    """Changes the text of one file, and has the manifest agree to it."""
    text = (root / path).read_text()
    assert old in text
    put_listed(root, path, text.replace(old, new))


def put_listed(root, path, content):
    """Replaces one file, and has the manifest agree to it."""
    put(root, path, content)
    files = json.loads((root / "MANIFEST.json").read_text())["files"]
    edit_manifest(root, files=files | {path: hashlib.sha256((root / path).read_bytes()).hexdigest()})


def small(folder):
    """A copy that can predict and explain by one rule, and nothing else: it is loaded in a fraction of the time."""
    optional = ("auralise", "auralise_detector", *of_tagger())
    optional += ("deconvnet_detector", "resound_detector", "maximise", "generate", "generated", "griffin_lim")
    optional += ("invert_layers", "sonify", *(path.name for path in REPOSITORY.glob("inverter_*")))
    optional += ("along_inversion", "moments_inversion")
    root = without(folder, *optional, "explain_gradient", "gradient", "explain_inversion")
    manifest = json.loads((root / "MANIFEST.json").read_text())
    rules = {name: rule for name, rule in manifest["rules"].items() if name == manifest["default_rule"]}
    edit_manifest(root, inversion_error_quantiles={}, rules=rules)
    return root
