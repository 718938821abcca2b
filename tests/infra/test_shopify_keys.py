"""Who renews a Shopify token may also keep it: the one that was used up is good for nothing."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from tests.infra.test_template import POLICIES

PLACE = "parameter/agala/${AWS::StackName}/"


def allowed(function: str, action: str, name: str) -> bool:
    return any(
        action in statement["Action"]
        and any(
            fnmatch(name, resource["Fn::Sub"].partition(PLACE)[2])
            for resource in (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            )
            if PLACE in resource.get("Fn::Sub", "")
        )
        for statement in POLICIES[function]["Statement"]
    )


@pytest.mark.parametrize("function", ["store_sync", "api_handler", "journey_step"])
def test_who_renews_a_token_may_keep_it(function: str) -> None:
    for action in ("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"):
        assert allowed(function, action, "stores/01x/shopify-access")
    assert allowed(function, "ssm:GetParameter", "shopify-app")


@pytest.mark.parametrize("function", ["webhook_door", "carts_door", "shopify_events", "nightly"])
def test_nobody_else_reads_tokens(function: str) -> None:
    assert not allowed(function, "ssm:GetParameter", "stores/01x/shopify-access")
