"""The blocks that an email is built of, as data. Texts are Liquid; how each looks is `messages.blocks`' affair.

A block that has nothing true to show for this contact at this moment (a product that is gone, no cart, no views) leaves
itself out, and no hole stays where it would have stood.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from chalicelib.journeys.condition_forms import Condition

Line = Annotated[str, Field(min_length=1, max_length=500)]
Text = Annotated[str, Field(min_length=1, max_length=20_000)]
Link = Annotated[str, Field(min_length=1, max_length=2_000)]
Word = Annotated[str, Field(min_length=1, max_length=100)]
Icon = Annotated[str, Field(min_length=1, max_length=8)]
"""An emoji or a sign."""
Count = Annotated[int, Field(ge=1, le=12)]
Value = str | int | float | bool


class Block(BaseModel):
    """One piece of an email, from top to bottom."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SmartLink(BaseModel):
    """What a person's click does besides leading on. It never changes consent: a click may be a scanner's.

    `name` is what the events and reports call it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Word
    set_fields: Annotated[dict[Word, Value], Field(max_length=10)] = Field(default_factory=dict)
    add_to_lists: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    remove_from_lists: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    add_tags: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    remove_tags: Annotated[tuple[Word, ...], Field(max_length=10)] = ()
    start_journey: Word | None = None


class HeroBlock(Block):
    """The opening: a coloured field with large words. `eyebrow` is a small line above the title; `tone` the field's
    colour, made of the store's brand; with `text` or `button` there is more below."""

    type: Literal["hero"]
    tone: Literal["brand", "soft", "dark", "festive"] = "brand"
    icon: Icon | None = None
    eyebrow: Line | None = None
    title: Line
    text: Text | None = None
    image: Link | None = None
    alt: Annotated[str, Field(max_length=500)] = ""
    button: Line | None = None
    url: Link | None = None


class HeadingBlock(Block):
    """A headline."""

    type: Literal["heading"]
    text: Line


class TextBlock(Block):
    """One or more paragraphs; an empty line parts them. `**bold**` and `[words](address)` are read."""

    type: Literal["text"]
    text: Text


class Feature(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    icon: Icon | None = None
    title: Line
    text: Text | None = None


class FeaturesBlock(Block):
    """Advantages, or steps, one beside the other (one below the other on a phone)."""

    type: Literal["features"]
    items: Annotated[tuple[Feature, ...], Field(min_length=1, max_length=4)]


class QuoteBlock(Block):
    """What somebody said, and who."""

    type: Literal["quote"]
    text: Text
    by: Line | None = None


class ButtonBlock(Block):
    """A button. `url` is an address or Liquid that gives one, such as `{{ product.url }}`; `smart`: what a click on it
    does besides."""

    type: Literal["button"]
    text: Line
    url: Link
    smart: SmartLink | None = None


class ImageBlock(Block):
    """A picture, with words for those who do not see it; with `url` it is a link."""

    type: Literal["image"]
    src: Link
    alt: Annotated[str, Field(max_length=500)]
    url: Link | None = None
    smart: SmartLink | None = None


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
    does it for an empty id, until the shop owner chooses one. `button`: words for a button that leads to it.
    """

    type: Literal["product"]
    product: Annotated[str, Field(max_length=100)] | None = "trigger"
    button: Line | None = None


class ProductsBlock(Block):
    """Chosen products, by store id, side by side, with their present price and picture. `title`: words above."""

    type: Literal["products"]
    products: Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(min_length=1, max_length=12)]
    title: Line | None = None


class ViewedProductsBlock(Block):
    """What the contact looked at last and did not buy since, newest first."""

    type: Literal["viewed_products"]
    count: Count = 4
    title: Line | None = None


class RecommendedBlock(Block):
    """Products that go with another: `bought_together` in the same orders, of the `same_category`, or the store's
    `best_sellers`. Counted over the last 90 days; nothing that the contact bought, nothing out of stock.

    `of`: `trigger` (the product or the items of the journey's event), `viewed` (what was looked at last), or an id.
    Where one way finds too few, the next of `by` fills up. `why`: say in a line why these are shown.
    """

    type: Literal["recommended"]
    by: Annotated[
        tuple[Literal["bought_together", "same_category", "best_sellers"], ...], Field(min_length=1, max_length=3)
    ] = ("bought_together", "same_category", "best_sellers")
    of: Annotated[str, Field(max_length=100)] = "trigger"
    count: Count = 4
    title: Line | None = None
    why: bool = True


class NewArrivalsBlock(Block):
    """The newest products: those of the journey's event where it tells new products, else the newest of the shop, in
    the last `days`; with `category` only of it (a store id)."""

    type: Literal["new_arrivals"]
    count: Count = 4
    days: Annotated[int, Field(ge=1, le=365)] = 30
    category: Annotated[str, Field(max_length=100)] | None = None
    title: Line | None = None


class CountdownBlock(Block):
    """How long until something ends: `coupon` (the code that a step before made), or a moment (`until`). The words say
    the day and hour; a picture counts as of the moment when the email is opened, and is gone when it is over."""

    type: Literal["countdown"]
    of: Literal["coupon"] | None = None
    until: AwareDatetime | None = None
    text: Line | None = None

    @model_validator(mode="after")
    def _one_end(self) -> CountdownBlock:
        if (self.of is None) == (self.until is None):
            raise ValueError("expected either of: coupon or until: a time with its zone")
        if self.until is not None and not 2000 <= self.until.year < 2100:  # the last years have no time in every zone
            raise ValueError("until: expected a time of this century")
        return self


class StockLeftBlock(Block):
    """ "Only 3 left": a picture that is true when the email is opened; nothing where there are more than `below`, none,
    or the shop does not count. `product` as in a product block."""

    type: Literal["stock_left"]
    product: Annotated[str, Field(max_length=100)] = "trigger"
    below: Annotated[int, Field(ge=1, le=99)] = 10


class RatingBlock(Block):
    """One question of a survey with the numbers 1 to `best`, answerable with one click. `low` and `high` are the labels
    of both ends. The answer comes as `survey_answered`, and with `field` it is kept in that field of the contact."""

    type: Literal["rating"]
    survey: Word
    question: Word
    text: Line
    best: Annotated[int, Field(ge=3, le=10)] = 5
    low: Line | None = None
    high: Line | None = None
    field: Word | None = None


class Choice(BaseModel):
    """`value` is what is kept; `label` what is read; `url`: where the click leads (else to a word of thanks)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Word
    label: Line
    url: Link | None = None


class SurveyBlock(Block):
    """One question of a survey with a few answers, each a button; otherwise as a rating."""

    type: Literal["survey"]
    survey: Word
    question: Word
    text: Line
    choices: Annotated[tuple[Choice, ...], Field(min_length=2, max_length=10)]
    field: Word | None = None


class WhatsAppShareBlock(Block):
    """A button that opens WhatsApp with `message` and `url` ready to be sent to friends. The link that friends get
    never tells who shared it."""

    type: Literal["whatsapp_share"]
    message: Line
    url: Link
    button: Line | None = None


class FocusBlock(Block):
    """Focused content: `blocks` for those to whom the condition applies, `else` for the others."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: Literal["focus"]
    condition: Condition = Field(alias="if")
    blocks: Annotated[tuple[ContentBlock, ...], Field(min_length=1, max_length=20)]
    otherwise: Annotated[tuple[ContentBlock, ...], Field(alias="else", max_length=20)] = ()


BLOCKS: dict[str, type[Block]] = {
    "hero": HeroBlock,
    "heading": HeadingBlock,
    "text": TextBlock,
    "features": FeaturesBlock,
    "quote": QuoteBlock,
    "button": ButtonBlock,
    "image": ImageBlock,
    "divider": DividerBlock,
    "order_items": OrderItemsBlock,
    "cart_items": CartItemsBlock,
    "talk_to_us": TalkToUsBlock,
    "coupon": CouponBlock,
    "product": ProductBlock,
    "products": ProductsBlock,
    "viewed_products": ViewedProductsBlock,
    "recommended": RecommendedBlock,
    "new_arrivals": NewArrivalsBlock,
    "countdown": CountdownBlock,
    "stock_left": StockLeftBlock,
    "rating": RatingBlock,
    "survey": SurveyBlock,
    "whatsapp_share": WhatsAppShareBlock,
    "focus": FocusBlock,
}


def _block_tag(value: Any) -> str | None:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"<{kind}>" if isinstance(kind, str) else None


ContentBlock = Annotated[
    Annotated[HeroBlock, Tag("<hero>")]
    | Annotated[HeadingBlock, Tag("<heading>")]
    | Annotated[TextBlock, Tag("<text>")]
    | Annotated[FeaturesBlock, Tag("<features>")]
    | Annotated[QuoteBlock, Tag("<quote>")]
    | Annotated[ButtonBlock, Tag("<button>")]
    | Annotated[ImageBlock, Tag("<image>")]
    | Annotated[DividerBlock, Tag("<divider>")]
    | Annotated[OrderItemsBlock, Tag("<order_items>")]
    | Annotated[CartItemsBlock, Tag("<cart_items>")]
    | Annotated[TalkToUsBlock, Tag("<talk_to_us>")]
    | Annotated[CouponBlock, Tag("<coupon>")]
    | Annotated[ProductBlock, Tag("<product>")]
    | Annotated[ProductsBlock, Tag("<products>")]
    | Annotated[ViewedProductsBlock, Tag("<viewed_products>")]
    | Annotated[RecommendedBlock, Tag("<recommended>")]
    | Annotated[NewArrivalsBlock, Tag("<new_arrivals>")]
    | Annotated[CountdownBlock, Tag("<countdown>")]
    | Annotated[StockLeftBlock, Tag("<stock_left>")]
    | Annotated[RatingBlock, Tag("<rating>")]
    | Annotated[SurveyBlock, Tag("<survey>")]
    | Annotated[WhatsAppShareBlock, Tag("<whatsapp_share>")]
    | Annotated[FocusBlock, Tag("<focus>")],
    Discriminator(
        _block_tag,
        custom_error_type="unknown_type",
        custom_error_message="expected a block with a type of " + ", ".join(BLOCKS),
    ),
]
FocusBlock.model_rebuild()
