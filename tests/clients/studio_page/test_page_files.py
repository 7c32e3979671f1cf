"""The studio's page as files: small, whole, from nowhere else, and without a way for a name to become markup."""

from __future__ import annotations

import hashlib
import re
from importlib import resources

import pytest

PAGE = resources.files("phonoscope_client") / "studio" / "page"
VENDOR = PAGE / "vendor"
OWN = sorted(
    (each for each in PAGE.iterdir() if each.name.endswith((".js", ".html", ".css"))), key=lambda each: each.name
)
INDEX = (PAGE / "index.html").read_text(encoding="utf-8")


def test_what_others_made_is_as_they_made_it():
    listed = dict(line.split()[::-1] for line in (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert {"wavesurfer.esm.js", "regions.esm.js", "wavesurfer.LICENSE"} == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_the_page_is_small():
    own = sum(len(each.read_bytes()) for each in OWN)
    others = sum(len(each.read_bytes()) for each in VENDOR.iterdir())
    assert others <= 100_000
    assert own + others <= 300_000


@pytest.mark.parametrize("file", OWN, ids=lambda each: each.name)
def test_no_file_makes_markup_of_text_or_fetches_from_elsewhere(file):
    text = file.read_text(encoding="utf-8")
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://", "http://"):
        assert way not in text
    assert len(text.splitlines()) <= 250


def test_the_page_has_no_script_or_style_of_its_own_inside():
    assert re.findall(r"<script[^>]*>(?=[^<])", INDEX) == []
    assert not re.search(r"\s(on\w+|style)=", INDEX)


def test_every_module_is_reached_from_the_page():
    modules = {each.name: each.read_text(encoding="utf-8") for each in OWN if each.name.endswith(".js")}
    reached, ahead = set(), ["main.js"]
    while ahead:
        if (name := ahead.pop()) not in reached:
            reached.add(name)
            ahead += re.findall(r'(?:from|import) "\./(\w+\.js)"', modules[name])
    assert reached == set(modules)


def test_every_part_a_module_asks_for_is_on_the_page():
    ids = set(re.findall(r'\bid="([\w-]+)"', INDEX)) | {"left-card", "right-card"}
    for file in OWN:
        asked = re.findall(r'one\("#([\w-]+)"', file.read_text(encoding="utf-8")) if file.name.endswith(".js") else []
        assert set(asked) <= ids, file.name
