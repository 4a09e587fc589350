"""A machine's life with ghost-boot: installed, enabled, a new kernel, disabled.

What is left at the end is compared with a twin that had the same kernel update and nothing else.
"""

import json
import time

import check
import computer
import files
import repo
import suite
from check import GPU, demand

# By the kernel's own log these come for GPU or its twin in the next slot, if nobody stops them.
RIVALS = {"bochs", "snd_hda_intel", "xhci_pci"}
NEW_KERNEL = "apt-get -qq -y -o Dpkg::Use-Pty=0 install linux-image-amd64"
INSTALL = "apt-get -qq update && apt-get -qq -y -o Dpkg::Use-Pty=0 install ghost-boot"
# Whatever was written since: a change time cannot be set back.
MARK = "sync; sleep 1; touch /run/mark; sleep 1"
CHANGED = ("find / /boot/efi -xdev -newercm /run/mark ! -path '/var/log/*' ! -path '/run/*' "
           "! -path '/root' ! -path '/root/.*' ! -path '/var/lib/systemd/*'")


def drivers(report):
    return {bdf: function.driver for bdf, function in report.functions.items()}


def claimed(machine):
    """The GPU and nothing else is on vfio-pci, and was before any rival came."""
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


def status(machine, word):
    """`ghost-boot status` says WORD, to a person and to a monitor."""
    code, text = machine.run("ghost-boot status")
    demand(code == 0 and word in text, f"status says {text[-600:]}")
    said = json.loads(machine.must("ghost-boot status --json"))
    demand(said["version"] == 1, "status --json has no version")
    return said


def unchanged(machine, command, what):
    """COMMAND writes nothing that lasts."""
    machine.must(MARK)
    start = time.monotonic()
    text = machine.must(command, 900)
    machine.took(what, start)
    changed = machine.must(CHANGED, 300).split()
    demand(not changed, f"{command} wrote {changed[:8]}: {text[-300:]}")


def healthy(machine):
    demand(machine.state == "running", f"the system is {machine.state}: " + machine.run(
        "systemctl --failed --no-legend; journalctl -b -p err --no-pager | tail -5")[1])


def update_kernel(machine):
    """A new kernel by apt; the next boot runs it."""
    machine.must(f"apt-get -qq update && {NEW_KERNEL}", 1800, "new kernel by apt")
    machine.reboot()
    release = machine.must("uname -r").strip()
    wanted = suite.newer(machine.base.suite)
    demand(release == wanted, f"{release} was booted, not {wanted}")
    healthy(machine)


def twin(base, packages, say):
    """The files of a machine that never heard of us; its packages."""
    with computer.Computer(f"{base.kind.name} twin", base, packages, say=say) as machine:
        machine.boot()
        healthy(machine)
        update_kernel(machine)
        names = installed(machine)
        machine.off()
        return files.snapshot(machine), names


def installed(machine):
    return set(machine.must("dpkg-query -W -f '${Package}\\n'").split())


def install(base, say):
    """Our packages come and go by apt; the machine boots as before, and nothing stays."""
    with computer.Computer(base.kind.name, base, say=say) as machine:
        before = files.snapshot(machine)
    packages = repo.make(base.suite, repo.ours())
    with computer.Computer(base.kind.name, base, packages, say=say) as machine:
        machine.boot()
        healthy(machine)
        had, ours = drivers(machine.report()), installed(machine)
        machine.must(INSTALL, 900, "our packages by apt")
        ours = installed(machine) - ours
        machine.reboot()
        healthy(machine)
        after = drivers(machine.report())
        demand(after == had, f"other drivers: {sorted(set(after.items()) ^ set(had.items()))}")
        machine.must("apt-get -qq -y -o Dpkg::Use-Pty=0 purge " + " ".join(sorted(ours)), 900,
                     "purge")
        machine.off()
        left = files.differences(files.snapshot(machine), before)
        demand(not left, "not as before: " + "; ".join(left[:12]))


def life(base, say):
    packages = repo.make(base.suite, repo.ours())
    theirs, without = twin(base, packages, say)
    with computer.Computer(base.kind.name, base, packages, say=say) as machine:
        machine.boot()
        healthy(machine)
        before = drivers(machine.report())
        machine.must(INSTALL, 900, "our packages by apt")
        machine.must("ghost-boot enable 02:00 --yes", 1800, "enable")
        unchanged(machine, "ghost-boot enable 02:00 --yes", "enable again")
        machine.reboot()
        healthy(machine)
        claimed(machine)
        status(machine, "claimed")
        update_kernel(machine)
        claimed(machine)
        machine.must("ghost-boot disable --yes", 1800, "disable")
        unchanged(machine, "ghost-boot disable --yes", "disable again")
        machine.reboot()
        healthy(machine)
        report = machine.report()
        demand(not report.on("vfio-pci"), f"still on vfio-pci: {sorted(report.on('vfio-pci'))}")
        after = drivers(report)
        demand(after == before, "other drivers than before: "
               f"{sorted(set(after.items()) ^ set(before.items()))}")
        brought = installed(machine) - without
        own = files.packaged(machine, brought)
        machine.off()
        left = files.differences(files.snapshot(machine), theirs, own,
                                 (*files.NOISE, *files.IMAGES, "/var/lib/ghost-boot*"))
        demand(not left, "not as the twin's: " + "; ".join(left[:12]))
