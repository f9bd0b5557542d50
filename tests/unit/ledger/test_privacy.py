"""Nothing that identifies a customer is in the ledger's files, whatever Connect's messages quote."""

from dataclasses import fields, replace

import pytest

from router.ledger import AlreadyIntended
from router.model import Action, ActionKind, ActionState, Contact

PLANTED = ("jane.doe@example.org", "Jane Doe", "+442079460958", "hunter2 swordfish")


@pytest.fixture
def filled(open_ledger, path, act):
    """Fills a ledger in every way: an intent, its renewal, its outcome, a landing, a record and a refused record."""
    with open_ledger() as ledger:
        for number, value in enumerate(PLANTED):
            message = f"Invalid value '{value}' for CustomerEndpoint"
            intent = ledger.intend(act(f"c-{number}", error=message))
            ledger.renew(replace(intent, error=message, attempts=2))
            ledger.settle(replace(intent, state=ActionState.REFUSED, error=message))
            recorded = ledger.record(act(f"d-{number}", error=value))
            ledger.land(replace(recorded, error=message))
            warning = act(f"e-{number}", kind=ActionKind.WARN, target=None, error=message)
            ledger.record(warning)
            with pytest.raises(AlreadyIntended):
                ledger.record(replace(warning, error=value))
        ledger.settle(replace(ledger.intend(act("f")), state=ActionState.REFUSED, error="InvalidRequestException"))
    return path


def test_no_planted_value_is_in_the_files_of_a_filled_ledger(filled):
    content = b"".join(each.read_bytes() for each in filled.parent.iterdir())

    assert b"InvalidRequestException" in content
    for value in PLANTED:
        # Shorter words stand in any file by chance.
        for word in {value, *(word for word in value.split() if len(word) > 5)}:
            assert word.encode() not in content
            assert word.encode("utf-16-le") not in content


def test_an_action_has_no_field_of_a_contact_that_tells_who_the_customer_is():
    identifying = {"name", "tags", "segment_attributes", "attributes", "details", "to_address", "from_address"}

    assert identifying - {field.name for field in fields(Contact)} <= {"attributes", "to_address", "from_address"}
    assert not identifying & {field.name for field in fields(Action)}
