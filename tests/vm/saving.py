"""ghost-diag --save, typed into the rescue shells of both builders: the report is on the stick
afterwards, and all else on it is as it was."""

import os
import re
import subprocess
import time
from dataclasses import dataclass

import check
from rescue import SHELL, Rescue, console_text

START = 2048  # sectors before the partition: what a stick leaves its maker with
SIZE = 64 << 20
KEPT = {"letter.txt": b"an old letter\n", "photos/one.jpg": bytes(range(256)) * 300}


def call(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, **options)
    check.demand(done.returncode == 0, f"{command[0]}: {(done.stderr or done.stdout)[-300:]!r}")
    return done.stdout


@dataclass
class Stick:
    """A USB stick with a partition and files of its owner's on it, as a file here."""
    label: str
    kind: str  # what ghost-diag calls it: vfat, ext4
    locked: bool = False

    def device(self):
        return f"/dev/disk/by-label/{self.label}"

    def make(self, folder):
        self.file = folder / self.label
        self.files = folder / f"{self.label}.files"
        for name, content in KEPT.items():
            (self.files / name).parent.mkdir(parents=True, exist_ok=True)
            (self.files / name).write_bytes(content)
        self.file.touch()
        os.truncate(self.file, SIZE)
        kind = {"vfat": "c", "ext4": "83"}[self.kind]
        call("sfdisk", "-q", self.file, input=f"{START},,{kind}\n".encode())
        room = SIZE // 1024 - START // 2
        if self.kind == "vfat":
            call("mkfs.vfat", "-F", 32, "-n", self.label, f"--offset={START}", self.file, room)
            call("mcopy", "-s", "-i", self.part(), *self.files.iterdir(), "::")
        else:
            call("mkfs.ext4", "-q", "-L", self.label, "-E", f"offset={START * 512}", "-d",
                 self.files, self.file, f"{room}k")
        self.before = self.read()
        self.front = self.file.read_bytes()[:START * 512]

    def part(self):
        return f"{self.file}{'@@' if self.kind == 'vfat' else '?offset='}{START * 512}"

    def arguments(self):
        lock = ",readonly=on" if self.locked else ""
        return ["-drive", f"if=none,id={self.label},format=raw,file={self.file}{lock}",
                "-device", f"usb-storage,bus=sticks.0,drive={self.label}"]

    def read(self):
        """Every file on it, by a program of another house."""
        out = self.file.with_suffix(".read")
        call("rm", "-rf", out)
        out.mkdir()
        if self.kind == "vfat":
            call("mcopy", "-s", "-n", "-i", self.part(), "::*", out)
        else:
            call("debugfs", "-R", f"rdump / {out}", self.part())
        return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}

    def demand_clean(self):
        """Unmounted as it should be, and whole."""
        alone = self.file.with_suffix(".part")
        call("dd", f"if={self.file}", f"of={alone}", f"skip={START}", "status=none")
        if self.kind == "vfat":
            said = call("fsck.vfat", "-n", "-v", alone)
            check.demand(b"Dirty bit" not in said, f"{self.label} was not unmounted: {said!r}")
        else:
            said = call("dumpe2fs", "-h", alone).decode()
            check.demand("needs_recovery" not in said and re.search(r"state: +clean\n", said),
                         f"{self.label} was not unmounted: {said}")
            call("e2fsck", "-f", "-n", alone)

    def demand_saved(self, name):
        after = self.read()
        report = after.pop(name, b"").decode()
        for words in "## System", "ghost-boot claims 1", "0000:02:00.0":
            check.demand(words in report, f"no {words!r} in {name} on {self.label}: {report[:300]}")
        check.demand(after == self.before, f"{self.label} has changed: {sorted(after)}")
        check.demand(self.file.read_bytes()[:START * 512] == self.front,
                     f"{self.label}: what is before the partition has changed")
        self.demand_clean()


def typed(boot, command):
    """What a command typed at the console's shell says, and its exit code."""
    before, deadline = len(console_text(boot)), time.monotonic() + 60
    # in two parts, so that the echo of what is typed is not taken for the answer
    boot.type(f"{command}; echo exit''ed $?\n")
    while True:
        said = console_text(boot)[before:]
        found = re.search(r"exited (\d+)\n", said)
        if found:
            return said[:found.start()], int(found[1])
        check.demand(time.monotonic() < deadline, f"{command!r} did not end: {said[-400:]}")
        time.sleep(0.2)


def save(boot, stick, refused=None):
    """The report is on it and all else as it was; or, with why it is REFUSED, everything is."""
    typed(boot, f"for i in 1 2 3 4 5 6 7 8 9; do [ -e {stick.device()} ] || sleep 2; done")
    said, code = typed(boot, f"ghost-diag --save {stick.device()}")
    if refused:
        check.demand(code == 1 and refused in said and "\nTry: " in said, f"exit {code}: {said}")
        check.demand(stick.read() == stick.before, f"{stick.label} has changed")
        return
    done = re.search(r"^(ghost-diag-\d{8}-\d{6}\.txt) is on (\S+) \((\w+)\); it is unmounted",
                     said, re.M)
    check.demand(code == 0 and done, f"exit {code}: {said}")
    check.demand(done.groups()[1:] == (stick.device(), stick.kind), said)
    stick.demand_saved(done[1])


def saves(fat=None):
    """FAT: why it can't be written here."""
    def checked(boot, _):
        for stick in boot.sticks:
            save(boot, stick, "write-protected" if stick.locked else
                 fat if stick.kind == "vfat" else None)
        mounts, _ = typed(boot, "cat /proc/mounts")
        check.demand("proc" in mounts and "/dev/sd" not in mounts and "/save" not in mounts,
                     f"a stick is still mounted: {mounts}")
    return checked


@dataclass
class Saving(Rescue):
    def machine(self):
        boot = super().machine()
        boot.command += ["-device", "qemu-xhci,id=sticks,bus=pcie.0"]
        boot.sticks = (Stick("FATSTICK", "vfat"), Stick("EXTSTICK", "ext4"),
                       Stick("LOCKED", "ext4", True))
        for stick in boot.sticks:
            stick.make(boot.folder)
            boot.command += stick.arguments()
        return boot


# As in an image that was made without our hook, or for a kernel without FAT.
NO_FAT = {"/etc/modprobe.d/no-fat.conf": "install vfat /bin/false\n"}

SCENARIOS = [
    Saving("rescue-save", saves(), stop="break=premount", fast=True),
    Saving("rescue-save-no-fat", saves("has FAT on it, and the kernel modules for FAT are not here "
                                       "(vfat, nls_cp437)"), stop="break=premount",
           files=NO_FAT),
    Saving("rescue-save-plain", saves(), "bookworm", "dracut-plain", stop="rd.break"),
]
