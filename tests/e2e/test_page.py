"""Looks at the service's page over HTTP, and with a real browser if there is one."""

import json
import os
import shutil
import socket
import subprocess
from contextlib import ExitStack, closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from router.daemon import web_server
from router.daemon.status import status_of
from router.daemon.web_server import ASSETS, CONNECTIONS, exposed

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "build" / "browser"
"""``make suite`` installs axe and puppeteer there if npm is on this machine."""
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOUR = timedelta(hours=1)
MARKUP = "<img src=x onerror='run=1'><b>bold</b>&amp; \u202e" + "long" * 40


@pytest.fixture
def app(centre):
    """Returns a router with one moved, one held and one ungoverned contact."""
    for _ in range(3):
        centre.world.enqueue("TASK", "Billing", waited=HOUR + timedelta(seconds=40))
    centre.world.enqueue("TASK", "Billing Overflow", waited=2 * HOUR)
    app = centre.router(**{"metrics.listen": "127.0.0.1:9464", "guard.per_cycle": 1})
    app.vital.ready()
    app.vital.cycled(app.cycle.run(until=None))
    return app


@pytest.fixture
def port(app):
    with exposed(app, host="127.0.0.1", port=0) as port:
        yield port


def ask(port, path, method="GET", **headers):
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def test_the_page_has_what_status_has(port, app):
    status, headers, body = ask(port, "/status.json")

    assert (status, headers["Content-Type"]) == (200, "application/json")
    shown = json.loads(body)
    assert set(shown) == set(status_of(app))
    assert {one["queue"] for one in shown["queues"]} == {"Billing", "Billing Overflow"}
    assert [one["from_queue"] for one in shown["last_moves"]] == ["Billing"]


@pytest.mark.parametrize("path", [*ASSETS, "/status.json", "/healthz", "/nowhere"])
def test_every_answer_forbids_scripts_and_requests_of_others(port, path):
    _, headers, _ = ask(port, path)

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "connect-router", "it names no version of Python"


def test_the_page_names_no_other_server_and_has_nothing_inline():
    page = ROOT / "router" / "daemon" / "page"
    texts = {file.name: file.read_text(encoding="utf-8") for file in page.iterdir()}

    assert set(texts) == {name for name, _ in ASSETS.values()}
    assert "https:" not in "".join(texts.values())
    assert "".join(texts.values()).count("http:") == texts["icon.svg"].count("http://www.w3.org/2000/svg")
    assert "style=" not in texts["index.html"]
    assert "<script>" not in texts["index.html"]
    assert "innerHTML" not in texts["page.js"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/healthz"])
def test_nothing_can_be_written(port, path, method):
    status, headers, _ = ask(port, path, method)

    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/healthz", "/readyz"])
def test_head_has_the_headers_of_get_without_the_body(port, path):
    got, kept = ask(port, path), ask(port, path, "HEAD")

    assert (kept[0], kept[1]["Content-Type"], kept[2]) == (got[0], got[1]["Content-Type"], b"")


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:9464", 200), ("127.0.0.1", 200), ("[::1]:9464", 200), ("evil.example", 403), ("", 403), ("[", 403)],
)
def test_a_page_of_another_site_cannot_read_the_status_by_a_name_of_its_own(port, host, status):
    assert ask(port, "/status.json", Host=host)[0] == status


@pytest.mark.parametrize(
    ("silent", "health", "ready"),
    [(timedelta(), 200, 200), (HOUR, 503, 503)],
)
def test_the_health_checks_follow_the_last_complete_cycle(app, monkeypatch, silent, health, ready):
    now = app.clock.monotonic
    monkeypatch.setattr(app.clock, "monotonic", lambda: now() + silent.total_seconds())
    with exposed(app, host="127.0.0.1", port=0) as port:
        assert (ask(port, "/healthz")[0], ask(port, "/readyz")[0]) == (health, ready)


def test_a_router_that_has_not_reached_the_instance_is_healthy_and_not_ready(centre):
    app = centre.router()
    with exposed(app, host="127.0.0.1", port=0) as port:
        assert (ask(port, "/healthz")[0], ask(port, "/readyz")[0]) == (200, 503)


def test_a_router_that_stops_is_not_ready(app):
    app.stopping.set()
    with exposed(app, host="127.0.0.1", port=0) as port:
        assert (ask(port, "/healthz")[0], ask(port, "/readyz")[0]) == (200, 503)


def test_many_silent_connections_neither_stop_an_answer_nor_the_end(port):
    with ExitStack() as open_connections:
        for _ in range(3 * CONNECTIONS):
            connection = open_connections.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.sendall(b"GET / HTT")

        assert ask(port, "/status.json")[0] == 200


def test_many_requests_cost_the_router_one_look(app, monkeypatch):
    looks = []

    def counted(app):
        looks.append(app)
        return status_of(app)

    monkeypatch.setattr(web_server, "status_of", counted)
    monkeypatch.setattr(web_server, "FRESH", 60.0)
    with exposed(app, host="127.0.0.1", port=0) as port:
        for _ in range(10):
            ask(port, "/status.json")

    assert len(looks) == 1


@pytest.fixture
def looks(app, monkeypatch, tmp_path):
    """Returns what a browser found on a page whose names contain markup, at two widths, light and dark."""
    if BROWSER is None or not (PACKAGES / "node_modules").is_dir() or shutil.which("node") is None:
        pytest.skip("there is no Chromium or no axe here (make suite installs axe if there is npm)")
    status = status_of(app)
    names = {"queue": MARKUP, "from_queue": MARKUP, "to_queue": MARKUP, "rule": MARKUP}
    for part in ("queues", "last_moves", "next_due"):
        status[part] = [{**one, **{key: names[key] for key in names if key in one}} for one in status[part]]
    status["queues"][0] |= {"promise_s": 1800.0, "used": 0.5}
    status["queues"].append({**status["queues"][0], "queue": "Claims", "used": 0.9})
    status["queues"].append({**status["queues"][0], "queue": "Late", "used": 2.2, "late": 3})
    status["rules"] |= {"unresolved": [MARKUP]}
    status["suspended_flows"] = [MARKUP]
    monkeypatch.setattr(web_server, "status_of", lambda _: status)
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    with exposed(app, host="127.0.0.1", port=0) as port:
        script = ["node", str(ROOT / "tests" / "browser" / "look.cjs"), str(PACKAGES), BROWSER]
        command = [*script, f"http://127.0.0.1:{port}/", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_in_a_browser_the_page_is_accessible_whole_and_safe(looks):
    assert [(one["name"], one["scheme"]) for one in looks] == [
        ("phone", "light"), ("phone", "dark"), ("desktop", "light"), ("desktop", "dark"),
    ]  # fmt: skip
    for one in looks:
        assert one["violations"] == []
        assert one["said"] == [], "no error, no request to another server, nothing that the policy forbids"
        assert one["run"] is None
        assert not {"img", "b"} & set(one["tags"])
        assert MARKUP[:30] in one["text"]
        assert "\\u202e" in one["text"], "no name turns the direction of the text around it"
        assert "\u202e" not in one["text"]
        assert one["wider"] <= 0, "nothing is cut off at the right"
        assert one["bars"][:1] + one["bars"][-2:] == ["50%", "90%", "100%"]
    assert len({one["ground"] for one in looks}) == 2, "light and dark differ"
