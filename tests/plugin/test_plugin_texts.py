"""The plugin's texts: every one is in the template and translated, with its placeholders, in every language we ship."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from infra import plugin_texts

LOCALES = sorted(file.stem.removeprefix("agala-") for file in plugin_texts.LANGUAGES.glob("agala-*.po"))
PLACEHOLDER = re.compile(r"%(?:\d+\$)?[sd]")


def test_the_template_has_every_text() -> None:
    kept = read_po(io.BytesIO(plugin_texts.TEMPLATE.read_bytes()))
    told = "run python -m infra.plugin_texts"
    assert {message.id for message in kept} == {message.id for message in plugin_texts.texts()}, told


def test_hebrew_is_shipped() -> None:
    assert "he_IL" in LOCALES


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_is_translated_with_its_placeholders(locale: str) -> None:
    translation = plugin_texts.translation(locale)
    for message in plugin_texts.texts():
        if message.id:
            translated = translation.get(message.id)
            assert translated is not None, message.id
            assert translated.string, message.id
            assert sorted(PLACEHOLDER.findall(str(translated.string))) == sorted(PLACEHOLDER.findall(message.id))


def test_a_text_with_a_placeholder_tells_translators_what_it_is() -> None:
    for message in plugin_texts.texts():
        if PLACEHOLDER.search(str(message.id)):
            assert message.auto_comments, message.id


def test_texts_are_read_as_php_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agala.php").write_text(
        "<?php\n/**\n * Plugin Name:  A name\n */\n"
        "/* translators: %s: a shop. */\n"
        "printf( esc_html__( 'Tom\\'s \"%s\"', 'agala' ), $x );\n"
        "esc_attr__( 'ours', 'agala' ) . __( 'not ours', 'other' ) . my__( 'no call of WordPress', 'agala' );\n"
    )
    monkeypatch.setattr(plugin_texts, "PLUGIN", tmp_path)
    catalog = plugin_texts.texts()
    assert {message.id for message in catalog if message.id} == {"A name", 'Tom\'s "%s"', "ours"}
    message = catalog.get('Tom\'s "%s"')
    assert message is not None
    assert message.auto_comments == ["translators: %s: a shop."]


def test_a_call_that_the_reader_does_not_know_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "agala.php").write_text("<?php _n( 'one', 'many', 2, 'agala' );")
    monkeypatch.setattr(plugin_texts, "PLUGIN", tmp_path)
    with pytest.raises(ValueError, match="_n"):
        plugin_texts.texts()
