from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.settings import Settings
from local.runtime import LocalWiring
from local.settings import BadSetting, LocalSettings


def test_an_empty_environment_is_the_contracts_defaults() -> None:
    settings = LocalSettings.from_environment({"AGALA_PORT": "", "AGALA_CLOCK_START": ""})
    assert settings == LocalSettings(8000, Path.cwd() / ".agala", None, 1.0, None, None, "WARNING")


def test_everything_can_be_said() -> None:
    said = {
        "AGALA_PORT": "0",
        "AGALA_DATA_DIR": "/data",
        "AGALA_ADMIN_TOKEN": "12345678",
        "AGALA_CLOCK_SPEED": "86400",
        "AGALA_CLOCK_START": "2026-11-01T10:00:00+02:00",
        "AGALA_SMTP_URL": "smtp://mail.example",
        "AGALA_SHOPIFY_URL": "http://127.0.0.1:9000/",
    }
    start = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
    assert LocalSettings.from_environment(said) == LocalSettings(
        0, Path("/data"), "12345678", 86400.0, start, "smtp://mail.example", "WARNING", "http://127.0.0.1:9000"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AGALA_PORT", "http"),
        ("AGALA_PORT", "65536"),
        ("AGALA_PORT", "-1"),
        ("AGALA_ADMIN_TOKEN", "with space"),
        ("AGALA_ADMIN_TOKEN", "with a space in it"),
        ("AGALA_CLOCK_SPEED", "fast"),
        ("AGALA_CLOCK_SPEED", "0"),
        ("AGALA_CLOCK_SPEED", "inf"),
        ("AGALA_CLOCK_START", "yesterday"),
        ("AGALA_CLOCK_START", "2026-11-01T10:00:00"),
        ("AGALA_SMTP_URL", "localhost:1025"),
        ("AGALA_SMTP_URL", "http://mail.example"),
        ("AGALA_SMTP_URL", "smtp://mail.example:none"),
        ("AGALA_LOG_LEVEL", "LOUD"),
        ("AGALA_SHOPIFY_URL", "tea.myshopify.com"),
        ("AGALA_SHOPIFY_URL", "http://127.0.0.1:none"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        LocalSettings.from_environment({name: value})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (None, "https://tea.myshopify.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/tea.myshopify.com"),
    ],
)
def test_shopifys_shops_are_where_the_setting_says(url: str | None, address: str) -> None:
    parts: Any = None
    wiring = LocalWiring(Settings.from_environment({}), parts, parts, parts, parts, parts, parts, url)
    assert wiring.shopify_address("tea.myshopify.com") == address
