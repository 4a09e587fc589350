"""What `enable` has done, refused or left, and the boot after it."""

import re

import life
import trial
from check import demand

NO_TRIAL = "No trial boot can be made on this machine"
FOR_GOOD = "holds from the next boot on, at once and for good"
RECOVERY = 'the entry "without GPU claims"'
CONF = "/etc/initramfs-tools/update-initramfs.conf"


def install(machine, *names):
    """Our packages and NAMES by apt. The usual images are left as they are: where they matter,
    `enable` builds them, and here an image takes minutes."""
    machine.must(f"cp {CONF} /run/conf && echo update_initramfs=no >{CONF} && "
                 f"{life.INSTALL} {' '.join(names)} && cp /run/conf {CONF}", 1800,
                 "packages by apt")


def refused(machine, before, code, *words):
    """`enable` ends with CODE, says all WORDS, and all files are what they were BEFORE."""
    got, text = machine.run(trial.TRY, 1800)
    text = " ".join(text.split())
    demand(got == code, f"enable ended with {got}, wanted {code}: {text[-900:]}")
    for one in words:
        demand(one in text, f"enable does not say {one!r}: {text[-1500:]}")
    unchanged(machine, before)
    machine.say(f"{machine.name}: exit {code}: {text[text.find(words[0]):][:400]}")


def every_file(machine):
    return machine.must(life.SUMS, 600)


def unchanged(machine, before):
    left = set(before.splitlines()) ^ set(every_file(machine).splitlines())
    demand(not left, "enable changed " + "; ".join(sorted(left)[:6]))
    now = trial.said(machine)
    demand(now is None or now["state"] == "failed", f"a trial is known: {now}")


def asked(machine, answer):
    """`enable` at a terminal, where somebody answers: (exit status, its words)."""
    code, text = machine.run(f"echo {answer} | script -qec 'ghost-boot enable 02:00' /dev/null",
                             1800)
    text = " ".join(text.split())
    demand("Carry this out? [y/N]" in text, f"nobody was asked: {text[-600:]}")
    return code, text


def not_claimed(machine, place):
    """No function is with another driver than before ghost-boot came."""
    report = machine.report()
    demand(not report.on("vfio-pci"), f"on vfio-pci: {sorted(report.on('vfio-pci'))}")
    now = trial.drivers(machine)
    demand(now == place.facts["drivers"], f"drivers: {now}, before {place.facts['drivers']}")


def failed(machine, story):
    trial.ended(machine, 600)
    now = trial.state(machine, "failed", False)
    demand(re.search(story, now["reason"]), f"status has as its reason: {now['reason']}")
    notice = " ".join(machine.must(f"cat {trial.NOTICE}").split())
    demand(re.search(story, notice), f"the notice says: {notice}")


def cut(machine):
    machine.must("sync")
    machine.cut()


def taken_back(machine, place):
    """After `disable`: files as they were, but for images, which were built anew."""
    machine.must(life.DISABLE, 1800, "disable")
    demand(trial.said(machine) is None, "a trial is left")
    left = [line for line in set(place.facts["sums"]) ^ set(trial.sums(machine, trial.WRITTEN))
            if "/initrd.img-" not in line]
    demand(not left, "not as before: " + "; ".join(sorted(left)[:8]))
