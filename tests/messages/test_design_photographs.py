"""Every designed email in a real browser: phone and desktop, light and dark, Hebrew and English.

The page itself is measured (`measure_page.js`); pictures are only taken for the docs, with
`AGALA_WRITE_PAGE=1 pytest tests/messages/test_design_photographs.py`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chalicelib.messages.content import render
from chalicelib.messages.gallery import MessageTemplate, message_templates
from tests.local.browser import CHROMIUM, Browser
from tests.messages.design_shop import facts, pictures_in

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures" / "messages"
WRITING = bool(os.environ.get("AGALA_WRITE_PAGE"))
MEASURE = Path(__file__).with_name("measure_page.js").read_text(encoding="utf-8")
PHONE, DESKTOP = 390, 700
MOST_BYTES = 3_000_000
TEMPLATES = message_templates()


@dataclass(frozen=True)
class View:
    language: str
    width: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.language}, {self.width}px, {self.scheme}"


VIEWS = [
    View(language, width, scheme)
    for language in ("he", "en")
    for width in (PHONE, DESKTOP)
    for scheme in ("light", "dark")
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


def show(browser: Browser, html: str) -> None:
    frame = browser.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    browser.call("Page.setDocumentContent", frameId=frame, html=html)
    browser.until("document.readyState === 'complete' && [...document.images].every((one) => one.complete)")


def look(browser: Browser, view: View) -> Any:
    """What is wrong with the page that is shown, and its height."""
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=view.width,
        height=900,
        deviceScaleFactor=1,
        mobile=view.width == PHONE,
    )
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": view.scheme}])
    asked = {"rightToLeft": view.language == "he", "light": view.scheme == "light"}
    return browser.value(f"({MEASURE.strip().rstrip(';')})({json.dumps(asked)})")


def photograph(browser: Browser, width: int, height: int, **form: Any) -> str:
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": form.pop("scale", 1)}
    taken = browser.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True, **form)
    return str(taken["data"])


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.id)
def test_an_email_looks_right_wherever_it_is_opened(browser: Browser, template: MessageTemplate) -> None:
    found, taken = {}, {}
    for language in ("he", "en"):
        show(browser, pictures_in(render(template.content[language], facts(template, language)).html))
        for view in VIEWS:
            if view.language != language:
                continue
            seen = look(browser, view)
            if seen["wrong"]:
                found[str(view)] = seen["wrong"]
            if WRITING:
                taken[view] = photograph(browser, view.width, seen["height"], format="png")
    if WRITING:
        PICTURES.mkdir(parents=True, exist_ok=True)
        _write(browser, PICTURES / f"{template.id}.webp", _side_by_side(taken), 1900)
    assert found == {}


def _side_by_side(taken: dict[View, str]) -> str:
    """All photographs of one email: by day above, by night below."""
    rows = ""
    for scheme in ("light", "dark"):
        shown = "".join(
            f'<img width="{view.width * 0.8:.0f}" src="data:image/png;base64,{image}" style="border-radius:12px;'
            'box-shadow:0 2px 14px #0003">'
            for view, image in taken.items()
            if view.scheme == scheme
        )
        ground = "#dfe3ea" if scheme == "light" else "#05070a"
        rows += (
            f'<div style="display:flex;gap:24px;align-items:flex-start;padding:28px;background:{ground}">{shown}</div>'
        )
    return f'<!doctype html><body style="margin:0;width:max-content">{rows}</body>'


def _write(browser: Browser, path: Path, html: str, width: int) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", features=[])
    show(browser, html)
    size = browser.value("[document.body.scrollWidth, document.body.scrollHeight]")
    data = photograph(browser, size[0], size[1], format="webp", quality=62, scale=0.66)
    path.write_bytes(base64.b64decode(data))


def test_each_template_has_its_picture_and_all_of_them_are_small() -> None:
    found = {path.stem: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert set(found) == {template.id for template in TEMPLATES} | {"all"}, "see this file's docstring"
    assert sum(found.values()) < MOST_BYTES
