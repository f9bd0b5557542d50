"""Checks ``quotas.source = "auto"``: Service Quotas returns the rates; without its response AWS's defaults count."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from router.daemon.startup import read_quotas


def quota(operation, value):
    return {"ServiceCode": "connect", "QuotaName": f"Rate of {operation} API requests", "Value": value}


PAGES = [
    [quota("TransferContact", 10.0), quota("GetCurrentMetricData", 200.0), {"QuotaName": "Queues per instance"}],
    [quota("SearchContacts", 1.5), quota("DescribeContact", 40.0), quota("NobodyKnows", 3.0)],
]


@contextmanager
def service_quotas(*, status=200):
    """Serves AWS's JSON protocol on the loopback address: two pages, or a refusal."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.headers["X-Amz-Target"], body))
            page = 1 if body.get("NextToken") == "more" else 0
            answer = {"Quotas": PAGES[page], **({"NextToken": "more"} if page == 0 else {})}
            if status != 200:
                answer = {"__type": "AccessDeniedException", "Message": "not authorized"}
            told = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def app(centre):
    return centre.router(**{"quotas.source": "auto", "quotas.share": 0.5})


def rate(app, operation):
    app.connection.quotas.acquire(operation, until=0.0)
    return app.connection.quotas.snapshot()[operation].full_rate


def test_the_rates_of_the_account_are_taken_but_for_what_the_configuration_says(app, events, monkeypatch):
    assert rate(app, "GetCurrentMetricData") == 2.5
    with service_quotas() as (endpoint, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", endpoint)
        read_quotas(app)
    assert [target.rpartition(".")[2] for target, _ in asked] == ["ListServiceQuotas"] * 2
    assert asked[0][1]["ServiceCode"] == "connect"
    given = app.settings.quotas.given
    assert {"TransferContact", "SearchContacts", "DescribeContact"} <= given  # the test's own, fast ones
    assert rate(app, "TransferContact") == 50.0
    assert rate(app, "GetCurrentMetricData") == 2.5, "Service Quotas may show 200 for it, which is wrong"
    [line] = [line for line in events if line["event"] == "quotas.read"]
    assert (line["read"], line["others"]) == (0, {})


def test_a_rate_that_nobody_has_given_is_the_account_s_also_of_an_operation_in_use(centre, events, monkeypatch):
    app = centre.router(**{"quotas.source": "auto"})
    app.settings.quotas.model_fields_set.difference_update({"TransferContact", "SearchContacts"})
    rate(app, "TransferContact")
    with service_quotas() as (endpoint, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", endpoint)
        read_quotas(app)
    assert (rate(app, "TransferContact"), rate(app, "SearchContacts")) == (10.0, 1.5)
    [line] = [line for line in events if line["event"] == "quotas.read"]
    assert line["others"] == {"SearchContacts": 1.5, "TransferContact": 10.0}


def test_where_it_may_not_be_asked_the_defaults_stand_and_it_is_told(app, events, monkeypatch):
    with service_quotas(status=400) as (endpoint, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", endpoint)
        read_quotas(app)
    [line] = [line for line in events if line["event"] == "quotas.unread"]
    assert "AccessDeniedException" in line["message"]
    assert rate(app, "GetCurrentMetricData") == 2.5


def test_nobody_is_asked_unless_the_configuration_says_so(centre, monkeypatch):
    app = centre.router()
    with service_quotas() as (endpoint, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", endpoint)
        read_quotas(app)
    assert asked == []
