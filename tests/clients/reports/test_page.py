"""What every page has in common: names are text, and a template is given all that it names."""

import re
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from phonoscope_client import reports
from phonoscope_client.reports.page import page
from support.services.hostile_pages import ESCAPED, NAME, hostile_pages

PAGES = ("explanation", "curve", "inversion", "auralisation", "maximisation", "story", "track")
PICTURES = {"explanation": 3, "curve": 0, "inversion": 3, "auralisation": 3, "maximisation": 2, "story": 2, "track": 1}
SCRIPTS = {"track": 2}  # the second holds what it draws; elsewhere there is one


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return hostile_pages(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", PAGES)
def test_a_name_that_is_markup_is_text(hostile, name):
    assert NAME not in hostile[name]
    assert hostile[name].count(ESCAPED) >= 4  # title, heading, bundle and digest
    elements = Elements(hostile[name])
    assert elements.tags.count("img") == PICTURES[name]
    assert elements.tags.count("script") == SCRIPTS.get(name, 1)
    assert not [each for each in elements.attributes if each.startswith("on")]


def test_every_page_has_its_test(hostile):
    assert sorted(hostile) == sorted(PAGES)


def test_a_template_that_is_not_given_what_it_names_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="'curve' is undefined"):
        page("curve", title="", heading="", span_s=1.0, provenance=[])


def test_no_markup_is_written_in_python():
    programs = list(Path(reports.__file__).parent.rglob("*.py"))
    assert len(programs) > len(PAGES)
    assert [path.name for path in programs if re.search(r"</?[a-z]+[ >]", path.read_text())] == []
