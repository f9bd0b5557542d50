"""Changes what an operator may change over the socket: pauses, suspended flows, refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import wraps
from typing import Any

from router import events
from router.daemon.control.protocol import Peer
from router.daemon.control.requests import Arguments, Desk, RequestRefused, Service
from router.daemon.reload import Reloader
from router.daemon.router import Router
from router.daemon.status import status_of
from router.history.codec import encode
from router.ledger.errors import LedgerUnavailable
from router.ledger.operator_records import OperatorRecords
from router.lookup.id_prefix import whole_id
from router.lookup.locate import Located, locate
from router.model import ANYWHERE, Contact, ContactId, FlowId, Home, Pause, PauseKind, contact_id_of
from router.problems import did_you_mean, printable
from router.search.progress import WaitingReport
from router.telemetry.health import DEAD_AFTER

LONGEST = timedelta(days=365)
LONGEST_COMMENT = 200
Answering = Callable[["Operator", Arguments, Peer], Mapping[str, Any]]


def _unless_the_ledger_fails(answer: Answering) -> Answering:
    @wraps(answer)
    def answering(self: Operator, arguments: Arguments, peer: Peer) -> Mapping[str, Any]:
        try:
            return answer(self, arguments, peer)
        except LedgerUnavailable as problem:
            raise RequestRefused(f"nothing is changed: {problem}") from problem

    return answering


@dataclass(frozen=True, slots=True)
class Operator:
    """Answers one request with each method, or raises ``RequestRefused``."""

    app: Router

    @_unless_the_ledger_fails
    def pause(self, arguments: Arguments, peer: Peer) -> Mapping[str, Any]:
        kind, subject, name = self._subject(arguments)
        now = self.app.clock.now()
        pause = Pause(
            kind=kind,
            subject=subject,
            name=name,
            until=now + _span(arguments.get("for_s")),
            comment=_comment(arguments.get("comment")),
            who=peer.name,
            set_at=now,
        )
        self.app.safety.pauses.set(pause)
        self.app.put_in_force()
        return {"pause": str(pause), **_under_way(self.app)}

    @_unless_the_ledger_fails
    def resume(self, arguments: Arguments, peer: Peer) -> Mapping[str, Any]:
        """Lifts a pause. Its name at that time is accepted too, because its queue or rule may not exist any longer."""
        kind, name = _kind(arguments), str(arguments.get("name") or "")
        if kind is PauseKind.CONTACT:
            name = self._contact_id(name)
        those = [one for one in self.app.safety.pauses.now.all if one.kind is kind]
        names: Collection[str] = (name,)
        if kind is PauseKind.CONTACT and not any(name in (one.name, one.subject) for one in those):
            names = self._located(name).ids
        set_so = next((one for one in those if one.name in names or one.subject in names), None)
        if set_so is not None:
            subject = set_so.subject
        else:
            subject = name if kind is PauseKind.CONTACT else self._subject(arguments)[1]
        lifted = self.app.safety.pauses.clear(kind, subject, who=peer.name)
        strays = self._lift_suspension(FlowId(subject), peer) if kind is PauseKind.FLOW else None
        if lifted is None and strays is None:
            what = "everything" if kind is PauseKind.ALL else f"{kind.value} '{name}'"
            raise RequestRefused(f"resume: {what} is not paused{self._those_that_are()}")
        self.app.put_in_force()
        left = [str(one) for one in self.app.safety.pauses.now.all]
        return {"lifted": lifted.lifted if lifted is not None else None, "forgiven_strays": strays, "left": left}

    @_unless_the_ledger_fails
    def retry(self, arguments: Arguments, peer: Peer) -> Mapping[str, Any]:
        rule, contact_id = arguments.get("rule"), arguments.get("contact_id")
        if rule is not None:
            _known(str(rule), (one.name for one in self.app.names.ruleset.rules), "rule")
        recorded = None if contact_id is None else self._recorded(str(contact_id))
        records = OperatorRecords(self.app.ledger)
        contacts = records.retry(rule=None if rule is None else str(rule), contact_id=recorded)
        events.log_control_retried(rule=rule, contact_id=contact_id, contacts=contacts, who=peer.name)
        return {"contacts": contacts}

    def _lift_suspension(self, flow: FlowId, peer: Peer) -> int | None:
        """Returns how many strays no longer count; ``None`` if the flow is not suspended."""
        strays = self.app.safety.resume_flow(flow)
        if strays is not None:
            flow_name = self.app.names.directory.flow_name(flow)
            events.log_flow_resumed(flow=flow_name, strays=strays, who=peer.name)
        return strays

    def _subject(self, arguments: Arguments) -> tuple[PauseKind, str, str]:
        """Returns the kind, the id, and the name that people know it by."""
        kind, name, directory = _kind(arguments), str(arguments.get("name") or ""), self.app.names.directory
        if kind is PauseKind.ALL:
            return kind, "", ""
        if not name:
            raise RequestRefused(f"a {kind.value} needs its name")
        if kind is PauseKind.RULE:
            _known(name, (rule.name for rule in self.app.names.ruleset.rules), "rule")
            return kind, name, name
        if kind is PauseKind.QUEUE:
            queue = directory.queue(name) or _unknown(
                name, (one.name for one in directory.queues), "queue", directory.home
            )
            return kind, queue.id, queue.name
        if kind is PauseKind.FLOW:
            flow = directory.flow(name) or _unknown(name, (one.name for one in directory.flows), "flow", directory.home)
            return kind, flow.id, flow.name
        contact = self._contact(name)
        return kind, contact.chain_id, contact.id

    def _contact(self, text: str) -> Contact:
        """Returns the present contact of a chain, because a pause of an id that no contact has would hold nothing."""
        located = self._located(text)
        contact_id = located.ids[0]
        if located.failure is not None:
            why = f"contact {contact_id} could not be read ({located.failure.code}): nothing is paused"
            raise RequestRefused(printable(f"{why}; try again, or pause its queue, its rule or everything"))
        if located.contact is None:
            raise RequestRefused(printable(f"Connect knows no contact {contact_id}: nothing is paused"))
        if located.contact.disconnected_at is not None:
            raise RequestRefused(printable(f"contact {contact_id} has ended: nothing is paused"))
        return located.contact

    def _recorded(self, text: str) -> ContactId:
        """Returns the id by which the ledger knows the chain. Connect is called only if that is not the given one."""
        contact_id = self._contact_id(text)
        if self.app.ledger.history(contact_id=contact_id, limit=1):
            return contact_id
        located = self._located(contact_id)
        recorded = located.recorded_id(self.app.ledger)
        if recorded is None:
            why = f", and Connect could not be read ({located.failure.code})" if located.failure is not None else ""
            raise RequestRefused(printable(f"nothing is recorded of contact {contact_id}{why}"))
        return recorded

    def _located(self, text: str) -> Located:
        return locate(self._contact_id(text), reader=self.app.connection.reader, ledger=self.app.ledger)

    def _contact_id(self, text: str) -> ContactId:
        known = [one for contact in self.app.cycle.waiting_list.contacts for one in contact.ids]
        known += [ContactId(one) for pause in self.app.safety.pauses.now.all for one in (pause.name, pause.subject)]
        try:
            return whole_id(contact_id_of(text, self.app.connection.home), self.app.ledger, known)
        except ValueError as error:
            raise RequestRefused(printable(str(error))) from None

    def _those_that_are(self) -> str:
        paused = self.app.safety.pauses.now.all
        return f"; paused: {', '.join(f'{one.kind.value} {one.name}'.strip() for one in paused)}" if paused else ""


def _kind(arguments: Arguments) -> PauseKind:
    try:
        return PauseKind(str(arguments.get("kind")))
    except ValueError:
        raise RequestRefused(f"what is to be paused is one of {', '.join(PauseKind)}") from None


def _span(seconds: object) -> timedelta:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST.total_seconds():
        raise RequestRefused(f"a pause lasts from 1 second to {LONGEST.days} days")
    return timedelta(seconds=seconds)


def _comment(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise RequestRefused("a pause needs a comment: colleagues want to know the reason")
    if len(text) > LONGEST_COMMENT:
        raise RequestRefused(f"a comment has at most {LONGEST_COMMENT} characters")
    return printable(text.strip())


def _under_way(app: Router) -> Mapping[str, Any]:
    """Returns the calls that began before the change and have not ended: the change does not stop them."""
    return {"under_way": [call._asdict() for call in app.safety.terms.earlier_calls()]}


def _known(name: str, known: Iterable[str], what: str) -> None:
    names = list(known)
    if name not in names:
        _unknown(name, names, what)


def _unknown(name: str, known: Iterable[str], what: str, home: Home = ANYWHERE) -> Any:
    if (objection := home.objection(name, what)) is not None:
        raise RequestRefused(printable(f"'{name}' {objection}"))
    raise RequestRefused(printable(f"no {what} is called '{name}'{did_you_mean(name, known)}"))


def desk_of(app: Router, reloader: Reloader) -> Desk:
    operator = Operator(app)
    return Desk(
        {
            "status": Service(answer=lambda arguments, _peer: status_of(app, whole=arguments.get("whole") is True)),
            "waiting": Service(answer=lambda _arguments, _peer: _waiting_of(app), changes=True),
            "rules": Service(answer=lambda _arguments, _peer: _rules_of(app), changes=True),
            "reload": Service(answer=_Reload(app, reloader).answer, changes=True),
            "pause": Service(answer=operator.pause, changes=True),
            "resume": Service(answer=operator.resume, changes=True),
            "retry": Service(answer=operator.retry, changes=True),
        }
    )


def _waiting_of(app: Router) -> Mapping[str, Any]:
    """Returns the waiting list, without what was read of its contacts earlier. Raises ``RequestRefused`` unless it is
    complete and recent."""
    search, silent = app.cycle.search, app.vital.now.silent(app.clock.monotonic())
    if not app.working or not search.complete:
        raise RequestRefused("the service has not searched everything yet")
    if silent > DEAD_AFTER * app.settings.poll.every:
        raise RequestRefused("the service has finished no complete cycle within 4 polls")
    report = WaitingReport(
        contacts=tuple(replace(one, details=None) for one in search.waiting_list.waiting),
        channels=search.waiting_list.channels,
        queue_ids=app.names.rules.queue_ids,
    )
    found: Mapping[str, Any] = encode(report)
    return found


def _rules_of(app: Router) -> Mapping[str, Any]:
    """Returns the files of the rules in force, as they were read."""
    sources = app.names.ruleset.sources
    return {"sources": [[name, data.decode("utf-8", "surrogateescape")] for name, data in sources]}


@dataclass(frozen=True, slots=True)
class _Reload:
    app: Router
    reloader: Reloader

    def answer(self, _arguments: Arguments, _peer: Peer) -> Mapping[str, Any]:
        vital = self.app.vital.now
        if vital.ready_at is None:
            reason = f"the instance cannot be read: {vital.unread}" if vital.unread else "it reads the instance"
            raise RequestRefused(
                f"reload: the service is still starting: {reason}; restart it, or reload when it is ready"
            )
        before = self.app.names.ruleset.revision
        problems = self.reloader.reload()
        if problems:
            stay = f"reload refused: nothing has changed, and the rules of revision {before} are still in force"
            raise RequestRefused(f"{stay}; correct these lines and reload again:", *map(str, problems))
        now = self.app.names.ruleset
        return {
            "count": len(now.rules),
            "revision": now.revision,
            "before": before,
            "unresolved": self.app.names.unresolved,
            "ineffective": self.reloader.ineffective,
            **_under_way(self.app),
        }
