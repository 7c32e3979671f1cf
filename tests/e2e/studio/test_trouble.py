"""A service that goes and comes back: the page says so, and asks again."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack

import pytest
from phonoscope_client import demo, running_service
from selenium.webdriver.common.keys import Keys
from support.services.studio import children
from support.services.studio import running_studio as running_own_studio
from support.services.studio_page import StudioPage, running_studio

pytestmark = pytest.mark.e2e


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_service_that_is_gone_is_said_and_asked_again(browser, request):
    repository = request.config.rootpath / "model_repository"
    arguments = ["--model-repository", str(repository), "--address", f"127.0.0.1:{free_port()}"]
    with ExitStack() as stack:
        first = stack.enter_context(running_service(arguments))
        address = stack.enter_context(running_studio(demo.SONG, "--server", first.address))
        page = StudioPage(browser, address).heard()
        stack.callback(page.leave)
        first.process.kill()
        first.process.wait()
        page.click("[data-do=ask-here]")
        page.until(lambda: page.one("#waiting").is_displayed())
        assert len(page.text("#waiting p")) > 20
        stack.enter_context(running_service(arguments))
        page.until(lambda: page.explanation() is not None)
        page.until(lambda: not page.one("#waiting").is_displayed())  # others may have been waiting, too
        assert page.all(".message") == []


def test_a_service_of_its_own_that_was_killed_is_started_again_and_asked(browser):
    with running_own_studio(demo.SONG) as studio:
        page = StudioPage(browser, studio.address).heard()
        (killed,) = children(studio.process.pid)
        os.kill(killed, signal.SIGKILL)
        page.click("[data-do=ask-here]")
        page.until(lambda: page.explanation() is not None)
        page.until(lambda: not page.one("#waiting").is_displayed())  # others may have been waiting, too
        assert page.all(".message") == []
        assert children(studio.process.pid) != [killed]
        page.leave()


def test_a_studio_that_has_ended_is_said(browser, service):
    with ExitStack() as stack:
        running = stack.enter_context(ExitStack())
        address = running.enter_context(running_studio(demo.SONG, "--server", service.address))
        page = StudioPage(browser, address).heard()
        stack.callback(page.leave)
        running.close()
        page.click("[data-do=ask-here]")
        page.until(lambda: page.one("#waiting").is_displayed())
        assert "Is it still running?" in page.text("#waiting p")
        page.press(Keys.ESCAPE)
        page.until(lambda: not page.one("#waiting").is_displayed())
