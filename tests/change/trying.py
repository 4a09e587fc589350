# SPDX-License-Identifier: GPL-2.0-or-later
"""A trial boot, as far as the host makes it: what enable prepares and arms, what the loader makes of
that, and that everything goes back. Each with both loaders."""
import hashlib
import json
import os
import re
import subprocess

import faults
import host as hosts
import loaders

TRY = ("enable", "01:00", "--yes")
SECOND = ("enable", "04:00.0", "--yes", "--allow", "network")
ONE_SHOT = "sys/firmware/efi/efivars/LoaderEntryOneShot" + loaders.LOADER
tests = []


both = loaders.each(tests)


def one(kind):
    def keep(function):
        function.kind = kind
        tests.append(function)
        return function
    return keep


def same(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def call(host, *args, code=0):
    ran = host.ghost(*args, check=False)
    holds(ran.returncode == code, f"{args}: exit status {ran.returncode}, wanted {code}: "
          f"{ran.stdout[-300:]} {ran.stderr[-500:]}")
    return ran


def state(host):
    """The trial's record, by its words; None: there is none."""
    try:
        with open(host.at("var/lib/ghost-boot/trial"), encoding="utf-8") as f:
            return dict(line.split(" ", 1) for line in f.read().splitlines() if " " in line)
    except FileNotFoundError:
        return None


def said(host, path):
    return faults.image_says(host.at(path))


def usual_files(host):
    """All that the usual boot reads."""
    return {path: what for path, what in host.snapshot().items()
            if path.startswith(("boot/", "efi/")) and "ghost-boot" not in path and
            not path.endswith("custom.cfg")}


@both
def prepared_and_armed(host):
    """The usual boot's files are untouched, byte for byte; the next boot is the trial, once."""
    usual, before = usual_files(host), host.boot()
    ran = call(host, *TRY)
    same(usual_files(host), usual)
    same(host.once, host.trial)
    for words in ("The next boot tries it, once", "power button", "with nothing claimed", "mount ", "sed -i",
                  "disable"):
        holds(words in ran.stdout, ran.stdout)
    claims, release = said(host, host.image)
    holds(b"claim path=0000:00/01.0/00.0 id=10de:2203" in claims, claims)
    holds(release.decode().strip() in hosts.KERNELS, release)
    now = state(host)
    same(now["state"], "armed")
    same(now["confirm"], "auto 600")
    line = host.boot()
    holds(f"ghost.claim=on ghost.trial={now['id']} panic=30" in line, line)
    same(host.boot(), before)
    same(host.once, None)


@both
def the_recovery_entry(host):
    """Has what the usual one has, and claims nothing, before and after it is for good."""
    usual = host.boot()
    for more in (), ("--no-trial",):
        call(host, *TRY, *more)
        line = host.boot(host.recovery)
        release = max(hosts.KERNELS) if isinstance(host, loaders.Systemd) else min(hosts.KERNELS)
        same(line.replace("${ghost_release}", release), usual + " ghost.claim=off")
    call(host, "disable", "--yes")
    same(host.boot(host.recovery), usual)


@both
def disable_takes_all_of_it(host):
    before = host.snapshot()
    call(host, *TRY)
    call(host, "disable", "--yes")
    same(host.once, None)
    same(state(host), None)
    same(faults.difference(before, host.snapshot()), [])


@both
def rollback_takes_all_of_it(host):
    before = host.snapshot()
    call(host, *TRY)
    call(host, "rollback", "--yes")
    same(host.once, None)
    same(state(host), None)
    same(faults.difference(before, host.snapshot()), [])


@both
def disable_in_the_trial(host):
    usual = host.boot()
    before = host.snapshot()
    call(host, *TRY)
    holds("ghost.trial=" in host.boot(), "no trial")
    call(host, "disable", "--yes")
    same(faults.difference(before, host.snapshot()), [])
    same(host.boot(), usual)


@both
def the_same_again(host):
    call(host, *TRY)
    first, files = state(host), host.snapshot()
    ran = call(host, *TRY)
    holds("waits already" in ran.stdout, ran.stdout)
    same((state(host), host.once), (first, host.trial))
    same(faults.difference(files, host.snapshot()), [])
    # the loader has lost it: it is armed anew, and nothing built
    host.once = None
    call(host, *TRY)
    same((host.once, state(host)["state"], state(host)["id"]), (host.trial, "armed", first["id"]))


@both
def another_in_its_place(host):
    """More devices than the first: one trial, of all of them."""
    call(host, *TRY, "--confirm-after=60")
    first = state(host)
    call(host, *TRY, "--confirm=manual")
    now = state(host)
    holds(now["id"] != first["id"], "the same trial")
    same((now["confirm"], now["state"], host.once), ("manual", "armed", host.trial))
    holds(f"ghost.trial={now['id']}" in host.boot(), "the old one was booted")


@both
def at_once_after_all(host):
    call(host, *TRY)
    call(host, *TRY, "--no-trial")
    same((host.once, state(host)), (None, None))
    holds(not os.path.exists(host.at(host.image)), "its image is left")
    line = host.boot()
    holds("ghost.claim=on" in line and "ghost.trial" not in line and "panic" not in line, line)


@both
def from_a_live_system(host):
    """The commands that enable prints, as they stand: no claims at the next boot, and disable finds
    its way from there."""
    usual, before = host.boot(), faults.meaning(host, host.snapshot())
    said = call(host, *TRY, "--no-trial").stdout
    holds("ghost.claim=on" in host.boot(), "not enabled")
    mount, edit, reboot = [line.strip() for line in said.splitlines() if line.startswith("    ")][-3:]
    holds(mount.startswith("mount /dev/") and mount.endswith(" /mnt"), mount)
    same(reboot, "reboot")
    subprocess.run(["sh", "-c", edit.replace("/mnt", host.dir)], check=True)
    same([word for word in host.boot().split() if "ghost" in word], [])
    call(host, "disable", "--yes")
    same(host.boot(), usual)
    same(faults.difference(before, faults.meaning(host, host.snapshot())), [])


@both
def from_a_live_system_where_claims_arm_themselves(host):
    host.put("etc/ghost-boot/claims", "ghost-boot claims 1\narm always\n")
    said = call(host, *TRY, "--no-trial").stdout
    holds("ghost." not in host.boot(), "a word that nobody needs")
    edit, = [line.strip() for line in said.splitlines() if line.startswith("    sed -i ")]
    subprocess.run(["sh", "-c", edit.replace("/mnt", host.dir)], check=True)
    same([word for word in host.boot().split() if "ghost" in word], ["ghost.claim=off"])


def closing(said):
    """What is said once all is done: after the last step's mark."""
    return said[said.rindex("The next boot tries it"):].splitlines()


@both
def in_80_columns(host):
    for more in (), ("--confirm=manual",), ("--confirm-after=90",):
        for line in closing(call(host, *TRY, *more).stdout):
            holds(len(line) <= 80, line)


def commands(said):
    return [line.strip() for line in said.splitlines() if line.startswith("    ") and "$" not in line
            and line.split()[0] in ("mdadm", "cryptsetup", "vgchange", "mount", "sed", "reboot")]


@one(loaders.Grub)
def from_a_live_system_through_luks_and_lvm(host):
    """What a live system does not open by itself is opened first, from below."""
    disk = os.path.dirname(os.path.realpath(host.at("sys/class/block/nvme0n1p2")))
    for name, number, uuid, title, below in (
            ("dm-7", "254:7", "CRYPT-LUKS2-0123-nvme0n1p2_crypt", "nvme0n1p2_crypt", "nvme0n1p2"),
            ("dm-8", "254:8", "LVM-abcd", "vg-root", "dm-7")):
        where = f"sys/devices/virtual/block/{name}"
        host.put(where + "/dev", number + "\n")
        host.put(where + "/dm/uuid", uuid + "\n")
        host.put(where + "/dm/name", title + "\n")
        os.makedirs(host.at(where + "/slaves"))
        os.symlink("../../../../../class/block/" + below, host.at(f"{where}/slaves/{below}"))
        os.symlink("../../devices/virtual/block/" + name, host.at("sys/class/block/" + name))
        os.symlink("../../devices/virtual/block/" + name, host.at("sys/dev/block/" + number))
    holds(os.path.exists(os.path.join(disk, "nvme0n1p2", "dev")), disk)
    host.put("proc/self/mountinfo", "20 1 254:8 / / rw shared:1 - ext4 /dev/mapper/vg-root rw\n"
             "21 20 259:2 / /boot rw shared:2 - ext4 /dev/nvme0n1p2 rw\n")
    host.put("etc/crypttab", "nvme0n1p2_crypt /dev/nvme0n1p2 none luks\n")
    said = call(host, *TRY, "--no-trial").stdout
    same(commands(said), ["mount /dev/nvme0n1p2 /mnt",
                          "sed -i 's/ ghost.claim=on//' /mnt/grub/grub.cfg", "reboot"])
    call(host, "disable", "--yes")
    host.put("proc/self/mountinfo", "20 1 254:8 / / rw shared:1 - ext4 /dev/mapper/vg-root rw\n")
    said = call(host, *TRY, "--no-trial").stdout
    same(commands(said), ["cryptsetup open /dev/nvme0n1p2 nvme0n1p2_crypt", "vgchange -ay",
                          "mount /dev/mapper/vg-root /mnt",
                          "sed -i 's/ ghost.claim=on//' /mnt/boot/grub/grub.cfg", "reboot"])


@one(loaders.Grub)
def from_a_live_system_in_a_subvolume(host):
    host.put("proc/self/mountinfo", "20 1 0:25 /@rootfs / rw shared:1 - btrfs /dev/nvme0n1p2 "
             "rw,subvolid=256,subvol=/@rootfs\n")
    said = call(host, *TRY, "--no-trial").stdout
    same(commands(said)[0], "mount -o subvol=/@rootfs /dev/nvme0n1p2 /mnt")


@one(loaders.Systemd)
def another_entry_that_comes_meanwhile(host):
    """With the files that are there in the end, the loader would boot another: nothing is asked of it."""
    host.put("efi/other", "a kernel\n")
    host.put("etc/broken-builder",
             "printf 'title x\\nlinux /other\\n' >/efi/loader/entries/other.conf\n"
             "echo default other.conf >/efi/loader/loader.conf\n")
    ran = call(host, *TRY, code=5)
    holds("other.conf" in ran.stderr, ran.stderr)
    same((state(host), host.once), (None, None))
    same([name for name in os.listdir(host.at("efi/loader/entries")) if "ghost" in name], [])


@both
def without_the_service(host):
    """Nobody would judge it, or end it in emergency mode, where systemd runs."""
    units = {"ghost-boot-confirm.service": "multi-user", "ghost-boot-emergency.service": "emergency"}
    said = call(host, "enable", "01:00", "--dry-run").stdout
    holds(all(unit not in said for unit in units), said)
    host.put("run/systemd/system/x", "")
    for unit, target in units.items():
        said = call(host, "enable", "01:00", "--dry-run").stdout
        holds(f"systemctl enable {unit}" in said, said)
        wants = host.at(f"etc/systemd/system/{target}.target.wants")
        os.makedirs(wants)
        os.symlink(f"/lib/systemd/system/{unit}", os.path.join(wants, unit))
        host.put(f"usr/lib/systemd/system/{unit}", "")
        said = call(host, "enable", "01:00", "--dry-run").stdout
        holds(unit not in said, said)


@both
def with_a_watchdog(host):
    """The trial's entry alone has it, and only where there is one that outlives a kernel that hangs."""
    before = host.snapshot()
    for said, path, text in (("systemd does not run", None, None),
                             ("has no watchdog", "run/systemd/system/x", ""),
                             ("hangs when the kernel does", "sys/class/watchdog/watchdog0/identity",
                              "Software Watchdog\n")):
        if path:
            host.put(path, text)
        ran = call(host, *TRY, "--watchdog", code=3)
        holds(said in ran.stderr and "Without --watchdog" in ran.stderr, ran.stderr)
        same((state(host), faults.difference(before, host.snapshot())), (None, []))
    host.put("sys/class/watchdog/watchdog0/identity", "iTCO_wdt\n")
    usual = host.boot()
    call(host, *TRY)
    first = state(host)
    ran = call(host, *TRY, "--watchdog")
    holds("restarted after a minute" in ran.stdout, ran.stdout)
    holds(state(host)["id"] != first["id"], "it waited without one")
    holds("waits already" in call(host, *TRY, "--watchdog").stdout, "not the same")
    line = host.boot()
    holds(line.endswith("panic=30 systemd.watchdog_sec=60"), line)
    same(host.boot(), usual)
    holds("watchdog" not in host.boot(host.recovery), "the recovery entry has it")
    call(host, "enable", "01:00", "--no-trial", "--watchdog", "--yes", code=2)


@one(loaders.Systemd)
def the_recovery_entrys_kernel_goes(host):
    """It is made anew, by the entry that is the usual one then."""
    call(host, *TRY, "--no-trial")
    os.unlink(host.at(f"efi/loader/entries/{loaders.MACHINE}-{hosts.KERNELS[-1]}.conf"))
    host.usual = lambda: f"{loaders.MACHINE}-{hosts.KERNELS[0]}.conf"
    call(host, "update", "--entry", "--yes")
    line = host.boot(host.recovery)
    holds(hosts.KERNELS[0] in line and "ghost.claim=off" in line and "ghost.claim=on" not in line, line)
    before = host.snapshot(ours=True)
    call(host, "update", "--entry", "--yes")
    same(faults.difference(before, host.snapshot(ours=True)), [])


@both
def after_a_trial_that_failed(host):
    """It is no base for what comes next: neither for another trial, nor for what stands."""
    call(host, *TRY, "--no-trial")
    with open(host.at("etc/ghost-boot/claims"), encoding="utf-8") as f:
        standing = f.read()
    host.boot()
    call(host, *SECOND)
    record = host.at("var/lib/ghost-boot/trial")
    fail(record)
    host.once = None
    before = host.boot()
    files = usual_files(host)
    call(host, "update", "--yes")
    same(usual_files(host), files)
    with open(host.at("etc/ghost-boot/claims"), encoding="utf-8") as f:
        same(f.read(), standing)
    holds(not os.path.exists(host.at("var/lib/ghost-boot/standing-claims")), "still aside")
    same(host.boot(), before)
    # and once more: nothing is left that it could be told by to take back what stands
    call(host, "update", "--yes")
    same(usual_files(host), files)
    with open(host.at("etc/ghost-boot/claims"), encoding="utf-8") as f:
        same(f.read(), standing)
    call(host, *SECOND)
    claims = said(host, host.image)[0]
    for path in b"0000:00/01.0/00.0", b"0000:00/1c.0/00.0":
        holds(b"claim path=" + path in claims, claims)


@both
def what_stood_before_a_trial_is_lost(host):
    """Nothing is concluded from what is left: neither what was tried nor nothing is what stood."""
    call(host, *TRY, "--no-trial")
    host.boot()
    call(host, *SECOND)
    fail(host.at("var/lib/ghost-boot/trial"))
    host.once = None
    host.boot()
    os.unlink(host.at("var/lib/ghost-boot/standing-claims"))
    before = host.snapshot()
    for args in ("update", "--yes"), SECOND:
        said = call(host, *args, code=3).stderr
        holds("standing-claims is away" in said and "ghost-boot disable" in said, said)
        same(faults.difference(before, host.snapshot()), [])
    call(host, "disable", "--yes")
    holds("ghost.claim" not in host.boot(), "claims are left")


@both
def another_after_a_trial_that_failed(host):
    before = host.snapshot()
    call(host, *TRY)
    fail(host.at("var/lib/ghost-boot/trial"))
    host.once = None
    call(host, *SECOND)
    claims = said(host, host.image)[0]
    holds(b"claim path=0000:00/1c.0/00.0" in claims and b"claim path=0000:00/01.0" not in claims,
          claims)
    same((state(host)["state"], host.once), ("armed", host.trial))
    call(host, "rollback", "--yes")
    same(faults.difference(before, host.snapshot()), [])


def fail(record):
    """As the boot that is not the trial notes it."""
    with open(record, encoding="utf-8") as f:
        lines = f.read().splitlines()
    text = "".join(line + "\n" for line in lines[:-1]).replace("state armed", "state failed")
    with open(record, "w", encoding="utf-8") as f:
        f.write(text + lines[-1].split(" ")[0] + " " + hashlib.sha256(text.encode()).hexdigest() + "\n")


@both
def update_leaves_it_alone(host):
    call(host, *TRY)
    files = host.snapshot(ours=True)
    ran = call(host, "update", "--yes")
    holds("trial" in ran.stdout, ran.stdout)
    same(faults.difference(files, host.snapshot(ours=True)), [])
    same(host.once, host.trial)


def second_while_one_stands(host):
    """Images that are built have but the first one's claims, until it is over."""
    call(host, *TRY, "--no-trial")
    call(host, *SECOND)
    for release in hosts.KERNELS:
        claims, _ = said(host, f"boot/initrd.img-{release}")
        holds(b"path=0000:00/01.0/00.0" in claims and b"path=0000:00/1c.0/00.0" not in claims, claims)


@both
def disabled_while_a_second_card_is_tried(host):
    before = host.snapshot()
    second_while_one_stands(host)
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])
    same(host.once, None)


@both
def a_second_card_for_good_after_all(host):
    before = host.snapshot()
    second_while_one_stands(host)
    call(host, *SECOND, "--no-trial")
    for release in hosts.KERNELS:
        claims, _ = said(host, f"boot/initrd.img-{release}")
        holds(b"path=0000:00/01.0/00.0" in claims and b"path=0000:00/1c.0/00.0" in claims, claims)
    same((state(host), host.once), (None, None))
    holds(not os.path.exists(host.at("var/lib/ghost-boot/standing-claims")), "still aside")
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


@both
def a_second_card_while_one_stands(host):
    """What is built meanwhile has the claims that stand, and going back gives those back."""
    call(host, *TRY, "--no-trial")
    standing, usual = host.snapshot(), usual_files(host)
    path = host.at("etc/ghost-boot/claims")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    ran = call(host, *SECOND)
    holds("with the claims of before" in ran.stdout, ran.stdout)
    with open(path, encoding="utf-8") as f:
        holds(f.read() != text, "the claims file is as it was")
    same(usual_files(host), usual)
    host.run_inside(["/usr/sbin/mkinitramfs", "-o", "/boot/built", hosts.KERNELS[0]])
    same(said(host, "boot/built")[0], text.encode())
    os.unlink(host.at("boot/built"))
    holds(said(host, host.image)[0] != text.encode(), "the trial has the old claims")
    call(host, "rollback", "--yes")
    same(faults.difference(standing, host.snapshot()), [])
    same(host.once, None)


@both
def dry_runs(host):
    before = host.snapshot(ours=True)
    ran = call(host, "enable", "01:00", "--dry-run")
    holds("an image for the trial alone" in ran.stdout, ran.stdout)
    ran = call(host, "enable", "01:00", "--dry-run", "--json")
    data = json.loads(ran.stdout)
    same((data["result"], data["trial"]["armed"], data["no_trial"]), ("planned", False, None))
    same(faults.difference(before, host.snapshot(ours=True)), [])
    same(host.once, None)


@both
def for_programs(host):
    data = json.loads(call(host, *TRY, "--json").stdout)
    same((data["result"], data["trial"]["armed"], data["trial"]["id"]),
         ("done", True, state(host)["id"]))


@both
def the_kernel_is_gone(host):
    """Between enable and the boot: the usual entry is booted."""
    usual = host.boot()
    call(host, *TRY)
    os.unlink(host.at(host.image))
    if isinstance(host, loaders.Systemd):
        os.rename(host.at(f"efi/{loaders.MACHINE}/{hosts.KERNELS[-1]}/linux"),
                  host.at("efi/linux.away"))
        host.usual = lambda: f"{loaders.MACHINE}-{hosts.KERNELS[0]}.conf"
        usual = usual.replace(hosts.KERNELS[-1], hosts.KERNELS[0])
    same(host.boot(), usual)


@both
def a_builder_that_fails(host):
    before = host.snapshot()
    host.put("etc/broken-builder", "exit 7\n")
    call(host, *TRY, code=5)
    os.unlink(host.at("etc/broken-builder"))
    same((host.once, state(host)), (None, None))
    same(faults.difference(before, host.snapshot()), [])
    host.put("etc/broken-builder", "OURS=/usr/lib/test/image\n")
    ran = call(host, *TRY, code=5)
    holds("ghost-claim is not in it" in ran.stderr, ran.stderr)
    os.unlink(host.at("etc/broken-builder"))
    call(host, *TRY)


@both
def another_that_fails(host):
    """The loader was told to forget the first one by then: it stays prepared, and says so."""
    call(host, *TRY)
    host.put("etc/broken-builder", "exit 7\n")
    ran = call(host, *TRY, "--confirm=manual", code=5)
    holds("still prepared" in ran.stderr, ran.stderr)
    same((state(host)["state"], host.once), ("prepared", None))
    os.unlink(host.at("etc/broken-builder"))
    holds("waits already" in call(host, *TRY).stdout, "not the same")
    same((state(host)["state"], host.once), ("armed", host.trial))


@both
def somebody_elses_one_shot(host):
    before = host.snapshot()
    host.once = "somebody.conf"
    ran = call(host, *TRY, code=1)
    holds("somebody.conf" in ran.stderr, ran.stderr)
    same(host.once, "somebody.conf")
    host.once = None
    same(faults.difference(before, host.snapshot()), [])


@both
def somebody_elses_one_shot_after_ours(host):
    """Asked for since, in place of the trial: it stays, and so does the trial, prepared."""
    call(host, *TRY)
    holds("the next boot tries the claims, once" in call(host, "status").stdout, "status")
    host.once = "somebody"
    text = " ".join(call(host, "status").stdout.split())
    holds("a trial waits, and the boot loader is not asked for it any more" in text and
          "ghost-boot enable, as before" in text, text)
    holds("the next boot does not take it" in call(host, "confirm", code=3).stderr, "confirm")
    ran = call(host, *TRY, code=1)
    holds('to take "somebody" once' in ran.stderr and "take it back: " in ran.stderr, ran.stderr)
    same((host.once, state(host)["state"]), ("somebody", "prepared"))
    host.once = None
    holds("waits already" in call(host, *TRY).stdout, "built anew")
    same((host.once, state(host)["state"]), (host.trial, "armed"))


def with_full_store(host, name, words=TRY, last=False, code=1):
    """WORDS, but the EFI variable NAME can't be written, or not for the LAST time: what it said."""
    log = os.path.join(os.path.dirname(host.dir), "log")
    trace = ["strace", "-o", log, "-e", "trace=openat", "-P", "/" + name, "-e", "signal=none"]
    twin = host.copy(host.dir + ".twin")
    twin.ghost(*words, before=trace)
    twin.remove()
    with open(log, encoding="utf-8") as f:
        writes = [i for i, line in enumerate(f) if "O_WRONLY" in line or "O_RDWR" in line]
    ran = host.ghost(*words, check=False, before=[
        *trace, "-e", f"inject=openat:error=ENOSPC:when={writes[-1 if last else 0] + 1}"])
    same(ran.returncode, code, ran.stderr)
    holds(os.path.basename(name).split("-")[0] in ran.stderr and "dump-*" in ran.stderr, ran.stderr)
    holds(not os.path.exists(host.at(name)), f"{name} is there")
    return ran


@one(loaders.Systemd)
def another_that_is_not_asked_for(host):
    """The image of the first one is too large to be kept: its files don't come back around the second
    one's image, which stays, prepared."""
    host.put("usr/lib/test/image/usr/bin/large", os.urandom(3 << 20))
    call(host, *TRY)
    other = (*TRY, "--confirm=manual")
    ran = with_full_store(host, ONE_SHOT, other, last=True, code=6)
    holds("is made, and stays" in " ".join(ran.stderr.split()), ran.stderr)
    now = state(host)
    same((now["state"], now["confirm"], host.once), ("prepared", "manual", None))
    holds("waits already" in call(host, *other).stdout, "not the same")


def without_a_way_back(host, nth, on=""):
    """enable's request to the boot loader fails, and so does the NTH rename of taking all that back;
    with "+", all from there on."""
    log = os.path.join(os.path.dirname(host.dir), "log")
    trace = ["strace", "-o", log, "-e", "trace=renameat,openat", "-e", "signal=none"]
    twin = host.copy(host.dir + ".twin")
    twin.ghost(*TRY, before=trace)
    twin.remove()
    with open(log, encoding="utf-8") as f:
        lines = f.read().splitlines()
    asked = max(i for i, line in enumerate(lines) if ONE_SHOT in line and "O_WRONLY" in line)
    opens, renames = (sum(line.startswith(call) for line in lines[:asked]) for call in ("openat(", "renameat("))
    ran = host.ghost(*TRY, check=False, before=[
        *trace, "-e", f"inject=openat:error=ENOSPC:when={opens + 1}",
        "-e", f"inject=renameat:error=EIO:when={renames + nth}{on}"])
    same(ran.returncode, 6, ran.stderr)
    return ran


def made_all_the_same(host, nth):
    """Nothing is left for the next command to go on with."""
    ran = without_a_way_back(host, nth)
    holds("is made, and stays" in " ".join(ran.stderr.split()), ran.stderr)
    holds(not os.path.exists(host.at("var/lib/ghost-boot/journal")), "a journal is open")
    same((state(host)["state"], host.once), ("prepared", None))
    call(host, *TRY)
    same(host.once, host.trial)


@one(loaders.Systemd)
def a_way_back_that_does_not_begin(host):
    made_all_the_same(host, 2)


@one(loaders.Systemd)
def a_way_back_that_fails(host):
    made_all_the_same(host, 4)


@one(loaders.Systemd)
def a_way_back_left_halfway(host):
    """What the next command brings back is the state before the way back: the one that was planned."""
    ran = without_a_way_back(host, 4, "+")
    said = " ".join(ran.stderr.split())
    holds("ghost-boot recover. What was planned is made then, and stays" in said, ran.stderr)
    holds(os.path.exists(host.at("var/lib/ghost-boot/journal")), "no journal")
    call(host, "recover")
    same((state(host)["state"], host.once), ("prepared", None))
    call(host, *TRY)
    same(host.once, host.trial)


@one(loaders.Systemd)
def a_store_that_is_full(host):
    """Nothing is built for a boot that could not be asked for."""
    before = host.snapshot()
    with_full_store(host, ONE_SHOT)
    same(faults.difference(before, host.snapshot()), [])


@one(loaders.Systemd)
def a_kernel_comes_in_the_trial(host):
    """kernel-install takes the running command line where it has no file for that: it gets one."""
    os.unlink(host.at("etc/kernel/cmdline"))
    os.rmdir(host.at("etc/kernel"))
    usual, before = host.boot(), host.snapshot()
    call(host, *TRY)
    with open(host.at("etc/kernel/cmdline"), encoding="utf-8") as f:
        line = f.read().strip()
    holds(usual.endswith(" " + line), line)
    call(host, "disable", "--yes")
    same(faults.difference(before, host.snapshot()), [])
    call(host, *TRY)
    host.boot()
    # it stays until a kernel runs without the trial's words
    call(host, "disable", "--yes")
    holds(os.path.exists(host.at("etc/kernel/cmdline")), "gone in the trial")
    host.boot()
    call(host, "recover")
    same(faults.difference(before, host.snapshot()), [])


def contents(host, path):
    with open(host.at(path), "rb") as f:
        return f.read()


COUNTER = "sys/firmware/efi/efivars/GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67"


@one(loaders.Systemd)
def counted_where_no_trial_can_be(host):
    """Our entry would become the default by its name: the usual one claims, its boots are counted."""
    host.put("efi/loader/loader.conf", "default *-ghost-*\n")
    usual, before = host.boot(), faults.meaning(host, host.snapshot())
    ran = call(host, *TRY)
    for words in ("would boot a-ghost-boot-", "its boots are counted", "2 boots have the claims",
                  "intel_iommu=on"):
        holds(words in ran.stdout, ran.stdout)
    for words in "tries it, once", 'the entry "without':
        holds(words not in ran.stdout, ran.stdout)
    holds("in the boot menu, e, and" in ran.stdout and "can't be had: " in ran.stdout, ran.stdout)
    now = state(host)
    same((now["state"], host.once, os.path.exists(host.at(host.image))), ("armed", None, False))
    with open(host.at(COUNTER), "rb") as f:
        same(f.read(), bytes([7, 0, 0, 0, 1, 0]) + bytes.fromhex(now["id"])[::-1])
    line = host.boot()
    holds(f"ghost.claim=on ghost.trial={now['id']}c" in line and "panic" not in line, line)
    data = json.loads(call(host, "enable", "01:00", "--dry-run", "--json").stdout)
    same((data["trial"]["counted"], "would boot" in data["no_trial"]), (True, True))
    # at once and for good after all
    call(host, *TRY, "--no-trial")
    same((state(host), os.path.exists(host.at(COUNTER))), (None, False))
    holds("ghost.trial" not in host.boot(), "still counted")
    call(host, "disable", "--yes")
    same(host.boot(), usual)
    same(faults.difference(before, faults.meaning(host, host.snapshot())), [])


@one(loaders.Systemd)
def counted_in_a_store_that_is_full(host):
    """Nor for boots that could not be counted."""
    host.put("efi/loader/loader.conf", "default *-ghost-*\n")
    before = host.snapshot(ours=True)
    with_full_store(host, COUNTER)
    same(faults.difference(before, host.snapshot(ours=True)), [])


@one(loaders.Systemd)
def counted_and_taken_back(host):
    host.put("efi/loader/loader.conf", "default *-ghost-*\n")
    before = host.snapshot()
    for back in ("rollback", "disable"):
        call(host, *TRY)
        call(host, back, "--yes")
        same((state(host), os.path.exists(host.at(COUNTER))), (None, False), back)
        same(faults.difference(faults.meaning(host, before),
                               faults.meaning(host, host.snapshot())), [], back)
    host.put("etc/broken-builder", "exit 7\n")
    call(host, *TRY, code=5)
    same((state(host), os.path.exists(host.at(COUNTER))), (None, False))
    os.unlink(host.at("etc/broken-builder"))
    # another one that fails, or is taken back, leaves the first one counted
    call(host, *TRY)
    counted = contents(host, COUNTER)
    host.put("etc/broken-builder", "exit 7\n")
    host.put(f"boot/initrd.img-{hosts.KERNELS[-1]}", "")
    call(host, *TRY, "--confirm=manual", code=5)
    same(contents(host, COUNTER), counted)
    call(host, "enable", "01:00", "--confirm=manual", code=3)  # and nobody to be asked
    same(contents(host, COUNTER), counted)
    os.unlink(host.at("etc/broken-builder"))
    call(host, *TRY, "--confirm=manual")
    holds(contents(host, COUNTER) != counted, "not counted anew")
    call(host, "rollback", "--yes")
    same(contents(host, COUNTER), counted)


@one(loaders.Grub)
def a_custom_cfg_of_its_owner(host):
    """Stays as it is around our lines, and is whole again afterwards."""
    mine = "menuentry 'Mine' {\n\ttrue\n}\nset x=1"
    host.put("boot/grub/custom.cfg", mine, 0o640)
    before = host.snapshot()
    call(host, *TRY)
    with open(host.at("boot/grub/custom.cfg"), encoding="utf-8") as f:
        text = f.read()
    holds(text.startswith(mine + "\n# BEGIN ghost-boot"), text)
    call(host, "disable", "--yes")
    same(faults.difference(before, host.snapshot()), [])


@one(loaders.Grub)
def where_grub_can_not_forget(host):
    """No trial, and with nobody to ask no change."""
    os.unlink(host.at("boot/grub/grubenv"))
    before = host.snapshot(ours=True)
    ran = call(host, *TRY, code=3)
    holds("No trial boot can be made" in ran.stdout and "--no-trial" in ran.stderr,
          ran.stdout + ran.stderr)
    holds('the entry "without GPU claims"' in ran.stdout, ran.stdout)
    data = call(host, *TRY, "--json", code=3)
    holds("--no-trial" in data.stderr, data.stderr)
    same(faults.difference(before, host.snapshot(ours=True)), [])
    call(host, *TRY, "--no-trial")


@one(loaders.Grub)
def a_boot_that_is_read_only(host):
    """What helps is no --no-trial: nothing at all can be changed there."""
    before = host.snapshot(ours=True)
    boot = host.at("boot")
    ran = host.ghost(*TRY, check=False, before=[
        "unshare", "--mount", "sh", "-ec",
        f'mount --bind {boot} {boot}; mount -o remount,bind,ro {boot}; exec "$@"', "sh"])
    same(ran.returncode, 3, ran.stderr)
    holds("mounted read-only" in ran.stderr and "What helps: mount -o remount,rw /" in ran.stderr,
          ran.stderr)
    holds("--no-trial" not in ran.stdout + ran.stderr, ran.stdout + ran.stderr)
    same(faults.difference(before, host.snapshot(ours=True)), [])


@one(loaders.Grub)
def arm_always_is_no_trial(host):
    host.put("etc/ghost-boot/claims", "ghost-boot claims 1\narm always\n")
    ran = call(host, *TRY, code=3)
    holds("arm always" in ran.stderr and "--no-trial" in ran.stderr, ran.stderr)
    call(host, *TRY, "--no-trial")


def told(points):
    """Around all that speaks to the boot loader, or writes the record of a trial."""
    spoken = [i for i, point in enumerate(points) if re.search(
        "LoaderEntryOneShot|/grubenv|ghost-boot/trial|trial.tmp", point.text)]
    return [points[i] for i in sorted({n for i in spoken for n in (i, i + 1)}) if i < len(points)]


@both
def never_a_trial_that_nobody_meant(host):
    """Killed at any moment of arming and of taking back: what the loader was told, the record says,
    and the entry is there."""
    scratch = os.path.dirname(host.dir)
    usual, armed = host.boot(), 0
    for argv in TRY, ("disable", "--yes"):
        twin = host.copy(os.path.join(scratch, "twin"))
        ran, points = faults.points(twin, argv, os.path.join(scratch, "log"))
        same(ran.returncode, 0, ran.stderr)
        twin.remove()
        points = told(points)
        holds(len(points) > 1, [str(point) for point in points])
        for point in points:
            work = host.copy(os.path.join(scratch, "work"))
            work.ghost(*argv, check=False, before=faults.strace(
                os.path.join(scratch, "log"), "-e", f"inject={point.call}:signal=SIGKILL:when={point.nth}"))
            if work.once == host.trial:
                same((state(work) or {}).get("state"), "armed", f"{argv}, killed at {point}")
                holds("ghost.trial=" in work.boot(), f"{argv}, killed at {point}")
                armed += 1
            same(work.boot(), usual, f"{argv}, killed at {point}")
            work.remove()
        call(host, *TRY)
    holds(armed, "it never was")


@both
def some_faults(host):
    """A sample: each end is before or after all of it, and what is armed is there."""
    scratch = os.path.dirname(host.dir)
    series = faults.Series(host, TRY, scratch, ("update", "--yes")).run(every=41)
    same(series.bad, [])
    holds(series.tried > 10, f"only {series.tried} points")
