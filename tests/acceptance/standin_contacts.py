"""Returns the answers to the calls of the second implementation that are about contacts, the search and the metrics."""

from __future__ import annotations

from typing import Any

from tests.acceptance.standin import MEMORY, MOST_CONTACTS_OF_A_CHAIN, NOTHING, Row, arn, invalid
from tests.acceptance.standin_calls import TRANSFER_TYPES, StandIn, page
from tests.acceptance.standin_wire import Refused


class SecondConnect(StandIn):
    """Is the whole second implementation."""

    def _queue_info(self, contact: Row) -> Row:
        queue_id, agents = contact["queue"], contact["queue"] in self.users
        hidden = contact["halted"] and not self.is_["paused_looks_queued"]
        if queue_id is None or hidden:
            return {}
        full = self.is_["queue_info"] == "arn"
        if agents:
            own = {"user_id": queue_id, "arn": f"{arn('queue', 'agent')}/{queue_id}", "own_id": NOTHING[:-1] + "7"}
            queue_id = own[self.is_["agent_queue_id"]]
        shown = arn("queue", queue_id) if full and not queue_id.startswith("arn:") else queue_id
        return {"QueueInfo": {"Id": shown, "EnqueueTimestamp": contact["enqueued"]}}

    def _row(self, contact: Row) -> Row:
        names = {
            "Id": "id", "InitialContactId": "initial", "PreviousContactId": "previous", "InitiationMethod": "method",
            "Name": "name", "Channel": "channel", "InitiationTimestamp": "started", "DisconnectTimestamp": "ended",
            "ScheduledTimestamp": "starts", "Tags": "tags",
        }  # fmt: skip
        row = {name: contact[key] for name, key in names.items() if contact[key] is not None}
        agent = {"AgentInfo": {"Id": contact["agent"]}} if contact["agent"] else {}
        return {"Arn": arn("contact", contact["id"]), **row, **agent, **self._queue_info(contact)}

    def DescribeContact(self, asked: Row) -> Row:
        contact = self.contacts.find(asked["ContactId"])
        more = {"QueuePriority": "priority", "QueueTimeAdjustmentSeconds": "age", "Attributes": "attributes"}
        times = {"LastPausedTimestamp": "paused", "LastResumedTimestamp": "resumed"}
        found = {name: contact[key] for name, key in (more | times).items() if contact[key] is not None}
        return {"Contact": {**self._row(contact), **found}}

    def ListAssociatedContacts(self, asked: Row) -> Row:
        root = self.contacts.find(asked["ContactId"])["root"]
        rows = [each for each in self.contacts.all.values() if each["root"] == root]
        return page("ContactSummaryList", [{"ContactId": r.pop("Id"), **r} for r in map(self._summary, rows)], asked)

    def _summary(self, contact: Row) -> Row:
        row = self._row(contact)
        return {name: row[name] for name in ("Id", "InitiationTimestamp", "DisconnectTimestamp") if name in row}

    # Contacts

    def _start(self, channel: str, asked: Row) -> Row:
        if asked["ClientToken"] in self.tokens:
            return self.tokens[asked["ClientToken"]][1]
        flow = self._thing("flow", asked["ContactFlowId"])
        previous = self.contacts.find(asked["PreviousContactId"]) if "PreviousContactId" in asked else None
        shares = previous is not None and self.is_["linked_tasks"] == "share_initial_id"
        minutes = ((asked.get("SegmentAttributes") or {}).get("connect:ContactExpiry") or {}).get("ValueInteger")
        contact = self.contacts.create(
            channel=channel,
            name=asked["Name"],
            attributes=asked.get("Attributes") or {},
            starts=asked.get("ScheduledTime"),
            **({"life": minutes} if minutes else {}),
            **({"previous": previous["id"]} if previous is not None else {}),
            **({"initial": previous["root"]} if previous is not None and shares else {}),
        )
        at = asked.get("ScheduledTime", self.contacts.now) + self.is_["flow_start_delay"]

        def begin() -> None:
            if contact["starts"] == asked.get("ScheduledTime"):  # no transfer has started it before
                self.contacts.run(contact, flow, None)

        self.contacts.at(at, begin)
        answer = {"ContactId": contact["id"]}
        self.tokens[asked["ClientToken"]] = (asked, answer, self.contacts.now)
        return answer

    def StartTaskContact(self, asked: Row) -> Row:
        return self._start("TASK", asked)

    def StartEmailContact(self, asked: Row) -> Row:
        if asked["DestinationEmailAddress"] != self.email:
            raise Refused("ResourceNotFoundException", "no such e-mail address")
        return self._start("EMAIL", asked)

    def StopContact(self, asked: Row) -> None:
        contact = self.contacts.find(asked["ContactId"])
        if contact["ended"] is not None:
            raise Refused("ContactNotFoundException", "it has ended")
        self.contacts.end(contact)

    def TagContact(self, asked: Row) -> None:
        contact = self.contacts.find(asked["ContactId"])
        self.contacts.put(contact, tags={**contact["tags"], **asked["Tags"]})

    def PauseContact(self, asked: Row) -> None:
        contact = self.contacts.find(asked["ContactId"])
        if contact["channel"] == "EMAIL" and self.is_["email_pause"] == "refused":
            raise invalid("an e-mail cannot be paused")
        if contact["ended"] is not None or contact["starts"] is not None or contact["halted"]:
            raise invalid("it cannot be paused")
        self.contacts.put(contact, halted=True, waiting=False, paused=self.contacts.now)

    def ResumeContact(self, asked: Row) -> None:
        contact = self.contacts.find(asked["ContactId"])
        if not contact["halted"]:
            raise invalid("it is not paused")
        how, now = self.is_["resume"], self.contacts.now
        if how == "stays_out":
            out = {} if self.is_["paused_looks_queued"] else {"queue": None, "enqueued": None}
            self.contacts.put(contact, halted=False, resumed=now, **out)
        else:
            since = contact["enqueued"] if how == "keeps_time" else now
            self.contacts.put(contact, halted=False, resumed=now, waiting=True, enqueued=since)

    def UpdateContactRoutingData(self, asked: Row) -> None:
        contact, excludes = self.contacts.find(asked["ContactId"]), self.is_["priority_excludes_age"]

        def apply() -> None:
            if contact["ended"] is not None:
                return
            if "QueuePriority" in asked:
                age = {"age": 0} if excludes else {}
                self.contacts.put(contact, priority=asked["QueuePriority"], **age)
            else:
                before = contact["age"] if self.is_["routing_age"] == "adds" else 0
                priority = {"priority": 5} if excludes else {}
                self.contacts.put(contact, age=before + asked["QueueTimeAdjustmentSeconds"], **priority)

        self.contacts.at(self.contacts.now + self.is_["routing_delay"], apply)

    def AssociateContactWithUser(self, asked: Row) -> None:
        contact = self.contacts.find(asked["ContactId"])
        if asked["UserId"] not in self.users or not contact["waiting"]:
            raise invalid("no such agent, or the contact does not wait")
        if self.is_["associated_segment"] == "new_segment":
            self.contacts.follow(contact, queue=contact["queue"], enqueued=contact["enqueued"], agent=asked["UserId"])
        else:
            self.contacts.put(contact, waiting=False, agent=asked["UserId"])

    def TransferContact(self, asked: Row) -> Row:
        token, now = asked["ClientToken"], self.contacts.now
        known = self.tokens.get(token)
        if known and self.is_["repeated_token"] != "unknown" and now - known[2] < MEMORY[self.is_["token_memory"]]:
            if self.is_["repeated_token"] == "answers_again" and known[0] == asked:
                return known[1]
            raise Refused("IdempotencyException", "an entity with the same name exists")
        contact, flow = self.contacts.find(asked["ContactId"]), self._thing("flow", asked["ContactFlowId"])
        self._may_transfer(contact, flow)
        working = asked.get("UserId") or asked.get("QueueId")
        if flow["Type"] == "CONTACT_FLOW" and self.is_["queue_id_reaches"] == "transfer_flows":
            working = None
        if self.is_["transfer"] == "same_contact":
            out = {"queue": None, "enqueued": None, "waiting": False, "halted": False, "starts": None}
            moved = self.contacts.put(contact, length=contact["length"] + 1, **out)
        else:
            moved = self.contacts.follow(contact)
        self.contacts.start_flow(moved, flow, working)
        named = contact if self.is_["answer_id"] == "old" else moved
        answer = {"ContactId": named["id"], "ContactArn": arn("contact", named["id"])}
        self.tokens[token] = (asked, answer, now)
        return answer

    def _may_transfer(self, contact: Row, flow: Row) -> None:
        unusable = {"archived_flow": flow["State"] == "ARCHIVED", "saved_flow": flow["Status"] == "SAVED"}
        outcomes = {self.is_[switch] for switch, holds in unusable.items() if holds}
        if "not_found" in outcomes:
            raise Refused("ResourceNotFoundException", "the flow cannot be used")
        if "refused" in outcomes:
            raise invalid("the flow cannot be used")
        if contact["ended"] is not None or flow["Type"] not in TRANSFER_TYPES:
            raise invalid("it has ended, or the flow has another type")
        if contact["halted"] and self.is_["paused_transfer"] == "refused":
            raise invalid("it is paused")
        if contact["starts"] is not None and self.is_["scheduled_transfer"] == "refused":
            raise invalid("it is scheduled")
        if contact["length"] >= MOST_CONTACTS_OF_A_CHAIN:
            codes = {"402": "ServiceQuotaExceededException", "400": "InvalidRequestException"}
            raise Refused(codes[self.is_["twelfth_contact"]], "too many transfers")

    # The search and the metrics

    def _known(self, references: list[str], things: Any) -> list[str]:
        unknown = [each for each in references if each not in things]
        if unknown and self.is_["unknown_id"] != "left_out":
            code = "ResourceNotFoundException" if self.is_["unknown_id"] == "not_found" else "InvalidParameterException"
            raise Refused(code, "unknown id")
        return [each for each in references if each in things]

    def SearchContacts(self, asked: Row) -> Row:
        span, criteria = asked["TimeRange"], asked.get("SearchCriteria") or {}
        conditions = (criteria.get("AdditionalTimeRange") or {}).get("Criteria") or ()
        if conditions and self.is_["not_exists"] == "refused":
            raise Refused("InvalidParameterException", "NOT_EXISTS")
        queues = self._known(criteria["QueueIds"], self.things["queue"]) if "QueueIds" in criteria else None
        texts = (criteria.get("Name") or {}).get("SearchText")
        start, _, as_of = (asked.get("NextToken") or f"0@{self.contacts.now}").partition("@")
        moment = float(as_of) if self.is_["search_pages"] == "snapshot" else self.contacts.now
        found = []
        for contact in self.contacts.indexed(moment):
            row = self._row(contact)
            when = contact["enqueued"] if span["Type"] == "ENQUEUE_TIMESTAMP" else contact["started"]
            if when is None or not span["StartTime"] <= when <= span["EndTime"]:
                continue
            if contact["channel"] not in criteria.get("Channels", ("TASK", "EMAIL")):
                continue
            if queues is not None and contact["queue"] not in queues:
                continue
            if texts and not any(text in contact["name"] for text in texts):
                continue
            if conditions and self.is_["not_exists"] == "honoured" and "DisconnectTimestamp" in row:
                continue
            found.append(row)
        descending = (asked.get("Sort") or {}).get("Order") == "DESCENDING"
        found.sort(key=lambda row: row["InitiationTimestamp"], reverse=descending)
        end = int(start) + int(asked.get("MaxResults") or 100)
        more = {"NextToken": f"{end}@{as_of}"} if end < len(found) else {}
        return {"Contacts": found[int(start) : end], "TotalCount": len(found), **more}

    def GetCurrentMetricData(self, asked: Row) -> Row:
        channels, switch = asked["Filters"]["Channels"], self.is_["email_in_metrics"]
        if "EMAIL" in channels and switch == "refused":
            raise Refused("InvalidParameterException", "EMAIL")
        rows = []
        for queue_id in self._known(asked["Filters"]["Queues"], self.things["queue"]):
            for channel in channels:
                count = self.contacts.counted(queue_id, channel)
                if count and not (channel == "EMAIL" and switch == "no_rows"):
                    value = {"Metric": {"Name": "CONTACTS_IN_QUEUE", "Unit": "COUNT"}, "Value": float(count)}
                    dimensions = {"Queue": {"Id": queue_id}, "Channel": channel}
                    rows.append({"Dimensions": dimensions, "Collections": [value]})
        return {"MetricResults": rows, "DataSnapshotTime": self.contacts.now - self.is_["metrics_lag"]}

    def GetCurrentUserData(self, asked: Row) -> Row:
        self._known(asked["Filters"]["Agents"], self.users)
        return {"UserDataList": []}

    def GetContactMetrics(self, asked: Row) -> Row:
        if self.is_["contact_metrics"] == "refused":
            raise invalid("not of a task")
        rows = [{"Name": "POSITION_IN_QUEUE", "Value": {"Number": 1.0}}] if self.is_["contact_metrics"] == "yes" else []
        return {"MetricResults": rows, "Id": asked["ContactId"], "Arn": arn("contact", asked["ContactId"])}
