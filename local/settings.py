"""The embedded runtime's settings: the environment of `make run`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.clock import parse_rfc3339


class BadSetting(Exception):
    """Its text names the variable and what it should be."""


@dataclass(frozen=True)
class LocalSettings:
    """`clock_speed` is store seconds per real second; `clock_start` counts at the first start only (None: now).

    `admin_token` None: the one kept in `data_dir`, made at the first start. `port` 0: a free one. `shopify_url`: where
    Shopify's shops are instead of their own addresses, each by its domain: `{shopify_url}/tea.myshopify.com`.
    """

    port: int
    data_dir: Path
    admin_token: str | None
    clock_speed: float
    clock_start: datetime | None
    smtp_url: str | None
    log_level: str
    shopify_url: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> LocalSettings:
        """Raises `BadSetting`."""
        return cls(
            port=_port(environ.get("AGALA_PORT") or "8000"),
            data_dir=Path(environ.get("AGALA_DATA_DIR") or ".agala").absolute(),
            admin_token=_token(environ.get("AGALA_ADMIN_TOKEN") or None),
            clock_speed=_speed(environ.get("AGALA_CLOCK_SPEED") or "1"),
            clock_start=_start(environ.get("AGALA_CLOCK_START") or None),
            smtp_url=_mail_server(environ.get("AGALA_SMTP_URL") or None),
            log_level=_level(environ.get("AGALA_LOG_LEVEL") or "WARNING"),
            shopify_url=_place(environ.get("AGALA_SHOPIFY_URL") or None),
        )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise BadSetting("AGALA_PORT must be a port number, such as 8000")
    return int(text)


def _token(text: str | None) -> str | None:
    if text is not None and not (1 <= len(text) <= 500 and text.isascii() and text.isprintable() and " " not in text):
        raise BadSetting("AGALA_ADMIN_TOKEN must be 1 to 500 ASCII characters without spaces")
    return text


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not (math.isfinite(speed) and speed > 0):
        raise BadSetting("AGALA_CLOCK_SPEED must be a number above 0: seconds of store time per real second")
    return speed


def _start(text: str | None) -> datetime | None:
    try:
        return parse_rfc3339(text) if text else None
    except ValueError:
        raise BadSetting("AGALA_CLOCK_START must be a time with its zone, such as 2026-11-21T08:00:00Z") from None


def _mail_server(text: str | None) -> str | None:
    try:
        parts = urlsplit(text or "smtp://none")
        good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadSetting("AGALA_SMTP_URL must be a mail server's address, such as smtp://localhost:1025")
    return text


def _place(text: str | None) -> str | None:
    try:
        parts = urlsplit(text or "http://none")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        good = False
    if not good:
        raise BadSetting("AGALA_SHOPIFY_URL must be a web address, such as http://127.0.0.1:9000")
    return text.rstrip("/") if text else None


def _level(text: str) -> str:
    if text not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise BadSetting("AGALA_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR")
    return text
