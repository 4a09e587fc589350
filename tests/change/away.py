# SPDX-License-Identifier: GPL-2.0-or-later
"""A change that was cut short, and the ESP not mounted at the next call: noauto or nofail in fstab.
Nothing is forgotten until it is there again."""
import fcntl
import os

import faults
import host as hosts
import loaders
from trying import TRY, call, holds, same

tests = []
JOURNAL = "var/lib/ghost-boot/journal"
ROOT = "20 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw\n"
ESP = "30 20 {} / /efi rw - {} /dev/nvme0n1p1 rw\n"
STAGED = "efi/.ghost-boot-trial.img"


def test(function):
    function.kind = loaders.Systemd
    tests.append(function)
    return function


def mount(host, number="259:1", kind="vfat"):
    if os.path.exists(host.at("esp")):
        os.rmdir(host.at("efi"))
        os.rename(host.at("esp"), host.at("efi"))
    host.put("proc/self/mountinfo", ROOT + ESP.format(number, kind))


def unmount(host):
    os.rename(host.at("efi"), host.at("esp"))
    os.mkdir(host.at("efi"))
    host.put("proc/self/mountinfo", ROOT)


def ready(host):
    mount(host)
    host.put("run/udev/data/b259:1", "E:ID_FS_UUID=12AB-34CD\n")
    host.put("run/udev/data/b259:3", "E:ID_FS_UUID=AAAA-AAAA\n")


def builder_has_ended(host):
    """Else it is another change that goes on."""
    with open(host.at("var/lib/ghost-boot/lock"), "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)


def cut(host):
    """Power fails when the trial's image is half there; what was before."""
    ready(host)
    host.put("etc/late-builder", 'head -c 50000 "$out" >"$out.cut"; mv "$out.cut" "$out"; kill -9 $PPID\n')
    before = host.snapshot()
    ran = host.ghost(*TRY, check=False)
    same(ran.returncode, -9, ran.stderr)
    builder_has_ended(host)
    holds(os.path.exists(host.at(STAGED)), "no image was begun")
    os.unlink(host.at("etc/late-builder"))
    before.pop("etc/late-builder")
    return before


@test
def recovery_waits_for_the_esp(host):
    before = cut(host)
    unmount(host)
    for args in ("recover",), ("enable", "01:00", "--yes"), ("recover",):
        ran = call(host, *args, code=6)
        holds("mount UUID=12AB-34CD /efi" in ran.stderr, ran.stderr)
        holds(os.path.exists(host.at(JOURNAL)), "the journal is gone")
        same(os.listdir(host.at("efi")), [])
    host.put("etc/fstab", "/dev/nvme0n1p2 / ext4 errors=remount-ro 0 1\nUUID=12AB-34CD /efi vfat noauto 0 2\n")
    ran = call(host, "recover", code=6)
    holds(": mount /efi\n" in ran.stderr, ran.stderr)
    mount(host, number="259:3")
    ran = call(host, "recover", code=6)
    holds("umount /efi" in ran.stderr, ran.stderr)
    mount(host)
    call(host, "recover")
    holds(not os.path.exists(host.at(JOURNAL)), "the journal is still there")
    before.pop("etc/fstab")
    now = host.snapshot()
    now.pop("etc/fstab")
    same(faults.difference(before, now), [])
    call(host, *TRY)


@test
def tidying_waits_for_the_esp(host):
    """All is done but what was staged is still there."""
    ready(host)
    scratch = os.path.dirname(host.dir)
    probe = host.copy(os.path.join(scratch, "points"))
    points = faults.points(probe, TRY, os.path.join(scratch, "points.log"))[1]
    applied = next(i for i, point in enumerate(points) if "state.applied" in point.text)
    at = points[applied + 1]
    host.ghost(*TRY, check=False, before=faults.strace(
        os.path.join(scratch, "cut.log"), "-e", f"inject={at.call}:signal=SIGKILL:when={at.nth}"))
    holds(os.path.exists(host.at(STAGED)), f"nothing is to be tidied at {at}")
    unmount(host)
    ran = call(host, "recover", code=6)
    holds("mount UUID=12AB-34CD /efi" in ran.stderr, ran.stderr)
    mount(host)
    ran = call(host, "recover")
    holds("is now finished" in ran.stderr, ran.stderr)
    holds(not os.path.exists(host.at(STAGED)), "it is still there")


@test
def an_esp_that_is_gone_for_good(host):
    """Whoever says so goes on without it; what a later one finds of it is no obstacle."""
    before = cut(host)
    unmount(host)
    call(host, "recover", code=6)
    call(host, "recover", "--force")
    holds(not os.path.exists(host.at(JOURNAL)), "the journal is still there")
    mount(host)
    holds(os.path.exists(host.at(STAGED)), "it was never taken away")
    call(host, *TRY)
    holds(not os.path.exists(host.at(STAGED)), "it is still there")
    call(host, "disable", "--yes")
    same(faults.difference(before, host.snapshot()), [])


def purge(host):
    """As dpkg does when the package is gone already; what it says."""
    for name in "sed", "grep", "rmdir":
        if not os.path.exists(host.at("usr/bin/" + name)):
            os.symlink("busybox", host.at("usr/bin/" + name))
    path = os.path.join(hosts.REPO, "tools", "debian", "ghost-boot.postrm")
    with open(path, encoding="utf-8") as f:
        host.put("var/lib/dpkg/info/ghost-boot.postrm", f.read(), 0o755)
    return host.run_inside(["/var/lib/dpkg/info/ghost-boot.postrm", "purge"]).stderr


@test
def purged_while_the_esp_is_away(host):
    """The copies of what was on it stay until it is as it was."""
    ready(host)
    call(host, *TRY)
    before = host.snapshot()
    scratch = os.path.dirname(host.dir)
    probe = host.copy(os.path.join(scratch, "points"))
    points = faults.points(probe, ("disable", "--yes"), os.path.join(scratch, "points.log"))[1]
    at = points[next(i for i, point in enumerate(points) if "state.applied" in point.text)]
    host.ghost("disable", "--yes", check=False, before=faults.strace(
        os.path.join(scratch, "cut.log"), "-e", f"inject={at.call}:signal=SIGKILL:when={at.nth}"))
    unmount(host)
    call(host, "disable", "--yes", code=6)
    said = purge(host)
    holds("/var/lib/ghost-boot stays" in said and "ghost-boot recover" in said, said)
    mount(host)
    call(host, "recover")
    now = host.snapshot()
    for path in "var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/info/ghost-boot.postrm":
        del now[path]
    same(faults.difference(before, now), [])
    call(host, "disable", "--yes")
    same("stays" in purge(host), False)
    holds(not os.path.exists(host.at("var/lib/ghost-boot")), "the state is still there")


@test
def a_record_of_the_version_before(host):
    """It names no file system: brought back as it always was."""
    before = cut(host)
    path = host.at(JOURNAL + "/record")
    with open(path, encoding="utf-8") as f:
        lines = [line for line in f if not line.startswith(("home ", "end "))]
    text = "".join(lines)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + f"end {hosts.hashlib.sha256(text.encode()).hexdigest()}\n")
    call(host, "recover")
    same(faults.difference(before, host.snapshot()), [])
