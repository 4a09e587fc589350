"""What happens between `enable` and the end of a trial, and is nobody's fault: another trial,
`disable` in it, a clock that is wrong, a kernel that comes or goes, a /var that is lost and comes
back.
"""

import life
import outcome
import suite
import trial
from check import GPU, demand, exactly
from stages import Stage

# A kernel's entry is GRUB's own work, kernel-install's, with either loader.
MACHINES = ("debian13-grub-bios", "debian13-systemd-boot")
PAST, FUTURE = (("-rtc", f"base={year}-01-01T00:00:00") for year in (2001, 2035))
TWIN = {f"0000:03:00.{function}" for function in range(2)}
RECORD = "/var/lib/ghost-boot/trial"
NO_VAR = "tmpfs /var tmpfs mode=0755 0 0"
# What must not be there once all is taken back.
LEFT = ("ls -d /etc/ghost-boot/claims /boot/ghost-boot-trial.img /boot/grub/custom.cfg "
        "/boot/efi/ghost-boot-trial.img /boot/efi/loader/entries/a-ghost-boot-* 2>/dev/null")


def both_claimed(machine):
    exactly(machine.report(), GPU | TWIN)
    line = machine.must("cat /proc/cmdline")
    demand("ghost.trial" not in line, line)
    code, text = machine.run("ghost-boot status --check")
    demand(code == 0, f"status --check: {text[-600:]}")


def two(place):
    """Two trials, one after the other: there is one, the second. The clock is years ahead."""
    with place.machine() as machine:
        machine.more = FUTURE
        machine.boot()
        life.healthy(machine)
        outcome.install(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        first = trial.said(machine)["id"]
        trial.armed(machine, place, "--confirm=manual")
        place.facts["id"] = trial.said(machine)["id"]
        demand(place.facts["id"] != first, "the first trial is still the one")
        machine.end("reboot")


def in_it(place):
    """In the trial no other one can be had, and `disable` takes it back: the boot of before."""
    with place.machine(packages=False) as machine:
        machine.more = PAST
        machine.boot()
        life.healthy(machine)
        trial.tried(machine)
        demand(trial.said(machine)["id"] == place.facts["id"], "another trial was booted")
        code, text = machine.run(trial.TRY)
        demand(code == 3 and "has been booted, and is not confirmed yet" in text,
               f"{code}: {text[-500:]}")
        machine.must(life.DISABLE, 1800, "disable")
        demand(trial.said(machine) is None, "a trial is left")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        trial.old(machine, place)
        demand(trial.said(machine) is None, "a trial is left")
        trial.armed(machine, place, f"--confirm-after={trial.WAIT}")
        machine.end("reboot")


def wrong_clock(place):
    """Armed now, booted decades ago, and put ahead while the time runs: it is kept by the time."""
    with place.machine(packages=False) as machine:
        machine.more = PAST
        machine.boot()
        trial.claimed(machine)
        machine.must("date -s 2001-01-01")  # systemd has put it on by then
        machine.must("date -s 2038-01-01")
        trial.ended(machine, 1800)
        trial.kept(machine, "nobody took it back within")
        # a second card, on trial while the first one stands
        text = machine.must("ghost-boot enable 03:00 --yes --confirm=manual", 1800, "enable")
        demand("with the claims of before" in text, text[-800:])
        machine.end("reboot")


def kernel_comes(place):
    """A kernel that comes in the trial has all claims once that is confirmed."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        trial.state(machine, "booted", True)
        exactly(machine.report(), GPU | TWIN)
        life.update_kernel(machine)
        machine.must("ghost-boot confirm", 1800, "confirm")
        demand(trial.said(machine) is None, "a trial is left")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.kernel_is(machine, suite.newer(place.base.suite))
        both_claimed(machine)
        # the second card once more, with this kernel
        machine.must("ghost-boot disable 03:00 --yes", 1800, "disable")
        machine.must("ghost-boot enable 03:00 --yes --confirm=manual", 1800, "enable")
        machine.end("reboot")


def kernel_goes(place):
    """So it is with the kernel that is left when another one goes."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        trial.state(machine, "booted", True)
        older = suite.kernel(place.base.suite)
        machine.must(f"{life.APT} purge linux-image-{older}", 1800, "kernel removed")
        machine.must("ghost-boot confirm", 1800, "confirm")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        both_claimed(machine)
        machine.must(life.DISABLE, 1800, "disable")
        demand(not machine.run(LEFT)[1].strip(), machine.run(LEFT)[1])
        machine.end("reboot")


def no_var(place):
    """/var is lost when the trial comes: it is known by its word alone, the boot after it is the
    old one, and `disable` finds what is left. Then /var comes back, with a trial that nobody waits
    for."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        now = trial.drivers(machine)
        demand(now == place.facts["drivers"], f"drivers: {now}, before {place.facts['drivers']}")
        machine.must(f"echo '{NO_VAR}' >>/etc/fstab")
        trial.remember(machine, place)
        trial.armed(machine, place)
        machine.end("reboot")
        machine.boot()
        trial.claimed(machine)
        trial.ended(machine, 600)
        demand("tmpfs" in machine.must("findmnt -no FSTYPE /var"), "/var is there")
        demand(machine.run(f"test -e {RECORD}")[0] != 0, "the record is there")
        for text in trial.page(machine), " ".join(machine.must(f"cat {trial.NOTICE}").split()):
            demand("nothing is known" in text, text[:900])
        code, text = machine.run("ghost-boot confirm")
        demand(code == 3 and "nothing is known of the trial" in text, f"confirm: {code}: {text}")
        machine.must("sync")
        machine.cut()


def var_is_back(place):
    with place.machine(packages=False) as machine:
        machine.boot()
        trial.old(machine, place)
        demand(trial.said(machine) is None, "a trial is known")
        machine.must(life.DISABLE, 1800, "disable")
        left = machine.run(f"{LEFT.split(' /boot/grub')[0]} 2>/dev/null; grep -ls ghost.trial "
                           "/boot/grub/custom.cfg /boot/efi/loader/entries/*")[1].split()
        # whose claims these are nobody knows without the record; no word arms them
        demand(set(left) <= {"/etc/ghost-boot/claims"}, f"left: {left}")
        machine.must("sed -i '/^tmpfs .var /d' /etc/fstab")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        trial.ended(machine, 600)
        trial.state(machine, "failed", False)
        machine.must(life.DISABLE, 1800, "disable")
        demand(trial.said(machine) is None, "a trial is left")
        demand(not machine.run(LEFT)[1].strip(), machine.run(LEFT)[1])
        machine.end("poweroff")


STAGES = (
    Stage("two", None, two),
    Stage("disabled-in-it", "two", in_it),
    Stage("wrong-clock", "disabled-in-it", wrong_clock),
    Stage("kernel-comes", "wrong-clock", kernel_comes),
    Stage("kernel-goes", "kernel-comes", kernel_goes),
    Stage("no-var", "kernel-goes", no_var),
    Stage("var-is-back", "no-var", var_is_back),
)
