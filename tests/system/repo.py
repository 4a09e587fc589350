"""The disk that apt inside a machine installs from: the suite's packages for later, and ours."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import suite

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "system"


class RepoError(Exception):
    """No packages of ours; the text says why."""


def ours():
    """Our own packages, as "make deb" leaves them."""
    found = sorted(package for package in (REPOSITORY / "build" / "deb").glob("*.deb")
                   if "-dbgsym_" not in package.name)
    if not found:
        raise RepoError("build/deb holds no package: make deb comes first")
    return found


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


def make(of_suite, packages):
    """The repository disk for machines of one suite, with PACKAGES or any other files beside;
    kept in build/system by content."""
    total = hashlib.sha256(str(of_suite).encode())
    for package in packages:
        total.update(package.name.encode() + package.read_bytes())
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
            for package in (*(of_suite / "pool").glob("*.deb"), *packages):
                shutil.copy(package, pool)
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
