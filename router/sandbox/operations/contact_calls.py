"""DescribeContact, ListAssociatedContacts, GetContactAttributes."""

from __future__ import annotations

from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.contact_rows import associated_row, full_row


def describe_contact(call: OperationCall) -> Result:
    return {"Contact": full_row(call.state, call.contact())}


def list_associated_contacts(call: OperationCall) -> Result:
    """The contact tree: the chain, and what is related to any contact of it, in order of initiation."""
    contact = call.contact()
    tree = {each.id: each for each in call.state.contacts.chain(contact.chain.root)}
    related = [each for each in call.state.contacts.all_at(call.now) if each.chain.related_id in tree]
    tree |= {each.id: each for each in related}
    if contact.chain.related_id and (origin := call.state.contacts.get(contact.chain.related_id)):
        tree[origin.id] = origin
    rows = sorted(tree.values(), key=lambda each: (each.life.initiated_at, each.chain.position, each.id))
    page, token = call.page(rows, default=100)
    return {"ContactSummaryList": [associated_row(call.state, each) for each in page], "NextToken": token}


def get_contact_attributes(call: OperationCall) -> Result:
    return {"Attributes": dict(call.contact("InitialContactId").content.attributes)}
