"""A real WordPress (from the npm registry, on SQLite) with the WooCommerce double and our plugin, for the tests.

    python -m tests.plugin.environment                        prints the folder of a ready WordPress
    python -m tests.plugin.environment --serve [--port 8780]  serves one until Ctrl-C
    … --woocommerce <folder>                                  with that real WooCommerce instead of the double

Everything that is downloaded or made lies in `.cache/`. WordPress is installed once per state of the double, as a
template; each test gets a copy of its own (the core's files as hard links, what can change as real copies).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.plugin import programs

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CACHE = ROOT / ".cache"
PLUGIN = ROOT / "wordpress-plugin" / "agala"
DOUBLE = HERE / "woocommerce-double"
PARTS = HERE / "wordpress"

PACKAGE = "wp-studio@1.22.0"  # WordPress 7.1.1, wp-cli 2.12.0, the SQLite drop-in
PACKAGE_SHA512 = "boMtahkhgWDKKyNTBA1uTK5ghnAmxXhDY6KeQCO9FmcI3/o+YOSq8JwYW5ZYnxHCxH14Jf/mD6CJTBvTWl2Ytw=="
INSIDE = "package/dist/cli/wp-files/"
UNWANTED = ("wp-content/plugins/", "wp-content/themes/twentytwentyfour/", "wp-content/themes/twentytwentythree/")

ADMIN, PASSWORD = "admin", "password"  # of a shop that lives for one test
DOWNLOAD_SECONDS, COMMAND_SECONDS, READY_SECONDS = 240, 120, 30
FAILED_SECONDS = 600
WORKERS = 6  # a page that calls back into its own site must not wait for itself


class WordPress:
    """One WordPress of a test's own. `url` is what it believes to be its address, served or not."""

    def __init__(self, folder: Path, url: str = "http://shop.test") -> None:
        self.folder = folder
        self.url = url
        (folder / "url.txt").write_text(url)

    @property
    def plugins(self) -> Path:
        return self.folder / "wp-content" / "plugins"

    def add_plugin(self, folder: Path, name: str = "") -> None:
        """Copies a plugin in, whole, and activates it (its activation hook runs)."""
        target = self.plugins / (name or folder.name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(folder, target, ignore=shutil.ignore_patterns("node_modules", ".git"))
        self.cli("plugin", "activate", target.name)

    def cli(self, *arguments: str) -> str:
        """What a wp-cli command prints. Raises RuntimeError with its words when it fails."""
        return wp_cli(self.folder, *arguments)

    def php(self, code: str) -> str:
        """What a piece of PHP prints in this WordPress with its plugins loaded."""
        return self.cli("eval", code)

    @contextlib.contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serves it on the loopback; gives its address. Ended, with all its workers, at the end of the block."""
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        (self.folder / "url.txt").write_text(self.url)
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*_php(), "-S", f"127.0.0.1:{port}", "-t", str(self.folder), str(PARTS / "router.php")],
                env={**os.environ, "PHP_CLI_SERVER_WORKERS": str(WORKERS)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                _wait_for(f"{self.url}/wp-login.php", process)
                yield self.url
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def copy(folder: Path, woocommerce: Path | None = None, agala: Path | None = PLUGIN) -> WordPress:
    """A ready WordPress in `folder` (which must not exist): the shop's plugin active, ours too unless `agala` is None.

    `woocommerce`: a real WooCommerce to use instead of the double. Raises `programs.Missing`.
    """
    source = template(woocommerce)
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("wp-content"), copy_function=_link)
    shutil.copytree(source / "wp-content", folder / "wp-content")
    site = WordPress(folder)
    if agala is not None and (agala / "agala.php").exists():
        site.add_plugin(agala, "agala")
    return site


def template(woocommerce: Path | None = None) -> Path:
    """The folder that copies are made of: made once per state of what it is made from. Raises `programs.Missing`."""
    programs.require("php")
    shop = woocommerce or DOUBLE
    name = f"template-{_digest(shop, woocommerce)}"
    with locked("wordpress"):
        made = CACHE / name
        if not made.exists():
            core = _core()
            _forget_old(made)
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as temporary:
                site = Path(temporary) / "wordpress"
                shutil.copytree(core, site, copy_function=_link)
                _install(site, shop)
                site.rename(made)
    return made


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time on this machine, for this clone."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def npm_package(name: str, sha512: str) -> Path:
    """The tarball of a package, checked against its pinned digest (base64, as npm writes it). Raises `Missing`."""
    file = CACHE / f"{name.replace('@', '').replace('/', '-')}.tgz"
    if not file.exists():
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            npm("pack", name, "--pack-destination", temporary, folder=Path(temporary))
            next(Path(temporary).glob("*.tgz")).rename(file)
    found = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    if found != sha512:
        file.unlink()
        raise programs.Missing(f"{name} is not the package that was pinned (sha512 {found})")
    return file


def npm(*arguments: str, folder: Path) -> None:
    """Raises `Missing` when npm is not here or fails; then for ten minutes at once, for the other tests."""
    programs.require("npm")
    failed = CACHE / "npm-failed"
    if failed.exists() and time.time() - failed.stat().st_mtime < FAILED_SECONDS:
        raise programs.Missing(failed.read_text())
    once = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")
    command = ["npm", *arguments, "--silent", "--no-audit", "--no-fund", *once]
    try:
        subprocess.run(
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=DOWNLOAD_SECONDS, cwd=folder
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        reason = f"npm {' '.join(arguments[:2])} failed (no network?)"
        failed.write_text(reason)
        raise programs.Missing(reason) from None


def wp_cli(folder: Path, *arguments: str) -> str:
    command = [*_php(), str(folder / "wp-cli.phar"), "--allow-root", f"--path={folder}", *arguments]
    environment = {**os.environ, "WP_CLI_CACHE_DIR": str(CACHE / "wp-cli"), "HOME": str(CACHE)}
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS, check=False,
        env=environment, cwd=folder,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"wp {' '.join(arguments)[:200]}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _core() -> Path:
    """WordPress, wp-cli, Hebrew and the SQLite drop-in, unpacked once."""
    core = CACHE / f"core-{hashlib.sha256(PACKAGE_SHA512.encode()).hexdigest()[:12]}"
    if core.exists():
        return core
    package = npm_package(PACKAGE, PACKAGE_SHA512)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="unpacking-") as temporary:
        target = Path(temporary) / "wordpress"
        with tarfile.open(package, "r|gz") as tar:
            for member in tar:
                name = _wanted(member.name)
                if name and member.isfile():
                    member.name = name
                    tar.extract(member, target, filter="data")
        target.rename(core)
    return core


def _wanted(name: str) -> str:
    """Where a file of the package goes in a WordPress; empty: nowhere."""
    name = name.removeprefix(INSIDE)
    if name.startswith("latest/wordpress/"):
        name = name.removeprefix("latest/wordpress/")
        return "" if name.startswith(UNWANTED) else name
    if name.startswith("latest/languages/") and "he_IL" in name:
        return f"wp-content/languages/{name.rpartition('/')[2]}"
    if name.startswith("sqlite-database-integration/"):
        return f"wp-content/plugins/{name}"
    return "wp-cli.phar" if name == "wp-cli/wp-cli.phar" else ""


def _install(site: Path, shop: Path) -> None:
    content = site / "wp-content"
    shutil.copy(content / "plugins/sqlite-database-integration/db.copy", content / "db.php")
    shutil.copy(PARTS / "wp-config.php", site / "wp-config.php")
    shutil.copytree(PARTS / "mu-plugins", content / "mu-plugins")
    (site / "url.txt").write_text("http://shop.test")
    wp_cli(
        site, "core", "install", "--url=http://shop.test", "--title=Dana's Gifts", f"--admin_user={ADMIN}",
        f"--admin_password={PASSWORD}", "--admin_email=owner@shop.test", "--skip-email",
    )  # fmt: skip
    wp_cli(site, "option", "update", "permalink_structure", "/%postname%/")
    shutil.copytree(shop, content / "plugins" / "woocommerce")
    wp_cli(site, "plugin", "activate", "woocommerce")
    if shop != DOUBLE:
        wp_cli(site, "eval-file", str(PARTS / "seed-real.php"), f"--user={ADMIN}")
    wp_cli(site, "rewrite", "flush")
    (site / "debug.log").unlink(missing_ok=True)  # of the installation, which looked for translations on the network


def _digest(shop: Path, real: Path | None) -> str:
    """Of all that a template is made from; a real WooCommerce counts by its main file."""
    digest = hashlib.sha256(PACKAGE_SHA512.encode() + Path(__file__).read_bytes())
    files = [shop / "woocommerce.php"] if real else sorted(shop.rglob("*.php"))
    for file in [*files, *sorted(PARTS.rglob("*.php"))]:
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _forget_old(made: Path, keep: int = 2) -> None:
    old = sorted(made.parent.glob("template-*"), key=lambda folder: folder.stat().st_mtime)
    for folder in old[: max(0, len(old) - keep)]:
        shutil.rmtree(folder, ignore_errors=True)


def _link(source: str, target: str) -> None:
    """Only what nobody writes to: a hard link is one file with several names."""
    if not {"wp-admin", "wp-includes"} & set(Path(source).parts):
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _php() -> Sequence[str]:
    settings = {
        "memory_limit": "512M", "upload_max_filesize": "32M", "post_max_size": "32M", "max_execution_time": "60",
        "opcache.enable_cli": "1", "opcache.revalidate_freq": "0", "display_errors": "stderr",
    }  # fmt: skip
    return ["php", *(part for name, value in settings.items() for part in ("-d", f"{name}={value}"))]


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=READY_SECONDS):
                return
        except urllib.error.HTTPError as problem:
            raise RuntimeError(f"{url} answers {problem.code}: {problem.read()[:2000]!r}") from None
        except OSError as problem:
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"PHP's server at {url} did not come up: {problem}") from None
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description="A WordPress with the shop and the plugin, for trying by hand.")
    parser.add_argument("--serve", action="store_true", help="serve it until Ctrl-C")
    parser.add_argument("--port", type=int, default=8780)
    parser.add_argument("--woocommerce", type=Path, help="the folder of a real WooCommerce, instead of the double")
    parser.add_argument("--folder", type=Path, help="where (default: a new folder under .cache/)")
    parser.add_argument("--without-plugin", action="store_true", help="leave Agala's plugin out")
    options = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    folder = options.folder or Path(tempfile.mkdtemp(dir=CACHE, prefix="shop-")) / "wordpress"
    try:
        woocommerce = options.woocommerce.resolve() if options.woocommerce else None
        site = copy(folder.absolute(), woocommerce, None if options.without_plugin else PLUGIN)
    except programs.Missing as missing:
        sys.exit(str(missing))
    if not options.serve:
        print(site.folder)
        return
    (site.folder / "cron.txt").touch()
    with site.serve(options.port) as url:
        print(json.dumps({"folder": str(site.folder), "shop": url, "admin": f"{url}/wp-admin/", "user": ADMIN}))
        print(f"user {ADMIN}, password {PASSWORD}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
