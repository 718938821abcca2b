"""Small pictures of letters on a coloured ground, composed of strips that were drawn before (`infra.draw_sprites`).

No picture library is in the bundle for this: a picture here is rows of palette numbers, and a PNG is those rows
compressed (PNG specification, §4 and §11: colour type 3 with `tRNS`). Number 0 is transparent, `GROUND` the ground's
colour; below it is the ground's edge, above it are letters on it.
"""

from __future__ import annotations

import json
import struct
import zlib
from functools import cache, lru_cache
from importlib import resources

from chalicelib.messages.colours import words_on

GROUND = 64
_LETTER = bytes(GROUND + round(cover * GROUND / 255) for cover in range(256))


class Sign:
    """A sign of a strip, as rows of palette numbers."""

    def __init__(self, rows: tuple[bytes, ...]) -> None:
        self.rows, self.width, self.height = rows, len(rows[0]), len(rows)


class Canvas:
    """Transparent at first. Everything is in pixels from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        self._rows = [bytearray(width) for _ in range(height)]

    def ground(self, x: int, width: int, radius: int) -> None:
        """A field with round corners, as high as the canvas."""
        for row, drawn in zip(self._rows, _rounded(width, len(self._rows), radius), strict=True):
            row[x : x + width] = drawn

    def write(self, sign: Sign, x: int, y: int) -> None:
        """On a ground."""
        for row, drawn in zip(self._rows[y:], sign.rows, strict=False):
            row[x : x + sign.width] = drawn

    def png(self, colour: str) -> bytes:
        """`colour` of the ground, `#rrggbb`; letters are black or white, as can be read on it."""
        return _png([bytes(row) for row in self._rows], colour)


def nothing(width: int) -> bytes:
    """A transparent line one pixel high: of a picture that has nothing true to say, no hole stays."""
    return _png([bytes(width)], "#000000")


@cache
def sign(strip: str, name: str) -> Sign:
    """Raises KeyError for a sign that was never drawn."""
    place = _index()[strip][name]
    start, end = place["x"], place["x"] + place["width"]
    return Sign(tuple(row[start:end].translate(_LETTER) for row in _strip(strip)))


@cache
def _index() -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = json.loads(_sprite("strips.json"))
    return found


@cache
def _strip(name: str) -> tuple[bytes, ...]:
    """The rows of a strip: one IDAT, 8-bit grey, every row unfiltered."""
    png = _sprite(f"{name}.png")
    width, height = struct.unpack(">II", png[16:24])
    at = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[at - 4 : at])
    raw = zlib.decompress(png[at + 4 : at + 4 + length])
    return tuple(raw[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height))


def _sprite(name: str) -> bytes:
    return resources.files("chalicelib.messages").joinpath("sprites", name).read_bytes()


@lru_cache(maxsize=256)
def _rounded(width: int, height: int, radius: int) -> tuple[bytes, ...]:
    """Corners by how much of a pixel lies inside the circle."""
    rows = []
    for y in range(height):
        down = max(radius - y - 0.5, y + 0.5 - (height - radius), 0.0)
        row = bytearray([GROUND]) * width
        if down:
            for x in range(radius):
                away = ((radius - x - 0.5) ** 2 + down**2) ** 0.5
                row[x] = row[width - 1 - x] = round(GROUND * min(1.0, max(0.0, radius + 0.5 - away)))
        rows.append(bytes(row))
    return tuple(rows)


def _png(rows: list[bytes], colour: str) -> bytes:
    palette, clearness = _palette(colour)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"tRNS", clearness), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


@lru_cache(maxsize=64)
def _palette(colour: str) -> tuple[bytes, bytes]:
    ground, letter = bytes.fromhex(colour[1:]), bytes.fromhex(words_on(colour)[1:])
    mixed = b"".join(
        bytes(round(a + (b - a) * part / GROUND) for a, b in zip(ground, letter, strict=True))
        for part in range(1, GROUND + 1)
    )
    return ground * (GROUND + 1) + mixed, bytes(round(part * 255 / GROUND) for part in range(GROUND + 1))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
