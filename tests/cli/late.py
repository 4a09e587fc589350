# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-claim --device, --publish and --modules: what udev and the hooks call."""
import os
import stat

import sysfs
from harness import LATE, cases, holds, same, test


def booted(t, *lines, **options):
    """A machine that was armed at boot with these claims, the card on its driver."""
    m = t.desktop(**options)
    m.claims(*(lines or (m.gpu.line(), m.audio.line(), m.igpu.line("keep"))))
    for f in m.gpu, m.audio:
        f.bind("vfio-pci")
    t.run(code=0)
    for f in m.gpu, m.audio:
        sysfs.put(f.file("driver_override"), "(null)\n")
    return m


def untouched(t, m, *args, code=0):
    before = sysfs.snapshot(m.dir)
    result = t.run(*args, code=code)
    same(sysfs.changes(before, sysfs.snapshot(m.dir)), [])
    return result


@cases([("never ran", "", False), ("ran, not armed", "", True), ("switched off", "ghost.claim=off",
                                                                 True)])
def not_armed(t, words, ran):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"))
    if ran:
        t.run(code=0)
    untouched(t, m, "--device", m.gpu.bdf)


@cases([(repr(words), words) for words in ("ghost.claim=off", "ghost.claim=on ghost.claim=off",
                                           "ghost.claim=odd")])
def kill_switch(t, words):
    m = booted(t)
    m.cmdline(words)
    untouched(t, m, "--device", m.gpu.bdf)


@test
def kill_switch_unreadable(t):
    m = booted(t)
    os.unlink(m.at("proc/cmdline"))
    untouched(t, m, "--device", m.gpu.bdf)


@test
def device_appears(t):
    """Both functions of the card are overridden before either is bound."""
    m = booted(t)
    for f in m.gpu, m.audio:
        f.bind(None)
    before = sysfs.snapshot(m.dir)
    t.run("--device", m.gpu.bdf, code=6, umask=0o077)
    late = [LATE + f.bdf + ".json" for f in (m.gpu, m.audio)]
    same(sysfs.changes(before, sysfs.snapshot(m.dir)), sorted(
        late + ["dev/kmsg", LATE[:-1], "sys/bus/pci/drivers_probe",
                m.gpu.inside("driver_override"), m.audio.inside("driver_override")]))
    for name, mode in ((late[0], 0o644), (LATE[:-1], 0o755)):
        same(oct(stat.S_IMODE(os.lstat(m.at(name)).st_mode)), oct(mode), name)
    record = t.record(late[0])
    same((record["bdf"], record["decision"], record["result"]), (m.gpu.bdf, "claim", "held"))
    same(m.gpu.read("driver_override"), "vfio-pci")


@test
def device_on_its_driver(t):
    """udev's coldplug brings every device again: nothing happened, nothing to record."""
    m = booted(t)
    for f in m.gpu, m.audio:
        sysfs.put(f.file("driver_override"), "vfio-pci\n")
    before = sysfs.snapshot(m.dir)
    t.run("--device", m.gpu.bdf, code=0)
    written = [p for p in sysfs.changes(before, sysfs.snapshot(m.dir)) if p.startswith(LATE)]
    same(written, [])


@test
def device_without_our_override(t):
    """It has just appeared, and the kernel binds it as soon as the override is written."""
    m = booted(t)
    t.run("--device", m.gpu.bdf, code=0)
    record = t.record(LATE + m.gpu.bdf + ".json")
    same((record["driver_before"], record["driver"], record["result"]), (None, "vfio-pci", "bound"))


@test
def rival_is_asked_to_let_go(t):
    m = booted(t)
    m.gpu.bind("nouveau")
    t.run("--device", m.gpu.bdf, code=6)
    record = t.record(LATE + m.gpu.bdf + ".json")
    same((record["driver_before"], record["result"]), ("nouveau", "failed"))
    same(m.read("sys/bus/pci/drivers/nouveau/unbind"), m.gpu.bdf)


@cases([("the kept display", "igpu"), ("a disk", "nvme"), ("a bridge", "port"),
        ("the network", "nic")])
def unrelated(t, name):
    m = booted(t)
    untouched(t, m, "--device", getattr(m, name).bdf)


@test
def twin_elsewhere(t):
    m = booted(t)
    twin = sysfs.add_card(m, m.port2)
    untouched(t, m, "--device", twin[0].bdf)


@test
def refused_at_boot_is_said_once(t):
    m = t.desktop()
    m.claims(m.nvme.line(), m.igpu.line("keep"))
    t.run(code=3)
    t.run("--device", m.nvme.bdf)
    same(os.path.exists(m.at(LATE + m.nvme.bdf + ".json")), False)
    same(m.nvme.read("driver_override"), "(null)\n")


@test
def claims_that_booted_count(t):
    """Not those edited since."""
    m = booted(t)
    m.claims(m.nic.line(allow="network"))
    untouched(t, m, "--device", m.nic.bdf)
    t.run("--device", m.gpu.bdf)
    same(m.gpu.read("driver_override"), "vfio-pci")


@test
def arm_always_is_not_asked_again(t):
    """A boot without the word, armed by the file."""
    m = t.desktop()
    m.cmdline("")
    m.claims(m.gpu.line(), m.igpu.line("keep"), "arm always")
    t.run(code=6)
    sysfs.put(m.gpu.file("driver_override"), "(null)\n")
    t.run("--device", m.gpu.bdf, code=6)
    same(m.gpu.read("driver_override"), "vfio-pci")


@test
def dry(t):
    m = booted(t)
    m.gpu.bind("nouveau")
    untouched(t, m, "--device", m.gpu.bdf, "--dry-run")


@test
def gone(t):
    m = booted(t)
    result = untouched(t, m, "--device", "0000:7f:00.0", code=1)
    holds("0000:7f:00.0" in result.err, result.err)


@cases([(word, word) for word in (
    "", "0", "01:00.0", "0000:01:00", "0000:01:00.8", "0000:01:20.0", "0000:01:00.0 ", "0000:01:00.0x",
    "../0000:01:00.0", "0000:01:00.0/..", "123456789:01:00.0", "000g:01:00.0", "-1", "0000-01-00.0")])
def bad_address(t, word):
    m = booted(t)
    result = untouched(t, m, "--device", word, code=2)
    same(len(result.err.splitlines()), 2, "lines")


# ---- publish -----------------------------------------------------------------------------

def waiting(t, words="ghost.claim=on"):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"))
    t.run("--records", "/.ghost-boot")
    same(os.path.exists(m.at("run/ghost-boot")), False, "left in /run too")
    return m


@cases([("armed", "ghost.claim=on", ["claim.json", "claims"]), ("not armed", "", ["claim.json"]),
        ("off", "ghost.claim=off", ["claim.json"])])
def publish(t, words, names):
    m = waiting(t, words)
    t.run("--publish", "/.ghost-boot", code=0, umask=0o077)
    same(sorted(os.listdir(m.at("run/ghost-boot"))), names)
    for name in names:
        same(m.read("run/ghost-boot/" + name), m.read(".ghost-boot/" + name))
        same(oct(os.lstat(m.at("run/ghost-boot/" + name)).st_mode & 0o777), "0o644")
    t.record()


@test
def publish_then_late(t):
    m = waiting(t)
    t.run("--publish", "/.ghost-boot", code=0)
    sysfs.put(m.gpu.file("driver_override"), "(null)\n")
    t.run("--device", m.gpu.bdf, code=6)
    same(m.gpu.read("driver_override"), "vfio-pci")


@test
def publish_nothing(t):
    m = t.desktop()
    before = sysfs.snapshot(m.dir)
    result = t.run("--publish", "/.ghost-boot", code=1)
    holds(sysfs.changes(before, sysfs.snapshot(m.dir)) in ([], ["run/ghost-boot"]), "changed")
    holds("/.ghost-boot" in result.err and "record" in result.err, result.err)


@test
def publish_dry(t):
    m = waiting(t)
    untouched(t, m, "--publish", "/.ghost-boot", "--dry-run", code=2)


@test
def records_elsewhere_second_run(t):
    m = waiting(t)
    untouched(t, m, "--records", "/.ghost-boot")


# ---- modules -----------------------------------------------------------------------------

BASE = ["vfio-pci", "vfio_iommu_type1"]


@cases([
    ("no claims file", None, BASE),
    ("plain", lambda m: [m.gpu.line(), m.audio.line()], BASE),
    ("a variant, twice", lambda m: [m.gpu.line(driver="nvgrace-gpu-vfio-pci"),
                                    m.audio.line(driver="nvgrace-gpu-vfio-pci")],
     BASE + ["nvgrace-gpu-vfio-pci"]),
    ("two variants", lambda m: [m.gpu.line(driver="nvgrace-gpu-vfio-pci"),
                                m.audio.line(driver="mlx5_vfio_pci"), m.nvme.line()],
     BASE + ["nvgrace-gpu-vfio-pci", "mlx5_vfio_pci"]),
    ("named as the default", lambda m: [m.gpu.line(driver="vfio-pci")], BASE),
    ("a bad line", lambda m: [m.gpu.line(driver="nouveau"), m.audio.line()], BASE),
    ("a kept one", lambda m: [m.gpu.line("keep", driver="xe-vfio-pci"), m.audio.line()], BASE),
])
def modules(t, lines, wanted):
    m = t.desktop()
    if lines:
        m.claims(*lines(m))
    same(untouched(t, m, "--modules").out.splitlines(), wanted)


@test
def modules_of_a_newer_file(t):
    m = t.desktop()
    m.claims(m.gpu.line(driver="xe-vfio-pci"), header="ghost-boot claims 2")
    same(untouched(t, m, "--modules").out.splitlines(), BASE)
