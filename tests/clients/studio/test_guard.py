"""Nobody but the page that the studio opened is let in."""

import pytest
from support.services.studio import Visitor

pytestmark = pytest.mark.e2e
PATHS = ("/", "/page/main.js", "/api/songs", "/api/bundle", "/api/nowhere")


@pytest.fixture
def stranger(studio):
    return Visitor(studio.address)


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_answered_but_what_to_do(stranger, path):
    answer = stranger.get(path)
    assert answer.status == 403
    assert "address that it printed" in answer.body.decode()


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 5000])
def test_another_token_does_not_let_in(stranger, token):
    answer = stranger.get(f"/?token={token.encode().hex() if not token.isascii() else token}")
    assert answer.status == 403
    assert "set-cookie" not in answer.headers
    stranger.cookie = f"phonoscope-studio-{stranger.host.rpartition(':')[2]}=x"
    assert stranger.get("/api/songs").status == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_sees(stranger):
    answer = stranger.enter()
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.host.rpartition(":")[2] in cookie
    assert stranger.get("/").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost:1"])
def test_a_foreign_name_that_leads_here_is_refused(visitor, host):
    answer = visitor.get("/api/songs", host=host)
    assert answer.status == 403
    assert host in answer.error["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"},
        {"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors"},
    ],
    ids=lambda each: next(iter(each.values())),
)
def test_what_another_page_asks_is_refused_even_with_the_cookie(visitor, headers):
    assert visitor.get("/api/songs", **headers).status == 403
    assert visitor.ask("POST", "/api/songs?name=x", b"x", **headers).status == 403


def test_its_own_page_is_answered_and_no_answer_is_for_others(visitor):
    for path in ("/", "/api/songs", "/page/main.js", "/api/nowhere"):
        answer = visitor.get(path, origin=f"http://{visitor.host}", sec_fetch_site="same-origin")
        assert answer.status == (404 if path == "/api/nowhere" else 200)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/page/../server.py", "/page/%2e%2e/server.py", "/page/..%2fserver.py", "/page//etc/passwd"]
)
def test_nothing_but_the_pages_own_files_is_served(visitor, path):
    assert visitor.get(path).status == 404


def test_questions_are_json_of_a_bounded_size(visitor, number):
    path = f"/api/songs/{number}/explain"
    assert visitor.ask("POST", path, b"{}", **{"content-type": "text/plain"}).status == 415
    for body in (b"", b"[1]", b"{", b"[" * 60_000):
        assert visitor.ask("POST", path, body, **{"content-type": "application/json"}).status == 400
    answer = visitor.post(path, {"at_s": 1, "rule": "x" * 70_000})
    assert answer.status == 413
    assert "MiB" in answer.error["message"]
