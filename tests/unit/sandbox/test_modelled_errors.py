"""Tests that no operation of the sandbox responds with an error that AWS's model does not have for it."""

import ast
from functools import cache
from pathlib import Path

import pytest

import router.sandbox
from router.sandbox import Refusal
from router.sandbox.operations import OPERATIONS
from router.sandbox.wire.answer import COMMON, InvalidAnswer, check_refusal
from router.sandbox.wire.model import Resolved, modelled_errors, service_model
from router.sandbox.wire.request import read_params

SHORTHANDS = {
    "invalid_request": "InvalidRequestException",
    "invalid_parameter": "InvalidParameterException",
    "not_found": "ResourceNotFoundException",
}
Function = tuple[str, str]
"""The module and the name of a function, method or table."""


def functions() -> dict[Function, ast.stmt]:
    """Returns every function and method, and every table of a module, because a table may name functions."""
    found: dict[Function, ast.stmt] = {}
    folder = Path(router.sandbox.__file__).parent
    for path in [*folder.glob("*.py"), *(folder / "operations").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                found[path.stem, node.name] = node
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id.isupper():
                found[path.stem, node.target.id] = node
    return found


FUNCTIONS = functions()


@cache
def called(function: Function) -> frozenset[Function]:
    """Returns every function that this one may call: a private one of its module, or any public one of the name."""
    module, node = function[0], FUNCTIONS[function]
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    calls = [each.func for each in ast.walk(node) if isinstance(each, ast.Call)]
    names |= {each.attr for each in calls if isinstance(each, ast.Attribute)}
    return frozenset(
        (other, theirs)
        for other, theirs in FUNCTIONS
        if theirs in names and (other == module or not theirs.startswith("_"))
    )


@cache
def raised(function: Function) -> frozenset[str]:
    codes = set()
    for each in ast.walk(FUNCTIONS[function]):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
            if each.func.id in SHORTHANDS:
                codes.add(SHORTHANDS[each.func.id])
            elif each.func.id == "Refusal" and isinstance(each.args[0], ast.Constant):
                codes.add(str(each.args[0].value))
    return frozenset(codes)


def errors_of(operation: str) -> set[str]:
    """Returns every error that the operation's handler can raise, by reading the code."""
    handler = OPERATIONS[operation]
    waiting = [(handler.__module__.rsplit(".", 1)[-1], handler.__name__)]
    seen: set[Function] = set()
    codes: set[str] = set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        codes |= raised(function)
        waiting += called(function)
    return codes


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_of_a_handler_is_modelled_for_its_operation_or_common(operation):
    assert errors_of(operation) <= modelled_errors(service_model().operation_model(operation)) | COMMON


def test_the_reading_finds_the_errors_of_a_handler():
    assert errors_of("StopContact") >= {"ContactNotFoundException", "ResourceNotFoundException"}
    assert errors_of("SearchContacts") >= {"ResourceNotFoundException", "InvalidParameterException"}
    assert errors_of("TransferContact") >= {"IdempotencyException", "ServiceQuotaExceededException"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_that_breaks_the_model_is_refused_by_an_error_of_its_operation(operation):
    model = service_model().operation_model(operation)
    assert model.input_shape is not None
    in_path = [
        name for name, shape in model.input_shape.members.items() if shape.serialization.get("location") == "uri"
    ]
    with pytest.raises(Refusal) as caught:
        read_params(Resolved(model, dict.fromkeys(in_path, "x" * 1000)), "", b'{"Unheard": 1}')
    assert caught.value.code in modelled_errors(model)


def test_an_error_that_the_operation_does_not_model_is_a_defect_of_the_sandbox():
    transfer = service_model().operation_model("TransferContact")
    check_refusal(transfer, Refusal("InvalidRequestException", "no"))
    check_refusal(transfer, Refusal("AccessDeniedException", "no"))
    with pytest.raises(InvalidAnswer, match="TransferContact: the model has no InvalidParameterException here: no"):
        check_refusal(transfer, Refusal("InvalidParameterException", "no"))
