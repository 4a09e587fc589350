"""A QEMU machine that looks like a passthrough host, and the talk with the agent inside it."""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from alter import AlterError, alter
from image import ROOT_UUID
from report import Report

# One entry a device, in the order QEMU is to make them. The addresses Linux gives them:
#   01:00.0      the host's own display
#   02:00.0-.3   a GPU with audio, USB and a serial function (held by the kernel's built-in driver)
#   03:00.0-.1   its identical twin
#   04:00.0      a display that shares its group with the root disk, 05:00.0
#   08:00.0      a display beside the network card 09:00.0, separable, behind a PCIe switch
HOST = {
    "rp0": "pcie-root-port,id=rp0,bus=pcie.0,chassis=1,addr=2.0",
    "host-display": "VGA,bus=rp0,addr=0.0",
    "rp1": "pcie-root-port,id=rp1,bus=pcie.0,chassis=2,addr=3.0",
    "gpu": "secondary-vga,bus=rp1,addr=0.0,multifunction=on",
    "gpu-audio": "intel-hda,bus=rp1,addr=0.1",
    "gpu-usb": "nec-usb-xhci,bus=rp1,addr=0.2",
    "gpu-serial": "pci-serial,bus=rp1,addr=0.3",
    "rp2": "pcie-root-port,id=rp2,bus=pcie.0,chassis=3,addr=4.0",
    "twin": "secondary-vga,bus=rp2,addr=0.0,multifunction=on",
    "twin-audio": "intel-hda,bus=rp2,addr=0.1",
    "rp3": "ioh3420,id=rp3,bus=pcie.0,chassis=4,addr=5.0,multifunction=on",
    "shared-display": "bochs-display,bus=rp3,addr=0.0",
    "rp4": "ioh3420,id=rp4,bus=pcie.0,chassis=5,addr=5.1",
    "root-disk": "nvme,bus=rp4,drive=root,serial=root",
    "rp5": "pcie-root-port,id=rp5,bus=pcie.0,chassis=6,addr=6.0",
    "up": "x3130-upstream,id=up,bus=rp5",
    "dn0": "xio3130-downstream,id=dn0,bus=up,chassis=10,slot=0",
    "dn1": "xio3130-downstream,id=dn1,bus=up,chassis=10,slot=1",
    "switch-display": "virtio-gpu-pci,bus=dn0",
    "network": "e1000e,bus=dn1",
}
GPU = ("gpu", "gpu-audio", "gpu-usb", "gpu-serial")

# For each: QEMU's arguments, the kernel's words.
IOMMU = {
    # pt is about the host's own DMA only, which is slow when translated; and QEMU 7.2 loses the
    # NVMe's on its AMD IOMMU.
    "intel": (["-device", "intel-iommu,intremap=on,caching-mode=on"], "intel_iommu=on iommu=pt"),
    "amd": (["-device", "amd-iommu,intremap=on"], "iommu=pt"),
    "none": ([], ""),
}

WORDS = (f"root=UUID={ROOT_UUID} rw console=ttyS0 init=/usr/lib/ghost-vm/agent "
         # Busy hosts: a third of the boots panics without this word.
         "no_timer_check mitigations=off nokaslr panic=-1 log_buf_len=4M quiet "
         # The kernel itself names each module load and each bind, and when.
         "trace_event=module:module_load tp_printk printk.devkmsg=on systemd.log_target=kmsg")
TRACE = 'dyndbg="func driver_bound +p; func really_probe +p"'


class MachineError(Exception):
    """The machine did not do what the test needs; the text says what."""


_libc = ctypes.CDLL(None)


def _die_with_parent():
    """Even a killed test run leaves no machine behind: prctl(PR_SET_PDEATHSIG, SIGKILL)."""
    _libc.prctl(1, signal.SIGKILL)


def _drain(link):
    try:
        while link.recv(65536):
            pass
    except OSError:
        pass


def host(change=None, without=(), extra=None):
    """HOST changed: devices replaced by key, taken out, added."""
    devices = {key: (change or {}).get(key, text) for key, text in HOST.items()
               if key not in without}
    devices.update(extra or {})
    return devices


class Machine:
    """One boot. Use as a context manager; QEMU is gone at its end, whatever happened."""

    def __init__(self, name, kernel, initrd, disk, devices=None, iommu="intel", words="",
                 segments=b"", init=None, memory="1G", alterations=()):
        """DISK may be None: nothing but the image."""
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix="ghost-boot-vm."))
        image = self.folder / "initrd"
        # Each archive starts at a multiple of four bytes.
        content = initrd.read_bytes()
        image.write_bytes(content + b"\0" * (-len(content) % 4) + segments)
        line = f"{WORDS} {IOMMU[iommu][1]} {words} {TRACE}"
        if init:
            line = line.replace("init=/usr/lib/ghost-vm/agent", init)
        self.command = [
            "qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem",
            "-smp", "1", "-m", memory, "-machine", "q35,kernel-irqchip=split", *IOMMU[iommu][0],
            "-nodefaults", "-vga", "none", "-display", "none", "-no-reboot",
            "-chardev", f"socket,id=console,path={self.folder}/keys,server=on,wait=off,"
                        f"logfile={self.folder}/console",
            "-serial", "chardev:console",
            "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off",
            "-serial", "chardev:agent",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
            *(("-drive", f"if=none,id=root,format=raw,snapshot=on,file={disk}") if disk else ()),
            "-blockdev", "null-co,node-name=spare,size=16777216,read-zeroes=on",
            "-kernel", str(kernel), "-initrd", str(image), "-append", line]
        for text in (HOST if devices is None else devices).values():
            self.command += ["-device", text]
        self.alterations = alterations
        if alterations:
            self.command.append("-S")
        self.process = self.agent = self.control = self.keys = None
        self.pending = b""
        self.started = 0.0

    def __enter__(self):
        self.started = time.monotonic()
        with open(self.folder / "qemu.err", "w") as err:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                            stdout=err, stderr=err, preexec_fn=_die_with_parent,
                                            env=dict(os.environ, TMPDIR=str(self.folder)))
        if self.alterations:
            try:
                self.monitor("query-status")  # answers once all devices are made
                alter(self.process.pid, self.alterations)
                self.monitor("cont")
            except BaseException as why:
                self.__exit__()
                if isinstance(why, AlterError):
                    raise MachineError(str(why)) from None
                raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for link in (self.agent, self.control, self.keys):
            if link:
                link.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def console(self):
        try:
            return (self.folder / "console").read_text(errors="replace")
        except OSError:
            return ""

    def _connect(self, name):
        deadline = time.monotonic() + 10
        while True:
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(str(self.folder / name))
                return link
            except OSError:
                link.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    why = (self.folder / "qemu.err").read_text().strip()[-300:]
                    raise MachineError(f"QEMU did not start: {why}") from None
                time.sleep(0.05)

    def _line(self, deadline):
        while b"\n" not in self.pending:
            self.agent.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                got = self.agent.recv(65536)
            except TimeoutError:
                got = None
            except ConnectionError:
                got = b""
            if not got:
                tail = " / ".join(self.console().split("\n")[-6:])[-400:]
                why = (self.folder / "qemu.err").read_text().strip()[-300:]
                state = f"QEMU ended: {why}" if got == b"" else "no answer in time"
                raise MachineError(f"{state}; console: {tail}")
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")

    def ready(self, timeout=150):
        """Wait for the agent: the machine has reached its prompt. Returns its uptime then."""
        self.agent = self._connect("agent")
        deadline = time.monotonic() + timeout
        while True:
            # Behind what UEFI firmware wrote there, which knows nothing of lines.
            _, found, uptime = self._line(deadline).rpartition("@@ready ")
            if found:
                return float(uptime)

    def run(self, command, timeout=150):
        """One line of shell inside; its output lines and its exit status."""
        self.agent.sendall(command.encode() + b"\n")
        deadline = time.monotonic() + timeout
        output = []
        while True:
            line = self._line(deadline)
            if line.startswith("@@done"):
                return output, int(line.split()[1])
            output.append(line)

    def report(self):
        lines, _ = self.run("/usr/lib/ghost-vm/report")
        return Report(lines)

    def wait_console(self, pattern, timeout=150):
        """Wait for a line that PATTERN is found in."""
        form = re.compile(pattern, re.M)
        deadline = time.monotonic() + timeout
        while not form.search(self.console()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise MachineError(f"{pattern!r} never came; console: {self.console()[-400:]}")
            time.sleep(0.2)

    def type(self, text):
        """At the console, where a shell must be."""
        if self.keys is None:
            self.keys = self._connect("keys")
            # What is not read there would soon hold up the machine itself.
            threading.Thread(target=_drain, args=(self.keys,), daemon=True).start()
        self.keys.sendall(text.encode())

    def monitor(self, command, **arguments):
        """One QMP command."""
        if self.control is None:
            self.control = self._connect("qmp")
            self.control.settimeout(20)
            self.control_file = self.control.makefile("rw")
            self.control_file.readline()
            self.monitor("qmp_capabilities")
        request = {"execute": command, "arguments": arguments}
        self.control_file.write(json.dumps(request) + "\n")
        self.control_file.flush()
        while True:
            answer = json.loads(self.control_file.readline())
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MachineError(f"{command}: {answer['error']['desc']}")

    def plug(self, text):
        """Hot-plug a device, written as on the command line."""
        driver, *pairs = text.split(",")
        self.monitor("device_add", driver=driver, **dict(pair.split("=", 1) for pair in pairs))
