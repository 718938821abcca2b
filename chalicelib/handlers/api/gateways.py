"""`/v1/stores/{s}/gateways/{channel}`: a provider of SMS or WhatsApp of the store's own, instead of AWS."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.contacts.consent import Channel
from chalicelib.contacts.identity import normalise_phone
from chalicelib.errors import BadInput, Conflict, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Line
from chalicelib.handlers.http import Call, door
from chalicelib.ids import digest, new_id
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.gateway import Gateway, SecretName
from chalicelib.messages.gateway_reports import report_url
from chalicelib.messages.policy import may_write_to
from chalicelib.messages.ports import SendRejected, SendUncertain, Sms, WhatsApp

gateways = Blueprint(__name__)

_PATH = "/v1/stores/{store_id}/gateways/{gateway_channel}"
_MOST_SECRETS = 3800  # bytes: SSM keeps 4 KB in one parameter
Secret = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[\x20-\x7e]+$")]


class GatewayNew(Body):
    """`secrets`: those that are given are kept; one that was kept before and is not given stays, as long as the address
    is of the same host: another must be told all of them, for nobody else may be sent them. They are never shown again.
    What the gateway does not name any more is forgotten."""

    gateway: Gateway
    secrets: Annotated[dict[SecretName, Secret], Field(default_factory=dict, max_length=20)]


class GatewayAnswer(Answer):
    """`report_url`: where the gateway reports and sends replies to; its last part is secret."""

    channel: Channel
    gateway: Gateway
    secret_names: list[str]
    report_url: str


class GatewayTest(Body):
    """`to`: a phone number. `template`, `language` and `variables` only for WhatsApp."""

    to: Annotated[str, Field(min_length=3, max_length=40)]
    text: Annotated[str, Field(min_length=1, max_length=1000)]
    template: Line | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    variables: Annotated[tuple[Line, ...], Field(max_length=20)] = ()


class GatewayTested(Answer):
    """`outcome` unknown: the gateway may have it or not. `detail`: a code, such as the answer's status."""

    message_id: str
    outcome: Literal["sent", "busy", "rejected", "unknown"]
    provider_id: str | None
    detail: str | None


@door(gateways, "GET", _PATH, summary="The store's own provider of a channel", scope="store", answers=GatewayAnswer)
def get_gateway(call: Call) -> GatewayAnswer:
    return _shown(call, _gateway(call))


@door(
    gateways,
    "PUT",
    _PATH,
    summary="Send a channel's messages through a provider of the store's own",
    scope="store",
    body=GatewayNew,
    answers=GatewayAnswer,
)
def put_gateway(call: Call) -> GatewayAnswer:
    """The secrets first: a gateway never names one that is not there. Whoever is cut off asks again."""
    given: GatewayNew = call.body
    channel, store_id = _channel(call), call.store.id
    needed = given.gateway.secret_names
    known = call.wiring.secrets.gateway_secrets(store_id, channel.value, newer_than=0)
    before = call.wiring.gateways.get(store_id, channel, newer_than=0)
    stays = known if before is not None and before.host == given.gateway.host else {}
    kept = {name: value for name, value in {**stays, **given.secrets}.items() if name in needed}
    mistakes = [FieldMistake(f"secrets.{name}", "the gateway needs it") for name in sorted(needed - kept.keys())]
    if len(json.dumps(kept)) > _MOST_SECRETS:
        mistakes.append(FieldMistake("secrets", f"must be no more than {_MOST_SECRETS} bytes together"))
    if mistakes:
        raise BadInput("The body is not as expected.", mistakes)
    if kept != known:
        call.wiring.secrets.put_gateway_secrets(store_id, channel.value, {**known, **kept})
    call.wiring.gateways.put(store_id, channel, given.gateway)
    if known.keys() - kept.keys():
        call.wiring.secrets.put_gateway_secrets(store_id, channel.value, kept)
    return _shown(call, given.gateway)


@door(gateways, "DELETE", _PATH, summary="Send a channel's messages through AWS again", scope="store", status=204)
def delete_gateway(call: Call) -> None:
    forget_gateway(call, call.store.id, _channel(call))


@door(
    gateways,
    "POST",
    f"{_PATH}/test",
    summary="Send one message through the gateway now",
    scope="store",
    body=GatewayTest,
    answers=GatewayTested,
)
def try_gateway(call: Call) -> GatewayTested:
    """The store's `sending` switch holds for it."""
    given: GatewayTest = call.body
    channel, gateway, store = _channel(call), _gateway(call), call.store
    to = normalise_phone(given.to, store.country)
    if to is None:
        raise BadInput("The body is not as expected.", [FieldMistake("to", "expected a phone number")])
    if not may_write_to(store, to):
        raise Conflict("the store's sending is stopped, or its sandbox does not allow this number")
    message = _message(call, given, channel, to)
    outcome: Literal["sent", "busy", "rejected", "unknown"] = "sent"
    provider_id = detail = None
    try:
        provider_id = call.wiring.gateway_channel(gateway, store, channel).send(message)
    except ProviderBusy as busy:
        outcome, detail = "busy", str(busy)
    except SendRejected as rejected:
        outcome, detail = "rejected", str(rejected)
    except SendUncertain as uncertain:
        outcome, detail = "unknown", str(uncertain)
    return GatewayTested(message_id=message.message_id, outcome=outcome, provider_id=provider_id, detail=detail)


def forget_gateway(call: Call, store_id: str, channel: Channel) -> None:
    """Also where there is none."""
    call.wiring.gateways.delete(store_id, channel)
    call.wiring.secrets.delete_gateway_secrets(store_id, channel.value)


def _message(call: Call, given: GatewayTest, channel: Channel, to: str) -> Sms | WhatsApp:
    """Under an id of the form that messages have, which none of them has."""
    nobody = new_id(call.wiring.clock.now())
    store, name = call.store, call.store.settings.sender.name or call.store.name
    message_id = f"{nobody}-{digest('test', store.id, nobody)}"
    about = {"message_id": message_id, "store_id": store.id, "contact_id": nobody, "kind": "transactional"}
    if channel is Channel.SMS:
        return Sms(**about, sender=store.settings.sender.sms, sender_name=name, to=to, text=given.text)
    variables = (given.variables or (given.text,)) if given.template else ()
    return WhatsApp(
        **about,
        sender="",
        sender_name=name,
        to=to,
        language=given.language,
        template=given.template,
        variables=variables,
        text=given.text,
    )


def _channel(call: Call) -> Channel:
    return Channel(call.path["gateway_channel"])


def _gateway(call: Call) -> Gateway:
    found: Gateway | None = call.wiring.gateways.get(call.store.id, _channel(call), newer_than=0)
    if found is None:
        raise NotFound("no gateway for this channel")
    return found


def _shown(call: Call, gateway: Gateway) -> GatewayAnswer:
    channel, key = _channel(call), call.wiring.secrets.signing_key()
    return GatewayAnswer(
        channel=channel,
        gateway=gateway,
        secret_names=sorted(gateway.secret_names),
        report_url=report_url(call.base_url, key, call.store.id, channel),
    )
