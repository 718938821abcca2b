"""Makes `.venv` hold exactly what requirements-dev.txt pins. Run by any `python3`, before anything is installed."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
PIP = (str(FOLDER / "bin" / "python"), "-m", "pip")
STAMP = FOLDER / "installed"
PINS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")


def wanted() -> str:
    """A digest of what the environment was made from: the pins, the Python, the place (a venv cannot be moved)."""
    digest = hashlib.sha256(f"{sys.version}\n{FOLDER}\n".encode())
    for pins in PINS:
        digest.update(pins.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    return STAMP.exists() and STAMP.read_text() == wanted()


def make() -> None:
    """Raises subprocess.CalledProcessError when venv or pip fail; without the stamp the next call repeats."""
    print("Setting up .venv (only when the pins change; a minute or two)…", file=sys.stderr, flush=True)
    if FOLDER.is_symlink():
        FOLDER.unlink()  # --clear goes through a link and would empty the environment of another clone
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True, stdout=sys.stderr)
    subprocess.run(
        [*PIP, "install", "--quiet", "--disable-pip-version-check", "--requirement", str(PINS[-1])],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        cwd=ROOT,
    )
    STAMP.write_text(wanted())


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 (this file is what an older Python gets to read)
        sys.exit(
            f"Agala needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}. "
            "If another one is installed: make PYTHON=python3.13 …"
        )
    if is_current():
        return
    with PINS[-1].open() as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)  # two makes at once: the second waits, then finds it done
        if is_current():
            return
        try:
            make()
        except subprocess.CalledProcessError as problem:
            sys.exit(
                f"Setting up .venv failed at: {' '.join(problem.cmd)}\n"
                "The reason is above. On Debian, venv itself may be missing: apt-get install python3-venv."
            )


if __name__ == "__main__":
    main()
