# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot cmdline: what it shows, what it would change, and what it changes below a root, where
no program can be run."""
import json
import os
import pty
import re
import subprocess

import sysfs
from harness import cases, check_keys, holds, same, test

ROOT = "root=UUID=0d7ea4f5-5d19-4bd8-8c1d-6f2f7b9a1a11"
GRUB = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\nGRUB_CMDLINE_LINUX=""\n'
CFG = f"""### BEGIN /etc/grub.d/10_linux ###
menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {{
\tlinux\t/boot/vmlinuz-6.12.48 {ROOT} ro  quiet splash
}}
menuentry 'Debian (recovery mode)' $menuentry_id_option 'gnulinux-6.12.48-recovery-1' {{
\tlinux\t/boot/vmlinuz-6.12.48 {ROOT} ro single\x20
}}
### END /etc/grub.d/10_linux ###
"""
UPDATE = '#!/bin/sh\nset -e\nexec grub-mkconfig -o /boot/grub/grub.cfg "$@"\n'
LOADER = {"family": (str, None), "info": (str, None), "backend": (str, None), "usable": bool,
          "why": (str, None), "hint": (str, None),
          "proofs": [{"id": str, "says": (str, None), "weight": int, "text": str}]}
SOURCE = {"path": str, "kind": str, "where": str, "left_alone": bool, "why": (str, None)}
STATE = {"version": int, "stale": (str, None)}
PLAN = {"version", "reason", "steps", "left_alone", "space", "result", "error", "differences"}


def base(t, system, cmdline):
    for path, text in (("etc/os-release", system), ("proc/cmdline", cmdline),
                       ("sys/firmware/acpi/x", ""), ("var/lib/x", ""), ("var/log/x", "")):
        sysfs.put(f"{t.root}/{path}", text)


def grub(t):
    base(t, "ID=debian\n", f"BOOT_IMAGE=/boot/vmlinuz-6.12.48 {ROOT} ro quiet splash "
         "intel_iommu=on\n")
    for path, text in (("etc/default/grub", GRUB), ("boot/grub/grub.cfg", CFG),
                       ("usr/sbin/update-grub", UPDATE),
                       ("usr/sbin/grub-mkconfig", "${sysconfdir}/default/grub.d/*.cfg\n")):
        sysfs.put(f"{t.root}/{path}", text)


def variable(t, name, text):
    path = f"{t.root}/sys/firmware/efi/efivars/{name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(b"\6\0\0\0" + bytes(b for c in text + "\0" for b in (ord(c), 0)))


def entry(release, options=f"{ROOT} ro quiet"):
    return (f"title Debian GNU/Linux\nversion {release}\nmachine-id m\nlinux /m/{release}/linux\n"
            f"options {options}\n")


def systemd(t):
    base(t, "ID=debian\n", f"initrd=\\m\\6.12.48\\initrd.img {ROOT} ro quiet\n")
    variable(t, "LoaderInfo", "systemd-boot 257.7-1")
    variable(t, "LoaderEntrySelected", "m-6.12.48.conf")
    for path, text in (("etc/machine-id", "m\n"), ("etc/kernel/cmdline", f"{ROOT} ro quiet\n"),
                       ("efi/loader/entries/m-6.12.48.conf", entry("6.12.48")),
                       ("efi/loader/entries/m-6.1.140.conf", entry("6.1.140")),
                       ("efi/loader/entries/memtest.conf", "title Test\nlinux /memtest86+\n")):
        sysfs.put(f"{t.root}/{path}", text)


def ostree(t):
    base(t, "ID=fedora\n", "BOOT_IMAGE=/x root=UUID=1 ostree=/ostree/boot.1/fedora\n")


MACHINES = {"grub": grub, "systemd": systemd, "ostree": ostree}
ADD = ("--add", "intel_iommu=on", "--add", "iommu=pt")


def size(text):
    return re.sub(r"\d+ MiB free", "… MiB free", text)


@cases([(name, name) for name in MACHINES])
def golden(t, name):
    MACHINES[name](t)
    text = t.terminal(80, "cmdline", NO_COLOR="1")
    t.suite.golden(f"cmdline-{name}-80.txt", text)
    for line in text.splitlines():
        holds(len(line) <= 80, f"{len(line)} columns: {line}")
    coloured = t.terminal(80, "cmdline")
    same(re.sub(r"\x1b\[\d*m", "", coloured), text)


@cases([(name, name) for name in MACHINES])
def planned(t, name):
    MACHINES[name](t)
    before = sysfs.snapshot(t.root)
    text = size(t.terminal(80, "cmdline", *ADD, "--dry-run", NO_COLOR="1"))
    t.suite.golden(f"cmdline-plan-{name}-80.txt", text)
    same(sysfs.changes(before, sysfs.snapshot(t.root)), [], "changed by a dry run")


@test
def documents(t):
    """Of the state, and of a plan."""
    for name, make in MACHINES.items():
        make(t)
        data = json.loads(t.boot("cmdline", "--json", code=0).out)
        same(data["version"], 1)
        check_keys(data["loader"], LOADER, "loader")
        for source in data["sources"]:
            check_keys({k: v for k, v in source.items() if k != "words"}, SOURCE, "source")
            holds(source["words"] is None or isinstance(source["words"], list), source)
        result = t.boot("cmdline", *ADD, "--dry-run", "--json", code=3 if name == "ostree" else 0)
        if name != "ostree":
            plan = json.loads(result.out)
            same(set(plan), PLAN)
            same((plan["version"], plan["result"], plan["error"]), (1, "planned", None))
            holds(plan["steps"] and plan["space"], plan)
            same(plan["left_alone"], [] if name != "systemd" else [
                {"path": "/efi/loader/entries/memtest.conf",
                 "reason": "it boots no kernel of this system"}])
        subprocess.run(["rm", "-rf", t.root], check=True)
    systemd(t)
    data = json.loads(t.boot("cmdline", "--json").out)
    same(data["running"][1:], [ROOT, "ro", "quiet"])
    same((data["next_boot_adds"], data["next_boot_drops"]), ([], []))


@test
def changes_and_back(t):
    """Every entry of this system and the file for those to come, and nothing else."""
    systemd(t)
    before = sysfs.snapshot(t.root)
    said = t.run("cmdline", *ADD, "--remove", "quiet", "--yes", name="ghost-boot", code=0)
    holds(said.out.endswith("Done. The next boot has it.\n"), said.out)
    line = f"{ROOT} ro intel_iommu=on iommu=pt"
    same(sysfs.text(t.root + "/etc/kernel/cmdline"), line + "\n")
    for release in "6.12.48", "6.1.140":
        same(sysfs.text(f"{t.root}/efi/loader/entries/m-{release}.conf"), entry(release, line))
    changed = [p for p in sysfs.changes(before, sysfs.snapshot(t.root)) if "var/lib" not in p]
    same(len(changed), 4, changed)  # those, and the log
    holds("change /etc/kernel/cmdline\n" in sysfs.text(t.root + "/var/log/ghost-boot.log"), "log")
    same(os.stat(t.root + "/var/log/ghost-boot.log").st_mode & 0o777, 0o640)
    said = t.boot("cmdline", *ADD, "--remove", "quiet", "--yes", code=0)
    same(said.out, "Nothing to do: every source is so already.\n")
    t.run("cmdline", "--remove", "intel_iommu=on", "--remove", "iommu=pt", "--add", "quiet", "-y",
          name="ghost-boot", code=0)
    left = [p for p in sysfs.changes(before, sysfs.snapshot(t.root)) if "var/l" not in p]
    same(left, [])


@test
def nobody_to_ask(t):
    systemd(t)
    for more in (), ("--json",):
        result = t.boot("cmdline", *ADD, *more, code=3)
        holds("--yes" in result.err and "nobody" in result.err, result.err)


def answer(t, text):
    """What it says on a terminal when that is typed, and its exit code."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([t.suite.base + "/ghost-boot", "--root", t.root, "cmdline", *ADD],
                          stdin=theirs, stdout=theirs, stderr=theirs,
                          env={"TERM": "xterm", "LC_ALL": "C.UTF-8"}) as process:
        os.close(theirs)
        os.write(ours, text.encode())
        said = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            said += more
        code = process.wait(30)
    os.close(ours)
    return said.decode(), code


@cases([("y", "y\n", True), ("yes", "YES\n", True), ("n", "n\n", False), ("nothing", "\n", False),
        ("end", "\x04", False), ("else", "yippie\n", False)])
def asks(t, text, goes):
    systemd(t)
    said, code = answer(t, text)
    same(code, 0, said)
    holds("[y/N]" in said, said)
    same("intel_iommu=on" in sysfs.text(t.root + "/etc/kernel/cmdline"), goes, said)


@test
def brought_back(t):
    """Below a root no program runs: what was written before it is as it was."""
    grub(t)
    before = sysfs.snapshot(t.root)
    result = t.run("cmdline", *ADD, "--yes", name="ghost-boot", code=5)
    holds("All is as it was before" in result.err, result.err)
    left = [p for p in sysfs.changes(before, sysfs.snapshot(t.root)) if "var/l" not in p]
    same(left, [])


@test
def refused(t):
    """With file, line and reason; and nothing changes."""
    grub(t)
    sysfs.put(t.root + "/etc/default/grub", "x() {\n true\n}\n" + GRUB)
    result = t.boot("cmdline", *ADD, "--yes", code=3)
    holds("/etc/default/grub: line 1: " in result.err, result.err)
    same(len(result.err.splitlines()), 2, result.err)
    sysfs.put(t.root + "/etc/default/grub", GRUB.replace('LINUX=""', 'LINUX="ghost.claim=off"'))
    result = t.boot("cmdline", "--add", "ghost.claim=on", "--yes", code=3)
    holds("/etc/default/grub: line 3: " in result.err, result.err)
