"""Makes a few calls faster than the documented quota allows, of an operation that a running service does not need."""

from __future__ import annotations

from router.acceptance.lab import Lab
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.connect.plain_calls import PlainAnswer

MOST_CALLS = 12
"""The documented burst of the operation is 5, and its rate 2 a second (Amazon Connect service quotas)."""


def burst(lab: Lab) -> tuple[int, PlainAnswer]:
    """Returns how many calls at once were answered, and the answer that throttled the next one."""
    for made in range(MOST_CALLS):
        answer = lab.call_at_once("DescribeContactFlow", ContactFlowId=lab.resources.transfer)
        if answer.status == 429:
            return made, answer
        if not answer.ok:
            raise Unsettled(f"DescribeContactFlow failed ({answer.code})")
    raise Unsettled(f"{MOST_CALLS} calls at once were all answered: the quota is higher than the documented one")


@probe("throttle_code", "What is the name of the error of a throttled call?")
def throttle_code(lab: Lab) -> SeenValue:
    answered, throttled = lab.once(burst)
    code = str(throttled.code)
    figures = {"answered_at_once": float(answered), "documented_burst": 5.0}
    return SeenValue(value=code, remark="DescribeContactFlow", figures=figures)


@probe("error_bodies", "What is in the body of an error?")
def error_bodies(lab: Lab) -> SeenValue:
    answer = lab.call("DescribeContact", ContactId=_NO_CONTACT)
    if answer.ok or answer.body_form is None:
        raise Unsettled("no call was refused")
    return SeenValue(value=answer.body_form)


_NO_CONTACT = "00000000-0000-4000-8000-000000000000"
