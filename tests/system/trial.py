"""A trial boot on a whole machine: kept by the time, by a person, by a login; and every way to break
it. Whatever it was, the boot after it is the old one, byte for byte, `status` tells the story, and
`enable` can be tried again: each breakage is arranged in the boot that the one before it ended in.
"""

import json
import os
import re
import time
from dataclasses import dataclass

import check
import life
import suite
from check import GPU, demand
from stages import Stage

# Those of the newest Debian: each boot loader.
MACHINES = ("debian13-systemd-boot", "debian13-grub-bios", "debian13-grub-efi")
# Longer than an emulated boot takes: when the time is up, the judgement is final.
WAIT = 300
TRY = "ghost-boot enable 02:00 --yes"
PACKAGES = "0000:00:08.0"  # the disk with our packages, which is there for apt alone
WATCHDOG = "0000:00:0a.0"
AWAY = (PACKAGES, WATCHDOG)
NOTICE = "/run/motd.d/ghost-boot"
PASSWORD = "trial"
# Of the archive: without it no login of Debian's tells logind.
EXTRA = ("libpam-systemd",)
# GRUB empties next_entry and leaves its name there.
WRITTEN = ("/boot/grub/grubenv",)
# What we write beside what the usual boot reads.
OURS = (*WRITTEN, "/etc/ghost-boot", "/boot/ghost-boot-trial.img", "/boot/efi/ghost-boot-trial.img",
        "/boot/efi/loader/entries/a-ghost-boot-", "/boot/grub/custom.cfg", "/etc/kernel/cmdline")
HELD = "/etc/systemd/system/trial-held.service"
NODATA = "/etc/systemd/system/trial-nodata.service"
MACHINE = {
    "/etc/systemd/network/any.network": "[Match]\nName=en*\n[Network]\nLinkLocalAddressing=ipv6\n",
    # Asked for by a word, multi-user.target is never reached, and so default.target is not.
    HELD: "[Unit]\nConditionKernelCommandLine=trial.held\n"
          "[Service]\nType=oneshot\nTimeoutStartSec=infinity\nExecStart=/usr/bin/sleep infinity\n"
          "[Install]\nWantedBy=multi-user.target\n",
    # As where a data disk is lost: emergency mode.
    NODATA: "[Unit]\nConditionKernelCommandLine=trial.nodata\nDefaultDependencies=no\n"
            "Before=local-fs.target\n"
            "[Service]\nType=oneshot\nExecStart=/bin/false\n"
            "[Install]\nRequiredBy=local-fs.target\n",
}


def put(machine, name, text):
    machine.must(f"mkdir -p $(dirname {name}) && cat >{name} <<'END'\n{text}END")


def sums(machine, but=OURS):
    """All that the usual boot reads, and all else in its folders."""
    return [line for line in machine.must(life.SUMS, 600).splitlines()
            if not any(name in line for name in but)]


def said(machine):
    """What `status` knows of the trial; None: there is none."""
    text = machine.must("ghost-boot status --json 2>/dev/null")
    try:
        return json.loads(text)["trial"]
    except ValueError:
        raise check.Failure(f"status --json says {text[:300]!r}") from None


def page(machine):
    return " ".join(machine.run("ghost-boot status")[1].split())


def state(machine, wanted, this_boot):
    now = said(machine)
    demand(now and (now["state"], now["this_boot"]) == (wanted, this_boot),
           f"status has {now and (now['state'], now['this_boot'])}, wanted {wanted}, "
           f"{'' if this_boot else 'not '}in this boot")
    return now


def drivers(machine):
    """Who has which function, of those that are always there."""
    return {bdf: name for bdf, name in life.drivers(machine.report()).items() if bdf not in AWAY}


def old(machine, place, images=True):
    """This is the boot of before: the same words, nothing claimed, and each file as it was; IMAGES,
    too, which `disable` builds anew."""
    line = machine.must("cat /proc/cmdline")
    demand(line == place.facts["line"], f"another command line than before: {line}")
    now, before = drivers(machine), place.facts["drivers"]
    other = sorted(bdf for bdf in now.keys() | before.keys() if now.get(bdf) != before.get(bdf))
    demand(not other, "other drivers than before: " + ", ".join(
        f"{bdf} {before.get(bdf)}, now {now.get(bdf)}" for bdf in other))
    left = sorted(one for one in set(place.facts["sums"]) ^ set(sums(machine))
                  if images or "/initrd.img-" not in one)
    demand(not left, "not as before: " + "; ".join(left[:6]))


def remember(machine, place):
    place.facts["line"] = machine.must("cat /proc/cmdline")
    place.facts["drivers"] = drivers(machine)
    place.facts["sums"] = sums(machine)


def armed(machine, place, *more):
    """The trial is asked for, and the usual boot is untouched."""
    text = " ".join(machine.must(" ".join((TRY, *more)), 1800, "enable").split())
    for words in "The next boot tries it, once", "hold the power button", "mount /dev/", "sed -i":
        demand(words in text, f"enable does not say {words!r}: {text[-800:]}")
    state(machine, "armed", False)
    demand("tries the claims, once" in page(machine), page(machine))
    left = sorted(set(place.facts["sums"]) ^ set(sums(machine)))
    demand(not left, "enable changed " + "; ".join(left[:6]))


def claimed(machine):
    """As in a usual boot with claims, but for what `status --check` makes of a trial."""
    report = machine.report()
    check.exactly(report, GPU)
    check.outcome(report, "claimed")


def tried(machine):
    claimed(machine)
    now = state(machine, "booted", True)
    demand(f"ghost.trial={now['id']}" in machine.must("cat /proc/cmdline"), "no word of the trial")
    demand("This boot tries" in machine.must(f"cat {NOTICE}"), "nobody is told")


def cheap(machine, place):
    """Waiting for its verdict costs the service at most two questions to systemd."""
    said = machine.must("systemd-run --wait --unit=trial-asked -p CPUAccounting=yes "
                        "systemctl is-system-running 2>&1 || true")
    found = re.search(r"CPU time consumed: (?:(\d+)s )?([\d.]+)(ms|us|s)", said)
    demand(found, f"systemd-run: {said}")
    asked = int(found[1] or 0) + float(found[2]) / {"s": 1, "ms": 1e3, "us": 1e6}[found[3]]
    took = int(machine.must("systemctl show ghost-boot-confirm -P CPUUsageNSec")) / 1e9
    place.say(f"{place.base.kind.name}: the service took {took:.3f} s of the processor, "
              f"systemctl is-system-running {asked:.3f} s")
    demand(took <= 2 * asked, f"the service took {took:.3f} s, one question {asked:.3f} s")


def kept(machine, how):
    """Nothing of the trial is left but what this boot is told."""
    demand(said(machine) is None, f"status still has the trial: {said(machine)}")
    notice = machine.must(f"cat {NOTICE}")
    demand("are kept" in notice and how in notice, f"the notice says: {notice}")
    left = machine.run("ls /boot/ghost-boot-trial.img /boot/efi/ghost-boot-trial.img "
                       "/boot/efi/loader/entries/a-ghost-boot-trial.conf 2>/dev/null")[1].strip()
    demand(not left, f"left of the trial: {left}")


def ended(machine, seconds):
    """The service has come to its verdict."""
    machine.must("for n in $(seq %d); do systemctl -q is-active ghost-boot-confirm || exit 0; "
                 "sleep 2; done; exit 1" % (seconds // 2), seconds + 60, "the service's verdict")


# ---- kept -----------------------------------------------------------------------------------

def installed(place):
    """Our packages by apt, and what the machine needs for being broken later; then a trial."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        machine.must(f"{life.INSTALL} {' '.join(EXTRA)}", 1800, "our packages by apt")
        for name, text in MACHINE.items():
            put(machine, name, text)
        machine.must("systemctl -q disable systemd-networkd-wait-online.service; "
                     "systemctl -q enable trial-held.service trial-nodata.service && "
                     "systemctl -q enable --now systemd-networkd && "
                     f"echo root:{PASSWORD} | chpasswd")
        machine.must("for n in $(seq 60); do grep -qs 1 /sys/class/net/e*/carrier && exit 0; sleep 1; done; "
                     "cat /sys/class/net/*/carrier; exit 1", what="the link")
        demand("\nconnected" in "\n" + machine.must("cat /sys/class/drm/*/status"), "no display to be lost")
        remember(machine, place)
        demand(said(machine) is None, "a trial, before anything")
        armed(machine, place, f"--confirm-after={WAIT}")
        machine.end("reboot")


def by_the_time(place):
    """Nobody at the keyboard: it is kept once the time is up."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        tried(machine)
        cheap(machine, place)
        ended(machine, 1800)
        kept(machine, "nobody took it back")
        machine.end("reboot")


def held(place):
    """Every boot claims now, with the usual entry."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        line = machine.must("cat /proc/cmdline")
        demand("ghost.trial" not in line and "panic=" not in line, line)
        demand(said(machine) is None, "a trial is left")
        machine.must("sync")


# What our programs open, remove, rename or make, by the kernel's own probes, from before udevd on.
WATCH = "/usr/local/sbin/watch-ours"
WATCHER = {
    WATCH: r"""#!/bin/sh
cd /sys/kernel/tracing 2>/dev/null && [ -e kprobe_events ] ||
	{ mount -t tracefs tracefs /sys/kernel/tracing && cd /sys/kernel/tracing; } || exit
cat >>kprobe_events <<'EVENTS'
p:ours/open do_sys_openat2 at=%di:s32 file=+0(%si):ustring flags=+0(%dx):x64
r:ours/opened do_sys_openat2 fd=$retval:s32
p:ours/unlink do_unlinkat at=%di:s32 file=+0(+0(%si)):string
p:ours/rename do_renameat2 at=%dx:s32 file=+0(+0(%cx)):string
p:ours/mkdir do_mkdirat at=%di:s32 file=+0(+0(%si)):string
EVENTS
for event in open opened unlink rename mkdir; do
	echo 'comm ~ "ghost-*"' >events/ours/$event/filter && echo 1 >events/ours/$event/enable || exit
done
""",
    "/etc/systemd/system/watch-ours.service": f"""[Unit]
DefaultDependencies=no
Before=systemd-udevd.service systemd-udev-trigger.service sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh {WATCH}
[Install]
WantedBy=sysinit.target
""",
}
CALL = re.compile(r"-(\d+) +\[.*? (open|opened|unlink|rename|mkdir): (.*)")
FIELD = re.compile(r"(\w+)=(\"[^\"]*\"|\S+)")
WRITING = 0o103  # O_WRONLY, O_RDWR and O_CREAT
PASSING = ("/run/", "/dev/", "/proc/", "/sys/bus/", "/sys/devices/", "/sys/module/")


def calls(trace):
    """(call, file with its folder, flags of an open), in their order."""
    open_files, opening = {}, {}  # of a thread: (thread, fd), what it opens just now
    for thread, call, text in CALL.findall(trace):
        fields = {key: value.strip('"') for key, value in FIELD.findall(text)}
        if call == "opened":
            open_files[thread, fields["fd"]] = opening.pop(thread, "?")
            continue
        folder = "/" if fields["at"] == "-100" else open_files.get((thread, fields["at"]), "?")
        name = os.path.normpath(os.path.join(folder, fields["file"]))
        if call == "open":
            opening[thread] = name
        yield call, name, int(fields.get("flags", "0"), 16)


def writes(trace):
    """What of it outlives a boot: (call, file)."""
    for call, name, flags in calls(trace):
        if (call != "open" or flags & WRITING) and not f"{name}/".startswith(PASSING):
            yield call, name


def steady(place):
    """Three boots with claims, where nothing is to be done: no program of ours writes to the disk or
    to EFI variables. In the image neither is mounted."""
    with place.machine(packages=False) as machine:
        machine.boot()
        for name, text in WATCHER.items():
            put(machine, name, text)
        machine.must("systemctl -q enable watch-ours.service && sync")
        machine.end("reboot")
        for _ in range(3):
            machine.boot()
            units = machine.must("systemctl show ghost-boot-recover ghost-boot-confirm -P ExecMainPID")
            demand(units.split() == ["0", "0"], f"units that were started: {units}")
            trace = machine.must("cd /sys/kernel/tracing && echo 0 >tracing_on && grep -h ' open: \\| opened: "
                                 "\\| unlink: \\| rename: \\| mkdir: ' trace")
            demand("ghost-claim" in trace, "no program of ours was seen")
            found = sorted(set(writes(trace)))
            demand(not found, f"our programs wrote {found[:6]}")
            place.say(f"{place.base.kind.name}: our programs opened {len(list(calls(trace)))} files, none "
                      "for writing but what goes with the boot")
            life.claimed(machine)
            machine.end("reboot")
        # What is written would be seen.
        machine.boot()
        machine.must("ghost-boot disable --yes", 1800)
        trace = machine.must("cat /sys/kernel/tracing/trace", 600)
        demand(list(writes(trace)), "disable wrote nothing")


def chosen(machine, place):
    """The next boot is the entry without claims; it is told to the loader as its menu would."""
    if place.base.kind.loader.startswith("grub"):
        machine.must("grub-reboot ghost-boot-recovery")
    else:
        machine.must("bootctl set-oneshot a-ghost-boot-recovery.conf")
    machine.end("reboot")
    machine.boot()
    line = machine.must("cat /proc/cmdline")
    demand("ghost.claim=off" in line and "ghost.trial" not in line, line)
    demand(drivers(machine) == place.facts["drivers"], f"other drivers: {drivers(machine)}")
    demand("ghost.claim=off" in page(machine), page(machine)[:1500])
    return line


def without(place):
    """As long as anything is claimed there is an entry without; by GRUB with any kernel that is left."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.claimed(machine)
        chosen(machine, place)
        life.healthy(machine)
        if place.base.kind.loader.startswith("grub"):
            machine.must("cd /boot && for f in vmlinuz initrd.img; do mv $f-$(uname -r) $f-0moved || exit; done")
            line = chosen(machine, place)
            demand("vmlinuz-0moved" in line, line)
            machine.must("cd /boot && for f in vmlinuz initrd.img; do mv $f-0moved $f-$(uname -r) || exit; done")
        machine.end("reboot")
        machine.boot()
        life.claimed(machine)
        machine.end("poweroff")


def given_back(place):
    """A power cut is no matter; `disable`, and all is as before; then another trial."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.claimed(machine)
        machine.must(life.DISABLE, 1800, "disable")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        old(machine, place, images=False)
        place.facts["sums"] = sums(machine)
        armed(machine, place, "--confirm=manual")
        machine.end("reboot")


def by_a_person(place):
    with place.machine(packages=False) as machine:
        machine.boot()
        tried(machine)
        text = machine.must("ghost-boot confirm", 1800, "confirm")
        demand("every claim is on its driver" in text, text[-800:])
        kept(machine, "ghost-boot confirm")
        demand("confirmed already" in machine.must("ghost-boot confirm"), "twice")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        machine.end("poweroff")


def type_in(machine, text):
    for letter in text + "\n":
        key = {"\n": "ret"}.get(letter, letter)
        machine.running.monitor("send-key", keys=[{"type": "qcode", "data": key}])
        time.sleep(0.3)


def shows(machine, words):
    """The machine's first screen does, by now or within a minute."""
    return machine.run(f"for n in $(seq 60); do grep -q '{words}' /dev/vcs1 && exit; sleep 1; done; exit 1")[0] == 0


def log_in(machine):
    """Somebody types at the machine's own keyboard; the getty is on its first screen. A busy host loses
    keys: whoever is refused tries again."""
    for _ in range(3):
        for prompt, text in (" login: ", "root"), ("Password: ", PASSWORD):
            demand(shows(machine, prompt), f"no {prompt}: {machine.run('fold -w 80 /dev/vcs1')[1]}")
            type_in(machine, text)
        if shows(machine, "root@"):
            return
        machine.must("clear >/dev/tty1; pkill -t tty1 || true")
    demand(False, f"no login: {machine.run('fold -w 80 /dev/vcs1')[1]}")


def unasked(machine):
    """The getty of another screen lets somebody in who was not asked, which is nobody's word."""
    put(machine, "/run/systemd/system/getty@tty2.service.d/unasked.conf",
        "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear - linux\n")
    machine.must("systemctl daemon-reload && systemctl start getty@tty2 && for n in $(seq 120); do "
                 "loginctl list-sessions | grep -q tty2 && exit; sleep 1; done; exit 1", what="an automatic login")
    machine.must("sleep 10")  # it is looked at 5 s later


def by_a_login(place):
    with place.machine(packages=False) as machine:
        machine.boot()
        armed(machine, place)
        machine.end("reboot")
        machine.boot()
        tried(machine)
        unasked(machine)
        log_in(machine)
        ended(machine, 600)
        kept(machine, "root logged in (login on tty1)")
        machine.end("reboot")
        machine.boot()
        life.claimed(machine)
        machine.end("poweroff")


# ---- broken ---------------------------------------------------------------------------------

@dataclass(frozen=True)
class Broken:
    """A trial that fails. `words` end its command line. `story`: what `status` says afterwards. The
    first one is asked for already."""
    name: str
    story: str
    words: str = ""
    enable: str = ""
    trial: object = None  # what to look at in the trial, and how it ends


def entry(machine, words):
    """WORDS at the end of the trial's own line, as its owner might write them; and what the image does
    is to be seen."""
    machine.must(
        "f=$(ls /boot/efi/loader/entries/a-ghost-boot-trial.conf 2>/dev/null || "
        "ls /boot/grub/custom.cfg); "
        f"sed -i '/ghost.trial=/{{s| quiet||;s|$| {words}|}}' $f; grep -c 'ghost.trial=.*{words.split()[0]}' $f; sync")


def never_up(pattern, self_restarting):
    """It hangs, or restarts by itself."""
    def look(machine):
        machine.start()
        machine.running.wait_console(pattern, 600)
        if self_restarting:
            machine.ends(400)
        machine.cut()
    return look


def power_cut(machine):
    """Up, claimed, and the button is pressed."""
    machine.boot()
    tried(machine)
    machine.must("sync")
    machine.cut()


def judged(*reasons, binds=True, settles=True):
    """It comes up, and something is not as it was: said in the trial, and kept it is not."""
    def look(machine):
        machine.boot(settle=settles)
        if binds:
            claimed(machine)
        ended(machine, 1800)
        text = page(machine)
        for words in reasons:
            demand(words in text, f"status does not say {words!r}: {text[:1500]}")
        state(machine, "booted", True)
        notice = machine.must(f"cat {NOTICE}")
        demand("is not kept" in notice, f"the notice says: {notice}")
        machine.end("reboot")
    return look


def rescued(machine):
    """No root, or no data disk: the screen, a countdown, a restart within 120 s of the prompt."""
    machine.start()
    machine.running.wait_console(r"machine restarts in \d+ s", 900)
    begun = time.monotonic()
    machine.ends(150)
    demand(time.monotonic() - begun < 120, f"{time.monotonic() - begun:.0f} s to the restart")
    machine.cut()


UP = f"--confirm-after={WAIT}"
BROKEN = (
    Broken("reset", "lost its power before it was confirmed", trial=power_cut),
    Broken("panics", "never came as far as the host", "rdinit=/nothing root=/dev/nothing", UP,
           never_up("Kernel panic", True)),
    # init sleeps so long once it has loaded what it was told to
    Broken("hangs", "never came as far as the host", "rootdelay=90000", UP,
           never_up(r"Loading essential drivers \.\.\. done", False)),
    Broken("no-root", "never came as far as the host", enable="04:00.0 05:00.0 --allow system-disk", trial=rescued),
    Broken("emergency", "never came as far as the host", "trial.nodata", UP, rescued),
    Broken("binds-nothing", "not on vfio-pci", "ghost.claim=off", UP,
           judged("is on bochs", binds=False)),
    Broken("no-target", "graphical.target: is not reached", "trial.held", UP,
           judged("graphical.target", settles=False)),
    Broken("no-display", "had a monitor with a picture, and has none", "modprobe.blacklist=bochs", UP,
           judged("had a monitor with a picture, and has none")),
    Broken("no-network", "the link was up, and is not", "modprobe.blacklist=e1000e", UP,
           judged("the link was up, and is not")),
)


def failed(machine, place):
    """After it: the old boot, and its story for whoever asks or logs in."""
    story = place.facts["story"]
    ended(machine, 600)
    now = state(machine, "failed", False)
    demand(re.search(story, now["reason"]), f"status has as its reason: {now['reason']}")
    demand(re.search(story, page(machine)), page(machine)[:1500])
    demand(re.search(story, " ".join(machine.must(f"cat {NOTICE}").split())), "nobody is told")
    old(machine, place)


def breaking(broken):
    def body(place):
        with place.machine(packages=False) as machine:
            if "story" in place.facts:
                machine.boot()
                failed(machine, place)
                armed(machine, place, broken.enable)
                if broken.words:
                    entry(machine, broken.words)
                machine.end("reboot")
            place.facts["story"] = broken.story
            broken.trial(machine)
    return body


def last(place):
    """Taken back after all of it: nothing of ours is left in what may be changed."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        failed(machine, place)
        machine.must(life.DISABLE, 1800, "disable")
        demand(said(machine) is None, "a trial is left")
        left = sorted(set(place.facts["sums"]) ^ set(sums(machine, WRITTEN)))
        demand(not left, "not as before: " + "; ".join(left[:8]))
        machine.end("poweroff")


def kernel_gone(place):
    """The trial is of a newer kernel, which is removed before it is booted: the older one's boot."""
    with place.machine() as machine:
        machine.boot()
        before = place.facts["sums"] = sums(machine)
        life.update_kernel(machine)
        place.facts["sums"] = sums(machine)
        armed(machine, place)
        release = said(machine)["kernel"]
        demand(release == suite.newer(place.base.suite), f"the trial is of {release}")
        place.facts["sums"] = before
        machine.must(f"{life.APT} remove linux-image-{release} linux-image-amd64", 1800,
                     "kernel removed")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        place.facts["story"] = f"its kernel {re.escape(release)} was removed before it was booted"
        failed(machine, place)
        armed(machine, place)  # of the kernel that is left
        machine.end("poweroff")


def freezes(place):
    """It hangs once it is up, the kernel as well as nobody: the watchdog ends that."""
    with place.machine(packages=False) as machine:
        machine.more = ("-device", "i6300esb,bus=pcie.0,addr=0a.0")
        machine.boot()
        armed(machine, place, "--watchdog")
        machine.end("reboot")
        machine.boot()
        tried(machine)
        log = machine.must("journalctl -b -o cat _PID=1")
        demand("hardware timeout of 1min" in log, f"systemd serves no watchdog: {log[-300:]}")
        machine.run("sync; (sleep 1; kill -SEGV 1) >/dev/null 2>&1 &")
        machine.running.wait_console("watchdog did not stop!", 120)
        demand(30 <= machine.ends(200) <= 120, "another end than the watchdog's")
        console = machine.consoles[-1]
        demand("Kernel panic" not in console and "reboot: " not in console, console[-300:])
        machine.boot()
        place.facts["story"] = BROKEN[0].story
        failed(machine, place)
        machine.end("poweroff")


HAPPY = (
    Stage("installed", None, installed),
    Stage("by-the-time", "installed", by_the_time),
    Stage("held", "by-the-time", held),
    Stage("given-back", "held", given_back),
    Stage("by-a-person", "given-back", by_a_person),
)


def _broken():
    after = "installed"
    for one in BROKEN:
        yield Stage(one.name, after, breaking(one))
        after = one.name
    yield Stage("last", after, last)
    yield Stage("by-a-login", "last", by_a_login)
    yield Stage("kernel-gone", "last", kernel_gone)
    yield Stage("freezes", "last", freezes)


STAGES = (*HAPPY, *_broken(), Stage("steady", "held", steady), Stage("without", "held", without))
