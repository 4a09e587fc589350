"""Boots that are counted in an EFI variable, where GRUB can't be asked for one: after two that nobody
confirms nothing is claimed."""

import efistore
import life
import trial
from bootfs import BTRFS, ROOM, lies_on, move_boot, split
from check import demand
from fullstore import EFIVARS, EMPTY, FILLED, crowd, fill
from outcome import (FOR_GOOD, NO_TRIAL, cut, every_file, failed, install, not_claimed, refused, taken_back)
from stages import Stage

COUNTER = f"{EFIVARS}/GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67"


def counted(machine):
    """The counter, None if there is none."""
    text = machine.run(f"cat {COUNTER} 2>/dev/null | od -An -tu1 -v")[1].split()
    return int(text[5]) if text else None


def installed(place):
    """/boot on btrfs, and nothing of ours asked for."""
    with place.machine(room=ROOM) as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "btrfs-progs")
        move_boot(machine, split(machine)[0], BTRFS, "btrfs")
        machine.end("reboot")


def second_line(place):
    """What protects where GRUB can't, and what is said where that can't be had, too."""
    with place.machine(packages=False) as machine:
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        lies_on(machine, "btrfs")
        trial.remember(machine, place)
        before = every_file(machine)
        machine.must(f"umount {EFIVARS}")
        refused(machine, before, 3, NO_TRIAL, "it is on btrfs", "What helps: mount -t efivarfs",
                FOR_GOOD, "no protection against a boot that fails")
        machine.must(f"mount -t efivarfs -o ro efivarfs {EFIVARS}")
        refused(machine, before, 1, NO_TRIAL, "GhostBootUnconfirmed", "Nothing was changed.",
                "remount,rw")
        machine.must(f"mount -o remount,rw {EFIVARS}")
        fill(machine)
        refused(machine, before, 1, NO_TRIAL, "GhostBootUnconfirmed", "Nothing was changed.",
                "store is full", "and reboot")
        machine.must(EMPTY)
        # OVMF has the room only after the next boot
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        count(machine)
        machine.end("reboot")


def count(machine):
    """The change is made, and its boots are counted."""
    text = " ".join(machine.must(trial.TRY, 1800, "enable").split())
    for one in (NO_TRIAL, "it is on btrfs", "its boots are counted in an EFI variable",
                "2 boots have the claims", "`ghost-boot disable` takes all of it back"):
        demand(one in text, f"enable does not say {one!r}: {text[-1500:]}")
    demand("tries it, once" not in text, text[-800:])
    trial.state(machine, "armed", False)
    demand(counted(machine) == 0, f"the counter is {counted(machine)}")


def claimed_boot(machine, number):
    machine.boot()
    trial.tried(machine)
    demand(counted(machine) == number, f"the counter is {counted(machine)}, wanted {number}")


def over(place):
    """Two boots that nobody confirms have claims; the third has none, and says why."""
    with place.machine(packages=False) as machine:
        for number in (1, 2):
            claimed_boot(machine, number)
            cut(machine)
        machine.boot()
        life.healthy(machine)
        not_claimed(machine, place)
        failed(machine, "not confirmed in 2 boots")
        demand("This boot claims nothing." in machine.must(f"cat {trial.NOTICE}"), "the notice")
        count(machine)
        machine.end("reboot")


def uncountable(place):
    """A store that is full by then: what can't be counted is not claimed. Once it can be, it
    is."""
    with place.machine(packages=False) as machine:
        claimed_boot(machine, 1)
        cut(machine)
        efistore.fill(machine.vars, "Fill", FILLED)
        machine.boot()
        life.healthy(machine)
        not_claimed(machine, place)
        failed(machine, "can't be written: .* claims nothing")
        machine.must(EMPTY)
        machine.end("reboot")


def confirmed(place):
    """The second of two boots is confirmed: nothing counts any more."""
    with place.machine(packages=False) as machine:
        claimed_boot(machine, 2)
        machine.must("ghost-boot confirm", 1800, "confirm")
        demand(counted(machine) is None and trial.said(machine) is None, "the trial is left")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        demand("ghost.trial" not in machine.must("cat /proc/cmdline"), "it is still counted")
        taken_back(machine, place)
        machine.end("poweroff")


STAGES = (
    Stage("installed", None, installed),
    Stage("second-line", "installed", second_line),
    Stage("over", "second-line", over),
    Stage("uncountable", "over", uncountable),
    Stage("confirmed", "uncountable", confirmed),
)
