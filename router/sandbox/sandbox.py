"""Serves the world over HTTP, with faults, quotas and a record of calls."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

from router.sandbox.calls import Call, Hook, Hooks
from router.sandbox.contact_events import open_events
from router.sandbox.faults import INSTEAD, PATIENCE, REFUSALS, Fault, Refusal, invalid_parameter, not_found
from router.sandbox.operations import OPERATIONS
from router.sandbox.operations.call import OperationCall as Pending
from router.sandbox.scenario import Scenario
from router.sandbox.wire.answer import InvalidAnswer, WireAnswer, check_refusal, write_answer, write_refusal
from router.sandbox.wire.message_queue import MessageQueue, read_call, write_refused
from router.sandbox.wire.model import Resolved, resolve
from router.sandbox.wire.request import read_params
from router.sandbox.wire.server import LOOPBACK, HttpReply, HttpRequest, Server
from router.sandbox.wire.topic import answer_topic_call, form_of
from router.sandbox.world import World


class Sandbox:
    """Serves on a free port of 127.0.0.1: ``with Sandbox(scenario) as sandbox:`` serves until the block ends.

    ``clock`` is the only source of time: for quotas, the world and the Date header. ``None`` is the scenario's clock.
    ``log`` receives one line for each defect of the sandbox itself. ``problems`` has the same lines.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        clock: Callable[[], datetime] | None = None,
        seed: int | None = None,
        port: int = 0,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Raises ``OSError`` if the port is not free."""
        self.scenario = scenario or Scenario()
        self._clock = clock = clock or self.scenario.make_clock()
        chosen = self.scenario.seed if seed is None else seed
        self._chance = random.Random(chosen + 2)
        self.world = World(self.scenario.identity, clock=clock, behaviours=self.scenario.behaviours, seed=chosen)
        self.quotas = self.scenario.make_quotas()
        self.problems: list[str] = []
        self._log = log
        self._calls: list[Call] = []
        self._before, self._after = Hooks(), Hooks()
        self._last: dict[str, WireAnswer] = {}
        self._lock = threading.RLock()
        self.scenario.furnish(self.world)
        self._server = Server(self._serve, port)
        self.queue = open_events(self.world, self.scenario.events, self._server.closing.is_set, seed=chosen + 3)

    @property
    def endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def queue_url(self) -> str | None:
        """Returns the URL of the SQS queue with contact events; ``None`` if the scenario has none."""
        return None if self.queue is None else f"{self.endpoint}{self.queue.path}"

    @property
    def now(self) -> datetime:
        return self._clock().astimezone(UTC)

    @property
    def instance_id(self) -> str:
        return self.scenario.identity.instance_id

    @property
    def instance_arn(self) -> str:
        return self.scenario.identity.arn

    @property
    def region(self) -> str:
        return self.scenario.identity.region

    @property
    def calls(self) -> tuple[Call, ...]:
        """Returns every call so far, in the order of the responses."""
        with self._lock:
            return tuple(self._calls)

    def count(self, operation: str) -> int:
        """Counts the calls of the operation that arrived, also those without a response."""
        return sum(call.operation == operation for call in self.calls)

    def before(self, operation: str, act: Hook) -> Callable[[], None]:
        """Registers ``act(params)``, to run just before each call of the operation takes effect.

        The call sees what ``act`` changes in the world. If ``act`` raises ``Refusal``, that is the response. The
        returned function removes ``act`` again."""
        return self._before.add(operation, act)

    def after(self, operation: str, act: Hook) -> Callable[[], None]:
        """Registers ``act(params)``, to run after the call's effect and before its response. See ``before``."""
        return self._after.add(operation, act)

    def start(self) -> Sandbox:
        self._server.start()
        return self

    def close(self) -> None:
        """Ends every connection, also those that a fault delays."""
        self._server.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve_queue(
        self, operation: str, params: Mapping[str, Any], request_id: str, at: datetime, queue: MessageQueue
    ) -> HttpReply:
        fault = self.world.faults.next(operation, params, at)
        try:
            answer = self._instead(operation, fault) if fault is not None else None
            if answer is None:
                answer = WireAnswer(200, json.dumps(queue.call(operation, params)).encode())
        except Refusal as refusal:
            answer = write_refused(refusal)
        return self._reply(operation, params, answer, request_id, at, fault)

    def _serve(self, request: HttpRequest) -> HttpReply:
        request_id = str(uuid.uuid4())
        at = self._clock().astimezone(UTC)
        of_queue = read_call(request.headers, request.body)
        if of_queue is not None and self.queue is not None:
            return self._serve_queue(*of_queue, request_id, at, self.queue)
        form = form_of(request)
        if form is not None:
            answer = answer_topic_call(form, request_id)
            if answer.code is None:
                self._after.run(form["Action"], form)
            return self._reply(form.get("Action", "?"), form, answer, request_id, at, None)
        resolved = resolve(request.method, request.path)
        if resolved is None:
            refusal = Refusal("UnknownOperationException", f"no operation has {request.method} {request.path[:200]!r}")
            return self._reply("?", {}, self._refused(refusal), request_id, at, None)
        operation = resolved.operation.name
        try:
            params = read_params(resolved, request.query, request.body)
        except Refusal as refusal:
            return self._reply(operation, {}, self._refused(refusal), request_id, at, None)
        if not self._may(operation, at):
            return self._reply(operation, params, self._refused(self._throttled()), request_id, at, None)
        fault = self.world.faults.next(operation, params, at)
        answer = self._answer(resolved, params, fault)
        return self._reply(operation, params, answer, request_id, at, fault)

    def _answer(self, resolved: Resolved, params: Mapping[str, Any], fault: Fault | None) -> WireAnswer:
        operation = resolved.operation.name
        try:
            if fault is not None:
                instead = self._instead(operation, fault)
                if instead is not None:
                    return instead
            short = fault is not None and fault.kind == "short_page"
            effective = {**params, "MaxResults": 1} if short else params
            try:
                result = self._perform(operation, effective)
            except Refusal as refusal:
                check_refusal(resolved.operation, refusal)
                raise
            answer = write_answer(resolved.operation, result)
        except Refusal as refusal:
            return self._refused(refusal)
        except InvalidAnswer as problem:
            return self._broken(str(problem))
        except Exception as error:
            return self._broken(f"{operation}: {type(error).__name__}: {error}")
        with self._lock:
            self._last[operation] = answer
        return _GARBAGE if fault is not None and fault.kind == "garbage" else answer

    def _may(self, operation: str, at: datetime) -> bool:
        with self._lock:
            return self.quotas.take(operation, at)

    def _perform(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        handler = OPERATIONS.get(operation)
        if handler is None:
            message = f"The sandbox does not offer {operation}; it offers {', '.join(sorted(OPERATIONS))}"
            raise Refusal("UnknownOperationException", message)
        if not self.scenario.identity.is_this(params["InstanceId"]):
            raise not_found(f"Instance not found: {params['InstanceId']}")
        self._before.run(operation, params)
        with self.world.present() as state:
            result = handler(Pending(self.world, state, operation, params))
        self._after.run(operation, params)
        return result

    def _instead(self, operation: str, fault: Fault) -> WireAnswer | None:
        """Returns the fault's response in place of the effect, ``None`` if the call takes effect."""
        if fault.kind in ("timeout_before", "reset_before"):
            return _NOTHING
        if fault.kind == "repeat_page":
            return self._last.get(operation)
        if fault.kind in REFUSALS:
            code, message = REFUSALS[fault.kind]
            raise Refusal(code, message)
        if fault.kind == "throttle":
            raise self._throttled()
        if fault.kind == "error":
            raise Refusal(fault.code, fault.message)
        if fault.kind == "expire_token":
            raise invalid_parameter("NextToken has expired")
        return None

    def _reply(
        self,
        operation: str,
        params: Mapping[str, Any],
        answer: WireAnswer,
        request_id: str,
        at: datetime,
        fault: Fault | None,
    ) -> HttpReply:
        kind = fault.kind if fault is not None else None
        instead = INSTEAD.get(kind) if kind is not None else None
        call = Call(
            at=at,
            operation=operation,
            params=params,
            status=answer.status if instead is None else 0,
            request_id=request_id,
            code=answer.code,
            fault=kind,
        )
        with self._lock:
            self._calls.append(call)
        delay = self._latency()
        if fault is not None and (instead == "hang" or kind == "slow"):
            delay += fault.delay or (PATIENCE if instead == "hang" else timedelta(0))
        skew = fault.delay if fault is not None and kind == "skew" else timedelta(0)
        return HttpReply(
            answer=answer,
            request_id=request_id,
            date=at + skew,
            delay_s=delay.total_seconds(),
            instead=instead,
        )

    def _throttled(self) -> Refusal:
        return Refusal(self.scenario.behaviours.throttle_code, "Rate exceeded", status=429)

    def _refused(self, refusal: Refusal) -> WireAnswer:
        return write_refusal(refusal, self.scenario.behaviours.error_bodies)

    def _broken(self, problem: str) -> WireAnswer:
        """Reports a defect of the sandbox to its log, and responds with an error."""
        line = f"sandbox: {problem}"
        with self._lock:
            self.problems.append(line)
        if self._log is not None:
            self._log(line)
        return write_refusal(Refusal("InternalFailure", line))

    def _latency(self) -> timedelta:
        least, most = self.scenario.latency
        if most <= timedelta(0):
            return timedelta(0)
        with self._lock:
            return least + (most - least) * self._chance.random()


_NOTHING = WireAnswer(0, b"")
_GARBAGE = WireAnswer(200, b'{"Contacts": [{"Id": ')
