"""The plugin is written the way WordPress's own standard asks, as far as that can be checked here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.plugin import environment, programs

HERE = Path(__file__).resolve().parent
FILES = sorted(environment.PLUGIN.rglob("*.php"))
SECONDS = 120

BAD = {
    "echo $name;": "printed without escaping",
    "echo '<b>' . esc_html( $a ) . $b . '</b>';": "printed without escaping",
    "printf( '<b>%s</b>', get_option( 'x' ) );": "printed without escaping",
    "_e( 'words', 'agala' );": "esc_html_e()",
    'global $wpdb; $wpdb->query( "DELETE FROM $table WHERE id = $id" );': "not prepared",
    "wp_remote_post( $url );": "belongs into",
    "$a = $_GET['a'];": "without cleaning",
    "$a = sanitize_text_field( wp_unslash( $_POST['a'] ) );": "nonce",
    "echo $name; // phpcs:ignore WordPress.Security.EscapeOutput": "printed without escaping",
}
GOOD = [
    "echo esc_html( $name ), '<br>', (int) $count;",
    "printf( '<b%s>%s</b>', $on ? ' class=\"on\"' : '', esc_html__( 'words', 'agala' ) );",
    'global $wpdb; $wpdb->get_row( $wpdb->prepare( "SELECT * FROM $table WHERE id = %d", $id ) );',
    "check_admin_referer( 'a' ); $a = sanitize_text_field( wp_unslash( $_POST['a'] ) );",
    "echo $row; // phpcs:ignore WordPress.Security.EscapeOutput -- row() escapes.",
]


def test_the_layout_is_wordpresss() -> None:
    _need("phpcs")
    done = _run("phpcs", f"--standard={HERE / 'phpcs.xml'}", "-q", "--report-width=150", str(environment.PLUGIN))
    assert done.returncode == 0, done.stdout + done.stderr


def test_output_is_escaped_queries_prepared_and_forms_checked() -> None:
    _need("php")
    done = _style(*FILES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", BAD)
def test_what_would_be_dangerous_is_found(code: str, tmp_path: Path) -> None:
    _need("php")
    assert BAD[code] in _style(_file(tmp_path, code)).stdout


@pytest.mark.parametrize("code", GOOD)
def test_what_is_safe_passes(code: str, tmp_path: Path) -> None:
    _need("php")
    assert _style(_file(tmp_path, code)).stdout == ""


def _need(*names: str) -> None:
    try:
        programs.require(*names)
    except programs.Missing as missing:
        pytest.skip(str(missing))


def _file(folder: Path, code: str) -> Path:
    file = folder / "class-example.php"
    file.write_text(f"<?php\nfunction example() {{\n{code}\n}}\n")
    return file


def _style(*files: Path) -> subprocess.CompletedProcess[str]:
    return _run("php", str(HERE / "wordpress-style.php"), *map(str, files))


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
