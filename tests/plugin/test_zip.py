"""`make plugin`: what is in the zip, and that the same files give the same bytes."""

from __future__ import annotations

import gettext
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from infra import plugin
from tests.plugin import programs

PHP = "<?php\n/**\n * Plugin Name: Agala\n * Version: 1.2.3\n */\ndefine( 'AGALA_VERSION', '1.2.3' );\n"
PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Language: he_IL\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Carts aren't lost"
msgstr "עגלות 'אינן' \\אובדות"

msgctxt "button"
msgid "Connect"
msgstr "חיבור"

#, php-format
msgid "%d cart"
msgid_plural "%d carts"
msgstr[0] "עגלה אחת"
msgstr[1] "%d עגלות"

msgid "Not translated yet"
msgstr ""

#, fuzzy
msgid "Guessed"
msgstr "ניחוש"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "agala"
    for name, text in {
        "agala.php": PHP,
        "readme.txt": "=== Agala ===\nStable tag: 1.2.3\n",
        "includes/class-plugin.php": "<?php\n",
        "languages/agala-he_IL.po": PO,
        "tests/test-plugin.php": "<?php\n",
        ".gitignore": "x\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_zip_holds_the_plugin_in_its_folder_without_tests(source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(plugin.build(source, tmp_path / "agala.zip")) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "agala/agala.php",
            "agala/includes/class-plugin.php",
            "agala/languages/agala-he_IL.l10n.php",
            "agala/languages/agala-he_IL.mo",
            "agala/languages/agala-he_IL.po",
            "agala/readme.txt",
        ]


def test_the_same_files_give_the_same_bytes(source: Path, tmp_path: Path) -> None:
    first = plugin.build(source, tmp_path / "first.zip").read_bytes()
    for file in source.rglob("*.*"):
        os.utime(file, (1, 1))
        file.chmod(0o600)
    assert plugin.build(source, tmp_path / "second.zip").read_bytes() == first


def test_the_compiled_translations_say_what_the_source_says(source: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(plugin.build(source, tmp_path / "agala.zip")) as archive:
        read = gettext.GNUTranslations(io.BytesIO(archive.read("agala/languages/agala-he_IL.mo")))
    assert read.gettext("Carts aren't lost") == "עגלות 'אינן' \\אובדות"
    assert read.pgettext("button", "Connect") == "חיבור"
    assert read.ngettext("%d cart", "%d carts", 1) == "עגלה אחת"
    assert read.ngettext("%d cart", "%d carts", 5) == "%d עגלות"
    assert read.gettext("Not translated yet") == "Not translated yet"
    assert read.gettext("Guessed") == "Guessed"


def test_wordpresss_own_form_says_the_same(source: Path, tmp_path: Path) -> None:
    try:
        programs.require("php")
    except programs.Missing as missing:
        pytest.skip(str(missing))
    with zipfile.ZipFile(plugin.build(source, tmp_path / "agala.zip")) as archive:
        archive.extract("agala/languages/agala-he_IL.l10n.php", tmp_path)
    ask = f"echo json_encode((require '{tmp_path}/agala/languages/agala-he_IL.l10n.php'), JSON_UNESCAPED_UNICODE);"
    printed = subprocess.run(["php", "-r", ask], capture_output=True, text=True, timeout=30, check=True).stdout
    assert json.loads(printed) == {
        "language": "he_IL",
        "plural-forms": "nplurals=2; plural=(n != 1);",
        "messages": {
            "Carts aren't lost": "עגלות 'אינן' \\אובדות",
            "button\4Connect": "חיבור",
            "%d cart": "עגלה אחת\0%d עגלות",
        },
    }


@pytest.mark.parametrize(
    ("file", "before", "after", "words"),
    [
        ("readme.txt", "1.2.3", "1.2.2", "versions differ"),
        ("languages/agala-he_IL.po", "%d עגלות", "%s עגלות", "placeholder"),
        ("languages/agala-he_IL.po", 'msgstr "חיבור"', 'msgstr "חיבור %s"', "placeholder"),
    ],
)
def test_what_cannot_be_right_is_not_built(
    source: Path, tmp_path: Path, file: str, before: str, after: str, words: str
) -> None:
    wrong = source / file
    wrong.write_text(wrong.read_text().replace(before, after))
    with pytest.raises(plugin.Unfinished, match=words):
        plugin.build(source, tmp_path / "agala.zip")


def test_our_plugin_can_be_built(tmp_path: Path) -> None:
    made = plugin.build(out=tmp_path / "agala.zip")
    assert made.stat().st_size < 1_000_000
