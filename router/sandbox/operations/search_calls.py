"""Responds to SearchContacts, from an index that may be behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from router.sandbox.chains import transferred_reason
from router.sandbox.contacts import SandboxContact
from router.sandbox.directory import bare
from router.sandbox.faults import Refusal, invalid_parameter
from router.sandbox.operations.call import OperationCall, Result
from router.sandbox.operations.contact_rows import search_row

LONGEST_SPAN = timedelta(weeks=8)
"""Admin guide, "contact-search". Beyond it the API was seen to respond with 500."""

REACH = 10_000
"""The admin guide's "first 10K results"."""

Test = Callable[[SandboxContact], bool]

TIMES: Mapping[str, Callable[[SandboxContact], datetime | None]] = {
    "INITIATION_TIMESTAMP": lambda contact: contact.life.initiated_at,
    "SCHEDULED_TIMESTAMP": lambda contact: contact.life.scheduled_at,
    "CONNECTED_TO_AGENT_TIMESTAMP": lambda contact: contact.connected_at,
    "DISCONNECT_TIMESTAMP": lambda contact: contact.life.disconnected_at,
    "ENQUEUE_TIMESTAMP": lambda contact: contact.enqueued_at,
    "EXPIRY_TIMESTAMP": lambda contact: contact.life.expires_at,
}


def search_contacts(call: OperationCall) -> Result:
    """Searches contacts. A contact without the timestamp of the time range is not in the result (admin guide)."""
    tests = list(_tests(call))
    snapshot = call.world.behaviours.search_pages == "snapshot"
    moment = call.token().as_of if snapshot else call.now
    this_search = call.digest(), moment, call.state.contacts.changes, call.world.behaviours
    if call.state.last_search[0] != this_search:
        matching = [contact for contact in _index(call, moment) if all(test(contact) for test in tests)]
        _sort(matching, call.params.get("Sort"))
        call.state.last_search = this_search, tuple(matching)
    found = call.state.last_search[1]
    page = call.rows("Contacts", found[:REACH], lambda contact: search_row(call.state, contact))
    return page | {"TotalCount": len(found)}


def _index(call: OperationCall, moment: datetime) -> Iterator[SandboxContact]:
    """Yields the contacts of the index. Chat is in it while it waits, voice only after the connection (admin guide,
    "contact-search")."""
    behaviours, contacts = call.world.behaviours, call.state.contacts
    rows = contacts.live_at if _wants_live(call) and not behaviours.old_segment_lag else contacts.all_at
    for row in rows(moment - behaviours.index_lag):
        contact = _before_its_transfer(call, row, moment) or row
        if contact.channel != "VOICE" or not contact.queued:
            yield contact


def _before_its_transfer(call: OperationCall, contact: SandboxContact, moment: datetime) -> SandboxContact | None:
    """Returns the contact as it was before a transfer ended it, if the index still shows that."""
    behaviours, ended_at = call.world.behaviours, contact.life.disconnected_at
    if ended_at is None or contact.life.disconnect_reason != transferred_reason(contact):
        return None
    if ended_at <= moment - behaviours.index_lag - behaviours.old_segment_lag:
        return None
    return call.state.contacts.at(contact.id, ended_at - timedelta(microseconds=1))


def _wants_live(call: OperationCall) -> bool:
    """Returns whether only contacts that have not ended can match. The many ended ones are then skipped."""
    additional = (call.params.get("SearchCriteria") or {}).get("AdditionalTimeRange") or {}
    conditions = [each.get("TimestampCondition", {}).get("Type") for each in additional.get("Criteria", ())]
    honoured = call.world.behaviours.not_exists == "honoured"
    return honoured and additional["MatchType"] == "MATCH_ALL" if "DISCONNECT_TIMESTAMP" in conditions else False


def _tests(call: OperationCall) -> Iterator[Test]:
    yield _in_range(call.params["TimeRange"])
    criteria = call.params.get("SearchCriteria") or {}
    other = sorted(set(criteria) - set(CRITERIA))
    if other:
        raise invalid_parameter(f"the sandbox does not offer {', '.join(other)} in SearchCriteria")
    for name, make in CRITERIA.items():
        if criteria.get(name):
            yield make(call, criteria[name])


def _in_queues(call: OperationCall, references: Sequence[str]) -> Test:
    queue_ids = [_queue(call, each) for each in references]
    queues = call.listed(call.state.register.queues, queue_ids, "Queue")
    return _among([queue.id for queue in queues], lambda contact: contact.queue_id)


def _queue(call: OperationCall, reference: str) -> str:
    """Returns the id of a queue. The ARN also names an agent's queue, whatever its id is."""
    for queue in call.state.register.queues.values():
        if reference in (queue.id, queue.arn):
            return queue.id
    return bare(reference)


def _among(wanted: Sequence[str], value: Callable[[SandboxContact], str | None]) -> Test:
    chosen = frozenset(wanted)
    return lambda contact: value(contact) in chosen


def _in_range(span: Mapping[str, Any]) -> Test:
    start, end = span["StartTime"].astimezone(UTC), span["EndTime"].astimezone(UTC)
    time_of = TIMES[span["Type"]]
    if end < start:
        raise invalid_parameter("EndTime is before StartTime")
    if end - start > LONGEST_SPAN:
        raise Refusal("InternalServiceException", "Request processing failed because of an error or failure")

    def test(contact: SandboxContact) -> bool:
        instant = time_of(contact)
        return instant is not None and start <= instant <= end

    return test


def _additional(call: OperationCall, additional: Mapping[str, Any]) -> Test:
    tests = [_additional_one(call, each) for each in additional["Criteria"]]
    return _combined(additional["MatchType"], tests)


def _additional_one(call: OperationCall, criterion: Mapping[str, Any]) -> Test:
    if "TimeRange" in criterion:
        return _in_range(criterion["TimeRange"])
    if "TimestampCondition" not in criterion:
        raise invalid_parameter("AdditionalTimeRange needs a TimeRange or a TimestampCondition")
    behaviour = call.world.behaviours.not_exists
    if behaviour == "refused":
        raise invalid_parameter("TimestampCondition is not supported")
    if behaviour == "ignored":
        return lambda contact: True
    time_of = TIMES[criterion["TimestampCondition"]["Type"]]
    return lambda contact: time_of(contact) is None


def _combined(how: str, tests: Sequence[Test]) -> Test:
    """Combines tests. MATCH_EXACT is taken as MATCH_ALL, because AWS does not explain it for lists of criteria."""
    if how == "MATCH_ANY":
        return lambda contact: any(test(contact) for test in tests)
    if how == "MATCH_NONE":
        return lambda contact: not any(test(contact) for test in tests)
    return lambda contact: all(test(contact) for test in tests)


def _named(criterion: Mapping[str, Any]) -> Test:
    """Tests words of the name; upper and lower case are the same. MATCH_EXACT compares the whole name."""
    if criterion["MatchType"] == "MATCH_EXACT":
        return _among(criterion["SearchText"], lambda contact: contact.content.name)

    def has(text: str) -> Test:
        return lambda contact: text.lower() in (contact.content.name or "").lower()

    return _combined(criterion["MatchType"], [has(text) for text in criterion["SearchText"]])


def _tagged(criterion: Mapping[str, Any]) -> Test:
    def one(condition: Mapping[str, str]) -> Test:
        key, value = condition.get("TagKey", ""), condition.get("TagValue")
        return lambda contact: key in contact.content.tags and value in (None, "", contact.content.tags[key])

    groups = [[one(each) for each in group] for group in criterion.get("OrConditions") or ()]
    every = [one(each) for each in criterion.get("AndConditions") or ()]
    if "TagCondition" in criterion:
        every.append(one(criterion["TagCondition"]))

    def test(contact: SandboxContact) -> bool:
        in_a_group = not groups or any(all(each(contact) for each in group) for group in groups)
        return in_a_group and all(each(contact) for each in every)

    return test


def _segment(criterion: Mapping[str, Any]) -> Test:
    def one(key: str, values: Sequence[str]) -> Test:
        return lambda contact: str(contact.content.segment_attributes.get(key)) in values

    tests = [one(each["Key"], each["Values"]) for each in criterion["Criteria"]]
    return _combined(criterion.get("MatchType", "MATCH_ALL"), tests)


CRITERIA: Mapping[str, Callable[[OperationCall, Any], Test]] = {
    "Channels": lambda call, wanted: _among(wanted, lambda contact: contact.channel),
    "InitiationMethods": lambda call, wanted: _among(wanted, lambda contact: contact.life.initiation_method),
    "QueueIds": _in_queues,
    "AgentIds": lambda call, wanted: _among([bare(each) for each in wanted], lambda contact: contact.agent_id),
    "Name": lambda call, wanted: _named(wanted),
    "ContactTags": lambda call, wanted: _tagged(wanted),
    "SearchableSegmentAttributes": lambda call, wanted: _segment(wanted),
    "AdditionalTimeRange": _additional,
}
"""The search criteria that the sandbox offers."""


def _sort(found: list[SandboxContact], order: Mapping[str, str] | None) -> None:
    """Sorts the contacts, by default by initiation, newest first. Contacts without the field are last."""
    field = order["FieldName"] if order else "INITIATION_TIMESTAMP"
    descending = (order["Order"] if order else "DESCENDING") == "DESCENDING"
    found.sort(key=lambda contact: contact.id)
    keys: dict[str, Callable[[SandboxContact], Any]] = {
        "INITIATION_METHOD": lambda contact: contact.life.initiation_method,
        "CHANNEL": lambda contact: contact.channel,
    }
    key = keys.get(field) or TIMES[field]
    found.sort(key=lambda contact: key(contact) or datetime.min.replace(tzinfo=UTC), reverse=descending)
    found.sort(key=lambda contact: key(contact) is None)
