"""The disk that apt inside a machine installs from: the suite's packages for later, and ours."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import package
import suite
from root import Failed, Root

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "system"


class RepoError(Exception):
    """No packages of ours; the text says why."""


def ours(suite_name, as_built=False):
    """Our own packages, built for SUITE_NAME in a tree of it; AS_BUILT takes the last ones."""
    try:
        folder = (REPOSITORY / "build" / "deb" / suite_name if as_built
                  else package.ensure(suite_name))
    except Failed as why:
        raise RepoError(f"the packages can't be built: {why}") from None
    found = sorted(deb for deb in folder.glob("*.deb") if "-dbgsym_" not in deb.name)
    if not found:
        raise RepoError(f"{folder} holds no package")
    return found


# What /extra has is what NAMES need beside a clean system.
FETCH = ("apt-get -qq update && mkdir -p /extra/partial && apt-get -qq -y --no-install-recommends "
         "--download-only -o Dir::Cache::archives=/extra -o Dpkg::Use-Pty=0 install %s && "
         "rm -rf /extra/partial /extra/lock")


def more(of_suite, names):
    """The packages NAMES of the archive and what they need, for the scenarios that ask for them;
    fetched weekly, and no part of what the machines are made from."""
    if not names:
        return []
    key = hashlib.sha256(repr((FETCH, names)).encode()).hexdigest()[:8]
    made = suite.folder() / f"more-{of_suite.name}-{key}"
    with suite.alone(made):
        if not made.is_dir():
            root = Root([of_suite / "root"])
            new = made.with_name(f".{made.name}.{os.getpid()}")
            new.mkdir()
            try:
                (root.upper / "etc").mkdir()
                shutil.copy("/etc/resolv.conf", root.upper / "etc" / "resolv.conf")
                root.run(FETCH % " ".join(names), binds=[(new, "/extra")], network=True)
                new.rename(made)
            except Failed as why:
                shutil.rmtree(new)
                raise RepoError(f"no {' '.join(names)}: {why}") from None
            finally:
                root.close()
            suite.tidy(made, f"more-{of_suite.name.split('-')[0]}-[0-9]*W[0-9]*")
    return sorted(made.glob("*.deb"))


def nosync():
    """The library that takes syncs away, for the repository disk."""
    BUILD.mkdir(parents=True, exist_ok=True)
    made = BUILD / "nosync.so"
    source = Path(__file__).resolve().parent / "guest" / "nosync.c"
    done = subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", str(made), str(source)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RepoError(f"gcc: {done.stderr.strip()[-300:]}")
    return made


def _add(deb, pool):
    """As it is; a kernel with compression that an emulated machine can bear."""
    if not deb.name.startswith("linux-image-"):
        shutil.copy(deb, pool)
        return
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.") as scratch:
        for words in (["-R", str(deb), f"{scratch}/root"],
                      ["-Zzstd", "-z1", "-b", f"{scratch}/root", str(pool / deb.name)]):
            done = subprocess.run(["dpkg-deb", *words], capture_output=True, text=True)
            if done.returncode != 0:
                raise RepoError(f"dpkg-deb: {done.stderr.strip()[-300:]}")


def make(of_suite, packages):
    """The repository disk for machines of one suite, with PACKAGES or any other files beside;
    kept in build/system by content."""
    total = hashlib.sha256(str(of_suite).encode() + Path(__file__).read_bytes())
    for file in packages:
        total.update(file.name.encode() + file.read_bytes())
    BUILD.mkdir(parents=True, exist_ok=True)
    made = BUILD / f"packages-{of_suite.name}-{total.hexdigest()[:16]}"
    with suite.alone(made):
        if made.exists():
            return made
        for old in BUILD.glob(f"packages-{of_suite.name}-*"):
            old.unlink()
        with tempfile.TemporaryDirectory(prefix="ghost-boot-system.") as scratch:
            pool = Path(scratch) / "pool"
            pool.mkdir()
            for file in (*(of_suite / "pool").glob("*.deb"), *packages):
                _add(file, pool)
            suite.index(pool)
            size = sum(file.stat().st_size for file in pool.iterdir())
            new = made.with_name(f".{made.name}.{os.getpid()}")
            done = subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0",
                                   "-d", str(pool), str(new), f"{size // (1 << 20) * 11 // 10 + 16}M"],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise RepoError(f"mkfs.ext4: {done.stderr.strip()}")
            new.rename(made)
    return made
