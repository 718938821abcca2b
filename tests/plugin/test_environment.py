"""Each test's WordPress is its own."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.plugin import environment, programs


def test_what_one_copy_writes_no_other_reads() -> None:
    try:
        made = environment.template()
    except programs.Missing as missing:
        pytest.skip(str(missing))
    # Beside the template, on its file system, so that files can be hard links.
    with TemporaryDirectory(dir=environment.CACHE) as folder:
        one = environment.copy(Path(folder) / "one", agala=None)
        other = environment.copy(Path(folder) / "other", agala=None)
        for file in one.folder.rglob("*"):
            twin = other.folder / file.relative_to(one.folder)
            same = file.is_file() and file.samefile(twin)
            assert not same or {"wp-admin", "wp-includes"} & set(file.relative_to(one.folder).parts), file
        one.cli("option", "update", "blogname", "One")
        (one.folder / "url.txt").write_text("http://one.test")
        assert "Dana" in other.cli("option", "get", "blogname")
        assert (other.folder / "url.txt").read_text() == (made / "url.txt").read_text() == "http://shop.test"
