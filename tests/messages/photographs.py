"""Photographs of emails in a headless Chromium, measured (`measure_page.js`) and, for the docs, kept.

`python -m tests.messages.photographs` takes the docs' pictures anew; with `OUTBOX=file` (what `OUTBOX=file make demo`
kept) the one of the demo's outbox too.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.messages.content import render
from chalicelib.messages.gallery import MessageTemplate, message_templates
from tests.local.browser import Browser
from tests.messages.design_shop import facts, pictures_in

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures" / "messages"
PHONE, DESKTOP = 390, 700
_TILE = 900  # pixels of an email's top that a contact sheet shows
_MEASURE = Path(__file__).with_name("measure_page.js").read_text(encoding="utf-8").strip()
_DARK_GROUND, _LIGHT_GROUND = "#05070a", "#dfe3ea"
_TILE_STYLE = "border-radius:22px;box-shadow:0 4px 22px #0003;display:block"
_CAPTION = "padding:14px;font:600 22px Arial,sans-serif;color:#39424f;text-align:center"


@dataclass(frozen=True)
class View:
    language: str
    width: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.language}, {self.width}px, {self.scheme}"


def views(language: str) -> list[View]:
    return [View(language, width, scheme) for scheme in ("light", "dark") for width in (PHONE, DESKTOP)]


def open_email(browser: Browser, template: MessageTemplate, language: str) -> None:
    _show(browser, pictures_in(render(template.content[language], facts(template, language)).html))


def look(browser: Browser, view: View) -> Any:
    """What is wrong with the email that is open, and its height: {wrong, height}."""
    mobile = view.width == PHONE
    browser.call("Emulation.setDeviceMetricsOverride", width=view.width, height=900, deviceScaleFactor=1, mobile=mobile)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": view.scheme}])
    asked = {"rightToLeft": view.language == "he", "light": view.scheme == "light"}
    return browser.value(f"({_MEASURE})({json.dumps(asked)})")


def _show(browser: Browser, html: str) -> None:
    frame = browser.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    browser.call("Page.setDocumentContent", frameId=frame, html=html)
    browser.until("document.readyState === 'complete' && [...document.images].every((one) => one.complete)")


def _photograph(browser: Browser, width: int, height: int, scale: float = 1, **form: Any) -> str:
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
    taken = browser.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True, **form)
    return str(taken["data"])


def _write(browser: Browser, path: Path, html: str, width: int, scale: float) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    browser.call("Emulation.setEmulatedMedia", features=[])
    _show(browser, html)
    size = browser.value("[document.body.scrollWidth, document.body.scrollHeight]")
    path.write_bytes(base64.b64decode(_photograph(browser, *size, scale, format="webp", quality=70)))


def _on_all_sides(browser: Browser, template: MessageTemplate) -> None:
    """One email on a phone and a desktop, in both languages: by day above, by night below."""
    taken: dict[View, str] = {}
    for language in template.content:
        open_email(browser, template, language)
        for view in views(language):
            height = look(browser, view)["height"]
            taken[view] = _photograph(browser, view.width, height, format="png")
    rows = "".join(_row(taken, scheme) for scheme in ("light", "dark"))
    page = f'<!doctype html><body style="margin:0;width:max-content">{rows}</body>'
    _write(browser, PICTURES / f"{template.id}.webp", page, 2000, 0.66)


def _row(taken: Mapping[View, str], scheme: str) -> str:
    shown = "".join(
        f'<img width="{view.width * 0.8:.0f}" src="data:image/png;base64,{image}" style="border-radius:12px">'
        for view, image in taken.items()
        if view.scheme == scheme
    )
    ground = _LIGHT_GROUND if scheme == "light" else _DARK_GROUND
    return f'<div style="display:flex;gap:24px;align-items:flex-start;padding:28px;background:{ground}">{shown}</div>'


def _contact_sheet(browser: Browser) -> None:
    """All of them on a phone, Hebrew and English in turns."""
    tiles = []
    for number, template in enumerate(message_templates()):
        language = ("he", "en")[number % 2]
        open_email(browser, template, language)
        tiles.append(_tile(browser, language, template.name["en"]))
    _sheet(browser, PICTURES / "all.webp", tiles, 5)


def _tile(browser: Browser, language: str, caption: str) -> str:
    look(browser, View(language, PHONE, "light"))
    image = _photograph(browser, PHONE, _TILE, format="png")
    return (
        f'<figure style="margin:0"><img width="{PHONE}" src="data:image/png;base64,{image}" style="{_TILE_STYLE}">'
        f'<figcaption dir="auto" style="{_CAPTION}">{caption}</figcaption></figure>'
    )


def _sheet(browser: Browser, path: Path, tiles: Iterable[str], columns: int) -> None:
    grid = f"display:grid;grid-template-columns:repeat({columns},{PHONE}px);gap:34px;padding:44px;width:max-content"
    page = f'<!doctype html><body style="margin:0;background:{_LIGHT_GROUND};{grid}">{"".join(tiles)}</body>'
    _write(browser, path, page, columns * 430 + 60, 0.62)


def _outbox_of_the_demo(browser: Browser, kept: Path) -> None:
    """One email of each kind, of both shops."""
    first: dict[tuple[str, str, str], dict[str, Any]] = {}
    for mail in json.loads(kept.read_text(encoding="utf-8"))["items"]:
        if mail["channel"] == "email" and mail["journey"]:
            first.setdefault((mail["store_id"], mail["journey"], mail["step"]), mail)
    tiles = []
    for mail in first.values():
        _show(browser, _with_demo_pictures(mail["html"]))
        tiles.append(_tile(browser, browser.value("document.documentElement.lang"), mail["subject"]))
    _sheet(browser, PICTURES.parent / "outbox.webp", tiles, 5)


def _with_demo_pictures(html: str) -> str:
    """The runtime that served them is gone; so is its open pixel."""

    def inside(place: re.Match[str]) -> str:
        drawn = (ROOT / "local" / "demo" / "pictures" / place[1]).read_bytes()
        return "data:image/svg+xml;base64," + base64.b64encode(drawn).decode()

    seen = re.sub(r"<img[^>]*/o/[^>]*>", "", html)
    return re.sub(r"http://127\.0\.0\.1:\d+/local/pictures/([\w-]+\.svg)", inside, seen)


def main() -> None:
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(Path(profile))
        PICTURES.mkdir(parents=True, exist_ok=True)
        for template in message_templates():
            _on_all_sides(browser, template)
        _contact_sheet(browser)
        if kept := os.environ.get("OUTBOX"):
            _outbox_of_the_demo(browser, Path(kept))
        browser.close()


if __name__ == "__main__":
    main()
