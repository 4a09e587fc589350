"""A clean Debian in a folder, and the packages that its machines will install later.

Made once a week by mmdebstrap from this machine's own mirror, kept outside the repository. Its
kernel is the release's own; the newer one that the tests install by apt comes from the security
archive, as it would for everybody.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import kinds
import tree

# A plain server. Nothing here is for ghost-boot.
PACKAGES = ("linux-image-amd64", "systemd-sysv", "udev", "kmod", "dbus", "initramfs-tools",
            "pciutils", "procps", "zstd", "e2fsprogs", "dosfstools", "fdisk")
# What our packages may depend on, so that apt finds it without a network.
LIBRARIES = ("libkmod2", "libpci3", "libblkid1", "libefivar1", "zlib1g", "liblzma5", "libzstd1",
             "liblz4-1", "libbz2-1.0", "liblzo2-2")

# $1 is the new root. Each loader alone: some of them conflict.
FETCH = r"""
set -eu
root=$1
mkdir -p "$root/pool/partial"
get() {
	chroot "$root" apt-get -qq -y --no-install-recommends --download-only -o Dpkg::Use-Pty=0 \
		-o Dir::Cache::archives=/pool install "$@"
}
%(loaders)s
get --reinstall %(libraries)s
echo 'deb %(security)s %(suite)s-security main' >"$root/etc/apt/sources.list.d/security.list"
chroot "$root" apt-get -qq update
get linux-image-amd64
rm -rf "$root/etc/apt/sources.list.d/security.list" "$root/pool/partial" "$root/pool/lock"
"""


def folder():
    return tree.cache().parent / "system"


def week():
    return time.strftime("%GW%V")


def security():
    """The security archive that this machine's apt knows, else the one beside its mirror."""
    form = "$(LABEL)|$(REPO_URI)"
    listing = subprocess.run(["apt-get", "indextargets", "--format", form],
                             capture_output=True, text=True).stdout
    for line in listing.splitlines():
        label, uri = line.split("|", 1)
        if label == "Debian-Security":
            return uri.rstrip("/")
    return f"{tree.mirror()}-security"


@contextlib.contextmanager
def alone(path):
    """Only one process at a time makes PATH."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tidy(made, pattern):
    """Earlier weeks' go. Another recipe's of this week may be in use, by another checkout."""
    for old in made.parent.glob(pattern):
        if week() not in old.name:
            shutil.rmtree(old, ignore_errors=True)


def _loaders(suite):
    """The packages of each loader and builder of its machines."""
    return sorted({*(kinds.LOADERS[kind.loader] for kind in kinds.ALL if kind.suite == suite),
                   *kinds.BUILDERS.values()})


def _key(suite):
    """Another recipe makes another system."""
    recipe = repr((PACKAGES, LIBRARIES, FETCH, _loaders(suite)))
    return hashlib.sha256(recipe.encode()).hexdigest()[:8]


def ensure(suite, say=lambda text: None):
    """SUITE's folder: root/ the system, pool/ packages for later, index included."""
    made = folder() / f"{suite}-{week()}-{_key(suite)}"
    with alone(made):
        if not made.is_dir():
            say(f"{suite}: making a clean system with mmdebstrap (minutes; once a week)")
            _make(suite, made)
            tidy(made, f"{suite}-[0-9]*W[0-9]*")
    return made


def _make(suite, made):
    new = made.with_name(f".{made.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    log = made.with_name(f"{suite}.log")
    hook = new / "fetch"
    hook.write_text(FETCH % {
        "loaders": "\n".join(f"get {' '.join(names)}" for names in _loaders(suite)),
        "libraries": " ".join(LIBRARIES), "security": security(), "suite": suite})
    command = ["mmdebstrap", "--mode=root", "--format=directory", "--variant=minbase",
               "--include=" + ",".join(PACKAGES),
               "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
               "--dpkgopt=path-exclude=/usr/share/locale/*",
               f'--customize-hook=sh "{hook}" "$1"', *tree.apt_options(),
               suite, str(new / "root"), f"deb {tree.mirror()} {suite} main"]
    with log.open("w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise tree.TreeError(f"mmdebstrap failed for {suite}; its words are in {log}")
    (new / "root" / "pool").rename(new / "pool")
    index(new / "pool")
    hook.unlink()
    new.rename(made)


def index(pool):
    """The index that makes a folder of packages a repository."""
    done = subprocess.run(["dpkg-scanpackages", "--multiversion", "."], cwd=pool,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise tree.TreeError(f"dpkg-scanpackages: {done.stderr.strip()[-300:]}")
    (pool / "Packages").write_text(done.stdout)


def kernel(suite_folder):
    """The release of the kernel that the clean system has."""
    return tree.kernel(suite_folder / "root")


def newer(suite_folder):
    """The release of the kernel that apt will bring, from the pool."""
    names = [deb.name for deb in Path(suite_folder / "pool").glob("linux-image-[0-9]*-amd64_*.deb")]
    releases = {name.split("_")[0].removeprefix("linux-image-") for name in names}
    releases.discard(kernel(suite_folder))
    if len(releases) != 1:
        raise tree.TreeError(f"{suite_folder}: not one newer kernel but {sorted(releases)}")
    return releases.pop()
