"""Checks that a marker in every credential is nowhere in output, log, ledger or status, whatever fails."""

import json
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.builders.topics import open_topic

MARK = "Xyzzy"
KEYS = {
    "AWS_ACCESS_KEY_ID": f"{MARK}KeyKeyKeyKeyKey1",
    "AWS_SECRET_ACCESS_KEY": f"{MARK}/Secret+Secret+Secret/Secret+Secret",
    "AWS_SESSION_TOKEN": f"{MARK}Token//Token++Token//Token++Token==",
}
COMMANDS = [
    ["plan"],
    ["check", "--live"],
    ["run", "--once", "--log-level", "debug"],
    ["explain", "c1"],
]


def quoting(name, message="The request was {request}"):
    """Returns an answer of a server that quotes the whole request in its error."""

    def answer(request):
        told = message.format(request=request)
        return 403, {"x-amzn-ErrorType": name, "x-amzn-RequestId": "r"}, json.dumps({"message": told}).encode()

    return answer


ANSWERS = {
    "a wrong secret key": quoting("InvalidSignatureException", "The Canonical String should have been '{request}'"),
    "another wrong key": quoting("SignatureDoesNotMatch"),
    "a header that is no header": quoting("IncompleteSignature", "'{request}' not a valid key=value pair"),
    "an expired token": quoting("ExpiredTokenException"),
    "an unknown key": quoting("UnrecognizedClientException"),
    "a refused permission": quoting("AccessDeniedException"),
    "a refused request": quoting("InvalidRequestException"),
    "a page of a proxy": lambda request: (403, {}, f"<html>{request}</html>".encode()),
    "an error page of a proxy": lambda request: (502, {}, f"<html>{request}</html>".encode()),
    "a success that is none": lambda request: (200, {}, f"<html>{request}</html>".encode()),
    "JSON of another kind": lambda request: (200, {}, json.dumps({"Queue": request}).encode()),
}


@pytest.fixture
def quoting_server():
    """Starts a server that quotes each request in its answer; ``answer`` decides how."""

    class Handler(BaseHTTPRequestHandler):
        answer = staticmethod(ANSWERS["a wrong secret key"])

        def do_any(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = type(self).answer(str(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_any

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield Handler, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def kept(bench):
    """Returns everything that is in the folder of the configuration: ledger, kept rules, logs."""
    return b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())


def assert_hidden(bench, done):
    for text in (done.stdout, done.stderr):
        assert MARK not in text
    assert MARK.encode() not in kept(bench)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_that_quotes_the_request(bench, quoting_server, command, kind):
    handler, endpoint = quoting_server
    handler.answer = staticmethod(ANSWERS[kind])
    done = bench.run(*command, AWS_ENDPOINT_URL_CONNECT=endpoint, **KEYS)
    assert_hidden(bench, done)


@pytest.mark.parametrize("command", [["plan"], ["run", "--once", "--log-level", "debug"]], ids=" ".join)
@pytest.mark.parametrize("variable", KEYS)
@pytest.mark.parametrize("flaw", ["{}\n", " {}", "{}\r\nx: y", "{}\x01", "{}ä"], ids=repr)
def test_a_credential_that_cannot_be_sent(bench, command, variable, flaw):
    environment = {**KEYS, variable: flaw.format(KEYS[variable]), "CONNECT_ROUTER_TRACEBACK": "1"}
    done = bench.run(*command, **environment)
    assert done.returncode == 1
    assert_hidden(bench, done)
    assert variable in done.stderr


PROFILES = {
    "a process that prints no JSON": "credential_process = echo {mark}",
    "a process that fails": "credential_process = sh -c 'echo {mark} >&2; exit 3'",
    "a process that is not there": "credential_process = /no/such {mark}",
    "a role of an unknown source": "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = nobody",
    "a broken line": "aws_access_key_id {mark}",
    "a file that is no text": "aws_access_key_id = {mark}\udcff",
}


@pytest.mark.parametrize("kind", PROFILES)
@pytest.mark.parametrize("command", [["plan"], ["run", "--once", "--log-level", "debug"]], ids=" ".join)
def test_a_profile_that_does_not_work(bench, kind, command):
    config = bench.folder.parent / "aws-config"
    text = f"[default]\n{PROFILES[kind].format(mark=MARK)}\n"
    config.write_bytes(text.encode(errors="surrogateescape"))
    nothing = dict.fromkeys(KEYS)
    done = bench.run(*command, AWS_CONFIG_FILE=str(config), AWS_SHARED_CREDENTIALS_FILE=str(config), **nothing)
    assert done.returncode != 0
    assert_hidden(bench, done)


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_CONNECT", "HTTP_PROXY", "HTTPS_PROXY"])
def test_a_password_in_an_address(bench, variable):
    url = f"http://me:{MARK}@127.0.0.1:9"
    done = bench.run("plan", NO_PROXY=None, no_proxy=None, **{**KEYS, variable: url})
    assert_hidden(bench, done)


def test_the_service_and_its_status(bench, quoting_server, reading, ending):
    handler, endpoint = quoting_server
    service = bench.start("run", "--log-level", "debug", AWS_ENDPOINT_URL_CONNECT=endpoint, **KEYS)
    printed = [json.dumps(reading(service, "api.denied"))]
    for answer in ANSWERS.values():
        handler.answer = staticmethod(answer)
        time.sleep(0.4)
        done = bench.run("status", "--json")
        printed += [done.stdout, done.stderr]
    lines, _ = ending(service)
    assert MARK not in json.dumps([printed, lines])
    assert MARK.encode() not in kept(bench)


def notify(bench, arn):
    config = bench.folder / "config.toml"
    config.write_text(config.read_text() + f'\n[notify]\nsns_topic = "{arn}"\n')


def test_messages_about_an_answer_that_quotes_the_request(bench, quoting_server, reading, ending):
    with open_topic() as topic:
        notify(bench, topic.arn)
        endpoints = {"AWS_ENDPOINT_URL_CONNECT": quoting_server[1], "AWS_ENDPOINT_URL_SNS": topic.proxy.endpoint}
        service = bench.start("run", "--log-level", "debug", **endpoints, **KEYS)
        reading(service, "api.denied")
        messages = topic.until(1)
        ending(service)
    assert messages[0].attributes["event"] == "api.denied"
    assert MARK not in str(messages)


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_topic_that_quotes_the_request(bench, quoting_server, kind):
    handler, endpoint = quoting_server
    handler.answer = staticmethod(ANSWERS[kind])
    notify(bench, "arn:aws:sns:us-east-1:123456789012:connect-router")
    bench.enqueue(waited=timedelta(minutes=45))
    done = bench.run("run", "--once", "--enforce", "--log-level", "debug", AWS_ENDPOINT_URL_SNS=endpoint, **KEYS)
    assert '"notify.failed"' in done.stdout or kind == "a success that is none"
    assert_hidden(bench, done)


def test_a_service_whose_keys_are_refused_in_service(bench, reading, ending):
    service = bench.start("run", "--log-level", "debug", **KEYS)
    reading(service, "cycle.finished")
    bench.sandbox.world.faults.add("error", code="SignatureDoesNotMatch", message=f"not '{KEYS['AWS_SESSION_TOKEN']}'")
    while reading(service, "cycle.finished")["complete"]:
        pass
    done = bench.run("status")
    assert done.returncode == 1
    assert "AWS refuses the credentials, and no call is made: renew them" in done.stderr
    assert MARK not in done.stdout + done.stderr
    lines, _ = ending(service)
    assert not any(line["complete"] for line in lines if line["event"] == "cycle.finished")
    assert MARK not in json.dumps(lines)
    assert MARK.encode() not in kept(bench)
