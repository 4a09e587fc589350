"""A whole machine over many boots: its disk, its firmware's memory, and what it says.

The PCI devices, the talk over the serial port and the care for QEMU are those of the boot tests;
here the machine boots from its own disk, through its own firmware and boot loader.
"""

import base64
import fcntl
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import disk
import machine
from report import Report


LOGS = Path(__file__).resolve().parents[2] / "build" / "system" / "logs"


class ComputerError(machine.MachineError):
    """The machine did not do what the test needs; the text says what."""


class Boot(machine.Machine):
    """One run of QEMU, from power on to power off or cut."""

    def __init__(self, computer):
        self.name = computer.name
        self.folder = Path(tempfile.mkdtemp(prefix="ghost-boot-system."))
        self.command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "Nehalem",
            "-smp", "1", "-m", "2G", "-machine", "q35,kernel-irqchip=split",
            "-device", "intel-iommu,intremap=on",
            "-nodefaults", "-vga", "none", "-display", "none", "-no-reboot",
            "-serial", f"file:{self.folder}/console",
            "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off",
            "-serial", "chardev:agent",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            *computer.drives()]
        for text in machine.HOST.values():
            self.command += ["-device", text + (",bootindex=1" if "drive=root" in text else "")]
        self.command += computer.more
        self.alterations = ()
        self.process = self.agent = self.control = self.keys = None
        self.pending = b""
        self.started = 0.0


class Computer:
    """Use as a context manager: nothing is left, whatever happened.

    PACKAGES is a repository disk for /media/packages. LIKE is a folder that keep() filled: the
    machine goes on from there. DIRECT is (kernel, image, words) for a disk that cannot boot by
    itself yet; OWN writes to the base itself; ROOM makes its disk larger by so many MiB.

    For the next boots: RECORD is a file that gets every write and flush (see QEMU's blklogwrites),
    RECORD_VARS one for the firmware's memory, CODE the firmware; MORE are QEMU's words, for further
    devices say."""

    def __init__(self, name, base, packages=None, like=None, direct=None, own=False, room=0,
                 say=lambda text: None):
        self.name, self.base, self.packages, self.like = name, base, packages, like
        self.direct, self.own, self.room, self.say = direct, own, room, say
        self.record = self.record_vars = None
        self.code, self.more = disk.OVMF_CODE, ()
        self.folder = self.running = self.turn = None
        self.consoles = []
        self.times = []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ghost-boot-system."))
        if self.own:
            self.disk, self.vars = self.base.disk, self.base.vars
            return self
        below = self.like / "disk.qcow2" if self.like else self.base.disk
        form = "qcow2" if self.like else self.base.format
        memory = self.like / "vars.fd" if self.like else self.base.vars
        self.disk = self.folder / "disk.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", form,
                        "-b", str(below), str(self.disk)], check=True)
        if self.room:
            subprocess.run(["qemu-img", "resize", "-q", str(self.disk), f"+{self.room}M"],
                           check=True)
        self.vars = self.folder / "vars.fd" if self.base.vars else None
        if self.vars:
            shutil.copy(memory, self.vars)
        return self

    def __exit__(self, failure, *_):
        self.cut()
        shutil.rmtree(LOGS / self.name, ignore_errors=True)
        if failure:
            (LOGS / self.name).mkdir(parents=True)
            for number, text in enumerate(self.consoles, 1):
                (LOGS / self.name / f"console-{number}").write_text(text)
        shutil.rmtree(self.folder, ignore_errors=True)

    def drives(self):
        """QEMU's arguments for all that keeps its content."""
        words = ["-blockdev", f"{self._noted('qcow2', self.disk, self.record)},node-name=root"]
        if self.vars:
            words += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={self.code}",
                      "-drive", "if=pflash,unit=1,"
                                f"{self._noted('raw', self.vars, self.record_vars)}"]
        if self.packages:
            words += ["-blockdev", f"driver=file,filename={self.packages},node-name=packages,"
                                   "read-only=on",
                      "-device", "virtio-blk-pci,drive=packages,bus=pcie.0,addr=8.0"]
        if self.direct:
            kernel, image, line = self.direct
            words += ["-kernel", str(kernel), "-initrd", str(image), "-append", line]
        return words

    @staticmethod
    def _noted(driver, file, log):
        """A node; LOG gets what is written to it."""
        if not log:
            return f"driver={driver},file.driver=file,file.filename={file}"
        return (f"driver=blklogwrites,file.driver={driver},file.file.driver=file,"
                f"file.file.filename={file},log.driver=file,log.filename={log},log-sector-size=512")

    def start(self):
        """Power on, and no more."""
        self._take_turn()
        self.running = Boot(self).__enter__()

    def boot(self, timeout=600, settle=True):
        """Power on; done when its system is up. SETTLE: when all its units have started, too.
        Returns the seconds this took."""
        start = time.monotonic()
        self.start()
        self.running.ready(timeout)
        if settle:  # Units still starting write to the disk and take the processor.
            self.state = self.run("systemctl is-system-running --wait", timeout)[1].strip()
            self.must("udevadm settle", timeout)  # drivers come late
        if self.packages: # the only virtio disk
            self.must("mkdir -p /media/packages && modprobe virtio_blk && "
                      "udevadm settle && mount -r /dev/vda /media/packages")
        return self.took("boot", start)

    def ends(self, timeout):
        """It restarts by itself, unasked; and is off then. Returns the seconds this took."""
        start = time.monotonic()
        try:
            self.running.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ComputerError(f"it did not restart in {timeout} s; console: "
                                f"{self.running.console()[-400:]}") from None
        self.cut()
        return self.took("restart by itself", start)

    def _take_turn(self):
        """One machine runs at a time, of all runs of this tree: each wants a processor."""
        LOGS.parent.mkdir(parents=True, exist_ok=True)
        self.turn = (LOGS.parent / ".turn").open("w")
        fcntl.flock(self.turn, fcntl.LOCK_EX)

    def took(self, what, start):
        seconds = time.monotonic() - start
        self.times.append((what, seconds))
        self.say(f"{self.name}: {what} {seconds:.0f} s")
        return seconds

    def run(self, script, timeout=300):
        """A shell script inside, as root: (exit status, its words)."""
        line = base64.b64encode(script.encode()).decode()
        output, status = self.running.run(line, timeout)
        if output and not output[-1]:  # the agent's own newline
            output.pop()
        return status, "\n".join(output)

    def must(self, script, timeout=300, what=None):
        """As run(), but it has to succeed; WHAT is for the record of times."""
        start = time.monotonic()
        status, text = self.run(script, timeout)
        if what:
            self.took(what, start)
        if status != 0:
            raise ComputerError(f"{what or script}: exit status {status}: {text.strip()[-1500:]}")
        return text

    def report(self):
        output, _ = self.running.run(
            base64.b64encode(b"/usr/lib/ghost-vm/report").decode(), 120)
        return Report([line for line in output if line])

    def kernel_log(self):
        return self.must("dmesg")

    def end(self, how, timeout=300):
        """An orderly "poweroff" or "reboot", everything written; the machine is off then. The next
        boot's firmware starts from nothing, as after a power cycle."""
        start = time.monotonic()
        self.run("umount /media/packages 2>/dev/null; "
                 f"(sleep 1; systemctl {how}) >/dev/null 2>&1 &")
        try:
            self.running.process.wait(timeout)
        except subprocess.TimeoutExpired:
            tail = self.running.console()[-400:]
            raise ComputerError(f"no {how} in {timeout} s; console: {tail}") from None
        # That QEMU has ended says nothing by itself.
        if "reboot: " not in self.running.console():
            raise ComputerError(f"QEMU ended without a word of the kernel's {how}: "
                                f"{self.running.console()[-400:]}")
        self.cut()
        self.took(how, start)

    def cut(self):
        """Power off, now."""
        if self.running:
            self.consoles.append(self.running.console())
            self.running.__exit__()
            self.running = None
        if self.turn:
            self.turn.close()
            self.turn = None

    def keep(self, folder):
        """What a later machine can go on from. The machine must be off, and is used no more."""
        folder.mkdir(parents=True, exist_ok=True)
        for file in (self.disk, self.vars):
            if file:
                shutil.move(file, folder / file.name)

    def raw(self, target):
        """The disk as it is now, plain, in the file TARGET. The machine must be off."""
        subprocess.run(["qemu-img", "convert", "-O", "raw", str(self.disk), str(target)],
                       check=True)
        return target
