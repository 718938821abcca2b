"""`/v1/stores/{s}/previews`, `…/test-messages`, `…/journeys/{j}/check`: messages before anybody gets them."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.contacts.consent import Channel
from chalicelib.errors import BadInput, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Query
from chalicelib.handlers.http import PATH_PATTERNS, Call, door
from chalicelib.messages.message import MessageKind

if TYPE_CHECKING:
    from chalicelib.journeys.actions import Step
    from chalicelib.journeys.definition import Definition
    from chalicelib.messages.check import Finding, Shown
    from chalicelib.messages.content_model import EmailContent

previews = Blueprint(__name__)
_MOST_LINKS, _LINK_SECONDS = 20, 3.0
_ALL_SECONDS = 12.0  # API Gateway answers for us after 29


class MessageAsked(Body):
    """What to show: `content` (an email, by language), or `text` (of `channel`, by language), or a `template`'s words,
    or what the `step` of a `journey` sends (its draft; else what is live). `contact_id`: as this person would get it,
    after their newest event of type `trigger`; else as somebody made up would. `language`: in this one."""

    channel: Channel = Channel.EMAIL
    kind: MessageKind = MessageKind.MARKETING
    content: dict[str, Any] | None = None
    text: Annotated[dict[str, str], Field(min_length=1, max_length=20)] | None = None
    template: Annotated[str, Field(pattern=PATH_PATTERNS["template_id"])] | None = None
    journey: Annotated[str, Field(pattern=PATH_PATTERNS["journey_id"])] | None = None
    step: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    contact_id: Annotated[str, Field(pattern=PATH_PATTERNS["contact_id"])] | None = None
    trigger: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None


class PreviewAnswer(Answer):
    """`sms_parts`: how many SMS it is. `size`: bytes of the HTML; Gmail cuts an email off at 102 KB."""

    channel: Channel
    subject: str | None
    html: str | None
    text: str
    size: int | None
    sms_parts: int | None


class TestAsked(MessageAsked):
    """`to`: one of settings.sandbox_addresses, the manager's or the sender's address."""

    to: Annotated[str, Field(min_length=3, max_length=254)]


class TestAnswer(Answer):
    """`unknown`: the provider's answer was lost; it may or may not have gone out."""

    status: Literal["sent", "unknown"]


class CheckQuery(Query):
    """`follow`: ask every address of the messages, too, whether it is there (the first 20)."""

    follow: Literal["true", "false"] = "false"


class FindingAnswer(Answer):
    """`mistake`: this message cannot be made; `warning`: it can, but look at it first."""

    level: Literal["mistake", "warning"]
    step: str
    field: str
    message: str


class CheckAnswer(Answer):
    """`ready`: there is no mistake."""

    ready: bool
    items: list[FindingAnswer]


@door(
    previews,
    "POST",
    "/v1/stores/{store_id}/previews",
    summary="A message as somebody would get it; nothing is sent",
    scope="store",
    body=MessageAsked,
    answers=PreviewAnswer,
)
def preview(call: Call) -> PreviewAnswer:
    from chalicelib.messages.sms_parts import parts

    asked: MessageAsked = call.body
    channel, finished = _made(call, asked)
    html = getattr(finished, "html", None)
    return PreviewAnswer(
        channel=channel,
        subject=finished.subject,
        html=html,
        text=finished.text,
        size=len(html.encode()) if html else None,
        sms_parts=parts(finished.text) if channel is Channel.SMS else None,
    )


@door(
    previews,
    "POST",
    "/v1/stores/{store_id}/test-messages",
    summary="Send a message to one of the shop's own people, marked as a test",
    scope="store",
    body=TestAsked,
    answers=TestAnswer,
)
def send_test(call: Call) -> TestAnswer:
    asked: TestAsked = call.body
    channel, finished = _made(call, asked, asked.to)
    status = call.wiring.preview.send(call.store, channel, asked.to, finished)
    return TestAnswer(status="unknown" if status == "unknown" else "sent")


@door(
    previews,
    "GET",
    "/v1/stores/{store_id}/journeys/{journey_id}/check",
    summary="What a careful colleague would point at before the journey is switched on",
    scope="store",
    query=CheckQuery,
    answers=CheckAnswer,
)
def check_journey(call: Call) -> CheckAnswer:
    from chalicelib.messages.check import check, links_in

    definition, trigger = _definition(call, call.path["journey_id"])

    def make(channel: Channel, step: Step, language: str) -> Shown:
        from chalicelib.messages.check import Shown

        finished = call.wiring.preview.shown(
            call.store, channel, _kind(step), {language: _content(step)[language]}, trigger=trigger, language=language
        )
        return Shown(text=finished.text, size=len(getattr(finished, "html", "").encode()))

    found = check(definition, call.store, make)
    if call.query.follow == "true":
        found += _broken(call, links_in(definition))
    items = [FindingAnswer(level=one.level, step=one.step, field=one.field, message=one.message) for one in found]
    return CheckAnswer(ready=not any(one.level == "mistake" for one in found), items=items)


def _made(call: Call, asked: MessageAsked, to: str | None = None) -> tuple[Channel, Any]:
    from chalicelib.messages.content import RenderingError
    from chalicelib.messages.ports import NotAllowed

    channel, kind, content, trigger = _asked(call, asked)
    try:
        finished = call.wiring.preview.shown(
            call.store,
            channel,
            kind,
            content,
            trigger=asked.trigger or trigger,
            contact_id=asked.contact_id,
            language=asked.language,
            journey=asked.journey or "preview",
            step=asked.step or "preview",
            to=to,
        )
    except (RenderingError, NotAllowed) as wrong:
        raise BadInput("The message cannot be made.", [FieldMistake("content", str(wrong))]) from None
    return channel, finished


def _asked(call: Call, asked: MessageAsked) -> tuple[Channel, MessageKind, dict[str, Any], str]:
    """(channel, kind, content by language, the type of the event that it is about)"""
    given = [name for name in ("content", "text", "template", "journey") if getattr(asked, name) is not None]
    if len(given) != 1:
        raise BadInput("Expected one of content, text, template, journey.", [FieldMistake("content", "expected one")])
    if asked.journey is not None:
        definition, trigger = _definition(call, asked.journey)
        step = _step(definition, asked.step)
        return _channel(step), _kind(step), _content(step), trigger
    if asked.text is not None:
        return asked.channel, asked.kind, _texts(asked), "order_paid"
    if asked.template is not None:
        words = call.wiring.template_words(call.store.id, asked.template)
        if words is None:
            raise NotFound("no such template")
        return Channel.EMAIL, asked.kind, dict(words), _about(words)
    from chalicelib.messages.template import read_words

    content = read_words(asked.content)
    return Channel.EMAIL, asked.kind, dict(content), _about(content)


def _about(words: Mapping[str, EmailContent]) -> str:
    """The type of event that words of no journey are shown after: an email with a cart in it is about a cart."""
    from chalicelib.messages.block_forms import CartItemsBlock

    blocks = (block for content in words.values() for _, block in content.located())
    return "cart_abandoned" if any(isinstance(block, CartItemsBlock) for block in blocks) else "order_paid"


def _texts(asked: MessageAsked) -> dict[str, Any]:
    from chalicelib.messages.content import check_words
    from chalicelib.messages.content_model import WhatsAppContent

    if asked.channel is Channel.EMAIL:
        raise BadInput("An email has content.", [FieldMistake("text", "is for sms and whatsapp")])
    told = asked.text or {}
    mistakes = [
        FieldMistake(f"text.{language}", message) for language, text in told.items() for message in check_words(text)
    ]
    mistakes += [FieldMistake(f"text.{name}", "expected some words") for name, text in told.items() if not text]
    if mistakes:
        raise BadInput("The text has mistakes.", mistakes)
    if asked.channel is Channel.SMS:
        return dict(told)
    return {language: WhatsAppContent(text=text[:20_000]) for language, text in told.items()}


def _definition(call: Call, journey_id: str) -> tuple[Definition, str]:
    from chalicelib.journeys.definition import Definition
    from chalicelib.journeys.triggers import event_type

    journey = call.wiring.journeys.get(call.store.id, journey_id)
    data = journey.draft if journey is not None else None
    if data is None and journey is not None and journey.live_version is not None:
        live = call.wiring.journeys.version(call.store.id, journey_id, journey.live_version)
        data = live.definition if live else None
    if data is None:
        raise NotFound("no such journey")
    definition = Definition.kept(data)
    return definition, event_type(definition.trigger)


def _step(definition: Definition, step_id: str | None) -> Step:
    from chalicelib.journeys.actions import SendEmail, SendText

    sending = [place.step for place in definition.located() if isinstance(place.step, SendEmail | SendText)]
    found = next((step for step in sending if step.id == step_id), None)
    if found is None:
        known = ", ".join(step.id for step in sending) or "none"
        raise BadInput("Expected a step that sends.", [FieldMistake("step", f"expected one of {known}")])
    return found


def _channel(step: Step) -> Channel:
    names = {"send_email": Channel.EMAIL, "send_sms": Channel.SMS, "send_whatsapp": Channel.WHATSAPP}
    return names[step.type]


def _kind(step: Step) -> MessageKind:
    return MessageKind(getattr(step, "kind", MessageKind.MARKETING))


def _content(step: Step) -> dict[str, Any]:
    from chalicelib.journeys.actions import SendEmail, SendText
    from chalicelib.messages.content_model import WhatsAppContent

    if isinstance(step, SendEmail):
        return dict(step.content)
    assert isinstance(step, SendText)
    if step.type == "send_sms":
        return dict(step.text)
    return {
        language: WhatsAppContent(text=text, template=step.template, variables=step.variables.get(language, ()))
        for language, text in step.text.items()
    }


def _broken(call: Call, links: dict[str, list[tuple[str, str]]]) -> list[Finding]:
    """Addresses that are not there; one that only does not answer now is passed over, and so are those that are left
    when the time is over."""
    from chalicelib.messages.check import Finding

    found, ends = [], monotonic() + _ALL_SECONDS
    for address in list(links)[:_MOST_LINKS]:
        if monotonic() > ends:
            break
        if call.wiring.is_gone(address, _LINK_SECONDS):
            told = "nothing is found at this address"
            found += [Finding("warning", step, field, told) for step, field in links[address]]
    return found
