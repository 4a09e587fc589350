"""GRUB's environment where GRUB can't write it: /boot on btrfs, on LVM, mounted read-only."""

import life
import trial
from bootfs import BTRFS, EXT4, LVM, ROOM, lies_on, move_boot, split
from check import demand
from outcome import (FOR_GOOD, NO_TRIAL, RECOVERY, asked, cut, every_file, failed, install, not_claimed, refused,
                     taken_back, unchanged)
from stages import Stage

def installed(place):
    """A trial is armed; then /boot moves to where GRUB can't write, its environment with it."""
    with place.machine(room=ROOM) as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "btrfs-progs", "lvm2")
        place.facts["parts"] = split(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        move_boot(machine, place.facts["parts"][0], BTRFS, "btrfs")
        env = machine.must("grub-editenv /boot/grub/grubenv list")
        demand(f"next_entry={trial.said(machine)['entry']}" in env, f"GRUB's environment: {env}")
        machine.end("reboot")


def on_btrfs(place):
    """GRUB is told to take the trial and can't forget it: it does not take it. Nothing is asked of
    it again."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        lies_on(machine, "btrfs")
        line = machine.must("cat /proc/cmdline")
        demand("ghost" not in line, f"the trial was booted: {line}")
        not_claimed(machine, place)
        failed(machine, "the boot loader did not take its entry")
        env = machine.must("grub-editenv /boot/grub/grubenv list")
        demand("next_entry=ghost" not in env, f"it is still asked for: {env}")
        before = every_file(machine)
        refused(machine, before, 3, NO_TRIAL, "GRUB can't write its environment", "it is on btrfs",
                FOR_GOOD, RECOVERY,
                "no protection against a boot that fails", "--no-trial")
        code, text = asked(machine, "n")
        demand(code == 0 and "Nothing was changed." in text and FOR_GOOD in text,
               f"{code}: {text[-500:]}")
        unchanged(machine, before)
        machine.must(life.DISABLE, 1800, "disable")
        demand(trial.said(machine) is None, "a trial is left")
        move_boot(machine, place.facts["parts"][1], LVM, "ext4")
        machine.end("reboot")


def on_lvm(place):
    """The same, but somebody says yes: it holds for good, and is called so."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand("/dev/mapper/" in machine.must("findmnt -no SOURCE /boot"), "/boot is not on LVM")
        trial.remember(machine, place)
        refused(machine, every_file(machine), 3, NO_TRIAL, "GRUB can't write its environment",
                "it is on LVM", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails", "--no-trial")
        code, text = asked(machine, "y")
        demand(code == 0 and "Done. It holds from the next boot on" in text,
               f"{code}: {text[-500:]}")
        demand("tries it, once" not in text, text[-800:])
        demand(trial.said(machine) is None, "a trial is known")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        demand("ghost.trial" not in machine.must("cat /proc/cmdline"), "it is called a trial")
        taken_back(machine, place)
        # it writes to GRUB's environment in each boot
        machine.must("systemctl -q mask grub-common.service")
        move_boot(machine, place.facts["parts"][2], EXT4, "ext4", "ro")
        machine.end("reboot")


def read_only(place):
    """What is mounted so can be changed by nobody, and what helps is said; then it is tried."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(lies_on(machine, "ext4").split()[1].startswith("ro"), "/boot can be written")
        not_claimed(machine, place)
        trial.remember(machine, place)
        refused(machine, every_file(machine), 3, "mounted read-only", "Nothing was changed.",
                "mount -o remount,rw /boot")
        machine.must("mount -o remount,rw /boot")
        trial.armed(machine, place)
        machine.end("reboot")


def read_only_trial(place):
    """GRUB has written what Linux may not; the trial can't be kept there, and ends as any other."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(lies_on(machine, "ext4").split()[1].startswith("ro"), "/boot can be written")
        trial.tried(machine)
        code, text = machine.run("ghost-boot confirm", 1800)
        demand(code in (1, 3) and "read-only" in text, f"confirm: {code}: {text[-600:]}")
        machine.say(f"{machine.name}: confirm: exit {code}: {text[-200:]}")
        trial.state(machine, "booted", True)
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        machine.must("mount -o remount,rw /boot")
        taken_back(machine, place)
        machine.end("poweroff")


STAGES = (
    Stage("installed", None, installed),
    Stage("btrfs", "installed", on_btrfs),
    Stage("lvm", "btrfs", on_lvm),
    Stage("read-only", "lvm", read_only),
    Stage("read-only-trial", "read-only", read_only_trial),
)
