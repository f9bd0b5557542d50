"""Checks refusals and broken responses of DynamoDB: one line, nothing changed, and the work continues when it can."""

from __future__ import annotations

import json

import pytest

from router.ledger import LedgerUnavailable
from router.ledger.shared.lease import LEASE, Lease

CODES = {
    "ProvisionedThroughputExceededException": 400,
    "ThrottlingException": 400,
    "RequestLimitExceeded": 400,
    "AccessDeniedException": 400,
    "ExpiredTokenException": 400,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
NONSENSE = {"no JSON": (200, b"<html>"), "empty": (200, b""), "empty error": (503, b""), "a list": (400, b"[1]")}


def refusal(code):
    told = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "not now,\nplease \x1b[31m"}
    return CODES[code], json.dumps(told).encode()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", ["PutItem", "GetItem", "Query"])
def test_a_refusal_is_one_line_with_its_code_and_changes_nothing(shared, act, held, operation, code):
    ledger, watching = shared.router("a", tries=1), shared.router("b", tries=1)
    ledger.take_over()
    ledger.record(act("before"))
    watching.catch_up()
    before = held(watching)
    ledger.record(act("meanwhile"))
    shared.proxy.answers[operation] = refusal(code)

    asks = watching.catch_up if operation != "PutItem" else lambda: ledger.intend(act("refused"))
    with pytest.raises(LedgerUnavailable) as told:
        asks()

    assert code in str(told.value)
    assert str(told.value).isprintable()
    assert ledger.open_intents() == ()
    assert held(watching) == before
    shared.proxy.answers.clear()
    ledger.intend(act("refused"))
    watching.catch_up()
    assert held(watching) == held(ledger)


@pytest.mark.parametrize("answer", NONSENSE)
def test_an_answer_that_is_none_of_dynamodb_s_is_one_line(shared, act, held, answer):
    ledger = shared.router("a", tries=1)
    ledger.take_over()
    shared.proxy.answers.update(dict.fromkeys(("PutItem", "GetItem", "Query"), NONSENSE[answer]))

    with pytest.raises(LedgerUnavailable) as told:
        ledger.catch_up()
    with pytest.raises(LedgerUnavailable):
        shared.router("b", tries=1).take_over()
    assert str(told.value).isprintable()
    shared.proxy.answers.clear()
    ledger.catch_up()
    assert held(ledger) == held(shared.router("b"))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_lease_that_cannot_be_renewed_is_one_line_and_runs_out(shared, code):
    at = [0.0]
    lease = Lease(shared.table(1), shared.instance, name="a", monotonic=lambda: at[0], now=lambda: shared.now)
    assert lease.try_to_hold()
    shared.proxy.answers["PutItem"] = refusal(code)
    at[0] = 5.0
    with pytest.raises(LedgerUnavailable, match=code):
        lease.try_to_hold()
    assert lease.held
    at[0] = 10.0
    assert not lease.held
    item = shared.direct.get(shared.instance, LEASE)
    assert item is not None
    assert item["version"] == 1
