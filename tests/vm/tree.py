"""A Debian root folder, made once a week with mmdebstrap, kept outside the repository."""

import os
import re
import shutil
import subprocess
import time
import zlib
from pathlib import Path

# What image building needs; the machine's own needs (login, bench) ride along in the same folder.
PACKAGES = ("linux-image-amd64", "systemd-sysv", "udev", "kmod", "initramfs-tools", "dracut-core",
            "busybox", "pciutils", "procps", "zstd", "cpio", "driverctl",
            # the libraries of ghost-boot, which runs in it too
            "libefivar1", "liblzo2-2")
SUITES = ("bookworm", "trixie")
# "bookworm+luks" is a tree of its own, with these as well.
MORE = {"luks": ("cryptsetup-initramfs",)}


class TreeError(Exception):
    """No tree; the text says why."""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ghost-boot" / "tree"


def own_suite():
    """The running Debian's suite if it is one we know, else the older one."""
    try:
        found = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found and found[1] in SUITES else SUITES[0]


def mirror():
    """Where this machine's own apt gets Debian from."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    listing = subprocess.run(["apt-get", "indextargets", "--format", form],
                             capture_output=True, text=True).stdout
    for line in listing.splitlines():
        origin, label, uri = line.split("|", 2)
        if (origin, label) == ("Debian", "Debian"):
            return uri.rstrip("/")
    raise TreeError("apt knows no Debian archive here; run apt-get update first")


def apt_options():
    """This machine's proxies and the like, which the new tree's apt would not know."""
    dump = subprocess.run(["apt-config", "dump", "--format", '%f "%v";%n', "Acquire"],
                          capture_output=True, text=True).stdout
    return [f"--aptopt={line}" for line in dump.splitlines()
            if re.match(r"Acquire::(https?::|Check-)\S* \"[^\"]+\"", line)]


def path(suite):
    """With the week, and with what the packages are, so that other wishes make another tree."""
    wishes = zlib.crc32(" ".join(PACKAGES).encode())
    return cache() / f"{suite}-{time.strftime('%GW%V')}-{wishes:08x}"


def ensure(suite, say=lambda text: None):
    """The folder of SUITE's tree; made if this week's is not there."""
    tree = path(suite)
    if tree.is_dir():
        return tree
    if os.geteuid() != 0:
        raise TreeError("making a distribution tree needs root")
    if not shutil.which("mmdebstrap"):
        raise TreeError("mmdebstrap is missing")
    tree.parent.mkdir(parents=True, exist_ok=True)
    new = tree.with_name(f".{tree.name}.{os.getpid()}")
    log = tree.with_name(f"{suite}.log")
    say(f"{suite}: making its tree with mmdebstrap (a minute or two; log in {log})")
    debian, _, more = suite.partition("+")
    command = ["mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
               "--include=" + ",".join(PACKAGES + MORE.get(more, ())),
               # Its own initramfs and manual pages would be made for nothing.
               "--dpkgopt=force-confold", "--dpkgopt=path-exclude=/usr/share/man/*",
               "--dpkgopt=path-exclude=/usr/share/locale/*",
               "--essential-hook=mkdir -p $1/etc/initramfs-tools && "
               "echo update_initramfs=no >$1/etc/initramfs-tools/update-initramfs.conf",
               *apt_options(), debian, str(new), f"deb {mirror()} {debian} main"]
    with log.open("w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise TreeError(f"mmdebstrap failed for {suite}; its words are in {log}")
    try:
        new.rename(tree)
    except OSError:  # somebody else was faster
        shutil.rmtree(new)
    for old in tree.parent.glob(f"{suite}-*"):
        if old != tree:
            shutil.rmtree(old, ignore_errors=True)
    return tree


def kernel(tree):
    """The newest kernel's release in TREE."""
    found = sorted((tree / "boot").glob("vmlinuz-*"))
    if not found:
        raise TreeError(f"{tree} has no kernel")
    return found[-1].name.removeprefix("vmlinuz-")
