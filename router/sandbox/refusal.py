"""A "no" of the API's, raised by whatever finds the reason and written on the wire by the server."""

from __future__ import annotations


class Refusal(Exception):
    """One error answer: ``code`` is the error's name in the service model (or one that AWS sends without modelling
    it), ``status`` only where the code alone does not say it."""

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
