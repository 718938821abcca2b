"""What every block of one compiled email shares, and the row of the page that it stands in.

A block's renderer is `(block, page) -> Part | None`. It runs once per content, language and brand, not per contact:
its `Part` holds *Liquid sources*, which are filled in for every contact. None: it never has anything to show.

- Owner's words and addresses become `Slot`s: `page.words(block.title, "title")`, `page.paragraphs(…)`,
  `page.line(…)` (a button's words, an `alt`: one line without tags), `page.address(block.url, "url")`. A slot says what
  to write in HTML (`html`), in an attribute (`attribute`) and in the text twin (`text`).
- `page.when(part, *slots, tests=("at.b2.products",))` gives the part with `{% if %}` around it, and with what the slots
  need before it: it is there only where every slot shows something and every test is true. `page.or_else(slot, words)`
  is a slot that falls back to words of ours. Use a slot's `html`/`text` only inside a part that went through `when`
  with it (or through `when` of a part around it).
- Data stands in the fields (`messages.fields`): `page.at` is the place's own Liquid path (`at.b2`, `at.b2_e0`), and
  `goods(which)` the path of a product. Loops and choices between whole sections are written
  `<mj-raw>{% for … %}</mj-raw><mj-section>…`, inside words and tables without `mj-raw`.
- In HTML `{{ name }}` escapes, isolates and breaks lines by itself; in attributes write `{{ name | attr }}`. In the
  text twin write `{{ name | isolated }}` for names. Literal words of ours go through `html.escape`; literal
  texts that may hold other than ASCII letters and stand in an MJML *attribute* go through `aside(…)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from chalicelib.commerce.store import Brand, Store
from chalicelib.messages.colours import INK, WHITE, readable, words_on
from chalicelib.messages.message import MessageKind
from chalicelib.messages.phrase import (
    attribute_words,
    has_liquid,
    html_paragraphs,
    html_words,
    kept_address,
    line_words,
    plain_words,
    surely_shows,
    tidied,
)
from chalicelib.messages.places import goods, place_key
from chalicelib.messages.safe_text import isolated, own_address, web_address
from chalicelib.messages.wording import Wording, direction, wording

__all__ = [
    "INK",
    "LINE",
    "QUIET_INK",
    "SHOWN",
    "Page",
    "Part",
    "Slot",
    "aside",
    "column",
    "goods",
    "isolated",
    "picture",
    "section",
]

QUIET_INK, LINE = "#667085", "#e4e7ec"
SHOWN = "\ue020"
"""In a text twin: something stands here that no words can show. Taken out before the text goes anywhere."""
_ASIDE, _ASIDE_END = "\ue010", "\ue011"
_FONTS = {
    "sans": "'Segoe UI', 'Helvetica Neue', Helvetica, 'Noto Sans Hebrew', Arial, sans-serif",
    "serif": "Georgia, 'Frank Ruhl Libre', 'Noto Serif Hebrew', 'Times New Roman', David, serif",
    "rounded": "'Varela Round', 'Nunito', 'Arial Rounded MT Bold', 'Segoe UI', 'Noto Sans Hebrew', Arial, sans-serif",
}


@dataclass(frozen=True)
class Part:
    """One block done: MJML of whole sections, and its plain-text twin, both as Liquid."""

    mjml: str
    text: str


@dataclass(frozen=True)
class Slot:
    """Owner's words, or an address, as Liquid. `test`: the name that is nil where nothing is left of it when it is
    filled in; None where it surely shows something. `present` False: there is nothing, whatever the fields are."""

    html: str = ""
    text: str = ""
    attribute: str = ""
    html_before: str = ""
    text_before: str = ""
    test: str | None = None
    present: bool = True


NOTHING = Slot(present=False)


@dataclass(frozen=True)
class Page:
    """What every block of one email shares when it is compiled. `place` is the block's own (`blocks[2].else[0]`)."""

    store: Store
    language: str
    kind: MessageKind
    to_manager: bool = False
    place: str = ""

    @property
    def brand(self) -> Brand:
        return self.store.settings.brand

    @property
    def brand_ink(self) -> str:
        """The brand's colour for words on white."""
        return readable(self.brand.colour, WHITE)

    @property
    def on_brand(self) -> str:
        """Words on the brand's colour."""
        return words_on(self.brand.colour)

    @property
    def fonts(self) -> str:
        return _FONTS[self.brand.font]

    @property
    def direction(self) -> str:
        return direction(self.language)

    @property
    def align(self) -> str:
        return "right" if self.direction == "rtl" else "left"

    @property
    def far(self) -> str:
        return "left" if self.align == "right" else "right"

    @property
    def wording(self) -> Wording:
        return wording(self.language)

    @property
    def key(self) -> str:
        return place_key(self.place)

    @property
    def at(self) -> str:
        """The Liquid path of what was found for this very block (`fields.RenderData`)."""
        return f"at.{self.key}"

    def words(self, source: str | None, name: str) -> Slot:
        """Words with bold and links. Raises PhraseError."""
        return self._kept(source, name, html_words(source), plain_words(source)) if source else NOTHING

    def paragraphs(self, source: str | None, name: str) -> Slot:
        """As `words`, as `<p>`s. Raises PhraseError."""
        if not source:
            return NOTHING
        html = html_paragraphs(source, self.direction)
        if html is not None:
            text = plain_words(source)
            return Slot(html=aside(html), text=text)
        kept = f"{self.key}_{name}"
        return Slot(
            html=f"{{{{ {kept} }}}}",
            text=f"{{{{ {kept} }}}}",
            html_before=aside(f"{{% paragraphs {kept} {self.direction} %}}{html_words(source)}{{% endparagraphs %}}"),
            text_before=f"{{% words {kept} %}}{plain_words(source)}{{% endwords %}}",
            test=kept,
        )

    def line(self, source: str | None, name: str) -> Slot:
        """One line without tags, also fit for an attribute. Raises PhraseError."""
        if not source:
            return NOTHING
        return self._kept(source, name, attribute_words(source), line_words(source))

    def literal(self, words: str) -> Slot:
        """Words of ours."""
        html = aside(escape(words))
        return Slot(html=html, text=words, attribute=html)

    def address(self, source: str | None, name: str) -> Slot:
        """An owner's address; nothing unless it is http(s) or our own kind. Raises PhraseError."""
        if not source:
            return NOTHING
        html_words(source)  # for what is wrong in its Liquid
        if not has_liquid(source):
            kept = own_address(source)
            if kept is None:
                return NOTHING
            html = aside(escape(kept))
            return Slot(html=html, text=kept, attribute=html)
        name = f"{self.key}_{name}"
        before, shown = kept_address(name, tidied(source)), f"{{{{ {name} | attr }}}}"
        return Slot(shown, shown, shown, aside(before), before, test=name)

    def link(self, address: str | None) -> Slot:
        """An address of the store's settings."""
        kept = web_address(address or "")
        if kept is None:
            return NOTHING
        html = aside(escape(kept))
        return Slot(html=html, text=kept, attribute=html)

    def or_else(self, slot: Slot, words: str) -> Slot:
        """The owner's words, or ours where nothing is left of them."""
        return self.choice(slot, self.literal(words))

    def when(self, part: Part | None, *slots: Slot, tests: tuple[str, ...] = ()) -> Part | None:
        """The part where every slot shows something and every test (Liquid) is true; None where that never is."""
        if part is None or not all(slot.present for slot in slots):
            return None
        asked = " and ".join([*(slot.test for slot in slots if slot.test), *tests])
        if asked:
            start, end = f"{{% if {asked} %}}", "{% endif %}"
            mjml = f"<mj-raw>{start}</mj-raw>{part.mjml}<mj-raw>{end}</mj-raw>"
            part = Part(mjml, f"{start}{part.text}{end}")
        return self.after(part, *slots)

    def after(self, part: Part, *slots: Slot) -> Part:
        """The part with what these slots need before it, whether they show something or not."""
        html_before = "".join(slot.html_before for slot in slots)
        mjml = f"<mj-raw>{html_before}</mj-raw>{part.mjml}" if html_before else part.mjml
        return Part(mjml, "".join(slot.text_before for slot in slots) + part.text)

    def choice(self, one: Slot, other: Slot) -> Slot:
        """The one where something is left of it, else the other. Both are there before, or need nothing there."""
        if one.test is None or not (one.present and other.present):
            return one if one.present else other
        return Slot(
            html=_chosen(one.test, one.html, other.html),
            text=_chosen(one.test, one.text, other.text),
            attribute=_chosen(one.test, one.attribute, other.attribute),
            html_before=one.html_before + other.html_before,
            text_before=one.text_before + other.text_before,
        )

    def _kept(self, source: str, name: str, html: str, text: str) -> Slot:
        if surely_shows(source):
            html = aside(html.replace("\n", "<br />"))
            return Slot(html=html, text=text, attribute=html)
        kept = f"{self.key}_{name}"
        shown = f"{{{{ {kept} }}}}"
        return Slot(
            html=shown,
            text=shown,
            attribute=shown,
            html_before=aside(f"{{% words {kept} %}}{html}{{% endwords %}}"),
            text_before=f"{{% words {kept} %}}{text}{{% endwords %}}",
            test=kept,
        )


def _chosen(test: str, one: str, other: str) -> str:
    return f"{{% if {test} %}}{one}{{% else %}}{other}{{% endif %}}"


def aside(text: str) -> str:
    """HTML that the MJML compiler must not read: it comes out as it stands."""
    return f"{_ASIDE}{text}{_ASIDE_END}"


def section(inner: str, page: Page, padding: str = "6px 24px") -> str:
    """A row of the card."""
    return (
        f'<mj-section css-class="agala-card" background-color="#ffffff" padding="{padding}" '
        f'direction="{page.direction}">{inner}</mj-section>'
    )


def picture(source: Slot, alt: Slot, link: Slot, width: int) -> str:
    """A picture for a column, `width` pixels wide at most, with a link where that leads somewhere."""
    image = (
        f'<img src="{source.attribute}" alt="{alt.attribute}" width="{width}" '
        f'style="display:inline-block;vertical-align:middle;width:100%;max-width:{width}px;height:auto;border:0;'
        'border-radius:10px" />'
    )
    if link.present:
        opened, closed = (
            f'<a href="{link.attribute}" target="_blank" style="color:inherit;text-decoration:none">',
            "</a>",
        )
        if link.test:
            opened, closed = (f"{{% if {link.test} %}}{tag}{{% endif %}}" for tag in (opened, closed))
        image = f"{opened}{image}{closed}"
    return f'<mj-text padding="6px 0" line-height="1.3">{_bare_aside(image)}</mj-text>'


def _bare_aside(html: str) -> str:
    """HTML with slots in it, all of it aside."""
    return aside(html.replace(_ASIDE, "").replace(_ASIDE_END, ""))


def column(inner: str, page: Page, padding: str = "6px 24px") -> str:
    return section(f"<mj-column>{inner}</mj-column>", page, padding)
