"""Questions that one click answers: numbers from 1 up, or a few answers. A click is an address of our own kind; that it
was a person's, and what they said, is found out behind it (`messages.tracking`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.messages.block_forms import Block, RatingBlock, SurveyBlock
from chalicelib.messages.block_parts import held, mjml_if, ours, shown_if
from chalicelib.messages.page_parts import INK, QUIET_INK, Page, Part, Slot, column

_NOWHERE = Slot(present=False)


def _rating(block: RatingBlock, page: Page) -> Part | None:
    question, low, high = page.words(block.text, "text"), page.words(block.low, "low"), page.words(block.high, "high")
    numbers = range(1, block.best + 1)
    answers = {number: _answer(block, str(number), _NOWHERE, page, "") for number in numbers}
    width = 100 // block.best
    cells = "".join(
        f'<td width="{width}%" style="width:{width}%;padding:0 2px"><a class="agala-brand-link" target="_blank" '
        f'href="{answers[number].attribute}" style="{_style(page)};padding:12px 0;display:block">{number}</a></td>'
        for number in numbers
    )
    ends = ""
    if low.present or high.present:
        quiet = f'class="agala-quiet" style="color:{QUIET_INK};font-size:14px;padding:6px 2px 0;text-align:'
        first, rest = block.best // 2, block.best - block.best // 2
        ends = (
            f'<tr><td colspan="{first}" {quiet}{page.align}">{shown_if(low, low.html)}</td>'
            f'<td colspan="{rest}" {quiet}{page.far}">{shown_if(high, high.html)}</td></tr>'
        )
    table = _table(f"<tr>{cells}</tr>{ends}", page, "table-layout:fixed;")
    said = {1: shown_if(low, f" ({low.text})"), block.best: shown_if(high, f" ({high.text})")}
    lines = [f"{number}{said.get(number, '')}: {answers[number].text}" for number in numbers]
    part = _asked(question, table, lines, page)
    return page.when(page.after(part, *(slot for slot in (low, high) if slot.present)), question)


def _survey(block: SurveyBlock, page: Page) -> Part | None:
    question = page.words(block.text, "text")
    rows, lines = "", []
    slots: list[Slot] = []
    for index, choice in enumerate(block.choices):
        label, to = page.line(choice.label, f"label{index}"), page.address(choice.url, f"url{index}")
        address = _answer(block, choice.value, to, page, f"answer{index}")
        if address.test:  # an address that is empty for this person leads to a word of thanks instead
            thanks = _answer(block, choice.value, _NOWHERE, page, "")
            slots.append(address)
            address = page.choice(address, thanks)
        link = (
            '<tr><td style="padding:0 0 8px"><a class="agala-brand-link" target="_blank" '
            f'href="{address.attribute}" style="{_style(page)};padding:12px 16px;display:block">{label.html}</a>'
            "</td></tr>"
        )
        rows += shown_if(label, link)
        lines.append(shown_if(label, f"{label.text}: {address.text}"))
        slots += [label] if label.present else []
    part = _asked(question, _table(rows, page), lines, page)
    return page.when(page.after(part, *slots), question)


def _answer(block: RatingBlock | SurveyBlock, value: str, to: Slot, page: Page, name: str) -> Slot:
    told = {"survey": block.survey, "question": block.question, "value": value, "field": block.field or ""}
    return ours("answer", told, to, page, name)


def _asked(question: Slot, table: str, lines: list[str], page: Page) -> Part:
    words = (
        f'<mj-text align="{page.align}" font-weight="700" color="{INK}" padding="6px 0 10px">'
        f'<div dir="{page.direction}">{question.html}</div></mj-text>'
    )
    answers = f'<mj-text align="{page.align}" color="{INK}" padding="0 0 6px">{held(table)}</mj-text>'
    text = "\n".join([question.text, *lines])
    return Part(column(mjml_if(question, words) + answers, page, "10px 24px"), text)


def _table(rows: str, page: Page, more: str = "") -> str:
    return (
        f'<table dir="{page.direction}" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" '
        f'style="width:100%;{more}font-size:16px;line-height:1.4">{rows}</table>'
    )


def _style(page: Page) -> str:
    return (
        f"border:2px solid {page.brand.colour};border-radius:8px;color:{page.brand_ink};font-weight:700;"
        "text-align:center;text-decoration:none"
    )


RENDERERS: dict[type[Block], Callable[[Any, Page], Part | None]] = {RatingBlock: _rating, SurveyBlock: _survey}
