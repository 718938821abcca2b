"""The programs that the plugin's tests need: found, or installed where that may be done without asking.

`python -m tests.plugin.programs` (called by `make test` before the tests) installs what is missing when it is root on
Debian; elsewhere it only says what is missing, and the tests that need it are skipped by name.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INSTALL_SECONDS = 600
PHP_MODULES = ("pdo_sqlite", "mbstring", "xml", "curl")
PACKAGES = {
    "php": ("php-cli", "php-sqlite3", "php-mbstring", "php-xml", "php-curl"),
    "phpunit": ("phpunit",),
    "phpcs": ("php-codesniffer",),
    "chromium": ("chromium",),
    "npm": ("nodejs", "npm"),
}


class Missing(Exception):
    """What a test needs is not on this machine and cannot be brought; the text is the reason to skip."""


def is_there(program: str) -> bool:
    if program == "php":
        return bool(shutil.which("php")) and not _missing_php_modules()
    if program == "chromium":
        return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return bool(shutil.which(program))


def require(*programs: str) -> None:
    """Raises `Missing`, naming the programs, when one is neither there nor can be installed."""
    absent = [program for program in programs if not is_there(program)]
    if not absent:
        return
    if not _may_install():
        raise Missing(f"no {', '.join(absent)} on this machine (would be installed as root on Debian)")
    _install([package for program in absent for package in PACKAGES[program]])
    still = [program for program in absent if not is_there(program)]
    if still:
        raise Missing(f"no {', '.join(still)} on this machine, and apt-get could not bring it")


def _missing_php_modules() -> set[str]:
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, timeout=30, check=False).stdout.lower()
    return set(PHP_MODULES) - set(listed.split())


def _may_install() -> bool:
    return os.geteuid() == 0 and bool(shutil.which("apt-get")) and Path("/etc/debian_version").exists()


def _install(packages: list[str]) -> None:
    """One at a time on this machine (apt has one lock); a failed update is no reason not to try the lists at hand."""
    with Path(tempfile.gettempdir(), "agala-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
        for command in (["apt-get", "update"], install):
            try:
                subprocess.run(command, env=environment, timeout=INSTALL_SECONDS, check=False, **quiet)
            except subprocess.TimeoutExpired:
                return


def main() -> None:
    for program in PACKAGES:
        try:
            require(program)
        except Missing as missing:
            print(f"The tests that need it will be skipped: {missing}", file=sys.stderr)


if __name__ == "__main__":
    main()
