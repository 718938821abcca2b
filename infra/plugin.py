"""`make plugin`: dist/agala.zip, what an owner installs in WordPress. The same files give the same bytes.

A shop's machine has no gettext, so the translations are compiled here: to .mo, which every WordPress reads, and to
.l10n.php, which WordPress 6.5 and newer reads without parsing.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "wordpress-plugin" / "agala"
OUT = ROOT / "dist" / "agala.zip"
TOP = "agala"  # the folder in wp-content/plugins
NOT_SHIPPED = {"tests", "node_modules", "vendor", "__pycache__"}
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can tell
CONTEXT, PLURALS = "\4", "\0"  # how gettext's files join a context, and plural forms


class Unfinished(Exception):
    """The plugin cannot be built; the text says which file is wrong and why."""


def build(plugin: Path = PLUGIN, out: Path = OUT) -> Path:
    """Raises `Unfinished`."""
    if not (plugin / "agala.php").exists():
        raise Unfinished(f"{plugin} has no agala.php")
    _require_one_version(plugin)
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(_contents(plugin)):
            entry = zipfile.ZipInfo(f"{TOP}/{name}", LONG_AGO)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, content)
    return out


def compile_mo(catalog: Catalog) -> bytes:
    """Fuzzy and missing translations are left out, so WordPress shows the English."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def compile_php(catalog: Catalog) -> bytes:
    """WordPress's own form: headers and `messages`, original => translation, plural forms joined by a zero byte."""
    headers = {
        name.lower(): value for name, value in catalog.mime_headers if name.lower() in ("plural-forms", "language")
    }
    messages = []
    for message in catalog:
        original, forms = _as_tuple(message.id)[0], _as_tuple(message.string)
        if not original or message.fuzzy or not all(forms):
            continue
        key = f"{message.context}{CONTEXT}{original}" if message.context else original
        messages.append(f"{_php(key)}=>{_php(PLURALS.join(forms))}")
    head = ",".join(f"{_php(name)}=>{_php(value)}" for name, value in sorted(headers.items()))
    return f"<?php\nreturn [{head},'messages'=>[{','.join(messages)}]];\n".encode()


def _contents(plugin: Path) -> Iterator[tuple[str, bytes]]:
    for file in plugin.rglob("*"):
        name = file.relative_to(plugin)
        hidden = any(part.startswith(".") for part in name.parts)
        if not file.is_file() or hidden or NOT_SHIPPED & set(name.parts) or file.suffix in (".mo", ".map"):
            continue
        yield name.as_posix(), file.read_bytes()
        if file.suffix == ".po":
            catalog = _catalog(file)
            yield name.with_suffix(".mo").as_posix(), compile_mo(catalog)
            yield name.with_suffix(".l10n.php").as_posix(), compile_php(catalog)


def _catalog(file: Path) -> Catalog:
    """Raises `Unfinished` when a translation is not well formed, or lacks a placeholder that its original has."""
    try:
        with file.open("rb") as text:
            catalog = read_po(text, locale=file.stem.rpartition("-")[2], abort_invalid=True)
    except (PoFileError, ValueError) as problem:
        raise Unfinished(f"{file.name}: {problem}") from None
    for message in catalog:
        originals, forms = _as_tuple(message.id), _as_tuple(message.string)
        most = max((_placeholders(original) for original in originals), key=len)
        for form in forms:
            if originals[0] and form and not (set(_placeholders(form)) <= set(most)):
                raise Unfinished(
                    f"{file.name}: the translation of {originals[0]!r} has a placeholder of its own: {form!r}"
                )
        if isinstance(message.id, str) and message.id and message.string and _placeholders(str(message.string)) != most:
            raise Unfinished(f"{file.name}: the translation of {message.id!r} does not have its placeholders")
    return catalog


def _as_tuple(one_or_more: str | list[str] | tuple[str | None, ...] | None) -> tuple[str, ...]:
    """A message's text, or its plural forms; what is not translated is empty."""
    several = (one_or_more,) if one_or_more is None or isinstance(one_or_more, str) else one_or_more
    return tuple(text or "" for text in several)


def _placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%(?:\d+\$)?[sdf]", text))


def _php(text: str) -> str:
    """A PHP string; single quotes know no zero byte."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "'.\"\\0\".'")
    return f"'{quoted}'"


def _require_one_version(plugin: Path) -> None:
    """The header, the constant and, if there is one, the readme's stable tag."""
    main = (plugin / "agala.php").read_text()
    readme = plugin / "readme.txt"
    found = {
        "the header": re.search(r"^ \* Version:\s*(\S+)", main, re.M),
        "AGALA_VERSION": re.search(r"'AGALA_VERSION', '([^']+)'", main),
    }
    if readme.exists():
        found["readme.txt's stable tag"] = re.search(r"^Stable tag:\s*(\S+)", readme.read_text(), re.M)
    versions = {where: match[1] if match else "none" for where, match in found.items()}
    if len(set(versions.values())) > 1:
        raise Unfinished(
            "the versions differ: " + ", ".join(f"{where} {version}" for where, version in versions.items())
        )


def main() -> None:
    try:
        made = build()
    except Unfinished as reason:
        sys.exit(str(reason))
    print(f"{made.relative_to(ROOT)}: {made.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
