"""Builds the infrastructure that brings contact events to the router: rule, queue, dead-letter queue, queue policy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from router.connect.contact_events import DETAIL_TYPE, PHASES, SOURCE

KEPT_S = 4 * 24 * 3600
"""How long the queue holds messages of a router that does not run. The full scan at its start makes older ones useless.
"""
RECEIPTS = 5
"""How often a message is shown before it moves to the dead-letter queue."""
DEAD_KEPT_S = 14 * 24 * 3600
"""The longest time that SQS holds messages (SQS quotas)."""
NAME = "connect-router-contact-events"


def pattern_of(instance_arn: object, channels: Sequence[str]) -> dict[str, Any]:
    """Returns the pattern of the events that the router uses."""
    return {
        "source": [SOURCE],
        "detail-type": [DETAIL_TYPE],
        "detail": {"instanceArn": [instance_arn], "channel": list(channels), "eventType": list(PHASES)},
    }


def cloudformation(instance_arn: str | None, channels: Sequence[str], name: str = NAME) -> dict[str, Any]:
    """Returns a template. Without the ARN of the instance it is a parameter without a default."""
    parameter = {"Type": "String", "Description": "The ARN of the Amazon Connect instance."}
    statement = {
        "Sid": "OnlyTheRuleSends",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
    }
    dead = {**statement, "Resource": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The contact events of Amazon Connect that connect-router receives.",
        "Parameters": {"InstanceArn": {**parameter, **({"Default": instance_arn} if instance_arn else {})}},
        "Resources": {
            "DeadLetters": _queue(f"{name}-dead", {"MessageRetentionPeriod": DEAD_KEPT_S}),
            "Queue": _queue(
                name,
                {
                    "MessageRetentionPeriod": KEPT_S,
                    "ReceiveMessageWaitTimeSeconds": 20,
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                        "maxReceiveCount": RECEIPTS,
                    },
                },
            ),
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Name": name,
                    "Description": "Contact events for connect-router.",
                    "EventPattern": pattern_of({"Ref": "InstanceArn"}, channels),
                    "Targets": [
                        {
                            "Id": "queue",
                            "Arn": {"Fn::GetAtt": ["Queue", "Arn"]},
                            "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}},
                        }
                    ],
                },
            },
            "QueuePolicy": _policy("Queue", statement),
            "DeadLettersPolicy": _policy("DeadLetters", dead),
        },
        "Outputs": {
            "QueueUrl": {"Description": "The value of events.queue.", "Value": {"Ref": "Queue"}},
            "QueueArn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}},
        },
    }


def _queue(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, "SqsManagedSseEnabled": True, **properties}}


def _policy(queue: str, statement: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }


def terraform(instance_arn: str | None, channels: Sequence[str], name: str = NAME) -> str:
    """Returns the same as resources of Terraform. Without the ARN of the instance the variable has no default."""
    default = f"  default     = {json.dumps(instance_arn)}\n" if instance_arn else ""
    types = json.dumps(list(PHASES))
    return f"""\
variable "connect_instance_arn" {{
  type        = string
{default}  description = "The ARN of the Amazon Connect instance."
}}

resource "aws_sqs_queue" "contact_events_dead" {{
  name                      = "{name}-dead"
  message_retention_seconds = {DEAD_KEPT_S}
  sqs_managed_sse_enabled   = true
}}

resource "aws_sqs_queue" "contact_events" {{
  name                       = "{name}"
  message_retention_seconds  = {KEPT_S}
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({{
    deadLetterTargetArn = aws_sqs_queue.contact_events_dead.arn
    maxReceiveCount     = {RECEIPTS}
  }})
}}

resource "aws_cloudwatch_event_rule" "contact_events" {{
  name        = "{name}"
  description = "Contact events for connect-router."
  event_pattern = jsonencode({{
    source      = ["{SOURCE}"]
    detail-type = ["{DETAIL_TYPE}"]
    detail = {{
      instanceArn = [var.connect_instance_arn]
      channel     = {json.dumps(list(channels))}
      eventType   = {types}
    }}
  }})
}}

resource "aws_cloudwatch_event_target" "contact_events" {{
  rule = aws_cloudwatch_event_rule.contact_events.name
  arn  = aws_sqs_queue.contact_events.arn
  dead_letter_config {{
    arn = aws_sqs_queue.contact_events_dead.arn
  }}
}}

resource "aws_sqs_queue_policy" "contact_events" {{
  for_each = {{
    queue = aws_sqs_queue.contact_events
    dead  = aws_sqs_queue.contact_events_dead
  }}
  queue_url = each.value.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Sid       = "OnlyTheRuleSends"
      Effect    = "Allow"
      Principal = {{ Service = "events.amazonaws.com" }}
      Action    = "sqs:SendMessage"
      Resource  = each.value.arn
      Condition = {{ ArnEquals = {{ "aws:SourceArn" = aws_cloudwatch_event_rule.contact_events.arn }} }}
    }}]
  }})
}}

output "queue_url" {{
  description = "The value of events.queue."
  value       = aws_sqs_queue.contact_events.url
}}
"""
