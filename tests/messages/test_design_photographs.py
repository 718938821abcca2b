"""Every designed email in a real browser: phone and desktop, light and dark, Hebrew and English.

`python -m tests.messages.photographs` takes the docs' pictures anew, and
`AGALA_WRITE_PAGE=1 pytest tests/messages/test_design_photographs.py` writes their table.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from chalicelib.journeys.gallery import gallery
from chalicelib.messages.gallery import MessageTemplate, message_templates
from tests.local.browser import CHROMIUM, Browser
from tests.messages.photographs import PICTURES, ROOT, look, open_email, views

PAGE = ROOT / "docs" / "messages.md"
WRITING = bool(os.environ.get("AGALA_WRITE_PAGE"))
MOST_BYTES = 3_000_000
TEMPLATES = message_templates()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_an_email_looks_right_wherever_it_is_opened(browser: Browser, template: MessageTemplate) -> None:
    found = {}
    for language in template.content:
        open_email(browser, template, language)
        for view in views(language):
            if wrong := look(browser, view)["wrong"]:
                found[str(view)] = wrong
    assert found == {}


def test_each_template_has_its_picture_and_all_of_them_are_small() -> None:
    found = {path.stem: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert set(found) == {template.id for template in TEMPLATES} | {"all"}, "see this file's docstring"
    assert sum(found.values()) < MOST_BYTES


def table() -> str:
    rows = ["| template | for the moment | used by |", "|---|---|---|"]
    for template in TEMPLATES:
        journeys = sorted(one.id for one in gallery() if f"'template': '{template.id}'" in str(one.definition))
        used = ", ".join(f"`{journey}`" for journey in journeys)
        picture = f"[{template.name['en']}](pictures/messages/{template.id}.webp)"
        rows.append(f"| {picture} (`{template.id}`) | {template.use['en'].lower()} | {used} |")
    return "\n".join(rows)


def test_the_docs_list_every_template() -> None:
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(r"(<!-- templates: [^>]*-->\n)(.*?)(<!-- /templates -->)", re.DOTALL)
    anew = between.sub(lambda found: f"{found[1]}{table()}\n{found[3]}", page)
    if WRITING:
        PAGE.write_text(anew, encoding="utf-8")
    assert between.search(page)
    assert PAGE.read_text(encoding="utf-8") == anew, "see this file's docstring"
