"""Boot images and root disks of one distribution tree with ghost-boot installed in it.

Every build runs in a chroot of a private overlay of the tree, so that the cached tree stays as
it was made, with a tmpfs on /run and a real /sys: without them dracut quietly turns host-only
mode off. Results are kept in build/vm, named by a hash of all that went in.
"""

import atexit
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import tree as trees

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "vm"
ROOT_UUID = "11111111-2222-3333-4444-555555555555"
GUEST = Path(__file__).resolve().parent / "guest"

# Runs in a mount namespace of its own: nothing to clean up however it ends.
CHROOT = r"""
set -eu
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$WORK/upper,workdir=$WORK/work" overlay "$WORK/root"
cp -a "$PAYLOAD/." "$WORK/root/"
root=$WORK/root
eval "$BEFORE_MOUNTS"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
eval "$COMMAND"
"""


_lock = threading.Lock()
_locks = {}  # one a result: two machines may want the same image at once


class ImageError(Exception):
    """An image could not be built; the text says why."""


# Each runs in the chroot and writes /tmp/image.
_DRACUT = "dracut --quiet --force --no-hostonly --kver $KERNEL"
BUILDERS = {
    "initramfs-tools": "mkinitramfs -o /tmp/image $KERNEL",
    "dracut-systemd": f"{_DRACUT} /tmp/image",
    "dracut-plain": f"{_DRACUT} --omit 'systemd systemd-initrd dracut-systemd' /tmp/image",
    # As enable calls them for a trial.
    "initramfs-tools-trial": "GHOST_BOOT_TRIAL=1 mkinitramfs -o /tmp/image $KERNEL",
    "dracut-systemd-trial": f"GHOST_BOOT_TRIAL=1 {_DRACUT} /tmp/image",
    # As kdump-tools and kexec-tools call them for the crash kernel.
    "initramfs-tools-kdump": "mkdir -p /var/lib/kdump && "
                             "cp -a /etc/initramfs-tools /var/lib/kdump/ && "
                             "mkinitramfs -d /var/lib/kdump/initramfs-tools -o /tmp/image $KERNEL",
    "dracut-kdump": f"IN_KDUMP=1 {_DRACUT} /tmp/image",
}

# The images are thrown away: fast rather than small.
COMMON = {
    "/etc/initramfs-tools/conf.d/speed": "COMPRESS=zstd\nCOMPRESSLEVEL=1\n",
    "/etc/dracut.conf.d/speed.conf": 'compress="zstd -1 -T0"\n',
}


@dataclass
class Payload:
    """What is put over the tree: file contents by path, and how ghost-boot itself gets there."""
    files: dict = field(default_factory=dict)
    install: bool = True
    static: bool = True

    def write(self, folder):
        if self.install:
            shutil.copytree(staged(self.static), folder, symlinks=True, dirs_exist_ok=True)
        for name, content in self.files.items():
            target = folder / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy(content, target)
            elif isinstance(content, bytes):
                target.write_bytes(content)
            else:
                target.write_text(content)
                if content.startswith("#!"):
                    target.chmod(0o755)


@functools.cache
def staged(static=True):
    """ghost-boot as a distribution would have it, in a folder; made once a run."""
    folder = Path(tempfile.mkdtemp(prefix="ghost-boot-install."))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(["make", "-s", "-C", str(REPOSITORY), "install", f"DESTDIR={folder}",
                           "PREFIX=/usr", f"STATIC={int(static)}"],
                          capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ImageError(f"make install: {(done.stderr or done.stdout).strip()[-300:]}")
    return folder


def digest(folder, *words):
    """One hash of a folder's names, modes, links and contents, and of WORDS."""
    total = hashlib.sha256()
    for word in words:
        total.update(f"{word}\0".encode())
    for item in sorted(folder.rglob("*")):
        total.update(f"{item.relative_to(folder)}\0{item.lstat().st_mode:o}\0".encode())
        if item.is_symlink():
            total.update(os.readlink(item).encode())
        elif item.is_file():
            total.update(item.read_bytes())
    return total.hexdigest()[:16]


def _made(suite, name, payload, before_mounts, command, result):
    """Build one file unless the same inputs were built before; RESULT is its place in $root."""
    tree = trees.ensure(suite)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ghost-boot-vm.") as scratch:
        folder = Path(scratch) / "payload"
        folder.mkdir()
        # A merged /usr: copying a real folder over the link would replace it.
        payload.write(folder)
        for link in ("lib", "bin", "sbin"):
            if (folder / link).is_dir():
                shutil.copytree(folder / link, folder / "usr" / link, dirs_exist_ok=True)
                shutil.rmtree(folder / link)
        subprocess.run(["chown", "-R", "0:0", str(folder)], check=True)
        out = BUILD / f"{suite}-{name}-{digest(folder, tree, before_mounts, command)}"
        with _lock:
            one = _locks.setdefault(out, threading.Lock())
        with one:
            if not out.exists():
                _build(tree, folder, out, before_mounts, command, result)
        os.utime(out)
        return out


def _build(tree, folder, out, before_mounts, command, result):
    with tempfile.TemporaryDirectory(prefix="ghost-boot-vm.") as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        partial = out.with_name(f".{out.name}.{os.getpid()}")
        environment = dict(os.environ, WORK=str(work), TREE=str(tree), PAYLOAD=str(folder),
                           OUT=str(partial), KERNEL=trees.kernel(tree), BEFORE_MOUNTS=before_mounts,
                           COMMAND=f'{command}\ncp --sparse=always "{result}" "$OUT"')
        done = subprocess.run(["unshare", "--mount", "--propagation=private", "sh", "-c", CHROOT],
                              env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        # A build that fails must not look like an image.
        if done.returncode != 0 or not partial.stat().st_size:
            raise ImageError(f"{out.name}: {(done.stderr or done.stdout).strip()[-400:]}")
        # Of earlier inputs, and not in use by another run either.
        stem = out.name.rpartition("-")[0]
        for old in out.parent.glob(f"{stem}-{'[0-9a-f]' * 16}*"):
            if time.time() - old.stat().st_mtime > 3600:
                old.unlink(missing_ok=True)
        out.with_suffix(".log").write_text(done.stdout + done.stderr)
        partial.rename(out)


def initramfs(suite, builder, payload, name="plain"):
    """A real image, made by the distribution's own BUILDER."""
    command = ('env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" '
               f'sh -c "{BUILDERS[builder]}"; '
               # What is inside stays as it is; an emulated machine is slow to unpack. Debian 13's
               # mkinitramfs puts modules, compressed already, into a plain archive in front.
               'zstd -qdc "$root/tmp/image" >"$WORK/image" 2>/dev/null || '
               'cp "$root/tmp/image" "$WORK/image"')
    full = Payload({**COMMON, **payload.files}, payload.install, payload.static)
    return _made(suite, f"{builder}-{name}", full, "", command, "$WORK/image")


def disk(suite, payload):
    """The root file system: the tree, ghost-boot as on a host, and the tests' agent."""
    files = {"/usr/lib/ghost-vm/agent": GUEST / "agent",
             "/usr/lib/ghost-vm/report": GUEST / "report",
             "/usr/lib/systemd/system/ghost-vm.service": GUEST / "ghost-vm.service"}
    full = Payload({**files, **payload.files}, payload.install, payload.static)
    # -d takes owners and modes as they are; no loop device, no mount.
    before = ('truncate -s 1400M "$WORK/disk"; '
              'mkdir -p "$root/etc/systemd/system/multi-user.target.wants"; '
              'ln -s /usr/lib/systemd/system/ghost-vm.service '
              '"$root/etc/systemd/system/multi-user.target.wants/"; '
              f'mkfs.ext4 -q -F -O ^has_journal -U {ROOT_UUID} '
              '-d "$root" "$WORK/disk"')
    return _made(suite, "disk", full, before, ":", "$WORK/disk")


def luks(suite, uuid, passphrase):
    """An encrypted volume with nothing in it, quick to open."""
    command = ('truncate -s 32M "$root/tmp/luks"; '
               f"printf %s '{passphrase}' | chroot \"$root\" cryptsetup -q luksFormat "
               f"--uuid {uuid} --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /tmp/luks -")
    return _made(suite, "luks", Payload(install=False), "", command, "$root/tmp/luks")


def kernel(suite):
    tree = trees.ensure(suite)
    return tree / "boot" / f"vmlinuz-{trees.kernel(tree)}"


def overlay(files):
    """An uncompressed cpio archive of FILES, to go behind an image: later archives win."""
    with tempfile.TemporaryDirectory(prefix="ghost-boot-vm.") as scratch:
        folder = Path(scratch)
        Payload(files, install=False).write(folder)
        names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))
        return subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=folder,
                              input="\n".join(names).encode(), capture_output=True, check=True).stdout
