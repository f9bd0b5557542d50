"""Prints the smallest IAM policy of the loaded rules: the command ``policy``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from router.cli.errors import DONE
from router.cli.parser import add_json

if TYPE_CHECKING:
    from router.connect.iam import InstanceArn
    from router.inspect.iam_policy import Policy
    from router.model import Directory
    from router.settings import Settings


DESCRIPTION = """\
Prints the smallest IAM policy that the service needs for these rules: the operations that they use, on this instance,
with the flows that they name. Makes no call to AWS, except with --live."""
EXAMPLE = """\
  connect-router policy --live > policy.json
  connect-router policy --observe
  connect-router policy --acceptance > acceptance-policy.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--observe", action="store_true", help="only the reading actions")
    parser.add_argument(
        "--live", action="store_true", help="read the ids of flows and the account from the instance (reading calls)"
    )
    parser.add_argument(
        "--acceptance", action="store_true", help="what `connect-router acceptance` needs on a test instance, instead"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from router.cli.context import load_both, print_note
    from router.cli.output.tables import print_json
    from router.inspect.iam_policy import policy_of

    if arguments.acceptance:
        return _print_acceptance(arguments)
    settings, ruleset = load_both(arguments)
    arn, directory = _read_instance(settings) if arguments.live else (_configured(settings), None)
    policy = policy_of(
        ruleset,
        arn=arn,
        directory=directory,
        observe=arguments.observe,
        keep_place=settings.execute.keep_place,
        quotas=settings.quotas.source == "auto",
        table=settings.ledger.table,
        topic=settings.notify.sns_topic,
        queue=settings.events.queue,
    )
    document = _document(policy)
    print_json(document)
    for line in _warnings(policy, arn, document, live=arguments.live):
        print_note(f"connect-router: warning: {line}")
    return DONE


def _print_acceptance(arguments: argparse.Namespace) -> int:
    from router.acceptance.permissions import acceptance_policy
    from router.cli.context import print_note, settings_of
    from router.cli.output.tables import print_json

    settings = settings_of(arguments)
    arn = _read_instance(settings)[0] if arguments.live else _configured(settings)
    policy = acceptance_policy(arn)
    document = _document(policy)
    print_json(document)
    for line in _warnings(policy, arn, document, live=arguments.live):
        print_note(f"connect-router: warning: {line}")
    return DONE


def _document(policy: Policy) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": one.sid, "Effect": "Allow", "Action": list(one.actions), "Resource": list(one.resources)}
            | ({"Condition": one.condition} if one.tag is not None else {})
            for one in policy.statements
        ],
    }


def _warnings(policy: Policy, arn: InstanceArn, document: Mapping[str, Any], *, live: bool) -> Iterator[str]:
    from router.connect.iam import UNKNOWN
    from router.inspect.iam_policy import LONGEST

    if policy.unresolved:
        names = ", ".join(f'"{name}"' for name in policy.unresolved)
        how = "the instance has no such flow" if live else "--live reads the ids from the instance"
        yield f"every flow of the instance is allowed, because of these only the names are known: {names}; {how}"
    yield from (f"no right to use a flow: {one}" for one in policy.foreign)
    unknown = [name for name in ("region", "account") if getattr(arn, name) == UNKNOWN]
    if unknown:
        parts = f"{' and '.join(unknown)} {'are' if len(unknown) > 1 else 'is'}"
        yield f"the instance's {parts} not known; any is allowed: give its ARN as connect.instance, or use --live"
    length = len(json.dumps(document, separators=(",", ":")))
    if length > LONGEST:
        yield f"{length} characters: IAM takes at most {LONGEST} in one managed policy"


def _configured(settings: Settings) -> InstanceArn:
    from router.connect.iam import UNKNOWN, InstanceArn, partition_of

    connect = settings.connect
    if connect.account is not None:
        return InstanceArn.read(connect.instance)
    region = connect.region
    return InstanceArn(instance_id=connect.instance_id, region=region or UNKNOWN, partition=partition_of(region))


def _read_instance(settings: Settings) -> tuple[InstanceArn, Directory]:
    """Reads the instance's names and its ARN. An ARN in the configuration makes DescribeInstance unnecessary."""
    from router.cli.resources import connected, read_directory, unreachable
    from router.connect.answers import InstanceIdentity
    from router.connect.iam import InstanceArn

    with connected(settings) as connection:
        directory = read_directory(connection, settings, with_agents=False)
        if settings.connect.account is not None:
            return _configured(settings), directory
        identity = connection.instance.describe_instance()
        if not isinstance(identity, InstanceIdentity):
            raise unreachable(identity, settings, connection.endpoint)
        return InstanceArn.read(identity.arn), directory
