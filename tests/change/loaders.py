# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts whose boot loader can be told to boot an entry once, and what it would make of that: which
entry it takes at the next boot, and what the system that comes up then sees."""
import os
import shutil
import struct
import subprocess
import uuid

import host as hosts

LOADER = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
MACHINE = "c123456789abcdef0123456789abcdef"
BLOCK = 1024


def wide(text):
    return text.encode("utf-16-le") + b"\0\0"


class Booting:
    """What both have: a boot, by the loader's own rules as far as the tests need them."""

    def came_up(self, line, selected):
        """The system after the boot of that command line."""
        self.put("proc/cmdline", line + "\n")
        self.put("proc/sys/kernel/random/boot_id", str(uuid.uuid4()) + "\n")
        self.selected(selected)
        return line

    def boot(self, entry=None):
        """The command line of the next boot; `entry`: somebody chooses it in the menu."""
        once, self.once = self.once, None
        return self.start(entry or once or self.usual())


class Systemd(Booting, hosts.Host):
    """An ESP at /efi with entries as kernel-install makes them, EFI variables as files."""
    environment = {"EFIVARFS_PATH": "/sys/firmware/efi/efivars/"}
    image = "efi/ghost-boot-trial.img"
    trial, recovery = "a-ghost-boot-trial.conf", "a-ghost-boot-recovery.conf"
    STATE = hosts.Host.STATE + ("efi",)

    def variable(self, name, data=None):
        path = self.at(f"sys/firmware/efi/efivars/{name}{LOADER}")
        if data is not None:
            hosts.put(path, struct.pack("<I", 7) + data)
        return path

    def _boot_loader(self):
        self.variable("LoaderInfo", wide("systemd-boot 257.7"))
        self.variable("LoaderFeatures", struct.pack("<Q", 0x7f))
        self.put("etc/machine-id", MACHINE + "\n")
        for release in hosts.KERNELS:
            self.put(f"efi/{MACHINE}/{release}/linux", f"kernel {release}\n")
            shutil.copy(self.at(f"boot/initrd.img-{release}"),
                        self.at(f"efi/{MACHINE}/{release}/initrd.img-{release}"))
            self.put(f"efi/loader/entries/{MACHINE}-{release}.conf",
                     f"title Debian GNU/Linux 12\nversion {release}\nmachine-id {MACHINE}\n"
                     f"sort-key debian\noptions root=/dev/sda1 ro quiet\n"
                     f"linux /{MACHINE}/{release}/linux\n"
                     f"initrd /{MACHINE}/{release}/initrd.img-{release}\n")
        self.put("etc/kernel/cmdline", "root=/dev/sda1 ro quiet\n")
        self.boot()

    @property
    def once(self):
        try:
            with open(self.variable("LoaderEntryOneShot"), "rb") as f:
                return f.read()[4:].decode("utf-16-le").rstrip("\0")
        except FileNotFoundError:
            return None

    @once.setter
    def once(self, value):
        if value is None and os.path.exists(self.variable("LoaderEntryOneShot")):
            os.unlink(self.variable("LoaderEntryOneShot"))
        elif value is not None:
            self.variable("LoaderEntryOneShot", wide(value))

    def usual(self):
        return f"{MACHINE}-{hosts.KERNELS[-1]}.conf"

    def selected(self, name):
        self.variable("LoaderEntrySelected", wide(name))

    def entry(self, name):
        with open(self.at(f"efi/loader/entries/{name}"), encoding="utf-8") as f:
            return dict(line.split(None, 1) for line in f.read().splitlines() if line[0] != "#")

    def start(self, name):
        if not os.path.exists(self.at(f"efi/loader/entries/{name}")) or \
                not os.path.exists(self.at("efi" + self.entry(name)["linux"])):
            name = self.usual()
        entry = self.entry(name)
        initrd = entry["initrd"].replace("/", "\\")
        return self.came_up(f"initrd={initrd} {entry['options']}", name)


class Grub(Booting, hosts.Host):
    """GRUB on a partition of its own; it needs a folder on ext4 or XFS."""
    environment = {}
    image = "boot/ghost-boot-trial.img"
    trial, recovery = "ghost-boot-trial", "ghost-boot-recovery"

    def _boot_loader(self):
        super()._boot_loader()
        info = os.stat(self.at("boot"))
        number = f"{os.major(info.st_dev)}:{os.minor(info.st_dev)}"
        self.put("proc/self/mountinfo", f"20 1 {number} / / rw shared:1 - ext4 /dev/sda1 rw\n")
        link = self.at(f"sys/dev/block/{number}")
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink("../../devices/sda/sda1", link)
        self.put("boot/grub/grubenv", self.block([]))
        self.boot()

    @staticmethod
    def block(lines):
        text = "".join(line + "\n" for line in ["# GRUB Environment Block", *lines])
        return text.encode().ljust(BLOCK, b"#")

    def snapshot(self, ours=False):
        """What is armed is asked for by `once`; of the environment, the other lines."""
        found = super().snapshot(ours)
        if "boot/grub/grubenv" in found:
            others = [line for line in self.lines() if not line.startswith("next_entry=")]
            found["boot/grub/grubenv"] = (*found["boot/grub/grubenv"][:3], "\n".join(others))
        return found

    def lines(self):
        with open(self.at("boot/grub/grubenv"), encoding="utf-8") as f:
            return [line for line in f.read().splitlines()[1:] if not line.startswith("#")]

    @property
    def once(self):
        return next((line.split("=", 1)[1] for line in self.lines()
                     if line.startswith("next_entry=")), None) or None

    @once.setter
    def once(self, value):
        others = [line for line in self.lines() if not line.startswith("next_entry=")]
        with open(self.at("boot/grub/grubenv"), "r+b") as f:
            f.write(self.block(others + ([f"next_entry={value}"] if value else [])))

    def usual(self):
        return f"gnulinux-{sorted(hosts.KERNELS)[0]}-advanced-1"

    def selected(self, name):
        """GRUB says nothing of it."""

    def entries(self):
        """Title and lines of all, by id."""
        found, lines = {}, None
        for name in "grub.cfg", "custom.cfg":
            path = self.at("boot/grub/" + name)
            if not os.path.exists(path):
                continue
            with open(path, encoding="utf-8") as f:
                for line in f.read().splitlines():
                    if line.startswith("menuentry "):
                        found[line.split("'")[-2]] = lines = []
                    elif line == "}":
                        lines = None
                    elif lines is not None:
                        lines.append(line.split())
        return found

    def start(self, name):
        lines = self.entries().get(name) or self.entries()[self.usual()]
        words = next(line for line in lines if line[0] == "linux")
        image = next(line for line in lines if line[0] == "initrd")[-1]
        if not all(os.path.exists(self.at(path)) for path in (words[1], image) if "$" not in path):
            return self.start(self.usual())
        return self.came_up(f"BOOT_IMAGE={words[1]} " + " ".join(words[2:]), name)


def each(tests, prepare=lambda host: None, kinds=(Systemd, Grub)):
    """A decorator: one test a loader of KINDS, put into TESTS; PREPARE makes its host ready."""
    def keep(function):
        for kind in kinds:
            def run(host):
                prepare(host)
                function(host)
            run.__name__ = f"{function.__name__}_{kind.__name__.lower()}"
            run.kind = kind
            tests.append(run)
        return function
    return keep


def scratch_for(kind):
    """A folder whose file system GRUB writes to, for Grub; else None, any will do."""
    if kind is not Grub:
        return None
    places = [os.environ.get("TMPDIR"), "/var/tmp", "/tmp", os.path.join(hosts.REPO, "build")]
    for place in places:
        if place and os.path.isdir(place):
            name = subprocess.run(["stat", "-f", "-c", "%T", place], stdout=subprocess.PIPE,
                                  text=True, check=True).stdout.strip()
            if name in ("ext2/ext3", "xfs"):
                return place
    raise AssertionError("no folder on ext4 or XFS for GRUB's environment; say one by TMPDIR")
