"""Draws the letters of the pictures that are true when they are opened, once, with chromium: `messages/sprites/`.

    python -m infra.draw_sprites

Each strip is an 8-bit grey PNG of what covers the ground (255: letter), all signs of one height side by side, every row
without a filter, so that `messages.drawing` reads it with zlib alone. `strips.json` says where each sign is. Drawn at
twice the size at which they are shown.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import tempfile
import zlib
from html import escape
from pathlib import Path

SPRITES = Path("chalicelib/messages/sprites")
DIGITS = "0123456789"
CELL = 420  # wider than any sign
STRIPS = {
    # name: (height of the line, size of the letters, weight, signs by name)
    "numbers": (72, 58, 700, {digit: digit for digit in DIGITS}),
    "labels": (
        34,
        25,
        400,
        {
            "he.days": "ימים",
            "he.hours": "שעות",
            "he.minutes": "דקות",
            "en.days": "days",
            "en.hours": "hours",
            "en.minutes": "min",
        },
    ),
    "words": (
        52,
        36,
        700,
        {
            **{digit: digit for digit in DIGITS},
            "he.many": "נותרו רק",
            "he.one": "נותר רק אחד",
            "en.before": "Only",
            "en.after": "left",
        },
    ),
}


def main() -> int:
    SPRITES.mkdir(exist_ok=True)
    index: dict[str, dict[str, dict[str, int]]] = {}
    for name, (height, size, weight, signs) in STRIPS.items():
        rows = drawn(list(signs.values()), height, size, weight)
        index[name], strip = cut(rows, list(signs))
        (SPRITES / f"{name}.png").write_bytes(grey_png(strip))
    (SPRITES / "strips.json").write_text(json.dumps(index, indent=1) + "\n")
    return 0


def drawn(signs: list[str], height: int, size: int, weight: int) -> list[bytes]:
    """Rows of grey of a page with one sign in each cell, white on black."""
    cells = "".join(f"<span>{escape(sign)}</span>" for sign in signs)
    page = (
        "<!doctype html><meta charset=utf-8><style>*{margin:0}body{background:#000;color:#fff;width:"
        f"{CELL * len(signs)}px;font:{weight} {size}px/{height}px 'Liberation Sans',Arial,sans-serif}}"
        f"span{{float:left;width:{CELL}px;height:{height}px;text-align:center;overflow:hidden}}</style>{cells}"
    )
    with tempfile.TemporaryDirectory() as folder:
        source, shot = Path(folder) / "page.html", Path(folder) / "page.png"
        source.write_text(page)
        subprocess.run(
            [
                "chromium",
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                "--disable-lcd-text",
                f"--window-size={CELL * len(signs)},{height}",
                f"--screenshot={shot}",
                source.as_uri(),
            ],
            check=True,
            capture_output=True,
        )
        return grey_rows(shot.read_bytes())


def cut(rows: list[bytes], names: list[str]) -> tuple[dict[str, dict[str, int]], list[bytes]]:
    """Only the columns with ink, and a blank one between two signs; digits keep a common width."""
    spans = {name: _ink(rows, place * CELL) for place, name in enumerate(names)}
    widest = max((end - start for name, (start, end) in spans.items() if name in DIGITS), default=0)
    index: dict[str, dict[str, int]] = {}
    strip = [b"" for _ in rows]
    for name, (start, end) in spans.items():
        if name in DIGITS:
            start -= (widest - (end - start)) // 2
            end = start + widest
        index[name] = {"x": len(strip[0]), "width": end - start}
        strip = [kept + row[start:end] + b"\0" for kept, row in zip(strip, rows, strict=True)]
    return index, strip


def _ink(rows: list[bytes], begin: int) -> tuple[int, int]:
    columns = [x for x in range(begin, begin + CELL) if any(row[x] for row in rows)]
    return min(columns), max(columns) + 1


def grey_rows(png: bytes) -> list[bytes]:
    """The red channel of an 8-bit RGB or RGBA PNG (PNG specification, §9: filters)."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    channels, data, at = {2: 3, 6: 4}[kind], b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    raw, stride = zlib.decompress(data), width * channels
    before, rows = bytearray(stride), []
    for y in range(height):
        how, line = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1 : (y + 1) * (stride + 1)])
        for x in range(stride):
            left = line[x - channels] if x >= channels else 0
            above, corner = before[x], before[x - channels] if x >= channels else 0
            line[x] = (line[x] + _predicted(how, left, above, corner)) & 255
        rows.append(bytes(line[::channels]))
        before = line
    return rows


def _predicted(how: int, left: int, above: int, corner: int) -> int:
    if how == 4:
        guess = left + above - corner
        return min((left, above, corner), key=lambda one: abs(guess - one))
    return (0, left, above, (left + above) // 2)[how]


def grey_png(rows: list[bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    sys.exit(main())
