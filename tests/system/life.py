"""A machine's life with ghost-boot: installed, cut off, enabled, a new kernel, disabled, removed.

What is left at the end is compared with a twin that had the same kernel update and nothing else;
where the package was removed instead, with the machine as it was before.
"""

import json
import time

import check
import files
import suite
from check import GPU, demand
from stages import Stage

# By the kernel's own log these come for GPU or its twin in the next slot, if nobody stops them.
RIVALS = {"bochs", "snd_hda_intel", "xhci_pci"}
APT = "apt-get -qq -y -o Dpkg::Use-Pty=0"
INSTALL = f"apt-get -qq update && {APT} install ghost-boot"
ENABLE = "ghost-boot enable 02:00 --no-trial --yes"
DISABLE = "ghost-boot disable --yes"
# Whatever was written since: a change time cannot be set back. FAT counts every other second.
MARK = "sync; sleep 1; touch /run/mark; sleep 2"
CHANGED = ("find / $(ls -d /boot/efi 2>/dev/null) -xdev "
           "\\( -newercm /run/mark -o -newermm /run/mark \\) ! -path '/var/log/*' ! -path '/run/*' "
           "! -path '/root' ! -path '/root/.*' ! -path '/var/lib/systemd/*'")
# All that `enable` may change, as it is now.
WHERE = ("find /etc /boot /boot/efi -xdev ! -path /boot/efi/loader/random-seed "
         "! -path /etc/.pwd.lock")
SUMS = (f"{{ {WHERE} ! -type d -printf '%p %m %U:%G %l\\n'; "
        f"{WHERE} -type f -print0 | xargs -0 sha256sum; }} | sort -u")
# The first file is changed, and the builder of the first image runs.
HALF = ("for n in $(seq 600); do [ -e /etc/ghost-boot/claims ] && "
        "pgrep -x 'mkinitramfs|dracut' >/dev/null && exit 0; sleep 0.2; done; exit 1")
# By the package, which the unit comes with.
ENABLED = tuple(f"/etc/systemd/system/{target}.target.wants/ghost-boot-{unit}.service"
                for target, unit in (("multi-user", "recover"), ("multi-user", "confirm"),
                                     ("emergency", "emergency")))
# systemd's stub leaves it: the kernel came in a unified image, and its words with it.
LOADER = "/sys/firmware/efi/efivars/%s-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
UNIT = "systemctl show ghost-boot-recover -P ConditionResult -P ExecMainStatus -P Result"


def unified(machine):
    """It was a unified image that booted."""
    stub = machine.run(f"test -e {LOADER % 'StubInfo'}")[0] == 0
    entry = machine.must(f"cat {LOADER % 'LoaderEntrySelected'} | tail -c +5 | tr -d '\\0'")
    demand(stub and entry.endswith(".efi"), f"{entry} was booted, stub: {stub}")


def drivers(report):
    return {bdf: function.driver for bdf, function in report.functions.items()}


def same_drivers(machine, place):
    """Each function is with whom it was before ghost-boot came."""
    report = machine.report()
    demand(not report.on("vfio-pci"), f"still on vfio-pci: {sorted(report.on('vfio-pci'))}")
    now, before = drivers(report), place.facts["drivers"]
    other = {bdf for bdf in now.keys() | before.keys() if now.get(bdf) != before.get(bdf)}
    demand(not other, "other drivers than before: " + ", ".join(
        f"{bdf} {before.get(bdf)}, now {now.get(bdf)}" for bdf in sorted(other)))


def claimed(machine):
    """The GPU and nothing else is on vfio-pci, and was before any rival came; `status` knows."""
    report = machine.report()
    check.exactly(report, GPU)
    check.outcome(report, "claimed")
    loads = {}
    for at, _, module in report.loaded():
        loads.setdefault(module, at)
    absent = RIVALS - loads.keys()
    demand(not absent, f"{sorted(absent)} never came: this boot proves nothing")
    rival = min(loads[module] for module in RIVALS)
    lines = {bdf: at for at, line in enumerate(report.log) for bdf in GPU
             if f"ghost-boot: {bdf}" in line.text}
    demand(lines.keys() == GPU, f"the kernel log names {sorted(lines)} as claimed")
    demand(max(lines.values()) < rival, "a rival was loaded before the claim was done")
    if machine.base.kind.loader == "unified":
        unified(machine)
    code, text = machine.run("ghost-boot status --check")
    demand(code == 0, f"status --check: {text[-600:]}")
    said = json.loads(machine.must("ghost-boot status --json 2>/dev/null"))
    good = {one["bdf"] for one in said["now"] if one["driver"] == "vfio-pci" and
            one["state"] == "good"}
    demand(good == GPU, f"status has these as claimed: {sorted(good)}")


def healthy(machine):
    demand(machine.state == "running", f"the system is {machine.state}: " + machine.run(
        "systemctl --failed --no-legend; journalctl -b -p err --no-pager | tail -5")[1])


def unchanged(machine, command):
    """COMMAND writes nothing that lasts."""
    machine.must(MARK)
    start = time.monotonic()
    text = machine.must(command, 900)
    machine.took(f"{command.split()[1]} again", start)
    changed = machine.must(CHANGED, 300).split()
    demand(not changed, f"{command} wrote {changed[:8]}: {text[-300:]}")


def kernel_is(machine, release):
    found = machine.must("uname -r").strip()
    demand(found == release, f"{found} was booted, not {release}")


def update_kernel(machine):
    machine.must(f"apt-get -qq update && {APT} install linux-image-amd64", 1800,
                 "new kernel by apt")


def packages(machine):
    return set(machine.must("dpkg-query -W -f '${Package}\\n'").split())


# ---- the stages -----------------------------------------------------------------------------

def installed(place):
    """Our packages by apt; then the power fails while `enable` builds an image."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        place.facts["drivers"] = drivers(machine.report())
        had = packages(machine)
        machine.must(INSTALL, 900, "our packages by apt")
        place.facts["brought"] = sorted(packages(machine) - had)
        place.facts["own"] = sorted(files.packaged(machine, place.facts["brought"]))
        place.facts["sums"] = machine.must(SUMS)
        machine.must("sync")
        machine.must(f"{ENABLE} >/dev/null 2>&1 &")
        machine.must(HALF, 200, "half of enable")
        machine.cut()


def enabled(place):
    """The next boot has brought back the state before; now all of `enable`, and once more."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        same_drivers(machine, place)
        unit = machine.must(UNIT).split()
        demand(sorted(unit) == ["0", "success", "yes"], f"ghost-boot-recover.service: {unit}")
        history = machine.must("ls /var/lib/ghost-boot /var/lib/ghost-boot/history/*")
        demand("journal" not in history and "back" in history, f"after recovery: {history}")
        now = machine.must(SUMS)
        demand(now == place.facts["sums"], "recovery left " + "; ".join(sorted(
            set(now.splitlines()) ^ set(place.facts["sums"].splitlines()))[:6]))
        machine.must(ENABLE, 1800, "enable")
        unchanged(machine, ENABLE)
        machine.end("reboot")


def updated(place):
    """Claimed; a new kernel by apt."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        claimed(machine)
        demand("no" in machine.must(UNIT).split(), "recovery ran, and nothing was to recover")
        update_kernel(machine)
        machine.end("reboot")


def disabled(place):
    """Claimed with the new kernel; then `disable`, and once more."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        kernel_is(machine, suite.newer(place.base.suite))
        claimed(machine)
        machine.must(DISABLE, 1800, "disable")
        unchanged(machine, DISABLE)
        machine.end("reboot")


def given_back(place):
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        kernel_is(machine, suite.newer(place.base.suite))
        same_drivers(machine, place)
        machine.end("poweroff")


def twin(place):
    """A machine that never heard of us, and had the same update."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        update_kernel(machine)
        machine.end("poweroff")


def compared(place):
    """All files are the twin's, but for the package that is still there, and our own records."""
    with place.look("given-back") as ours, place.look("twin") as theirs:
        here, there = files.snapshot(ours), files.snapshot(theirs)
    left = files.differences(here, there, (*place.facts["own"], *ENABLED),
                             (*files.NOISE, *files.IMAGES, "/var/lib/ghost-boot*"))
    demand(not left, "not as the twin's: " + "; ".join(left[:12]))
    place.say(f"{place.base.kind.name}: {len(there)} files as the twin's")


def removed(place):
    """The package goes while its claims hold."""
    with place.machine() as machine:
        machine.boot()
        claimed(machine)
        machine.must(f"{APT} remove ghost-boot", 1800, "remove")
        machine.end("reboot")


def purged(place):
    """The machine boots as before; then nothing is left of us."""
    with place.machine() as machine:
        machine.boot()
        healthy(machine)
        same_drivers(machine, place)
        machine.must(f"{APT} purge " + " ".join(place.facts["brought"]), 900, "purge")
        machine.end("poweroff")
    with place.look("purged") as now, place.look() as before:
        here, there = files.snapshot(now), files.snapshot(before)
    left = files.differences(here, there)
    demand(not left, "not as before: " + "; ".join(left[:12]))
    place.say(f"{place.base.kind.name}: {len(there)} files as before")


STAGES = (
    Stage("installed", None, installed),
    Stage("enabled", "installed", enabled),
    Stage("updated", "enabled", updated),
    Stage("disabled", "updated", disabled),
    Stage("given-back", "disabled", given_back),
    Stage("twin", None, twin),
    Stage("compared", "given-back", compared),
    Stage("removed", "enabled", removed),
    Stage("purged", "removed", purged),
)
