"""Every file of a machine that is off, and what differs between two machines."""

import fnmatch
import hashlib
import os
import re
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


# What two machines never agree about, each for its own reason, or what is no file of anybody's.
NOISE = (
    "/var/log/*", "/var/cache/*", "/var/lib/apt/*", "/var/lib/dpkg/*", "/var/lib/systemd/*",
    "/var/tmp/*", "/tmp/*", "/run/*", "/lost+found", "/root/.*",
    "/etc/.pwd.lock", "/etc/ld.so.cache",
    "/boot/efi/loader/random-seed", "/boot/efi/NvVars",
)
# Boot images are built from all there is, times and tools included.
IMAGES = ("/boot/initrd.img-*", "/boot/efi/*/*/initrd.img-*", "/boot/efi/EFI/Linux/*.efi")


@dataclass(frozen=True)
class Entry:
    kind: str  # d, f, l, or another letter of ls
    mode: int
    owner: str
    content: str  # a link's target, a file's hash

    def __str__(self):
        return f"{self.kind} {self.mode:04o} {self.owner} {self.content[:40]}"


class FilesError(Exception):
    """The file systems could not be read."""


def _walk(folder, prefix, found):
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(place, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            else:
                content = ""
            found[f"{prefix}{path[len(str(folder)):]}"] = Entry(
                stat.filemode(info.st_mode)[0].replace("-", "f"), stat.S_IMODE(info.st_mode),
                f"{info.st_uid}:{info.st_gid}", content)


def snapshot(computer):
    """Every file of COMPUTER, by its name. The machine must be off."""
    layout, found = computer.base.layout, {}
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.") as scratch:
        raw = computer.raw(Path(scratch) / "raw")
        out = Path(scratch) / "root"
        out.mkdir()
        # The offset is libext2fs's own notation; what an orderly end left needs no repair.
        done = subprocess.run(["debugfs", "-R", f"rdump / {out}", f"{raw}?offset={layout.root}"],
                              capture_output=True, text=True)
        # Device files cannot be made so, and are not wanted.
        if not (out / "etc").is_dir():
            raise FilesError(f"debugfs: {done.stderr.strip()[-300:]}")
        _walk(out, "", found)
        if layout.esp:
            esp = Path(scratch) / "esp"
            esp.mkdir()
            done = subprocess.run(["mcopy", "-s", "-Q", "-n", "-i", f"{raw}@@{layout.esp}", "::",
                                   str(esp)], capture_output=True, text=True)
            if done.returncode != 0:
                raise FilesError(f"mcopy: {done.stderr.strip()[-300:]}")
            on_esp = {}
            _walk(esp, "/boot/efi", on_esp)
            # FAT has neither owners nor modes of its own.
            found.update({name: Entry(entry.kind, 0, "", entry.content)
                          for name, entry in on_esp.items()})
    return found


def _any(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def differences(ours, theirs, ours_too=(), but=(*NOISE, *IMAGES)):
    """What is not the same in two snapshots, a line each; OURS_TOO are names of our packages."""
    own = set(ours_too)
    lines = []
    for name in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(name), theirs.get(name)
        if mine == other or _any(name, but) or (other is None and name in own):
            continue
        lines.append(f"{name}: {mine or 'not there'}, twin: {other or 'not there'}")
    return lines


def packaged(computer, names):
    """All files of installed packages NAMES, and what dpkg keeps about them."""
    text = computer.must("dpkg-query -L " + " ".join(names))
    # Debian 12 and 13 have one /usr; packages may still name the links.
    return {re.sub(r"^/(bin|sbin|lib|lib64)/", r"/usr/\1/", line)
            for line in text.splitlines() if line.startswith("/")}
