"""Simulates Amazon SNS: every topic exists, and each message is shown where the sandbox runs.

Calls of SNS have the query protocol: a form in the request, XML in the response.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from router.sandbox.wire.answer import WireAnswer
from router.sandbox.wire.server import HttpRequest

FORM = "application/x-www-form-urlencoded"
LONGEST_SUBJECT = 99
"""Characters (API_Publish: "less than 100 characters long")."""
LONGEST_MESSAGE = 256 * 1024


def form_of(request: HttpRequest) -> Mapping[str, str] | None:
    """Returns the parameters of a call of SNS; ``None`` for another request."""
    if (request.method, request.path) != ("POST", "/") or not request.headers.get("content-type", "").startswith(FORM):
        return None
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def answer_topic_call(form: Mapping[str, str], request_id: str) -> WireAnswer:
    """Returns the response to a call. Only the calls that the router makes are there."""
    action, arn = form.get("Action", ""), form.get("TopicArn", "")
    if action not in ("Publish", "GetTopicAttributes"):
        return _refusal("InvalidAction", f"The sandbox offers Publish and GetTopicAttributes, not {action}", request_id)
    wrong = "TopicArn" if arn.count(":") != 5 else _wrong_in(form) if action == "Publish" else None
    if wrong is not None:
        return _refusal("InvalidParameter", f"Invalid parameter: {wrong}", request_id)
    attributes = f"<Attributes><entry><key>TopicArn</key><value>{escape(arn)}</value></entry></Attributes>"
    result = f"<MessageId>{request_id}</MessageId>" if action == "Publish" else attributes
    return _written(200, f"{action}Response", f"<{action}Result>{result}</{action}Result>", request_id)


def _wrong_in(form: Mapping[str, str]) -> str | None:
    subject, message = form.get("Subject"), form.get("Message", "")
    if subject is not None and not (0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()):
        return "Subject"
    return None if 0 < len(message.encode()) <= LONGEST_MESSAGE else "Message"


def _refusal(code: str, message: str, request_id: str) -> WireAnswer:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return _written(400, "ErrorResponse", error, request_id, code)


def _written(status: int, root: str, content: str, request_id: str, code: str | None = None) -> WireAnswer:
    meta = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    space = "http://sns.amazonaws.com/doc/2010-03-31/"
    body = f'<{root} xmlns="{space}">{content}{meta}</{root}>'
    return WireAnswer(status, body.encode(), {"Content-Type": "text/xml"}, code)
