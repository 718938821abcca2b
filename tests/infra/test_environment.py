from __future__ import annotations

import subprocess
import venv
from pathlib import Path

import pytest

from infra import environment


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "requirements.txt"
    file.write_text("one==1\n")
    (tmp_path / "venv").mkdir()
    monkeypatch.setattr(environment, "PINS", (file,))
    monkeypatch.setattr(environment, "STAMP", tmp_path / "venv" / "installed")
    return file


def test_it_is_made_once_and_again_when_the_pins_change(pins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: made.append(command))
    environment.main()
    environment.main()
    assert len(made) == 2, "one venv, one pip"
    pins.write_text("one==2\n")
    environment.main()
    assert len(made) == 4


def test_an_environment_lent_by_a_link_is_left_alone(pins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lent = pins.parent / "lent"
    (lent / "bin").mkdir(parents=True)
    link = pins.parent / "link"
    link.symlink_to(lent)
    monkeypatch.setattr(environment, "FOLDER", link)

    def only_venv(command: list[str], **_: object) -> None:
        if "venv" not in command:
            raise subprocess.CalledProcessError(1, command)
        venv.create(command[-1], clear=True)

    monkeypatch.setattr(subprocess, "run", only_venv)
    with pytest.raises(SystemExit):
        environment.main()
    assert [file.name for file in lent.iterdir()] == ["bin"]
    assert not link.is_symlink()
    assert (link / "pyvenv.cfg").exists()


def test_a_failed_installation_is_not_taken_for_done(pins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(SystemExit, match="Setting up"):
        environment.main()
    assert not environment.is_current()
