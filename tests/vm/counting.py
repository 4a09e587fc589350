"""A counted trial under real UEFI firmware: the third boot that nobody confirmed claims nothing. Where
there is no variable, or no UEFI, nothing is claimed and the boot goes on."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import check
import claims
import machine
from early import Early
from scenario import CLAIMS, Scenario

OVMF = Path("/usr/share/OVMF")
FOLDER = "/sys/firmware/efi/efivars"
VARIABLE = f"{FOLDER}/GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67"
WORDS = "ghost.claim=on ghost.trial=0123abcdc"
# Attributes 7; version 1, count 0, the trial's ID.
MAKE = (f"modprobe efivarfs; mount -t efivarfs efivarfs {FOLDER} && "
        rf"printf '\007\000\000\000\001\000\315\253\043\001' >{VARIABLE} && umount {FOLDER}")
OPEN = f"mount -t efivarfs efivarfs {FOLDER}"


def firmware(boot, variables):
    """UEFI with its variables in that file."""
    boot.command += ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                     "-drive", f"if=pflash,format=raw,file={variables}"]


def new_variables(folder):
    return Path(shutil.copy(OVMF / "OVMF_VARS_4M.fd", folder / "variables"))


def told(boot, command):
    output, status = boot.run(command)
    check.demand(status == 0, f"{command}: exit {status}: {output}")
    return output


def value(boot):
    return told(boot, f"od -An -tx1 {VARIABLE}")[0].split()


def counted(count):
    return f"07 00 00 00 01 {count:02x} cd ab 23 01".split()


@dataclass
class Variable(Early):
    """All that one machine's firmware can show, without booting it again."""
    fast: bool = False

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.ready()
                self.look(boot)
            finally:
                keep(boot, None)

    def machine(self):
        boot = super().machine()
        firmware(boot, new_variables(boot.folder))
        return boot

    def claim(self, boot, name, counter):
        told(boot, f"mkdir /run/{name}")
        _, status = boot.run(f"ghost-claim --records /run/{name} >/dev/null")
        record = json.loads("".join(told(boot, f"cat /run/{name}/claim.json")))
        check.demand(record["trial"]["counter"] == counter, f"wanted {counter}: {record['trial']}")
        claims_it = counter == "counted"
        check.demand(record["outcome"] == ("claimed" if claims_it else "off"), record["outcome"])
        check.demand(status == (0 if claims_it else 3), f"exit {status}")
        bound = told(boot, "readlink /sys/bus/pci/devices/0000:02:00.0/driver || echo none")[0]
        return record["trial"]["text"], bound.rpartition("/")[2]

    def look(self, boot):
        told(boot, "mkdir -p /etc/ghost-boot")
        for line in claims.text().splitlines():
            told(boot, f"echo '{line}' >>{CLAIMS}")
        _, bound = self.claim(boot, "absent", "absent")
        check.demand(bound == "none", f"{bound} has the GPU")
        told(boot, MAKE)
        # Not by the kernel's own way of getting a module, which asks modprobe.d.
        told(boot, "rmmod efivarfs && echo /none >/proc/sys/kernel/modprobe")
        text, bound = self.claim(boot, "first", "counted")
        check.demand(bound == "vfio-pci" and "boot 1 of 2" in text, f"{bound}: {text}")
        mounts = told(boot, "cat /proc/mounts")
        check.demand(not [m for m in mounts if "efivarfs" in m], f"left mounted: {mounts}")
        # As another program has it mounted: it stays.
        told(boot, OPEN)
        check.demand(value(boot) == counted(1), f"after one boot: {value(boot)}")
        self.claim(boot, "second", "counted")
        check.demand(value(boot) == counted(2), f"after two boots: {value(boot)}")
        _, status = boot.run(f"echo x >{VARIABLE}")
        check.demand(status != 0, "the variable may be written by anybody")
        text, _ = self.claim(boot, "third", "over")
        check.demand("two boots" in text, text)
        check.demand(value(boot) == counted(2), f"after three boots: {value(boot)}")


@dataclass
class Counting(Scenario):
    """The same disk and firmware, booted again and again."""

    def machine(self):
        boot = super().machine()
        firmware(boot, self.variables)
        return boot

    def run(self, keep=lambda boot, report: None):
        with tempfile.TemporaryDirectory(prefix="ghost-boot-vm.") as folder:
            self.variables = new_variables(Path(folder))
            self.words = ""
            self.one(keep, lambda boot, _: told(boot, MAKE))
            self.words = WORDS
            for n in (1, 2, 3):
                self.one(keep, self.third if n == 3 else self.claimed)

    def one(self, keep, look):
        report = None
        with self.machine() as boot:
            try:
                boot.ready(300)
                report = boot.report()
                look(boot, report)
            finally:
                keep(boot, report)

    def claimed(self, _, report):
        check.exactly(report, check.GPU)
        check.demand(check.outcome(report, "claimed")["trial"]["counter"] == "counted", "not counted")

    def third(self, boot, report):
        self.check(boot, report)
        told(boot, OPEN)
        check.demand(value(boot) == counted(2), f"after three boots: {value(boot)}")


def stopped(counter, text):
    """Nothing claimed, said why, and the machine is up."""
    def checked(_, report):
        check.exactly(report, ())
        record = check.outcome(report, "off")
        check.demand(record["trial"]["counter"] == counter, record["trial"])
        check.said(report, "trial 0123abcd: ", text, "nothing claimed")
        check.silent(report)
        check.driver(report, "bochs-drm", "0000:01:00.0", "0000:02:00.0", "0000:03:00.0")
    return checked


OVER = stopped("over", "two boots with its claims were not confirmed")
ABSENT = stopped("absent", "no EFI variable counts its boots")

SCENARIOS = [
    Variable("counter", machine.host(without=("root-disk",)), words=WORDS, fast=True),
    Counting("counter-boots", OVER),
    Counting("counter-boots-dracut", OVER, "trixie", "dracut-systemd"),
    Counting("counter-boots-plain", OVER, "trixie", "dracut-plain"),
    Scenario("counter-no-efi", ABSENT, words=WORDS),
    Scenario("counter-no-efi-dracut", ABSENT, "trixie", "dracut-systemd", words=WORDS),
]
