"""ghost-claim, a bare program, a shell script and driverctl on the same four functions, booted."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "vm"))

import image  # noqa: E402
import machine  # noqa: E402
import tree as trees  # noqa: E402

CONTENDERS = ("ghost", "bare", "shell", "driverctl", "verified")
KINDS = ("first", "cold", "warm")
FUNCTIONS = ("0000:02:00.0", "0000:02:00.1", "0000:02:00.2", "0000:02:00.3")

# What machine.HOST looks like to Linux: 02:00 is claimed, 01:00.0 and the disk are kept.
CLAIMS = """ghost-boot claims 1
claim path=0000:00/03.0/00.0 id=1234:1111 subsys=1af4:1100 class=038000
claim path=0000:00/03.0/00.1 id=8086:2668 subsys=1af4:1100 class=040300
claim path=0000:00/03.0/00.2 id=1033:0194 subsys=1af4:1100 class=0c0330
claim path=0000:00/03.0/00.3 id=1b36:0002 subsys=1af4:1100 class=070002
keep  path=0000:00/02.0/00.0 id=1234:1111 subsys=1af4:1100 class=030000
keep  path=0000:00/05.1/00.0 id=1b36:0010 subsys=1af4:1100 class=010802
"""

WORDS = ("console=ttyS0 no_timer_check quiet intel_iommu=on panic=-1 ghost.claim=on "
         "rdinit=/bench/guest")

# Times in real time tell most about the emulator's translation of code it sees for the first
# time, and about the host's other load. With icount the machine's clock counts instructions.
REAL = ("-accel", "tcg,thread=multi,tb-size=512", "-smp", "2")
EXACT = ("-accel", "tcg,thread=single,tb-size=512", "-smp", "1", "-icount", "shift=0,sleep=off")


class ContestError(Exception):
    """The contest could not be held; the text says why."""


def _vfio_modules(tree):
    """The files that vfio-pci needs, in the order of loading, then vfio_iommu_type1."""
    base = f"/usr/lib/modules/{trees.kernel(tree)}"
    needs = {}
    for line in (tree / base[1:] / "modules.dep").read_text().splitlines():
        name, _, others = line.partition(":")
        needs[re.sub(r".*/|\.ko.*", "", name).replace("-", "_")] = [*others.split()[::-1], name]
    files = []
    for name in needs["vfio_pci"] + needs["vfio_iommu_type1"]:
        if f"{base}/{name}" not in files:
            files.append(f"{base}/{name}")
    return files


def _programs(tree, names):
    """Programs with their libraries, by path in the image. The programs go to a folder of their
    own: in the image the same name may be a hard link of busybox."""
    files = {}
    for name in names:
        files[f"/bench/bin/{name}"] = tree / "usr/bin" / name
        listing = subprocess.run(["chroot", str(tree), "ldd", f"/usr/bin/{name}"],
                                 capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"=> (/\S+)", listing):
            inside = library if library.startswith("/usr") else f"/usr{library}"
            files[inside] = (tree / inside[1:]).resolve()
    return files


def _segment(tree, programs):
    # The distribution's own script; its #! line and PATH find the programs beside it.
    driverctl = (tree / "usr/sbin/driverctl").read_text()
    files = {
        "/bench/guest": HERE / "guest",
        "/bench/claim.sh": HERE / "claim.sh",
        "/bench/modules": "\n".join(_vfio_modules(tree)) + "\n",
        "/bench/driverctl": driverctl.replace("#!/bin/bash", "#!/bench/bin/bash", 1),
        "/bench/ghost-claim": programs / "static/ghost-claim",
        "/bench/bin/bare": programs / "bench/bare",
        "/bench/bin/measure": programs / "bench/measure",
        "/etc/ghost-boot/claims": CLAIMS,
        **{f"/etc/driverctl.d/pci-{f}": "vfio-pci\n" for f in FUNCTIONS},
        **_programs(tree, ("bash", "realpath", "cut")),
    }
    return image.overlay(files)


def _initramfs(suite):
    """Without ghost-boot, so that it need not be made again for each version of it. Not through
    image.initramfs: Debian 13's begins with an uncompressed archive, which that can't unpack."""
    payload = image.Payload({**image.COMMON, "/etc/initramfs-tools/modules":
                             "vfio-pci\nvfio_iommu_type1\n"}, install=False)
    return image._made(suite, "initramfs-tools-bench", payload, "",
                       'env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" '
                       'sh -c "mkinitramfs -o /tmp/image $KERNEL"', "$root/tmp/image")


class Contest:
    """Boots of one suite; samples[kind, contender] is a list of (wall, cpu) in microseconds."""

    def __init__(self, suite, programs, say, exact=False):
        self.suite, self.say, self.exact = suite, say, exact
        tree = trees.ensure(suite, say)
        self.release = trees.kernel(tree)
        self.kernel = image.kernel(suite)
        say(f"{suite}: initramfs")
        self.initramfs = _initramfs(suite)
        self.segment = _segment(tree, programs)
        self.samples = {(k, c): [] for k in KINDS for c in CONTENDERS}
        self.checks = {k: [] for k in KINDS}  # CPU of the checks against the rest of that run

    def boot(self, first, cold, warm, timeout=600):
        self.say(f"{self.suite}: boot, {first} first")
        with tempfile.TemporaryDirectory(prefix="ghost-boot-bench.") as folder:
            initrd, out, disk = (Path(folder) / name for name in ("initrd", "out", "disk"))
            content = self.initramfs.read_bytes()
            initrd.write_bytes(content + b"\0" * (-len(content) % 4) + self.segment)
            with disk.open("wb") as file:
                file.truncate(1 << 20)
            command = [
                "qemu-system-x86_64", *(EXACT if self.exact else REAL), "-cpu", "max", "-m", "1G",
                "-machine", "q35,kernel-irqchip=split",
                "-device", "intel-iommu,intremap=on,caching-mode=on",
                "-nodefaults", "-vga", "none", "-display", "none", "-no-reboot",
                "-serial", f"file:{folder}/console", "-serial", f"file:{out}",
                "-drive", f"if=none,id=root,format=raw,file={disk}",
                "-kernel", str(self.kernel), "-initrd", str(initrd), "-append",
                f"{WORDS} first={first} cold={cold} warm={warm} "
                f"contenders={','.join(CONTENDERS)}"]
            for text in machine.HOST.values():
                command += ["-device", text]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
            finally:
                process.kill()
                process.wait()
            console = Path(f"{folder}/console")
            self._read(out.read_text(errors="replace") if out.exists() else "",
                       console.read_text(errors="replace") if console.exists() else "",
                       process.stderr.read().decode())

    def _read(self, text, console, err):
        lines = text.splitlines()
        bad = [line for line in lines if line.startswith("wrong")]
        if bad or "done" not in lines:
            raise ContestError(f"{self.suite}: {bad[0] if bad else 'the machine did not finish'}: "
                               f"{err.strip()[-200:]} {text[-1500:]}\n{console[-800:]}")
        for line in lines:
            words = line.split()
            if words[:1] == ["checks"]:
                total = self.samples[words[1], "verified"][-1][1] / 1000
                self.checks[words[1]].append(float(words[2]) / (total - float(words[2])))
            elif words and words[0] in KINDS:
                kind, who, wall, cpu, status = words
                if status != "0":
                    raise ContestError(f"{self.suite}: {who} exits with {status} ({kind})")
                self.samples[kind, who].append((int(wall), int(cpu)))
