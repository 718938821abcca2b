from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatch
from graphlib import CycleError
from pathlib import Path
from typing import Any

import pytest

from chalicelib.commerce.machines import FUNCTION
from chalicelib.handlers.delivery_reports import SMS_MEANINGS
from chalicelib.messages.robots import TOGETHER
from chalicelib.settings import Settings
from chalicelib.storage.table import create_table
from chalicelib.storage.workflows import machine_name
from infra import package

ROOT = Path(__file__).parent.parent.parent
TEMPLATE = json.loads((ROOT / "infra" / "template.json").read_text())
RESOURCES = TEMPLATE["Resources"]
QUEUE = "AWS::SQS::Queue"
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
FUNCTIONS: dict[str, dict[str, Any]] = CONFIG["stages"]["production"]["lambda_functions"]
POLICIES = {name: json.loads((ROOT / ".chalice" / f["iam_policy_file"]).read_text()) for name, f in FUNCTIONS.items()}


NAMED_BY_THE_TEMPLATE = tuple(
    resource["Properties"]["StateMachineName"]["Fn::Sub"]
    for resource in RESOURCES.values()
    if resource.get("Type") == "AWS::StepFunctions::StateMachine"
)


def resource_of(function: str) -> dict[str, Any]:
    name = "APIHandler" if function == "api_handler" else "".join(word.title() for word in function.split("_"))
    found: dict[str, Any] = RESOURCES[name]
    return found


class Asked(Mapping[str, str]):
    """An environment that remembers which names were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_table_is_the_one_that_the_embedded_runtime_makes() -> None:
    made: dict[str, Any] = {}

    class Client:
        def create_table(self, **request: Any) -> None:
            made.update(request)

    create_table(Client(), "agala")  # type: ignore[arg-type]
    deployed = RESOURCES["Table"]["Properties"]
    for what in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode"):
        assert deployed[what] == made[what]


def test_functions_are_told_every_setting_and_nothing_else() -> None:
    asked = Asked()
    Settings.from_environment(asked)
    told = {name: resource_of(name)["Properties"]["Environment"]["Variables"].keys() for name in FUNCTIONS}
    assert told["api_handler"] == asked.names
    assert told["webhook_door"] == {"AGALA_QUEUE_URL", "AGALA_BUCKET", "AGALA_PARAMETER_PREFIX"}
    assert "AGALA_ACTIVITY_QUEUE_URL" in told["links_door"]
    assert told["carts_door"] == told["webhook_door"]
    assert told["shopify_events"] == {"AGALA_QUEUE_URL", "AGALA_BUCKET"}
    assert all(names <= asked.names for names in told.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_policy_allows_everything_or_everywhere(function: str) -> None:
    for statement in POLICIES[function]["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
        if statement["Action"] == ["ses:GetAccount"]:
            continue  # it is of no resource (Service Authorization Reference)
        assert statement["Resource"] != "*"
        assert "*" not in statement["Resource"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_writes_only_the_log_that_bears_its_name(function: str) -> None:
    name = resource_of(function)["Properties"]["FunctionName"]["Fn::Sub"]
    logs = [s for s in POLICIES[function]["Statement"] if s["Action"][0].startswith("logs:")]
    assert [s["Resource"]["Fn::Sub"].endswith(f":log-group:/aws/lambda/{name}:*") for s in logs] == [True]


def test_what_becomes_of_an_sms_is_told_and_understood() -> None:
    """The events that are asked for are those that the handler knows, and their service may publish them."""
    (destination,) = RESOURCES["SmsConfiguration"]["Properties"]["EventDestinations"]
    assert set(destination["MatchingEventTypes"]) == set(SMS_MEANINGS)
    (statement,) = RESOURCES["EmailEventsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {"sms-voice.amazonaws.com", "social-messaging.amazonaws.com"} <= set(statement["Principal"]["Service"])


def test_only_steps_and_errands_may_send_and_the_api_for_tests() -> None:
    sending = {"ses:SendEmail", "sms-voice:SendTextMessage", "social-messaging:SendWhatsAppMessage"}
    may = {name for name, policy in POLICIES.items() for s in policy["Statement"] if sending & set(s["Action"])}
    assert may == {"journey_step", "errands", "api_handler"}, "an errand asks whether it was they who subscribed"


@pytest.mark.parametrize("function", ["journey_step", "errands"])
def test_who_sends_may_read_the_gateways_secrets_and_the_accounts_pace(function: str) -> None:
    """Else a double opt-in through a store's own gateway fails after its claim, and emails go at no pace."""
    told = [(action, str(s["Resource"])) for s in POLICIES[function]["Statement"] for action in s["Action"]]
    assert [where for action, where in told if action == "ses:GetAccount"] == ["*"]
    assert [where for action, where in told if action == "ssm:GetParameter" and "/stores/*/gateway-*" in where]


def test_whoever_tells_events_may_also_wake_those_who_wait_for_them() -> None:
    def may(action: str) -> set[str]:
        return {
            name
            for name, policy in POLICIES.items()
            for s in policy["Statement"]
            if action in s["Action"] and not s["Resource"]["Fn::Sub"].endswith(NAMED_BY_THE_TEMPLATE)
        }

    assert may("states:SendTaskSuccess") == may("states:StopExecution") >= {"ingest", "journey_step", "errands"}


def test_policies_know_state_machines_by_the_name_that_they_get() -> None:
    name = machine_name("01j-welcome-1", "{}")
    places = [
        s["Resource"]["Fn::Sub"]
        for policy in POLICIES.values()
        for s in policy["Statement"]
        if s["Action"][0].startswith("states:") and not s["Resource"]["Fn::Sub"].endswith(NAMED_BY_THE_TEMPLATE)
    ]
    patterns = [re.search(r":(?:stateMachine|execution):([^:]+)", place) for place in places]
    assert places and all(pattern and fnmatch(name, pattern[1]) for pattern in patterns)


def test_whoever_is_told_the_store_sync_machine_is_told_its_name() -> None:
    name = RESOURCES["StoreSyncMachine"]["Properties"]["StateMachineName"]["Fn::Sub"]
    told = [resource_of(one)["Properties"]["Environment"]["Variables"] for one in FUNCTIONS]
    arns = [
        variables["AGALA_STORE_SYNC_MACHINE_ARN"] for variables in told if "AGALA_STORE_SYNC_MACHINE_ARN" in variables
    ]
    assert len(arns) == 3, "the API begins a pull, the night a look, and the pull a fresh execution"
    assert all(arn["Fn::Sub"].endswith(f":stateMachine:{name}") for arn in arns)


@pytest.mark.parametrize("door", ["webhook_door", "carts_door", "shopify_events"])
def test_a_door_that_shops_call_cannot_touch_the_table(door: str) -> None:
    assert "dynamodb" not in json.dumps(POLICIES[door])


def test_shopifys_events_come_only_where_the_deployment_has_its_source() -> None:
    """And then the API, which says how webhooks come, and the sync, which registers them, are told the same one."""
    of_events = {
        name for name, one in RESOURCES.items() if "ShopifyEvent" in name and one.get("Type") not in (None, QUEUE)
    }
    assert len(of_events) == 6
    assert {RESOURCES[name].get("Condition") for name in of_events} == {"HasShopifyEventSource"}
    told = {
        name: resource_of(name)["Properties"]["Environment"]["Variables"]["AGALA_SHOPIFY_EVENT_SOURCE_ARN"]
        for name in ("api_handler", "store_sync")
    }
    assert told["api_handler"] == told["store_sync"]
    condition, arn, without = told["store_sync"]["Fn::If"]
    assert (condition, without) == ("HasShopifyEventSource", "")
    assert arn["Fn::Sub"].endswith(":events:${AWS::Region}::event-source/${ShopifyEventSource}")


def test_no_event_of_shopify_is_lost_without_a_trace() -> None:
    """Whether the function cannot be reached, or fails, the event waits where an alarm looks."""
    lost = {"Fn::GetAtt": ["LostShopifyEvents", "Arn"]}
    (target,) = RESOURCES["ShopifyEventRule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"]["Arn"] == lost
    assert resource_of("shopify_events")["Properties"]["DeadLetterQueue"]["TargetArn"] == lost
    (statement,) = RESOURCES["LostShopifyEventsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Principal"]["Service"], statement["Resource"]) == ("events.amazonaws.com", lost)
    assert lost in [statement["Resource"] for statement in POLICIES["shopify_events"]["Statement"]]
    assert "LostShopifyEvents" in json.dumps(RESOURCES["LostShopifyEventsAlarm"])


def test_a_delivery_is_not_given_out_again_while_it_is_worked_on() -> None:
    """AWS Lambda's guide to SQS: a visibility timeout of at least six times the function's."""
    assert RESOURCES["Deliveries"]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS["ingest"]["lambda_timeout"]


def test_links_have_a_door_whose_visits_are_judged_when_a_program_had_time_to_show_itself() -> None:
    assert "ReservedConcurrentExecutions" in resource_of("links_door")["Properties"]
    queue = RESOURCES["Activities"]["Properties"]
    assert timedelta(seconds=queue["DelaySeconds"]) > TOGETHER
    assert queue["VisibilityTimeout"] >= 6 * FUNCTIONS["activity"]["lambda_timeout"]
    reaches = [s["Resource"] for s in POLICIES["links_door"]["Statement"] if "sqs:SendMessage" in s["Action"]]
    assert reaches == [{"Fn::GetAtt": ["Activities", "Arn"]}], "and no shop's deliveries"
    served = {path[1] for (path, _), name in package.OWN_FUNCTION.items() if name == "links-door"}
    may = [
        one["Properties"]["SourceArn"]["Fn::Sub"][-3]
        for one in RESOURCES.values()
        if one.get("Type") == "AWS::Lambda::Permission" and one["Properties"]["FunctionName"] == {"Ref": "LinksDoor"}
    ]
    assert sorted(may) == sorted(served)


def with_paths(*routes: tuple[str, str]) -> dict[str, Any]:
    uri = {"Fn::Sub": "${APIHandler.Arn}"}
    integration = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": uri}}
    paths: dict[str, Any] = {}
    for path, method in routes:
        paths.setdefault(path, {})[method] = json.loads(json.dumps(integration))
    api = {"Properties": {"DefinitionBody": {"paths": paths}}}
    handler = {"Environment": {"url": {"Fn::Sub": "https://${RestAPI}.example"}}}
    return {"Resources": {"RestAPI": api, "APIHandler": handler}}


def test_each_route_names_its_function_and_so_makes_no_circle() -> None:
    template = with_paths(*package.OWN_FUNCTION, ("/v1/stores", "post"))
    with pytest.raises(CycleError):
        package.require_an_order(template)
    package.connect_routes(template)
    package.require_an_order(template)
    text = json.dumps(template)
    assert text.count("-webhook-door/invocations") == 3
    assert text.count("-carts-door/invocations") == 1
    assert text.count("-links-door/invocations") == 14
    assert text.count("-api/invocations") == 1


def test_pictures_pass_whatever_a_mail_program_says_that_it_accepts() -> None:
    """API Gateway decodes a binary answer only for who accepts one of these kinds; mail programs accept what they like.
    Bodies then come in base64, which every door reads."""
    body = RESOURCES["RestAPI"]["Properties"]["DefinitionBody"]
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_counts_are_kept_where_the_errands_may_write_and_go_by_themselves() -> None:
    rules = RESOURCES["Objects"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "counts/"} == {2}
    allowed = [one for one in POLICIES["errands"]["Statement"] if "s3:PutObject" in one["Action"]]
    assert [one["Resource"] for one in allowed] == [{"Fn::Sub": "${Objects.Arn}/counts/*"}]


def test_a_missing_webhook_route_is_not_packaged() -> None:
    with pytest.raises(KeyError):
        package.connect_routes(with_paths(("/v1/stores", "post")))


def test_every_fixed_state_machine_has_its_definition_its_function_and_its_name() -> None:
    template = json.loads(json.dumps(TEMPLATE))
    package.define_machines(template)
    allowed = json.dumps(RESOURCES["StateMachineRole"])
    known = json.dumps([resource_of(name)["Properties"]["Environment"] for name in FUNCTIONS])
    for resource in package.MACHINES:
        properties = template["Resources"][resource]["Properties"]
        function = properties["DefinitionSubstitutions"]["Function"]["Fn::Sub"]
        assert FUNCTION in properties["DefinitionString"]
        assert function in allowed
        assert function.partition(":function:")[2] in {
            resource_of(name)["Properties"]["FunctionName"]["Fn::Sub"] for name in FUNCTIONS
        }
        name = properties["StateMachineName"]["Fn::Sub"]
        assert name.startswith("agala-") and f":stateMachine:{name}" in known
