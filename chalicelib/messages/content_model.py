"""What a shop owner writes in an email, as data. Texts are Liquid; rendering is `messages.content`'s affair."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Line = Annotated[str, Field(min_length=1, max_length=500)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Link = Annotated[str, Field(min_length=1, max_length=2_000)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]


class Block(BaseModel):
    """One piece of an email, from top to bottom."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadingBlock(Block):
    """A headline."""

    type: Literal["heading"]
    text: Line


class TextBlock(Block):
    """One or more paragraphs; an empty line parts them."""

    type: Literal["text"]
    text: Text


class ButtonBlock(Block):
    """A button. `url` is an address or Liquid that gives one, such as `{{ product.url }}`."""

    type: Literal["button"]
    text: Line
    url: Link


class ImageBlock(Block):
    """A picture, with words for those who do not see it; with `url` it is a link."""

    type: Literal["image"]
    src: Link
    alt: Annotated[str, Field(max_length=500)]
    url: Link | None = None


class DividerBlock(Block):
    """A thin line across."""

    type: Literal["divider"]


class OrderItemsBlock(Block):
    """The items of the order that started the journey: picture, name, quantity, price."""

    type: Literal["order_items"]


class CartItemsBlock(Block):
    """The items of the cart that the journey is about, their total, and a button that opens that cart again, on any
    device; or the shop, where the cart came without such a link. `button` is its text.
    """

    type: Literal["cart_items"]
    button: Line | None = None


class TalkToUsBlock(Block):
    """A way to ask a person, such as a chat: left out where the store's settings name no `talk_to_us_url`."""

    type: Literal["talk_to_us"]
    text: Line | None = None


class CouponBlock(Block):
    """The code that a step before made for the contact, and until when it is good; left out where there is none, or it
    is over. `text` are words above it; with `url` there is a button, `button` is its text.
    """

    type: Literal["coupon"]
    text: Line | None = None
    button: Line | None = None
    url: Link | None = None


class ProductBlock(Block):
    """A product with its present price and picture: `trigger` is the one of the journey's event, else its store id.

    `consumable` is the one of the event that is used up first; where there is none, the block shows nothing. Nor
    does it for an empty id, until the shop owner chooses one.
    """

    type: Literal["product"]
    product: Annotated[str, Field(max_length=100)] | None = "trigger"


BLOCKS: dict[str, type[Block]] = {
    "heading": HeadingBlock,
    "text": TextBlock,
    "button": ButtonBlock,
    "image": ImageBlock,
    "divider": DividerBlock,
    "order_items": OrderItemsBlock,
    "cart_items": CartItemsBlock,
    "talk_to_us": TalkToUsBlock,
    "coupon": CouponBlock,
    "product": ProductBlock,
}


def _block_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"<{kind}>" if isinstance(kind, str) else None


ContentBlock = Annotated[
    Annotated[HeadingBlock, Tag("<heading>")]
    | Annotated[TextBlock, Tag("<text>")]
    | Annotated[ButtonBlock, Tag("<button>")]
    | Annotated[ImageBlock, Tag("<image>")]
    | Annotated[DividerBlock, Tag("<divider>")]
    | Annotated[OrderItemsBlock, Tag("<order_items>")]
    | Annotated[CartItemsBlock, Tag("<cart_items>")]
    | Annotated[TalkToUsBlock, Tag("<talk_to_us>")]
    | Annotated[CouponBlock, Tag("<coupon>")]
    | Annotated[ProductBlock, Tag("<product>")],
    Discriminator(
        _block_tag,
        custom_error_type="unknown_type",
        custom_error_message="expected a block with a type of " + ", ".join(BLOCKS),
    ),
]


class EmailContent(BaseModel):
    """One email in one language. The footer (sender, reason, unsubscribe) is added to every email by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Line
    preheader: Annotated[str, Field(max_length=500)] | None = None
    blocks: Annotated[tuple[ContentBlock, ...], Field(min_length=1, max_length=50)]


class WhatsAppContent(BaseModel):
    """One WhatsApp message in one language. With `template`, Meta's approved template of that name in that language,
    whose one variable in the body is `text`; else `text` itself, which reaches only who wrote to the shop in the last
    24 hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Text
    template: Annotated[str, Field(min_length=1, max_length=512)] | None = None
