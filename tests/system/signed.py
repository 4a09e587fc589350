"""A trial with the firmware's lock on: Debian's shim and GRUB, Microsoft's keys."""

import shutil
from pathlib import Path

import life
import trial
from check import demand
from fullstore import EFIVARS
from outcome import cut, failed, install
from stages import Stage

SECURE_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
MICROSOFTS = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
SIGNED = ("grub-install --target=x86_64-efi --efi-directory=/boot/efi --bootloader-id=debian "
          "--force-extra-removable && update-grub")


def guard(machine):
    """From the next boot on, firmware that knows signatures; with its keys, it asks for them."""
    machine.code = SECURE_CODE
    machine.more = ("-machine", "smm=on", "-global", "ICH9-LPC.disable_s3=1",
                       "-global", "driver=cfi.pflash01,property=secure,value=on")


def is_locked(machine):
    text = machine.must(f"od -An -tu1 {EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c; "
                        "cat /sys/kernel/security/lockdown")
    demand(text.split()[4] == "1" and "[integrity]" in text, f"no Secure Boot: {text}")


def signed(place):
    """Debian's shim and GRUB; a trial with the firmware's lock on."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "shim-signed", "grub-efi-amd64-signed")
        machine.must(SIGNED, 600)
        machine.end("poweroff")
        shutil.copy(MICROSOFTS, machine.vars)
        guard(machine)
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        machine.end("reboot")


def signed_trial(place):
    """Tried once, whatever happens; and kept, when somebody says so."""
    with place.machine(packages=False) as machine:
        guard(machine)
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        trial.tried(machine)
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        trial.armed(machine, place)
        machine.end("reboot")


def signed_kept(place):
    with place.machine(packages=False) as machine:
        guard(machine)
        machine.boot()
        trial.tried(machine)
        machine.must("ghost-boot confirm", 1800, "confirm")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        life.claimed(machine)
        machine.end("poweroff")


STAGES = (
    Stage("signed", None, signed),
    Stage("signed-trial", "signed", signed_trial),
    Stage("signed-kept", "signed-trial", signed_kept),
)
