"""systemd-boot's variable for one boot: locked by the firmware, read-only, not mounted, no room for it, a
kernel without any."""

import shutil

import efistore
import life
import trial
from check import demand
from fullstore import EFIVARS, FILLED, crowd, fill
from outcome import FOR_GOOD, NO_TRIAL, RECOVERY, cut, every_file, failed, install, refused, taken_back
from stages import Stage

ONE_SHOT = "LoaderEntryOneShot", "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ENTRIES = "/boot/efi/loader/entries/*.conf"
CLOSED = "efi=noruntime"


def installed(place):
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        install(machine)
        machine.end("poweroff")


def store(place):
    """Locked by the firmware, read-only, not mounted, full: nothing is built for a boot that can't
    be asked for."""
    with place.machine(packages=False) as machine:
        plain = machine.folder / "plain"
        shutil.copy(machine.vars, plain)
        efistore.add(machine.vars, *ONE_SHOT, b"\0\0", efistore.LASTING | efistore.SIGNED)
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        before = every_file(machine)
        refused(machine, before, 1, "LoaderEntryOneShot", "can't be written",
                "Nothing was changed.", "the firmware refuses changes of its variables")
        machine.must(f"mount -o remount,ro {EFIVARS}")
        refused(machine, before, 1, "LoaderEntryOneShot", "Read-only file system",
                "Nothing was changed.", f"mount -o remount,rw {EFIVARS}")
        machine.must(f"umount {EFIVARS}")
        refused(machine, before, 3, NO_TRIAL, "variables can't be reached",
                "What helps: mount -t efivarfs", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails")
        machine.must(f"mount -t efivarfs efivarfs {EFIVARS}")
        fill(machine)
        refused(machine, before, 1, "LoaderEntryOneShot", "Nothing was changed.", "store is full",
                "dump-*")
        machine.must(f"sed -i '/^options/s/$/ {CLOSED}/' {ENTRIES}")
        machine.end("poweroff")
        shutil.copy(plain, machine.vars)


def no_runtime(place):
    """A kernel that leaves the firmware alone."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(machine.run(f"ls {EFIVARS}/*")[0] != 0, "there are variables")
        refused(machine, every_file(machine), 3, NO_TRIAL, "variables can't be reached",
                f"a boot without {CLOSED}", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails")
        machine.must(f"sed -i 's/ {CLOSED}//' {ENTRIES}")
        machine.end("reboot")


def full(place):
    """The store fills up while a trial waits: it is tried once, all the same."""
    with place.machine(packages=False) as machine:
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        fill(machine)
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        trial.tried(machine)
        demand(machine.must(f"ls {EFIVARS} | grep -c {FILLED}") != "0", "the store was emptied")
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        taken_back(machine, place)
        machine.end("poweroff")


STAGES = (
    Stage("installed", None, installed),
    Stage("store", "installed", store),
    Stage("no-runtime", "store", no_runtime),
    Stage("full", "no-runtime", full),
)
