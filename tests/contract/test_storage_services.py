"""Secrets, objects and the queue do the same on moto and on the server of the embedded runtime."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from chalicelib.errors import NotFound, TryLater
from chalicelib.storage.objects import Objects
from chalicelib.storage.queue import LARGEST_MESSAGE, SqsQueue
from chalicelib.storage.secrets import Secrets
from chalicelib.store_adapters.envelope import Arrival, arrival_id, decode, encode
from local.table_server import TableServer

AT = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
Connect = Callable[[str], Any]


class Seconds:
    """Monotonic time that stands still until moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["moto", "embedded"])
def connect(request: pytest.FixtureRequest, table_server: TableServer) -> Iterator[Connect]:
    if request.param == "embedded":
        yield table_server.client
        return
    with mock_aws():
        make: Any = boto3.client
        yield lambda service: make(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def prefix() -> str:
    return f"/agala-{uuid.uuid4().hex[:8]}"


def bucket(connect: Connect) -> str:
    name = f"agala-{uuid.uuid4().hex[:12]}"
    connect("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name


def test_a_store_made_a_second_ago_is_found(connect: Connect, prefix: str) -> None:
    here, elsewhere = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    assert here.webhook_secret("shop") is None
    elsewhere.put_webhook_secret("shop", "s1")
    assert here.webhook_secret("shop") == "s1"
    assert here.webhook_secret("another") is None


def test_a_secret_changed_elsewhere_is_seen_after_a_minute_or_when_asked_fresh(connect: Connect, prefix: str) -> None:
    seconds = Seconds()
    here, elsewhere = Secrets(connect("ssm"), prefix, seconds), Secrets(connect("ssm"), prefix)
    here.put_webhook_secret("shop", "s1")
    elsewhere.put_webhook_secret("shop", "s2")
    assert here.webhook_secret("shop") == "s1"
    seconds.now += 10
    assert here.webhook_secret("shop", newer_than=5) == "s2"
    elsewhere.put_webhook_secret("shop", "s3")
    seconds.now += 61
    assert here.webhook_secret("shop") == "s3"


def test_a_deleted_secret_is_gone_and_deleting_twice_does_no_harm(connect: Connect, prefix: str) -> None:
    secrets = Secrets(connect("ssm"), prefix)
    secrets.put_webhook_secret("shop", "s1")
    secrets.delete_webhook_secret("shop")
    secrets.delete_webhook_secret("shop")
    assert secrets.webhook_secret("shop") is None


def test_rest_keys_are_read_as_they_are_now_and_forgotten(connect: Connect, prefix: str) -> None:
    here, elsewhere = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    assert here.rest_keys("shop") is None
    here.put_rest_keys("shop", "ck_1", "cs_1")
    elsewhere.put_rest_keys("shop", "ck_2", "cs_2")
    assert here.rest_keys("shop") == ("ck_2", "cs_2")
    assert here.rest_keys("another") is None
    elsewhere.delete_rest_keys("shop")
    elsewhere.delete_rest_keys("shop")
    assert here.rest_keys("shop") is None


def test_shopifys_keys_are_read_as_they_are_now_and_forgotten(connect: Connect, prefix: str) -> None:
    here, elsewhere = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    assert here.shopify_access("shop") is None
    here.put_shopify_access("shop", {"kind": "app", "access_token": "one"})
    elsewhere.put_shopify_access("shop", {"kind": "app", "access_token": "two"})
    assert here.shopify_access("shop") == {"kind": "app", "access_token": "two"}
    assert here.shopify_access("another") is None
    elsewhere.delete_shopify_access("shop")
    elsewhere.delete_shopify_access("shop")
    assert here.shopify_access("shop") is None


def test_the_app_at_shopify_is_one_for_the_deployment(connect: Connect, prefix: str) -> None:
    here, elsewhere = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    assert here.shopify_app() is None
    elsewhere.put_shopify_app({"client_id": "a", "client_secret": "one"})
    assert here.shopify_app() == {"client_id": "a", "client_secret": "one"}
    elsewhere.put_shopify_app({"client_id": "a", "client_secret": "two"})
    assert here.shopify_app(newer_than=0) == {"client_id": "a", "client_secret": "two"}
    elsewhere.delete_shopify_app()
    assert here.shopify_app(newer_than=0) is None


def test_the_signing_key_is_made_once_by_whoever_comes_first(connect: Connect, prefix: str) -> None:
    first, second = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    key = first.signing_key()
    assert len(key) == 64
    assert second.signing_key() == first.signing_key() == key


def test_the_loser_of_the_race_takes_the_winners_signing_key(connect: Connect, prefix: str) -> None:
    client = connect("ssm")
    winner = Secrets(client, prefix)

    class Late:
        """Sees no key at its first look, as if it looked before the winner wrote."""

        looks = 0

        def get_parameter(self, **request: Any) -> Any:
            self.looks += 1
            if self.looks == 1:
                winner.signing_key()
                raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "GetParameter")
            return client.get_parameter(**request)

        def put_parameter(self, **request: Any) -> Any:
            return client.put_parameter(**request)

    late: Any = Late()
    assert Secrets(late, prefix).signing_key() == winner.signing_key()


def test_a_known_secret_serves_for_an_hour_while_the_parameter_store_is_out() -> None:
    seconds = Seconds()

    class Sometimes:
        out = False

        def get_parameter(self, **_: Any) -> Any:
            if self.out:
                raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetParameter")
            return {"Parameter": {"Value": "s1"}}

    client: Any = Sometimes()
    secrets = Secrets(client, "/agala", seconds)
    assert secrets.webhook_secret("shop") == "s1"
    client.out = True
    seconds.now += 600
    assert secrets.webhook_secret("shop") == "s1"
    with pytest.raises(TryLater):
        secrets.webhook_secret("another")
    seconds.now += 3600
    with pytest.raises(TryLater):
        secrets.webhook_secret("shop")


def test_objects_are_kept_read_and_deleted(connect: Connect) -> None:
    objects = Objects(connect("s3"), bucket(connect))
    content = bytes(range(256)) * 4096
    objects.put("deliveries/shop/1.gz", content)
    assert objects.get("deliveries/shop/1.gz") == content
    objects.delete("deliveries/shop/1.gz")
    objects.delete("deliveries/shop/1.gz")
    with pytest.raises(NotFound):
        objects.get("deliveries/shop/1.gz")


def test_a_bucket_that_is_not_there_is_a_fault_to_repeat(connect: Connect) -> None:
    objects = Objects(connect("s3"), "agala-nowhere")
    with pytest.raises(TryLater):
        objects.put("a", b"")


@pytest.mark.parametrize("size", [100, 400_000])
def test_a_delivery_of_any_size_goes_over_the_queue(connect: Connect, size: int) -> None:
    client, objects = connect("sqs"), Objects(connect("s3"), bucket(connect))
    url = client.create_queue(QueueName=f"agala-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    body = random.Random(1).randbytes(size)
    sent = Arrival("shop", "woocommerce", arrival_id(AT), "k", AT, {"x-wc-webhook-topic": "order.created"}, body)
    SqsQueue(client, url, lambda: objects).send(encode(sent), sent.delivery_id)
    (message,) = client.receive_message(QueueUrl=url, WaitTimeSeconds=1)["Messages"]
    assert len(message["Body"]) <= LARGEST_MESSAGE
    assert ("object" in json.loads(message["Body"])) == (size > LARGEST_MESSAGE)
    assert decode(json.loads(message["Body"]), objects.get) == sent


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "SendMessage"),
        EndpointConnectionError(endpoint_url="https://sqs.example"),
    ],
)
def test_a_queue_that_is_out_says_try_later(fault: Exception) -> None:
    class Out:
        def send_message(self, **_: Any) -> Any:
            raise fault

    client: Any = Out()
    objects: Any = None
    with pytest.raises(TryLater):
        SqsQueue(client, "https://sqs.example/1/q", lambda: objects).send({"body": ""}, "d")


def test_a_gateways_secrets_are_kept_by_name(connect: Connect, prefix: str) -> None:
    here, elsewhere = Secrets(connect("ssm"), prefix), Secrets(connect("ssm"), prefix)
    assert here.gateway_secrets("shop", "sms") == {}
    here.put_gateway_secrets("shop", "sms", {"token": "a", "key": "ב"})
    assert elsewhere.gateway_secrets("shop", "sms") == {"token": "a", "key": "ב"}
    assert elsewhere.gateway_secrets("shop", "whatsapp") == elsewhere.gateway_secrets("other", "sms") == {}
    for _ in range(2):
        here.delete_gateway_secrets("shop", "sms")
    assert here.gateway_secrets("shop", "sms") == elsewhere.gateway_secrets("shop", "sms", newer_than=0) == {}
