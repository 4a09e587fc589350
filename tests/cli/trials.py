# SPDX-License-Identifier: GPL-2.0-or-later
"""A trial boot: what status tells of it, when it is confirmed, and what the service does below a
root, where systemd can't be asked and so nothing is ever kept by itself."""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time

import sysfs
from harness import cases, check_keys, holds, same, test
from host import boot, configure, debian, kernels, nodes, told
from journal import STATE, word

TRIAL = f"{STATE}/trial"
BOOT_ID = "proc/sys/kernel/random/boot_id"
NOW, EARLIER = (f"{n}c1d2e3f-4a5b-6c7d-8e9f-a0b1c2d3e4f5" for n in (1, 0))
NOTICE = "run/motd.d/ghost-boot"
CHECK = "id", "result", "subject", "text", "evidence", "fix"
SCHEMA = {"id": str, "this_boot": bool, "kernel": (str, None), "entry": (str, None),
          "confirm": str, "seconds": int, "counted": bool, "reason": (str, None),
          "checks": list}


def put_trial(m, state, at=EARLIER, confirm="auto 600", reason="", extra=""):
    claims = sysfs.text(m.at("etc/ghost-boot/claims")).encode()
    text = (f"ghost-boot trial 1\nstate {state}\nid 1a2b3c4d\ntime 1764100000\n"
            f"confirm {confirm}\nboot {at}\nclaims {hashlib.sha256(claims).hexdigest()}\n"
            f"kernel 6.12.48+deb13-amd64\nloader grub-drop-in\nentry ghost-boot-trial\n"
            f"usual gnulinux-simple\nreason {word(reason)}\n{extra}")
    sysfs.put(m.at(TRIAL), text + f"end {hashlib.sha256(text.encode()).hexdigest()}\n")


def read_trial(m):
    """(state, boot, reason) as they are in the file, or None."""
    if not os.path.exists(m.at(TRIAL)):
        return None
    lines = dict(line.split(" ", 1) for line in sysfs.text(m.at(TRIAL)).splitlines())
    return lines["state"], lines["boot"], lines["reason"]


def machine(t, in_trial, word_too=True):
    """Enabled as a trial: the claims are there, and no word but the trial's."""
    m = debian(t)
    nodes(m)
    configure(m, armed=False)
    kernels(m, None, None)
    sysfs.put(m.at(BOOT_ID), NOW + "\n")
    if in_trial:
        boot(t, m)
    if word_too:
        m.cmdline("quiet" + (" ghost.claim=on ghost.trial=1a2b3c4d panic=30" if in_trial else ""))
    return m


def service(t, m, code=0, **options):
    return t.run("confirm", "--service", name="ghost-boot", code=code, **options)


# ---- status ------------------------------------------------------------------------------------

STATES = [
    # state, boot of the file, in the trial; what each function is, what status --check says
    ("prepared", EARLIER, False, "waits", "a trial is prepared"),
    ("armed", NOW, False, "waits", "the next boot tries the claims, once"),
    ("armed", EARLIER, True, "good", "this boot is a trial, and not all is as it was before"),
    ("booted", NOW, True, "good", "this boot is a trial, and not all is as it was before"),
    ("booted", EARLIER, False, "wrong", "the trial failed: this boot is not it"),
    ("failed", EARLIER, False, "wrong", "the trial failed: eth0: gone"),
]


@cases([(f"{state} {'in' if tried else 'outside'}", state, at, tried, kind, says)
        for state, at, tried, kind, says in STATES])
def is_told(t, state, at, tried, kind, says):
    m = machine(t, tried)
    put_trial(m, state, at, reason="eth0: gone\x1b[2J" if state == "failed" else "")
    data = told(t)
    said = dict(data["trial"])
    same(said.pop("state"), state)
    check_keys(said, SCHEMA, "trial")
    holds(all(tuple(check) == CHECK for check in said["checks"]), said["checks"])
    same(said["this_boot"], tried)
    same({d["state"] for d in data["now"] if d["bdf"] == m.gpu.bdf}, {kind})
    same([n["id"] for n in data["next"]], ["trial"])
    holds(data["next"][0]["text"].startswith(says), data["next"])
    page = t.boot("status", code=0).out
    holds(re.search(rf"^trial +{state}: 6.12.48", page, re.M), page)
    holds("\x1b[2J" not in page, "a reason moves the cursor")
    holds(("graphical" in page or "default.target" in page) == tried, page)
    holds("sudo ghost-boot update" not in page, "update is no answer to a trial")
    holds(t.boot("status", "--check", code=4).out.startswith(f"not ready: {says}"), "--check")


@test
def manual_is_told(t):
    m = machine(t, True)
    put_trial(m, "booted", NOW, confirm="manual")
    same((told(t)["trial"]["confirm"], told(t)["trial"]["seconds"]), ("manual", 0))


@cases([("none", None, None), ("lost", None, "of which nothing is known"),
        ("damaged", "ghost-boot trial 1\nstate armed\n", None),
        ("newer", "ghost-boot trial 9\n", None)])
def no_trial_is_told(t, text, note):
    m = machine(t, note is not None)
    if text:
        sysfs.put(m.at(TRIAL), text)
    data = told(t)
    same(data["trial"], None)
    said = [n["text"] for n in data["next"] if n["id"] == "trial"]
    same([bool(re.search(note, s)) for s in said] if note else said, [True] if note else [])
    page = t.boot("status", code=0).out
    same("trial       cannot tell" in page, text is not None)


# ---- confirm -----------------------------------------------------------------------------------

@cases([("none", None, 0, "There is no trial"),
        ("prepared", "prepared", 3, "has not been booted yet"),
        ("armed", "armed", 3, "has not been booted yet"),
        ("failed", "failed", 3, "the trial failed: eth0: gone")])
def outside_a_trial(t, state, code, says):
    m = machine(t, False)
    if state:
        put_trial(m, state, NOW, reason="eth0: gone")
    result = t.boot("confirm", code=code)
    holds(says in result.out + result.err, result.out + result.err)


@test
def a_lost_one(t):
    machine(t, True)
    result = t.boot("confirm", code=3)
    holds("nothing is known of the trial 1a2b3c4d" in result.err, result.err)


@test
def not_as_before(t):
    """Below a root nobody can say how far systemd is: that is not good enough."""
    m = machine(t, True)
    put_trial(m, "booted", NOW, extra="seen link eth0 %\n")
    sysfs.put(m.at("sys/class/net/lo/carrier"), "1\n")
    result = t.boot("confirm", code=4)
    for says in "eth0", "the link was up, and is not", "default.target":
        holds(says in result.out, result.out)
    holds("confirm --force" in result.err, result.err)
    m.gpu.bind("nouveau")
    result = t.boot("confirm", code=4)
    holds("is on nouveau, and not on vfio-pci" in result.out, result.out)
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    result = t.boot("confirm", code=4)
    holds("what was tried is not what it says" in result.out, result.out)


@test
def by_force(t):
    """What would be done: the usual boot gets it all, and the file says that it is over."""
    m = machine(t, True)
    sysfs.put(m.at("usr/share/initramfs-tools/hooks/ghost-boot"), "#!/bin/sh\n", 0o755)
    menu = sysfs.text(m.at("boot/grub/grub.cfg"))
    sysfs.put(m.at("boot/grub/grub.cfg"), f"### BEGIN /etc/grub.d/10_linux ###\n{menu}"
                                          "### END /etc/grub.d/10_linux ###\n")
    put_trial(m, "booted", NOW)
    data = json.loads(t.boot("confirm", "--force", "--dry-run", "--json", code=0).out)
    same(data["reason"], "keep what was tried")
    paths = [f["path"] for s in data["steps"] for f in s["files"]]
    same(paths[-1], "/" + TRIAL)
    holds("/etc/default/grub.d/zz-ghost-boot.cfg" in paths, paths)
    holds(any(p.startswith("/boot/initrd.img-") for p in paths), paths)
    holds(all(tuple(check) == CHECK for check in data["checks"]), data["checks"])
    t.boot("confirm", "--dry-run", code=4)


@cases([("damaged", "ghost-boot trial 1\n"), ("newer", "ghost-boot trial 2\nx\n")])
def says_what_it_cannot_read(t, text):
    m = machine(t, True)
    sysfs.put(m.at(TRIAL), text)
    result = t.boot("confirm", code=1)
    holds(TRIAL in result.err, result.err)
    service(t, m)
    holds("can't tell whether a boot is being tried" in sysfs.text(m.at(NOTICE)), "notice")
    same(sysfs.text(m.at(TRIAL)), text)


# ---- the service -------------------------------------------------------------------------------

@test
def a_usual_boot(t):
    m = machine(t, False)
    before = sysfs.snapshot(t.root)
    same(service(t, m).out, "")
    same(sysfs.changes(before, sysfs.snapshot(t.root)), [], "changed")


@cases([("armed", "armed", "never came as far as the host"),
        ("booted", "booted", "lost its power")])
def a_boot_after_it(t, state, why):
    m = machine(t, False)
    put_trial(m, state)
    said = service(t, m).out
    state, at, reason = read_trial(m)
    same((state, at), ("failed", NOW))
    holds(word(why) in reason, reason)
    for text in said, sysfs.text(m.at(NOTICE)):
        holds(why in text and "enable" in text, text)
    # whoever logs in after the next boot is told as well
    sysfs.put(m.at(BOOT_ID), EARLIER + "\n")
    os.unlink(m.at(NOTICE))
    service(t, m)
    holds(why in sysfs.text(m.at(NOTICE)), "notice")
    same(read_trial(m)[:2], ("failed", NOW))


@test
def no_time_is_too_wrong(t):
    """The clock is never asked: a trial of the future, of 1970."""
    for at in "9223372036854775807", "0":
        m = machine(t, False)
        put_trial(m, "armed")
        text = sysfs.text(m.at(TRIAL)).replace("time 1764100000", f"time {at}")
        text = text[:text.rindex("end ")]
        sysfs.put(m.at(TRIAL), text + f"end {hashlib.sha256(text.encode()).hexdigest()}\n")
        service(t, m)
        same(read_trial(m)[:2], ("failed", NOW))
        shutil.rmtree(t.root)


@test
def the_boot_that_armed_it(t):
    m = machine(t, False)
    put_trial(m, "armed", NOW)
    before = sysfs.snapshot(t.root)
    service(t, m)
    same(sysfs.changes(before, sysfs.snapshot(t.root)), [], "changed")


@test
def var_is_lost(t):
    m = machine(t, True)
    holds("nothing is known of that trial" in service(t, m).out, "said")
    same(read_trial(m), None)
    holds("usual one" in sysfs.text(m.at(NOTICE)).replace("\n", " "), "notice")


@test
def the_trial_itself(t):
    """It is up, waits for its time, and says what is missing; nothing more than that."""
    m = machine(t, True)
    put_trial(m, "armed", confirm="auto 1")
    begun = time.monotonic()
    said = service(t, m).out
    holds(time.monotonic() - begun >= 1, "did not wait")
    state, at, reason = read_trial(m)
    same((state, at), ("booted", NOW))
    holds("default.target" in reason, reason)
    holds("Once you are logged in" in said and "is not kept" in said, said)
    holds("is not kept" in sysfs.text(m.at(NOTICE)), "notice")


def started(t, m):
    """The service, once it waits."""
    program = os.path.join(t.suite.base, "ghost-boot")
    process = subprocess.Popen([program, "--root", t.root, "confirm", "--service"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    holds("This boot tries" in line, line + (process.stderr.read() if not line else ""))
    return process


def ended(process):
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError("did not end within a minute") from None
    same(process.returncode, 0, err)
    return out


@test
def by_hand_only(t):
    """Neither login nor time; it only says how it ended."""
    m = machine(t, True)
    put_trial(m, "armed", confirm="manual")
    sysfs.put(m.at("proc/100/cmdline"), "/bin/login\0-p\0--\0")
    sysfs.put(m.at("run/systemd/sessions/1"),
              "USER=ann\nSTATE=active\nCLASS=user\nSERVICE=login\nTTY=tty1\nLEADER=100\n")
    process = started(t, m)
    holds('"ghost-boot confirm" keeps them' in sysfs.text(m.at(NOTICE)), "notice")
    time.sleep(6)  # a login would have been judged
    same(read_trial(m), ("booted", NOW, "%"))
    process.send_signal(signal.SIGTERM)
    ended(process)
    same(read_trial(m), ("booted", NOW, word("it was shut down before it was confirmed")))


@test
def shut_down(t):
    m = machine(t, True)
    put_trial(m, "armed")
    process = started(t, m)
    process.send_signal(signal.SIGTERM)
    ended(process)
    same(read_trial(m), ("booted", NOW, word("it was shut down before it was confirmed")))
    # started again in this boot, that is no longer so
    process = started(t, m)
    same(read_trial(m), ("booted", NOW, "%"))
    process.kill()
    process.communicate()


@test
def taken_back_meanwhile(t):
    """A person's disable, or confirm, ends it; the file is not made anew."""
    m = machine(t, True)
    put_trial(m, "armed")
    process = started(t, m)
    os.unlink(m.at(TRIAL))
    ended(process)
    same(read_trial(m), None)
    holds(not os.path.exists(m.at(NOTICE)), "it is still told of")


@test
def somebody_logs_in(t):
    """Judged at once; what is missing is said, and waited for."""
    m = machine(t, True)
    put_trial(m, "armed")
    sysfs.put(m.at("run/systemd/sessions/x"), "")
    os.unlink(m.at("run/systemd/sessions/x"))
    process = started(t, m)
    sysfs.put(m.at("proc/100/cmdline"), "/bin/login\0-p\0--\0")
    sysfs.put(m.at("run/systemd/sessions/1"),
              "USER=ann\nSTATE=active\nCLASS=user\nSERVICE=login\nTTY=tty1\nLEADER=100\n")
    line = ""
    while "is not kept" not in line:
        line = process.stdout.readline()
        holds(line, "ended without a word")
    holds("default.target" in read_trial(m)[2], read_trial(m))
    process.send_signal(signal.SIGTERM)
    ended(process)
    holds("default.target" in read_trial(m)[2], "its reason stays")
