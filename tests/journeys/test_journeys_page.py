"""`docs/journeys.md` says what is: its table is the gallery, its example can be read, its pictures are what is drawn.

After a wanted change write it anew with `AGALA_WRITE_PAGE=1 pytest tests/journeys/test_journeys_page.py`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from chalicelib.journeys.definition import Definition, from_yaml
from chalicelib.journeys.drawing import drawing_svg, drawing_text
from chalicelib.journeys.gallery import gallery
from chalicelib.journeys.wording_triggers import trigger_in_words

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURES = DOCS / "journeys.md", DOCS / "pictures" / "journeys"
WRITING = bool(os.environ.get("AGALA_WRITE_PAGE"))


def example() -> Definition:
    found = re.search(r"<!-- example.*?-->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return from_yaml(found[1])


def template(template_id: str) -> Definition:
    return Definition.parse(next(one.definition for one in gallery() if one.id == template_id))


def pictures() -> dict[str, str]:
    standing = {"cart-sms": 3, "an-hour": 41, "a-day": 388, "questions": 2}
    return {
        "cart-abandonment-en": drawing_svg(template("cart-abandonment"), standing, "en"),
        "example-he": drawing_svg(example(), {"some-weeks": 512, "a-month": 268}, "he"),
    }


def table() -> str:
    rows = ["| id | what it promises | touches | begins when |", "|---|---|---|---|"]
    for one in gallery():
        begins = trigger_in_words(Definition.parse(one.definition).trigger, "en")
        rows.append(f"| `{one.id}` | {one.description['en']} | {one.touches} | {begins} |")
    return "\n".join(rows)


def mermaid() -> str:
    return f"```mermaid\n{drawing_text(example())}```"


@pytest.mark.parametrize(("name", "written"), [("gallery", table), ("mermaid", mermaid)])
def test_what_is_generated_in_the_page_is_up_to_date(name: str, written: object) -> None:
    assert callable(written)
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(rf"(<!-- {name}: [^>]*-->\n)(.*?)(<!-- /{name} -->)", re.DOTALL)
    anew = between.sub(lambda found: f"{found[1]}{written()}\n{found[3]}", page)
    if WRITING:
        PAGE.write_text(anew, encoding="utf-8")
    assert between.search(page)
    assert PAGE.read_text(encoding="utf-8") == anew, "see this file's docstring"


def test_the_pictures_are_what_is_drawn() -> None:
    drawn = pictures()
    if WRITING:
        PICTURES.mkdir(exist_ok=True)
        for name, svg in drawn.items():
            (PICTURES / f"{name}.svg").write_text(svg + "\n", encoding="utf-8")
    assert {path.stem: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg")} == {
        name: svg + "\n" for name, svg in drawn.items()
    }, "see this file's docstring"
    assert set(re.findall(r"pictures/journeys/([\w-]+)\.svg", PAGE.read_text(encoding="utf-8"))) == set(drawn)
