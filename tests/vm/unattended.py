"""The rescue shell of a trial: untouched, the machine restarts; with a key pressed, it stays there; a
question for a passphrase waits as long as it must. And a trial that panics restarts."""

import re
import time
from dataclasses import dataclass

import check
import claims
import image
from rescue import ABSENT, SHELL, Rescue, console_text, screen
from saving import typed

# The later loglevel= holds: what ghost-diag writes to the kernel log is on the console, too.
TRIAL = "ghost.trial=0123abcd panic=30 loglevel=5"
COUNTS = r"This trial failed: the machine restarts in (\d+) s; any key keeps it here\."
NOBODY = "ghost-boot: trial 0123abcd: it failed and nobody was there: restart"
SOMEBODY = "ghost-boot: trial 0123abcd: somebody is at the rescue shell: no restart"
RESTART = "reboot: Restarting system"  # the kernel's own word (kernel/reboot.c)
SHORT, LONG = 75, 600  # seconds; the countdown is 60


def counts(boot):
    return [int(n) for n in re.findall(COUNTS, console_text(boot))]


def demand_stays(boot, seconds, since):
    """So many seconds after SINCE it is still where it was."""
    while time.monotonic() - since < seconds:
        check.demand(boot.process.poll() is None, f"it is gone: {boot.console()[-300:]}")
        time.sleep(1)
    said = console_text(boot)
    check.demand(RESTART not in said and NOBODY not in said,
                 f"it restarts after {time.monotonic() - since:.0f} s: {said[-300:]}")


def restarts(boot, begun):
    """Within 120 s of the prompt."""
    boot.wait_console(RESTART, 120)
    took = time.monotonic() - begun
    check.demand(55 <= took < 120, f"restarted {took:.0f} s after the prompt")
    check.demand(counts(boot) == list(range(60, 0, -1)), f"it counted {counts(boot)}")
    check.demand(NOBODY in console_text(boot), "the kernel log does not say why")


def stays(seconds):
    """One key at the serial console, and the shell is a person's."""
    def checked(boot, begun):
        boot.type(" ")
        boot.wait_console(re.escape(SOMEBODY), 20)
        boot.wait_console(SHELL[boot.builder], 60)
        screen(boot)
        demand_stays(boot, seconds, begun)
        check.demand(min(counts(boot)) > 30, f"it counted down to {min(counts(boot))}")
        if boot.builder != "dracut-systemd":  # whose root account is locked
            said, status = typed(boot, "cat /run/ghost-boot/attended && echo still $((6 * 7))")
            check.demand(status == 0 and "still 42" in said, f"no shell: {said}")
    return checked


def stays_by_keyboard(boot, begun):
    """The shell is on the screen, the countdown on every console."""
    boot.monitor("send-key", keys=[{"type": "qcode", "data": "spc"}])
    boot.wait_console(re.escape(SOMEBODY), 20)
    demand_stays(boot, SHORT, begun)


@dataclass
class Unattended(Rescue):
    more: str = f"{TRIAL} {ABSENT}"

    def machine(self):
        self.stop = self.more
        return super().machine()

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.wait_console(COUNTS, 300)
                self.check(boot, time.monotonic())
            finally:
                keep(boot, None)


# ---- a passphrase ----------------------------------------------------------------------------

LUKS_UUID = "22222222-3333-4444-5555-666666666666"
PASSPHRASE = "open sesame"
ASKS = {"initramfs-tools": r"Please unlock disk \S+:",
        "dracut-systemd": r"Please enter passphrase for disk",
        "dracut-plain": r"(?i)^.*pass(word|phrase)[^\n]*:"}
LUKS_WORDS = {"initramfs-tools": "root=/dev/mapper/secret",
              "dracut-systemd": f"rd.luks.uuid={LUKS_UUID} root=/dev/mapper/luks-{LUKS_UUID}",
              "dracut-plain": f"rd.luks.uuid={LUKS_UUID} root=/dev/mapper/luks-{LUKS_UUID}"}
# The kernel's remark on how QEMU's disk is aligned, once a volume is opened.
OPENED = r"device-mapper: table: .*adding target device"


def no_question_by_us(boot, seconds):
    """It waits unharmed, and is answered then."""
    begun = time.monotonic()
    demand_stays(boot, seconds, begun)
    said = console_text(boot)
    check.demand(not counts(boot), f"it counted {counts(boot)}")
    check.demand(not re.search(OPENED, said), "it is open already")
    boot.type(f"{PASSPHRASE}\n")
    boot.wait_console(OPENED, 120)


@dataclass
class Locked(Unattended):
    """The root disk is encrypted. Its answer opens it; there is nothing in it."""
    kind: str = "luks"
    wait: int = LONG

    def payload(self):
        return image.Payload({"/etc/ghost-boot/claims": claims.text(),
                              "/etc/cryptsetup-initramfs/conf-hook": "CRYPTSETUP=y\n"})

    def disk(self):
        return image.luks(self.suite, LUKS_UUID, PASSPHRASE)

    def machine(self):
        self.more = f"{TRIAL} rd.shell=1 {LUKS_WORDS[self.builder]}"
        self.files = {"/cryptroot/crypttab": f"secret UUID={LUKS_UUID} none luks\n"}
        boot = super().machine()
        at = boot.command.index("-append") + 1
        boot.command[at] = re.sub(r"root=UUID=\S+ ", "", boot.command[at])
        return boot

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.wait_console(ASKS[self.builder], 300)
                self.check(boot, self.wait)
            finally:
                keep(boot, None)


# ---- a panic ---------------------------------------------------------------------------------

PANIC = "#!/bin/sh\necho c >/proc/sysrq-trigger\n"
PREMOUNT = "/scripts/init-premount"


@dataclass
class Panics(Unattended):
    """Long before anybody could be asked: the kernel's own panic=30."""

    def machine(self):
        self.files = {f"{PREMOUNT}/panic": PANIC, f"{PREMOUNT}/ORDER": f"{PREMOUNT}/panic\n"}
        boot = super().machine()
        boot.command.remove("-no-reboot")
        return boot

    def run(self, keep=lambda boot, report: None):
        panic = r"Kernel panic - not syncing: sysrq"
        with self.machine() as boot:
            try:
                boot.wait_console(panic, 300)
                begun = time.monotonic()
                boot.wait_console(rf"(?s)Rebooting in 30 seconds.*{panic}", 300)
                took = time.monotonic() - begun
                check.demand(took > 30, f"again after {took:.0f} s")
            finally:
                keep(boot, None)


@dataclass
class NoTrial(Unattended):
    """Whoever forbids the shell with panic= has it so, in every boot that is no trial."""
    more: str = f"panic=30 loglevel=5 {ABSENT}"

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.wait_console("Rebooting automatically due to panic= boot argument", 300)
                boot.wait_console(RESTART, 60)
                check.demand(not counts(boot), "it counted, too")
            finally:
                keep(boot, None)


SCENARIOS = [
    Unattended("trial-no-root", restarts, fast=True),
    Unattended("trial-no-root-key", stays(SHORT), "trixie", "dracut-systemd", fast=True),
    Unattended("trial-no-root-trixie", restarts, "trixie"),
    Unattended("trial-no-root-systemd", restarts, "trixie", "dracut-systemd"),
    Unattended("trial-no-root-plain", restarts, "bookworm", "dracut-plain"),
    Unattended("trial-no-root-key-long", stays(LONG)),
    Unattended("trial-no-root-key-long-systemd", stays(LONG), "trixie", "dracut-systemd"),
    Unattended("trial-no-root-key-long-plain", stays(LONG), "trixie", "dracut-plain"),
    Unattended("trial-no-root-keyboard", stays_by_keyboard,
               more=f"{TRIAL} {ABSENT} console=tty0"),
    Panics("trial-panic", None),
    NoTrial("no-trial-no-root", None),
    *(Locked(f"trial-passphrase-{builder}", no_question_by_us, "bookworm+luks", builder)
      for builder in ASKS),
]
