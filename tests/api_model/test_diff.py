"""Holds the comparison of two models of the API, and the page to the pinned version."""

import copy
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.api_model import diff


def model():
    return {
        "operations": {
            "DescribeContact": {
                "documentation": "<p>Describes a contact. It is read by <b>id</b>.</p>",
                "input": {"shape": "Request"},
                "errors": [{"shape": "ThrottlingException"}],
            }
        },
        "shapes": {
            "Request": {
                "type": "structure",
                "required": ["Id"],
                "members": {"Id": {"shape": "Id"}, "Of": {"shape": "Request"}},
            },
            "Id": {"type": "string", "max": 10},
        },
    }


def changed(**shapes):
    other = copy.deepcopy(model())
    other["shapes"].update(shapes)
    return other


def test_the_same_model_has_no_difference():
    assert diff.differences(model(), model()) == []
    assert diff.table([]) == "No difference."


def test_a_changed_limit_is_shown_with_both_values():
    assert ("DescribeContact", "~", "input.Id: max 10 -> 20") in diff.differences(
        model(), changed(Id={"type": "string", "max": 20})
    )


def test_a_value_that_an_enum_lost_or_won_is_shown():
    before, now = changed(Id={"type": "string", "enum": ["A"]}), changed(Id={"type": "string", "enum": ["A", "B"]})
    assert ("DescribeContact", "~", 'input.Id: enum ["A"] -> ["A", "B"]') in diff.differences(before, now)


def test_of_a_new_member_only_the_outermost_is_shown():
    inner = {"type": "structure", "members": {"Deep": {"shape": "Id", "documentation": "Never shown."}}}
    request = {"type": "structure", "required": ["Id"], "members": {"Id": {"shape": "Id"}, "New": {"shape": "Inner"}}}
    without = {**request, "members": {"Id": {"shape": "Id"}}}
    found = diff.differences(changed(Request=without), changed(Request=request, Inner=inner))
    assert found == [("DescribeContact", "+", "input.New: type structure")]


def test_each_sentence_of_a_text_that_changed_is_shown_and_markup_is_not():
    now = copy.deepcopy(model())
    now["operations"]["DescribeContact"]["documentation"] = "<p>Describes a task. It is read by id.</p>"
    assert diff.differences(model(), now) == [
        ("DescribeContact", "-", "documentation: Describes a contact."),
        ("DescribeContact", "+", "documentation: Describes a task."),
    ]


def test_an_operation_that_is_gone_and_an_error_that_is_new_are_shown():
    gone = {**model(), "operations": {}}
    assert ("DescribeContact", "-", "error ThrottlingException") in diff.differences(model(), gone)
    assert ("DescribeContact", "+", "error ThrottlingException") in diff.differences(gone, model())


def test_the_operations_that_are_compared_are_in_the_installed_model():
    import botocore

    installed = diff.model_of(botocore.__path__[0])
    assert [name for name in diff.OPERATIONS if name not in installed["operations"]] == []


def test_the_page_compares_the_version_that_is_pinned():
    before, now = diff.compared_on_the_page()
    assert now == diff.pinned(), "the pin has moved: run make api-diff"
    assert before != now


@pytest.mark.parametrize("package", ["boto3", "botocore"])
def test_no_version_is_allowed_whose_model_the_page_says_was_another(package):
    """Compares the bounds with the page, because the code relies on what the page lists as new."""
    dependencies = tomllib.loads((diff.ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    [allowed] = [one for one in map(Requirement, dependencies) if one.name == package]
    before, now = diff.compared_on_the_page()
    assert now in allowed.specifier
    assert before not in allowed.specifier
