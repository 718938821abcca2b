"""Our plugin's PHPUnit classes, each in a WordPress of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.plugin import environment, programs

HERE = Path(__file__).resolve().parent
CLASSES = sorted((HERE / "phpunit").glob("*Test.php"), key=lambda file: file.name)
SECONDS = 180
REAL = os.environ.get("AGALA_TESTS_WOOCOMMERCE")  # the folder of a real WooCommerce, to try the classes with


@pytest.mark.parametrize("file", CLASSES, ids=[file.stem for file in CLASSES])
def test_phpunit(file: Path, tmp_path: Path) -> None:
    try:
        programs.require("php", "phpunit")
        site = environment.copy(tmp_path / "wordpress", Path(REAL) if REAL else None)
    except programs.Missing as missing:
        pytest.skip(str(missing))
    command = [
        "phpunit",
        "--bootstrap",
        str(HERE / "phpunit" / "bootstrap.php"),
        "--colors=never",
        "--testdox",
        str(file),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False, cwd=tmp_path,
        env={**os.environ, "AGALA_TESTS_WORDPRESS": str(site.folder)},
    )  # fmt: skip
    assert done.returncode == 0, f"{file.name}\n{done.stdout}\n{done.stderr}"
