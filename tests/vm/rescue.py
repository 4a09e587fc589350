"""The rescue shells of both builders: ghost-diag is on the console before the shell is, and names the
thief where one was made to win."""

import re
from dataclasses import dataclass

import check
import image
from scenario import Scenario

# What each says when its shell is about to open.
SHELL = {
    "initramfs-tools": r"^\(initramfs\)",
    "dracut-plain": r"^Dropping to debug shell",
    "dracut-systemd": r"Press Enter for|Cannot open access to console|Give root password",
}
HEAD = "what became of this boot's claims"
ABSENT = ("root=UUID=00000000-0000-0000-0000-00000000dead rootdelay=3 rd.retry=4 rd.timeout=4 "
          "rd.shell=1")
# A tool that knows nothing of claims gives the GPU back to its driver; after udev, whose rule would
# take it again.
REBIND = """#!/bin/sh
bdf=0000:02:00.0
echo >/sys/bus/pci/devices/$bdf/driver_override
echo $bdf >/sys/bus/pci/drivers/vfio-pci/unbind
modprobe bochs
echo $bdf >/sys/bus/pci/drivers_probe
"""


def console_text(boot):
    """What a person reads: without colours."""
    return re.sub(r"\033\[[\d;]*m", "", boot.console().replace("\r", ""))


def screen(boot):
    """ghost-diag's words, which must be there before the shell is."""
    text = console_text(boot)
    head = text.find(HEAD)
    shell = re.search(SHELL[boot.builder], text, re.M)
    check.demand(head >= 0, f"no ghost-diag on the console: {text[-600:]}")
    check.demand(shell and head < shell.start(), "the shell came before ghost-diag")
    check.demand(text.count(HEAD) == 1, f"ghost-diag came {text.count(HEAD)} times")
    return text[head:shell.start()]


def says(*wanted):
    """Each is a pattern of one line, or of lines that follow each other."""
    def checked(boot, _):
        text = screen(boot)
        for pattern in wanted:
            check.demand(re.search(pattern, text, re.M), f"no {pattern!r} in: {text}")
        if boot.builder != "dracut-systemd":
            check.demand("systemd" not in text, f"there is no systemd in this image: {text}")
    return checked


def unclaimed():
    """An image whose ghost-claim does nothing, as after half an update."""
    program = image.staged() / "usr/sbin/ghost-claim"
    return {"/usr/sbin/ghost-claim": "#!/bin/sh\nexit 0\n", "/usr/sbin/ghost-diag": program}


@dataclass
class Rescue(Scenario):
    stop: str = ""  # kernel words that end in the shell
    never: bool = False

    def machine(self):
        if self.never:
            self.files = unclaimed()
        self.words = f"ghost.claim=on {self.stop}"
        boot = super().machine()
        boot.builder = self.builder
        at = boot.command.index("-append") + 1
        # With panic= there is no shell (initramfs-tools), and the log would be in between.
        boot.command[at] = boot.command[at].replace("panic=-1 ", "").replace(
            "printk.devkmsg=on systemd.log_target=kmsg", "")
        return boot

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.wait_console(SHELL[self.builder], 300)
                self.check(boot, None)
            finally:
                keep(boot, None)


GPU = r"^0000:02:00.0 1234:1111 display "
ALL_OURS = (r"^planned +4 functions in /etc/ghost-boot/claims, armed by ghost.claim=on",
            r"^done +all claimed", r"^now +4 of 4 on the planned driver",
            GPU + "on vfio-pci, as planned", r"^checks +\d+ failed, \d+ warnings?, made at boot")
NEVER = (r"^done +ghost-claim left no record in this boot",
         GPU + "taken by bochs-drm; planned: vfio-pci",
         r"^0000:02:00.3 .* taken by serial; planned: vfio-pci", "built into the kernel",
         "^checks .*made now")
PREMOUNT = "/scripts/init-premount"
LOADED = r"^ +(came|also) +{}: {}"

SCENARIOS = [
    Rescue("rescue-break-mount-stolen", says(
        r"^now +3 of 4 ", GPU + "taken by bochs-drm; planned: vfio-pci",
        LOADED.format("loaded by a script", "/scripts/init-premount/rebind:5")),
        stop="break=mount", files={
            f"{PREMOUNT}/rebind": REBIND, f"{PREMOUNT}/ORDER": f"{PREMOUNT}/rebind\n",
            # else the screen would name the other ways first
            "/scripts/init-top/000_rival": "#!/bin/sh\n", "/etc/modprobe.d/rival.conf": ""},
        fast=True),
    Rescue("rescue-break-premount", says(*ALL_OURS), stop="break=premount"),
    Rescue("rescue-break-init", says(*ALL_OURS), "trixie", stop="break=init"),
    Rescue("rescue-no-root", says(*NEVER), "trixie", stop=ABSENT, never=True, fast=True),
    Rescue("rescue-rd.break-systemd", says(*NEVER, LOADED.format(
        "loaded by systemd-modules-load", "/proc/cmdline:1")),
        "trixie", "dracut-systemd", stop="rd.break", never=True, fast=True),
    Rescue("rescue-no-root-systemd", says(*ALL_OURS), "bookworm", "dracut-systemd", stop=ABSENT),
    Rescue("rescue-no-root-plain", says(*NEVER, LOADED.format(
        "loaded by dracut before udev", "/etc/cmdline.d/20-force_drivers.conf:1")),
        "trixie", "dracut-plain", stop=ABSENT, never=True, fast=True),
    Rescue("rescue-rd.break-plain", says(*ALL_OURS), "bookworm", "dracut-plain", stop="rd.break"),
]
