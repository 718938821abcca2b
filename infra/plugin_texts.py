"""The plugin's texts: `python -m infra.plugin_texts` writes the template and brings every translation up to date.

Texts are single-quoted literals in WordPress's translating functions; a comment `translators: …` stands right above
its text. A translation of a text that is gone is dropped; a new text stands untranslated until somebody translates it
(a test says so).
"""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

PLUGIN = Path(__file__).resolve().parents[1] / "wordpress-plugin" / "agala"
LANGUAGES = PLUGIN / "languages"
TEMPLATE = LANGUAGES / "agala.pot"
DOMAIN = "agala"

_LITERAL = r"'((?:[^'\\]|\\.)*)'"
_CALL = re.compile(
    r"(?:/\*\s*translators:\s*(?P<note>[^*]*?)\s*\*/\s*(?:[^;{}]{0,120}?))?"
    rf"\b(?:esc_html|esc_attr)?_[_e]\(\s*(?P<text>{_LITERAL}),\s*'{DOMAIN}'\s*\)"
)
_UNREAD = re.compile(r"\b(?:_n|_x|_nx|_n_noop|_nx_noop|_ex|esc_html_x|esc_attr_x)\(")
_HEADER = re.compile(r"^ \* (Plugin Name|Description):\s+(.+)$", re.MULTILINE)
_FIXED = datetime(2026, 11, 22, tzinfo=UTC)  # a date of its own per run would change files in which nothing changed


def texts() -> Catalog:
    """Every text of the plugin, with where it is. Raises ValueError for a call that this reader does not understand."""
    catalog = _catalog(None)
    for name, text in _HEADER.findall((PLUGIN / "agala.php").read_text()):
        catalog.add(text.strip(), locations=[("agala.php", 1)], auto_comments=[f"{name} of the plugin"])
    for file in sorted(PLUGIN.rglob("*.php")):
        source = file.read_text()
        if unread := _UNREAD.search(source):
            raise ValueError(f"{file.name}: {unread.group()} is not read by infra.plugin_texts")
        for call in _CALL.finditer(source):
            note = call["note"]
            catalog.add(
                _plain(call["text"][1:-1]),
                locations=[(str(file.relative_to(PLUGIN)), 1)],
                auto_comments=[f"translators: {' '.join(note.split())}"] if note else [],
            )
    return catalog


def translation(locale: str) -> Catalog:
    """A translation as it is in the repository."""
    with (LANGUAGES / f"{DOMAIN}-{locale}.po").open("rb") as file:
        return read_po(file, locale=locale, domain=DOMAIN)


def main() -> None:
    found = texts()
    _write(TEMPLATE, found)
    for file in sorted(LANGUAGES.glob(f"{DOMAIN}-*.po")):
        locale = file.stem.removeprefix(f"{DOMAIN}-")
        known = translation(locale)
        merged = _catalog(locale)
        for message in found:
            if message.id:
                old = known.get(message.id)
                merged.add(
                    message.id,
                    old.string if old else "",
                    locations=message.locations,
                    auto_comments=message.auto_comments,
                )
        _write(file, merged)
        missing = sum(1 for message in merged if message.id and not message.string)
        sys.stdout.write(f"{file.name}: {missing} of {len(merged)} texts are not translated\n")


def _catalog(locale: str | None) -> Catalog:
    return Catalog(
        locale=locale,
        domain=DOMAIN,
        project="Agala",
        version="0.1.0",
        copyright_holder="Agala",
        header_comment="# This file is distributed under the same licence as the Agala plugin (GPL-2.0-or-later).",
        creation_date=_FIXED,
        revision_date=_FIXED,
        msgid_bugs_address="Agala",
        language_team="Agala",
        last_translator="Agala",
        fuzzy=False,
    )


def _plain(literal: str) -> str:
    """What PHP reads in a single-quoted literal."""
    return re.sub(r"\\(['\\])", r"\1", literal)


def _write(file: Path, catalog: Catalog) -> None:
    for message in catalog:
        message.flags.discard("python-format")  # it is PHP's
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, sort_output=True, include_lineno=False)  # lines move, texts stay
    file.write_bytes(buffer.getvalue())


if __name__ == "__main__":
    main()
