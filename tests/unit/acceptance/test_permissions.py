"""Tests the policy of the suite: it allows all calls of a run, in IAM's terms, and grants nothing without a tag."""

from router.acceptance.permissions import ON_TAGGED, WITH_TAG, acceptance_policy
from router.connect.iam import NOBODY, InstanceArn
from router.inspect.iam_policy import LONGEST

ARN = "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-3333-4444-555555555555"
POLICY = acceptance_policy(InstanceArn.read(ARN))


def test_everything_is_in_this_instance():
    for statement in POLICY.statements:
        assert statement.resources
        assert all(resource.startswith(ARN) for resource in statement.resources)


def test_what_is_made_needs_the_tag_and_what_is_deleted_has_it():
    for statement in POLICY.statements:
        if all(resource.endswith(NOBODY) for resource in statement.resources):
            continue
        for action in statement.actions:
            name = action.removeprefix("connect:")
            if name.startswith(("Delete", "Update")) and name != "UpdateContactRoutingData":
                assert statement.tag == ON_TAGGED, action
            if name.startswith("Create") and name != "CreateHoursOfOperationOverride":
                assert statement.tag == WITH_TAG, action


def test_it_fits_into_one_managed_policy():
    length = sum(len(text) for each in POLICY.statements for text in (*each.actions, *each.resources))
    assert length < LONGEST
