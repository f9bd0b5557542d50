"""Checks the templates of rule, queues and policies: they let only the rule send, and only events that are used."""

from __future__ import annotations

import json
import re

import pytest

from router.connect.contact_events import PHASES
from router.inspect.event_template import cloudformation, pattern_of, terraform

ARN = "arn:aws:connect:eu-west-2:111122223333:instance/11111111-2222-3333-4444-555555555555"
CHANNELS = ("TASK", "EMAIL")
TEMPLATE = cloudformation(ARN, CHANNELS)
RESOURCES = TEMPLATE["Resources"]


def test_the_pattern_passes_only_events_that_are_used():
    pattern = pattern_of(ARN, CHANNELS)
    assert pattern["source"] == ["aws.connect"]
    assert pattern["detail-type"] == ["Amazon Connect Contact Event"]
    assert pattern["detail"] == {"instanceArn": [ARN], "channel": ["TASK", "EMAIL"], "eventType": list(PHASES)}


def test_the_template_is_json_with_a_parameter_whose_default_is_the_instance():
    assert json.loads(json.dumps(TEMPLATE)) == TEMPLATE
    assert TEMPLATE["Parameters"]["InstanceArn"]["Default"] == ARN
    assert "Default" not in cloudformation(None, CHANNELS)["Parameters"]["InstanceArn"]
    rule = RESOURCES["Rule"]["Properties"]
    assert rule["EventPattern"]["detail"]["instanceArn"] == [{"Ref": "InstanceArn"}]


@pytest.mark.parametrize(("policy", "queue"), [("QueuePolicy", "Queue"), ("DeadLettersPolicy", "DeadLetters")])
def test_only_the_rule_may_send_to_a_queue(policy, queue):
    properties = RESOURCES[policy]["Properties"]
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert properties["Queues"] == [{"Ref": queue}]
    assert statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}}


def test_what_is_not_delivered_or_not_deleted_ends_in_the_dead_letter_queue():
    (target,) = RESOURCES["Rule"]["Properties"]["Targets"]
    dead = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": dead}
    assert RESOURCES["Queue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"] == dead


def test_every_reference_of_the_template_has_a_target():
    text = json.dumps(TEMPLATE)
    named = set(re.findall(r'"Ref": "(\w+)"', text)) | set(re.findall(r'"Fn::GetAtt": \["(\w+)"', text))
    assert named <= {*RESOURCES, *TEMPLATE["Parameters"]}


def test_terraform_has_the_same_values_and_closes_every_brace():
    text = terraform(ARN, CHANNELS, "mine")
    assert text.count("{") == text.count("}")
    assert f'default     = "{ARN}"' in text
    assert '"aws:SourceArn" = aws_cloudwatch_event_rule.contact_events.arn' in text
    assert f"eventType   = {json.dumps(list(PHASES))}" in text
    assert text.count('"mine"') == 2
    assert "default" not in terraform(None, CHANNELS)
    declared = set(re.findall(r'^resource "(\w+)" "(\w+)"', text, flags=re.MULTILINE))
    used = set(re.findall(r"= (aws_\w+)\.(\w+)", text))
    assert used <= declared
