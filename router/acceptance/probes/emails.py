"""Starts the one e-mail that several probes need, and pauses it after the others."""

from __future__ import annotations

import uuid

from router.acceptance.lab import EXPIRY, Lab, refusal
from router.acceptance.probe import SeenValue, Unsettled, probe
from router.acceptance.probes.pauses import allowed, one_pause


def queued_email(lab: Lab) -> str:
    """Returns an e-mail that waits in queue A. Raises ``Unsettled`` without an address of the instance."""
    address = lab.options.email
    if address is None:
        raise Unsettled("needs an e-mail: name an address of the instance with --email")
    name = lab.name("email")
    answer = lab.call(
        "StartEmailContact",
        FromEmailAddress={"EmailAddress": "connect-router-acceptance@example.com"},
        DestinationEmailAddress=address,
        Name=name,
        EmailMessage={
            "MessageSourceType": "RAW",
            "RawMessage": {"Subject": name, "Body": name, "ContentType": "text/plain"},
        },
        ContactFlowId=lab.resources.inbound,
        SegmentAttributes={"connect:ContactExpiry": {"ValueInteger": EXPIRY[lab.options.length]}},
        ClientToken=str(uuid.uuid4()),
    )
    lab.uncertain |= answer.uncertain
    if not answer.ok:
        raise Unsettled(refusal(answer))
    contact_id: str = answer.body["ContactId"]
    lab.known.append(contact_id)
    lab.await_queue(contact_id, lab.resources.queue_a)
    return contact_id


@probe("email_pause", "Can an e-mail be paused?")
def email_pause(lab: Lab) -> SeenValue:
    lab.once(one_pause)
    return allowed(lab.call("PauseContact", ContactId=lab.once(queued_email)))
