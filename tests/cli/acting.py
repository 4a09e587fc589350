# SPDX-License-Identifier: GPL-2.0-or-later
"""What a claim writes, and what it leaves alone. A folder never answers a write as the kernel
does: effects are for the virtual machines, what was written is seen here."""
import os
import resource
import shutil
import signal
import stat
import subprocess
import threading

import sysfs
from harness import RECORD, Skip, cases, holds, same, test

RECORDS = ["run/ghost-boot", RECORD, "run/ghost-boot/claims"]


def card(m, **more):
    return [m.gpu.line(**more), m.audio.line(**more), m.igpu.line("keep")]


def results(record):
    return [(d["bdf"], d["result"]) for d in record["devices"]]


@test
def writes_this_and_nothing_else(t):
    m = t.desktop()
    m.claims(*card(m))
    record, changed = t.claim(code=6)
    same(changed, sorted(RECORDS + ["dev/kmsg", "sys/bus/pci/drivers_probe",
                                    m.gpu.inside("driver_override"),
                                    m.audio.inside("driver_override")]))
    same(m.gpu.read("driver_override"), "vfio-pci")
    same(m.read("sys/bus/pci/drivers_probe"), m.audio.bdf)
    same(results(record), [(m.gpu.bdf, "held"), (m.audio.bdf, "held")])
    same([d["group"] for d in record["devices"]], [12, 12])
    same(record["outcome"], "partly")


@test
def bound(t):
    m = t.desktop()
    m.claims(*card(m))
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    record, changed = t.claim(code=0)
    same(results(record), [(m.gpu.bdf, "bound"), (m.audio.bdf, "bound")])
    same((record["outcome"], record["armed"], record["error"]), ("claimed", True, None))
    same(record["devices"][0]["driver"], "vfio-pci")
    holds("sys/bus/pci/drivers_probe" not in changed, "probed again")
    holds("2 of 2 functions" in m.read("dev/kmsg"), m.read("dev/kmsg"))


@test
def rival_is_asked_to_let_go(t):
    m = t.desktop()
    m.gpu.bind("nouveau")
    m.claims(*card(m))
    record, changed = t.claim(code=6)
    same(m.read("sys/bus/pci/drivers/nouveau/unbind"), m.gpu.bdf)
    same(results(record)[0], (m.gpu.bdf, "failed"))
    same((record["devices"][0]["driver_before"], record["devices"][0]["driver"]),
         ("nouveau", "nouveau"))
    holds("sys/bus/pci/drivers/i915/unbind" not in changed, "the host's display was unbound")


@test
def one_cannot_be_overridden(t):
    m = t.desktop()
    m.audio.bind("vfio-pci")
    os.unlink(m.gpu.file("driver_override"))
    m.claims(*card(m))
    record, _ = t.claim(code=6)
    same(results(record), [(m.gpu.bdf, "failed"), (m.audio.bdf, "bound")])


@test
def none_can_be_overridden(t):
    m = t.desktop()
    for f in m.gpu, m.audio:
        os.unlink(f.file("driver_override"))
    m.claims(*card(m))
    record, changed = t.claim(code=1)
    same(results(record), [(m.gpu.bdf, "failed"), (m.audio.bdf, "failed")])
    same(changed, sorted(RECORDS + ["dev/kmsg"]))


@test
def last_display_is_given_back(t):
    m = t.desktop(display=False)
    m.claims(m.gpu.line(allow="last-display"))
    record, _ = t.claim(code=1)
    same(results(record), [(m.gpu.bdf, "given-back")])
    same(m.gpu.read("driver_override"), "\n")


@test
def no_iommu_is_said(t):
    m = t.desktop(card=False)
    m.gpu, m.audio = sysfs.add_card(m, m.port)
    m.claims(*card(m))
    record, _ = t.claim(code=6)
    holds("IOMMU" in record["devices"][0]["text"], record["devices"][0]["text"])
    same(record["devices"][0]["group"], None)


@cases([("dashes", "nvgrace-gpu-vfio-pci"), ("underscores", "nvgrace_gpu_vfio_pci")])
def driver_variant(t, name):
    """A module's file has dashes where its driver has underscores; the kernel compares exactly."""
    m = t.desktop()
    m.gpu.bind("nvgrace_gpu_vfio_pci")
    m.claims(m.gpu.line(driver=name), m.audio.line(), m.igpu.line("keep"))
    record, _ = t.claim(code=6)
    same(m.gpu.read("driver_override"), "nvgrace_gpu_vfio_pci")
    same(m.audio.read("driver_override"), "vfio-pci")
    same(results(record)[0], (m.gpu.bdf, "bound"))


@test
def no_driver_in_this_kernel(t):
    m = t.desktop()
    shutil.rmtree(m.at("sys/bus/pci/drivers/vfio-pci"))
    m.claims(*card(m))
    record, _ = t.claim(code=6)
    same(results(record), [(m.gpu.bdf, "held"), (m.audio.bdf, "held")])
    same([x["driver"] for x in record["modules"]], ["vfio-pci", "vfio_iommu_type1"])
    same({x["state"] for x in record["modules"]}, {"failed"})


@cases([(name, name, code) for name, code in (
    ("claimed", 0), ("not armed", 0), ("failed", 1))])
def second_run_does_nothing(t, name, code):
    m = t.desktop()
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    if code == 0:
        m.claims(*card(m))
    if name == "not armed":
        m.cmdline("")
    t.run(code=code)
    before = sysfs.snapshot(m.dir)
    result = t.run(code=0)
    same(sysfs.changes(before, sysfs.snapshot(m.dir)), [])
    holds("/run/ghost-boot/claim.json" in result.out, result.out)


@test
def dry_run_ignores_the_record(t):
    m = t.desktop()
    m.claims(*card(m))
    t.run(code=6)
    same([d["decision"] for d in t.dry(code=0)["devices"]], ["claim", "claim"])


@test
def json_is_the_record(t):
    m = t.desktop()
    m.claims(*card(m))
    result = t.run("--json", code=6)
    same(result.out, m.read(RECORD))
    same(result.err, "")


@test
def table(t):
    m = t.desktop()
    m.claims(*card(m))
    t.golden("dry-run.txt", t.run("--dry-run", code=0))
    t.golden("dry-run.json", t.run("--dry-run", "--json", code=0))
    m.cmdline("ghost.claim=off")
    t.golden("dry-run-off.txt", t.run("--dry-run", code=0))
    m.cmdline("")
    t.golden("dry-run-not-armed.txt", t.run("--dry-run", code=0))
    t.golden("not-armed.txt", t.run("--records", "/tmp/1", code=0))
    m.cmdline("ghost.claim=off")
    t.golden("off.txt", t.run("--records", "/tmp/2", code=0))
    t.golden("off.json", t.run("--records", "/tmp/3", "--json", code=0))
    m.cmdline("ghost.claim=on")
    t.golden("held.txt", t.run("--records", "/tmp/4", code=6))
    m.gpu.bind("vfio-pci")
    m.audio.bind("vfio-pci")
    t.golden("claimed.txt", t.run("--records", "/tmp/5", code=0))
    t.golden("claimed.json", t.run("--records", "/tmp/6", "--json", code=0))
    m.claims(m.gpu.line(), header="ghost-boot claims 2")
    t.golden("newer.txt", t.run("--records", "/tmp/7", code=1))
    t.golden("newer.json", t.run("--records", "/tmp/8", "--json", code=1))
    os.unlink(m.at("etc/ghost-boot/claims"))
    t.golden("missing.txt", t.run("--records", "/tmp/9", code=1))


@test
def kernel_log(t):
    """A fifo keeps every line; a plain file only the last."""
    m = t.desktop()
    os.unlink(m.at("dev/kmsg"))
    os.mkfifo(m.at("dev/kmsg"))
    m.audio.bind("vfio-pci")
    m.claims(*card(m), m.nvme.line(), "clam")
    fd = os.open(m.at("dev/kmsg"), os.O_RDWR | os.O_NONBLOCK)
    try:
        t.run(code=6)
        log = os.read(fd, 65536).decode().splitlines()
    finally:
        os.close(fd)
    holds(all(line.startswith("<") and ">ghost-boot: " in line for line in log), str(log))
    same(len(log), 5, "lines")
    for want, line in zip(("/etc/ghost-boot/claims:6:1: ", m.gpu.bdf, m.audio.bdf, m.nvme.bdf,
                           "1 of 3 functions claimed"), log):
        holds(want in line, f"{want!r} is not in {line!r}")
    same([line[1] for line in log], list("34634"), "levels")


@cases([("077", 0o077), ("000", 0o000), ("777", 0o777)])
def modes_under_umask(t, umask):
    m = t.desktop()
    m.claims(*card(m))
    t.run(code=6, umask=umask)
    for name, mode in ((RECORD, 0o644), ("run/ghost-boot/claims", 0o644),
                       ("run/ghost-boot", 0o755)):
        same(oct(stat.S_IMODE(os.lstat(m.at(name)).st_mode)), oct(mode), name)


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@test
def records_do_not_fit(t):
    """64 bytes are enough for sysfs, not for a record."""
    m = t.desktop()
    m.claims(*card(m))
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    result = t.run(code=0, preexec_fn=small_files, restore_signals=False)
    same(m.gpu.read("driver_override"), "vfio-pci")
    holds("claim.json" in result.err, f"nothing said: {result.err!r}")
    same(os.listdir(m.at("run/ghost-boot")), [], "left behind")


@test
def records_on_a_full_disk(t):
    if not shutil.which("unshare"):
        raise Skip("unshare is not installed")
    enter = ["unshare", "-Urm", "--"]
    if subprocess.run(enter + ["true"], check=False, capture_output=True).returncode:
        raise Skip("no user namespaces here")
    m = t.desktop()
    m.claims(*card(m))
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    done = subprocess.run(
        enter + ["sh", "-c", 'mount -t tmpfs -o size=4k none "$1/run" && : >"$1/run/x" && '
                 'echo full >"$1/run/x" && "$0" --root "$1"; echo "exit $?"; '
                 'ls -A "$1/run/ghost-boot"', t.suite.program, m.dir],
        check=False, capture_output=True, text=True)
    holds("exit 0\n" in done.stdout, done.stdout + done.stderr)
    holds("claim.json: No space left on device" in done.stderr, done.stderr)
    holds(done.stdout.endswith("exit 0\n"), f"left behind: {done.stdout}")


@cases([("read-only", 0o555), ("not ours to enter", 0o000)])
def records_cannot_be_written(t, mode):
    m = t.desktop()
    m.claims(*card(m))
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    os.chmod(m.at("run"), mode)
    result = t.run(code=0)
    os.chmod(m.at("run"), 0o755)
    same((m.gpu.read("driver_override"), os.listdir(m.at("run"))), ("vfio-pci", []))
    holds("/run/ghost-boot" in result.err, f"nothing said: {result.err!r}")


@test
def nobody_listens(t):
    """Standard output is a closed pipe; then all three are closed."""
    m = t.desktop()
    m.claims(*card(m))
    read, write = os.pipe()
    os.close(read)
    t.run("--json", code=6, stdout=write, stderr=write, restore_signals=True)
    os.close(write)
    first = m.read(RECORD)
    os.unlink(m.at(RECORD))
    same(len(first) > 100, True)
    before = sysfs.snapshot(m.dir)
    t.run(code=6, stdout=None, stderr=None,
          preexec_fn=lambda: [os.close(fd) for fd in (0, 1, 2)])
    changed = set(sysfs.changes(before, sysfs.snapshot(m.dir)))
    same(changed - {"dev/kmsg"}, {RECORD}, "only the record")


@test
def two_at_once(t):
    """Two of us at the same time leave whole records."""
    m = t.desktop()
    m.claims(*card(m))
    for _ in range(3):
        threads = [threading.Thread(target=t.run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        t.record()
        same(sorted(os.listdir(m.at("run/ghost-boot"))), ["claim.json", "claims"])
        os.unlink(m.at(RECORD))
