"""Checks the sandbox's stand-in for Amazon SNS with an unmodified boto3 client."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.uses("threads", "sockets")
ARN = "arn:aws:sns:us-east-1:111122223333:connect-router"


@pytest.fixture
def topics(bench):
    return boto3.client(
        "sns",
        endpoint_url=bench.sandbox.endpoint,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_message_arrives_with_all_that_it_has(bench, topics):
    published: list[object] = []
    bench.sandbox.after("Publish", published.append)
    attributes = {"rule": {"DataType": "String", "StringValue": "late & <b>"}}

    done = topics.publish(TopicArn=ARN, Subject="two hours", Message="first\nsecond", MessageAttributes=attributes)

    assert done["MessageId"]
    (message,) = published
    assert isinstance(message, dict)
    assert (message["TopicArn"], message["Subject"], message["Message"]) == (ARN, "two hours", "first\nsecond")
    assert message["MessageAttributes.entry.1.Value.StringValue"] == "late & <b>"
    assert bench.sandbox.count("Publish") == 1


def test_every_topic_exists(topics):
    assert topics.get_topic_attributes(TopicArn=ARN)["Attributes"] == {"TopicArn": ARN}


@pytest.mark.parametrize(("call", "parameters", "code"), [
    ("publish", {"TopicArn": "arn:aws:sns", "Message": "x"}, "InvalidParameter"),
    ("publish", {"TopicArn": ARN, "Message": "x", "Subject": "a\nb"}, "InvalidParameter"),
    ("publish", {"TopicArn": ARN, "Message": "x", "Subject": "s" * 100}, "InvalidParameter"),
    ("publish", {"TopicArn": ARN, "Message": ""}, "InvalidParameter"),
    ("publish", {"TopicArn": ARN, "Message": "ä" * (128 * 1024 + 1)}, "InvalidParameter"),
    ("get_topic_attributes", {"TopicArn": "x"}, "InvalidParameter"),
    ("list_topics", {}, "InvalidAction"),
])  # fmt: skip
def test_a_call_that_sns_would_refuse_or_that_the_router_never_makes_is_refused(bench, topics, call, parameters, code):
    published: list[object] = []
    bench.sandbox.after("Publish", published.append)

    with pytest.raises(ClientError) as caught:
        getattr(topics, call)(**parameters)

    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not published
