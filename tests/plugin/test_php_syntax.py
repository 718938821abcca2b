"""The plugin compiles on the machine's PHP, and on the oldest and the newest PHP that it is for."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.plugin import environment, programs

VERSIONS = Path(__file__).resolve().parent / "php-versions"
FILES = sorted(environment.PLUGIN.rglob("*.php"))
SECONDS = 120


def test_it_compiles_on_the_php_of_this_machine() -> None:
    try:
        programs.require("php")
    except programs.Missing as missing:
        pytest.skip(str(missing))
    trouble = [done.stdout + done.stderr for file in FILES if (done := _lint(file)).returncode]
    assert not trouble, "\n".join(trouble)


@pytest.mark.parametrize("version", ["7-4", "8-4"])
def test_it_compiles_on_php(version: str) -> None:
    try:
        folder = _versions()
    except programs.Missing as missing:
        pytest.skip(str(missing))
    troubles = _compile(folder, version, FILES)
    assert not any(troubles.values()), "\n".join(f"{file}\n{trouble}" for file, trouble in troubles.items() if trouble)


def test_what_php_7_does_not_know_is_found(tmp_path: Path) -> None:
    try:
        folder = _versions()
    except programs.Missing as missing:
        pytest.skip(str(missing))
    file = tmp_path / "class-late.php"
    file.write_text("<?php\ndefined( 'ABSPATH' ) || exit;\nenum Late { case One; }\n")
    assert _compile(folder, "7-4", [file])[str(file)]
    assert not _compile(folder, "8-4", [file])[str(file)]


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(environment.PLUGIN)) for file in FILES])
def test_nothing_of_it_runs_outside_of_wordpress(file: Path) -> None:
    """Called by its address it must end at once; the checks above rely on that too."""
    text = file.read_text()
    assert "defined( 'ABSPATH' ) || exit;" in text or "defined( 'WP_UNINSTALL_PLUGIN' ) || exit;" in text


def _lint(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["php", "-l", str(file)], capture_output=True, text=True, timeout=SECONDS, check=False)


def _compile(folder: Path, version: str, files: list[Path]) -> dict[str, str]:
    done = subprocess.run(
        ["node", str(VERSIONS / "lint.mjs"), str(folder), version, *map(str, files)],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == len(files), done.stdout + done.stderr
    return {line["file"]: line["trouble"] for line in lines}


def _versions() -> Path:
    """The folder with both versions, installed once as package-lock.json pins them. Raises `programs.Missing`."""
    programs.require("npm")  # and with it node
    lock = (VERSIONS / "package-lock.json").read_bytes()
    with environment.locked("php-versions"):
        made = environment.CACHE / f"php-versions-{hashlib.sha256(lock).hexdigest()[:12]}"
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=environment.CACHE) as temporary:
                making = Path(temporary) / "php"
                making.mkdir()
                for name in ("package.json", "package-lock.json"):
                    shutil.copy(VERSIONS / name, making)
                environment.npm("ci", "--ignore-scripts", folder=making)
                making.rename(made)
    return made
