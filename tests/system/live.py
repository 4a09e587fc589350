"""The way back from a live system: a change for good after which no entry boots any more, the commands
that `enable` printed for this machine, typed in another Debian as it would be on a stick, and then
`disable` on the machine itself.
"""

import subprocess

import computer
import disk
import kinds
import life
import outcome
import trial
from check import demand
from stages import Stage

MACHINES = ("debian13-grub-bios", "debian13-grub-efi", "debian13-systemd-boot")
# The root disk and what shares its group: no image finds its root any more.
FATAL = "ghost-boot enable 04:00.0 05:00.0 --allow system-disk --no-trial --yes"
COMMANDS = (["mount"], ["sed"], ["reboot"])
# All machines' file systems have the same UUID: this one is known by its disk's.
STICK = kinds.named("debian12-grub-bios")
STICK_ID = "0x57495843"
# Behind a port, for a bus after that of the machine's own disk: that one is the first, as always.
PORT = "pcie-root-port,id=stick-port,bus=pcie.0,chassis=20,addr=0c.0"


class Stick:
    """A live system; nothing of what it writes is kept."""

    def __init__(self, folder):
        base = disk.ensure(STICK)
        self.raw = folder / "stick"
        with computer.Computer("stick", base) as plain:
            plain.raw(self.raw)
        subprocess.run(["sfdisk", "-q", "--disk-id", self.raw, STICK_ID], check=True)
        self.kernel, self.image = (self._out(base, name, folder) for name in ("vmlinuz", "initrd.img"))

    def _out(self, base, name, folder):
        """What the root's link NAME points to."""
        raw = f"{self.raw}?offset={base.layout.root}"
        stat = subprocess.run(["debugfs", "-R", f"stat /{name}", raw], capture_output=True, text=True,
                              check=True).stdout
        target = stat.split('Fast link dest: "')[1].split('"')[0]
        subprocess.run(["debugfs", "-R", f"dump /{target} {folder / name}", raw], capture_output=True,
                       check=True)
        demand((folder / name).stat().st_size > 0, f"no {target} on the stick")
        return folder / name

    def start(self, machine):
        machine.direct = (self.kernel, self.image,
                          f"root=PARTUUID={STICK_ID[2:]}-01 ro {disk.WORDS} quiet")
        machine.more = ("-drive", f"if=none,id=stick,file={self.raw},format=raw,snapshot=on",
                        "-device", PORT, "-device", "nvme,bus=stick-port,drive=stick,serial=stick")
        machine.boot()
        demand(machine.must("cat /sys/class/nvme/nvme0/serial").strip() == "root", "another order")
        demand("nvme1n1p1" in machine.must("findmnt -no SOURCE /"), "the machine's own disk was booted")


def commands(text):
    return [line.strip() for line in text.splitlines()
            if line.startswith("    ") and line.split()[:1] in COMMANDS]


def for_good(place):
    """Said yes to, with every warning lifted: the disk that the system is on is claimed."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        outcome.install(machine)
        trial.remember(machine, place)
        text = machine.must(FATAL, 1800, "enable")
        place.facts["commands"] = commands(text)
        demand([line.split()[:1] for line in place.facts["commands"]] == list(COMMANDS),
               f"enable ends with {text[-900:]}")
        machine.end("poweroff")


def nothing_boots(place):
    with place.machine(packages=False) as machine:
        machine.start()
        machine.running.wait_console(r"ALERT!.*does not exist", 900)
        machine.running.wait_console(r"\(initramfs\)", 300)
        machine.cut()


def from_the_stick(place):
    with place.machine(packages=False) as machine:
        Stick(machine.folder).start(machine)
        for line in place.facts["commands"][:-1]:
            machine.say(f"{machine.name}: {line}")
            machine.must(line)
        machine.end("reboot")


def back(place):
    """No claims, and `disable` takes the rest back."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        outcome.not_claimed(machine, place)
        machine.must(life.DISABLE, 1800, "disable")
        left = machine.run("ls -d /etc/ghost-boot/claims /boot/grub/custom.cfg 2>/dev/null")[1]
        demand(not left.strip(), f"left: {left}")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        trial.old(machine, place, images=False)
        machine.end("poweroff")


STAGES = (
    Stage("for-good", None, for_good),
    Stage("nothing-boots", "for-good", nothing_boots),
    Stage("from-the-stick", "nothing-boots", from_the_stick),
    Stage("back", "from-the-stick", back),
)
