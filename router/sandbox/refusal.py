"""Defines the error that the API responds with, and shorthands for the common ones."""

from __future__ import annotations


class Refusal(Exception):
    """Signals that the API refuses a call. The server writes it on the wire.

    ``code`` is the error's name in the service model, or one that AWS sends although the model lacks it. ``status``
    is given only if the code does not determine it."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_request(message: str) -> Refusal:
    return Refusal("InvalidRequestException", message)


def invalid_parameter(message: str) -> Refusal:
    return Refusal("InvalidParameterException", message)


def not_found(message: str) -> Refusal:
    return Refusal("ResourceNotFoundException", message)
