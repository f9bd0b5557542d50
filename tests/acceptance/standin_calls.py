"""Returns the answers to the calls of the acceptance suite from the dictionaries of the second implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from tests.acceptance.standin import ARN, INSTANCE, SUITE_TAG, Contacts, Row, arn, new_id
from tests.acceptance.standin_wire import Endpoint, Refused

BODIES = {"json": b'{"Message": "%s"}', "empty": b"", "not_json": b"<html>%s</html>"}
KINDS = {"Queue": "queue", "ContactFlow": "flow", "HoursOfOperation": "hours"}
TRANSFER_TYPES = ("CONTACT_FLOW", "QUEUE_TRANSFER", "AGENT_TRANSFER")


def page(member: str, rows: Iterable[Row], asked: Row) -> Row:
    listed, start = list(rows), int(asked.get("NextToken") or 0)
    end = start + int(asked.get("MaxResults") or 100)
    more = {"NextToken": str(end)} if end < len(listed) else {}
    return {member: listed[start:end], **more}


class StandIn:
    """Is the second implementation. Every operation of the suite is a method of its name."""

    def __init__(self, behaviours: Row, *, now: Callable[[], float], agent: str, email: str, tags: Row) -> None:
        self.is_, self.tags, self.email = behaviours, tags, email
        self.contacts = Contacts(now, behaviours)
        self.things: dict[str, dict[str, Row]] = {"queue": {}, "flow": self.contacts.flows, "hours": {}}
        self.users = {new_id(): agent}
        self.tokens: dict[str, tuple[Row, Row, float]] = {}
        self.bucket = (5.0, self.contacts.now)
        body = BODIES[behaviours["error_bodies"]]
        self.endpoint = Endpoint(
            self.answer, now=now, error_body=lambda text: body.replace(b"%s", text.replace('"', "'").encode())
        )

    def answer(self, operation: str, asked: Row) -> Row:
        self.contacts.catch_up()
        for prefix in ("Describe", "Delete", "Create"):
            kind = KINDS.get(operation.removeprefix(prefix))
            if operation.startswith(prefix) and kind is not None:
                act = {"Describe": self._describe, "Delete": self._delete, "Create": self._create}[prefix]
                return act(kind, operation.removeprefix(prefix), asked)
        answer: Row | None = getattr(self, operation)(asked)
        return answer or {}

    # Parts of the instance

    def _create(self, kind: str, word: str, asked: Row) -> Row:
        things = self.things[kind]
        if any(each["Name"] == asked["Name"] for each in things.values()):
            raise Refused("DuplicateResourceException", asked["Name"])
        thing_id = new_id()
        state = {"State": "ACTIVE", "content": asked.get("Content"), "closed": None}
        state |= {"Status": asked.get("Status", "PUBLISHED")} if kind == "flow" else {}
        things[thing_id] = {**asked, **state, "id": thing_id}
        return {f"{word}Id": thing_id, f"{word}Arn": arn(kind, thing_id)}

    def _thing(self, kind: str, reference: str, *, changes: bool = False) -> Row:
        thing_id = reference.partition(":")[0]
        if thing_id not in self.things[kind]:
            raise Refused("ResourceNotFoundException", f"no such {kind}")
        thing = self.things[kind][thing_id]
        if changes and SUITE_TAG not in (thing.get("Tags") or {}):
            raise Refused("AccessDeniedException", "the policy allows this with the tag only")
        return thing

    def _describe(self, kind: str, word: str, asked: Row) -> Row:
        if kind == "flow":
            self._throttle()
        thing = self._thing(kind, asked[f"{word}Id"])
        if thing.get("Status") == "SAVED" and not asked[f"{word}Id"].endswith(":$SAVED"):
            raise Refused("ContactFlowNotPublishedException")
        ids = {"Id": thing["id"], "Arn": arn(kind, thing["id"])} if kind == "flow" else {
            f"{word}Id": thing["id"], f"{word}Arn": arn(kind, thing["id"])
        }  # fmt: skip
        return {word: {**ids, **{name: thing[name] for name in ("Name", "Description", "Tags") if name in thing}}}

    def _throttle(self) -> None:
        tokens, since = self.bucket
        now = self.contacts.now
        tokens = min(5.0, tokens + (now - since) * 2)
        self.bucket = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise Refused(self.is_["throttle_code"], "slow down")

    def _delete(self, kind: str, word: str, asked: Row) -> Row:
        thing = self._thing(kind, asked[f"{word}Id"], changes=True)
        used = any(each["HoursOfOperationId"] == thing["id"] for each in self.things["queue"].values())
        waiting = any(each["waiting"] and each["queue"] == thing["id"] for each in self.contacts.all.values())
        if (kind == "hours" and used) or (kind == "queue" and waiting):
            raise Refused("ResourceInUseException")
        del self.things[kind][thing["id"]]
        return {}

    def UpdateHoursOfOperation(self, asked: Row) -> None:
        self._thing("hours", asked["HoursOfOperationId"], changes=True)["Description"] = asked.get("Description")

    def UpdateContactFlowMetadata(self, asked: Row) -> None:
        self._thing("flow", asked["ContactFlowId"], changes=True)["State"] = asked["ContactFlowState"]

    def CreateHoursOfOperationOverride(self, asked: Row) -> Row:
        if asked["EffectiveFrom"] != asked["EffectiveTill"] or asked["Config"]:
            raise Refused("InvalidParameterException", "one closed day only")
        self._thing("hours", asked["HoursOfOperationId"], changes=True)["closed"] = asked["EffectiveFrom"]
        return {"HoursOfOperationOverrideId": new_id()}

    def GetEffectiveHoursOfOperations(self, asked: Row) -> Row:
        hours, form = self._thing("hours", asked["HoursOfOperationId"]), self.is_["closed_date"]
        first, last = (date.fromisoformat(asked[name]) for name in ("FromDate", "ToDate"))
        days = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
        whole = {"Start": {"Hours": 0, "Minutes": 0}, "End": {"Hours": 0, "Minutes": 0}}
        rows = [{"Date": day, "OperationalHours": [] if day == hours["closed"] else [whole]} for day in days]
        overrides = [{"Date": day, "OverrideHours": []} for day in days if day == hours["closed"]]
        if form != "empty_list":
            rows = [row for row in rows if row["Date"] != hours["closed"]]
        shown = [] if form == "left_out" else overrides
        return {"EffectiveHoursOfOperationList": rows, "EffectiveOverrideHoursList": shown, "TimeZone": "UTC"}

    def _listed(self, kind: str, member: str, asked: Row) -> Row:
        things = self.things[kind].values()
        return page(member, ({"Id": each["id"], "Name": each["Name"]} for each in things), asked)

    def ListQueues(self, asked: Row) -> Row:
        return self._listed("queue", "QueueSummaryList", asked)

    def ListContactFlows(self, asked: Row) -> Row:
        return self._listed("flow", "ContactFlowSummaryList", asked)

    def ListHoursOfOperations(self, asked: Row) -> Row:
        return self._listed("hours", "HoursOfOperationSummaryList", asked)

    def ListUsers(self, asked: Row) -> Row:
        rows = ({"Id": user, "Arn": arn("user", user), "Username": name} for user, name in self.users.items())
        return page("UserSummaryList", rows, asked)

    def SearchEmailAddresses(self, asked: Row) -> Row:
        return page("EmailAddresses", [{"EmailAddressId": new_id(), "EmailAddress": self.email}], asked)

    def DescribeInstance(self, asked: Row) -> Row:
        return {"Instance": {"Id": INSTANCE, "Arn": ARN, "InstanceAlias": "second", "Tags": self.tags}}

    def SearchRoutingProfiles(self, asked: Row) -> Row:
        words = {"any": "ROUTE_ANY_CHANNEL", "current": "ROUTE_CURRENT_CHANNEL_ONLY"}
        word = words.get(self.is_["cross_channel"])
        behaviour = {"CrossChannelBehavior": {"BehaviorType": word}} if word else {}
        rows = [{"Channel": channel, "Concurrency": 1, **behaviour} for channel in ("TASK", "EMAIL")]
        return {"RoutingProfiles": [{"Name": "Basic", "RoutingProfileId": new_id(), "MediaConcurrencies": rows}]}
