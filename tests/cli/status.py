# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot status: configured, booted and now."""
import json
import os
import re
import shutil

import sysfs
from harness import BDF, cases, check_keys, holds, same, test
from host import (ARM, DROP_IN, KERNELS, boot, configure, debian, kernels, nodes, process,
                  told)
from journal import STATE, Change

IDENTITY = {"bdf": (str, None), "path": str, "id": str, "class": str}
USER = {"pid": int, "name": (str, None), "user": (str, None), "nodes": []}
SCHEMA = {
    "configured": {**IDENTITY, "role": str, "wants": (str, None)},
    "booted": {**IDENTITY, "role": str, "wants": (str, None), "decision": (str, None),
               "result": (str, None), "text": (str, None)},
    "now": {**IDENTITY, "driver": (str, None), "state": str, "text": (str, None),
            "used_by": (list, type(None))},
    "words": {"word": str, "configured": (bool, type(None)), "sources": int,
              "sources_with_it": int, "booted": (bool, type(None))},
    "images": {"release": str, "running": bool, "paths": [], "claims": (str, None),
               "fit": (bool, type(None)), "text": (str, None)},
    "next": {"id": str, "text": str, "fix": str},
}
TOP = ["version", "tool", "configured", "booted", "now", "all_processes_seen", "armed", "words",
       "trial", "loader", "builder", "journal", "images", "reboot_needed", "next"]
def page(t, *args, **options):
    return t.boot("status", *args, code=0, **options).out


def line(text, label):
    """What is said after a label, on one line."""
    found = re.search(rf"^{label} +(.*(?:\n {{12}}.*)*)", text, re.M)
    holds(found, f"no {label} in\n{text}")
    return re.sub(r"\s+", " ", found[1])


def states(t):
    return {d["bdf"] or d["path"]: d["state"] for d in told(t)["now"]}


def lived_in(t):
    """Claimed in this boot, and in use."""
    m = debian(t)
    nodes(m)
    configure(m)
    kernels(m, None, m.read("etc/ghost-boot/claims"))
    boot(t, m)
    process(m, 70, "gnome-shell", 1000, "/dev/dri/card1", "/dev/dri/renderD128")
    process(m, 4711, "qemu-system-x86", 64055, "/dev/vfio/12")
    return m


def waiting(t):
    """As after `enable`."""
    m = debian(t)
    nodes(m)
    configure(m)
    kernels(m, None, m.read("etc/ghost-boot/claims"))
    return m


def trouble(t):
    """Another driver has one function; one more claim is of a card that is gone; the word is lost."""
    m = lived_in(t)
    m.gpu.bind("nouveau")
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"),
             "claim path=0000:00/01.1/00.0 id=10de:2204 subsys=10de:1454 class=030000", "claim what")
    os.unlink(m.at(DROP_IN))
    Change(m, "enable").write("etc/x", "1").file("journal", "applying", 0)
    return m


SCENES = {"lived-in": lived_in, "waiting": waiting, "trouble": trouble}


@cases([(f"{name} {columns}", name, columns) for name in SCENES for columns in (80, 60)])
def golden(t, name, columns):
    SCENES[name](t)
    text = t.terminal(columns, "status", NO_COLOR="1")
    t.suite.golden(f"status-{name}-{columns}.txt", text)
    for row in text.splitlines():
        holds(len(row) <= columns, f"{len(row)} columns: {row}")
    raw = t.terminal(columns, "status")
    same(len(re.findall(r"\x1b\[[1-9]", raw)), raw.count("\x1b[0m"), "colours begun and ended")
    same(re.sub(r"\x1b\[\d*m", "", raw), text, "colour changes something else")


@cases([(name, name) for name in SCENES])
def schema(t, name):
    SCENES[name](t)
    data = told(t)
    same(list(data), TOP)
    for key, members in SCHEMA.items():
        for i, member in enumerate(data[key]):
            same(list(member), list(members), f"keys of {key}[{i}]")
            for part, kind in members.items():
                value = member[part]
                holds(value != "", f"{key}.{part} is an empty string")
                if part == "used_by" and value:
                    check_keys({"used_by": value[0]["pid"]}, {"used_by": int}, key)
                    same(list(value[0]), list(USER))
                if part == "bdf" and value:
                    holds(re.fullmatch(BDF, value), value)


@test
def as_it_should_be(t):
    m = lived_in(t)
    same(states(t), {m.igpu.bdf: "good", m.gpu.bdf: "good", m.audio.bdf: "good",
                     m.nvme.bdf: "good"})
    data = told(t)
    same((data["reboot_needed"], data["trial"], data["next"], data["journal"]["open"]),
         (False, None, [], False))
    same(data["armed"], {"configured": True, "booted": True})
    same(t.boot("status", "--check", code=0).out, "ok: 2 functions on the claimed driver\n")
    same(data["loader"]["backend"], "grub-drop-in")


@test
def waits_for_a_reboot(t):
    m = waiting(t)
    same(states(t)[m.gpu.bdf], "waits")
    same(told(t)["reboot_needed"], True)
    same(t.boot("status", "--check", code=4).out,
         "not ready: what is configured holds after a reboot\n")


@test
def taken_away_waits_too(t):
    """`disable` was done: the card is free after a reboot."""
    m = lived_in(t)
    os.unlink(m.at("etc/ghost-boot/claims"))
    os.unlink(m.at(DROP_IN))
    same(states(t)[m.gpu.bdf], "waits")
    data = told(t)
    same((data["configured"], data["reboot_needed"]), ([], True))
    holds("no longer claimed after a reboot" in page(t), "in words")


@test
def nothing_at_all(t):
    debian(t)
    text = page(t)
    same(line(text, "claims"), "none are configured")
    same(line(text, "reboot"), "not needed")
    same(t.boot("status", "--check", code=0).out, "ok: nothing is claimed\n")
    same(told(t)["words"], [])


@test
def another_driver(t):
    m = lived_in(t)
    m.gpu.bind("nouveau")
    same(states(t)[m.gpu.bdf], "wrong")
    result = t.boot("status", "--check", code=4)
    holds(result.out.startswith("not ready: 0000:01:00.0: claimed for vfio-pci, and nouveau has it"),
          result.out)
    holds("ghost-boot diag" in line(page(t), "next"), "what to do")


@test
def not_armed(t):
    """Claims without the word do nothing, and that is said."""
    m = debian(t)
    configure(m, armed=False)
    boot(t, m, armed=False)
    data = told(t)
    same((data["armed"], states(t)[m.gpu.bdf]), ({"configured": False, "booted": False}, "wrong"))
    holds("ghost-boot update" in line(page(t), "next"), page(t))
    t.boot("status", "--check", code=4)
    m.claims_raw(m.read("etc/ghost-boot/claims") + "arm always\n")
    same((told(t)["armed"]["configured"], states(t)[m.gpu.bdf]), (True, "waits"))


@test
def the_kill_switch(t):
    """Off in this boot only: the next one claims again."""
    m = lived_in(t)
    m.cmdline(f"quiet {ARM} ghost.claim=off")
    m.gpu.bind("nvidia")
    shutil.rmtree(m.at("run/ghost-boot"))
    t.run()
    same(states(t)[m.gpu.bdf], "waits")
    same(line(page(t), "this boot"), "claimed nothing: ghost.claim=off")


@test
def words_that_wait(t):
    """A word of ours that this kernel was not given needs a reboot, though all is claimed."""
    m = lived_in(t)
    m.cmdline("quiet")
    data = told(t)
    same([(w["word"], w["configured"], w["booted"]) for w in data["words"]], [(ARM, True, False)])
    same(data["reboot_needed"], True)


@test
def a_claim_that_moved(t):
    """The row follows the card, not the number."""
    m = debian(t)
    configure(m)
    m.claims("claim path=0000:00/01.1/00.0 id=10de:2203 subsys=1462:5054 class=030000",
             m.igpu.line("keep"))
    boot(t, m)
    same(states(t)[m.gpu.bdf], "good")
    holds(re.search(r"^01:00\.0 .* claim +moved +vfio-pci$", page(t), re.M), page(t))


@test
def users(t):
    m = lived_in(t)
    text = page(t)
    holds("00:02.0: gnome-shell (70, ann) has /dev/dri/card1, /dev/dri/renderD128" in text, text)
    holds("01:00.0: qemu-system-x86 (4711, libvirt-qemu) has /dev/vfio/12" in text, text)
    used = {d["bdf"]: d["used_by"] for d in told(t)["now"]}
    same([(u["pid"], u["user"], u["nodes"]) for u in used[m.gpu.bdf]],
         [(4711, "libvirt-qemu", ["/dev/vfio/12"])])
    for pid in range(100, 120):
        process(m, pid, "chrome\x1b[2J", 1000, "/dev/dri/renderD128")
    text = page(t)
    holds("and 15 more" in text and "\x1b" not in text, text)
    same(len(told(t)["now"][0]["used_by"]), 21)


@test
def unprivileged(t):
    """What can't be told is never said to be so."""
    m = lived_in(t)
    Change(m, "enable").write("etc/x", "1").file("history/001")
    hidden = [m.at("proc/4711/fd"), m.at(STATE), m.at("etc/ghost-boot/claims")]
    for path in hidden:
        os.chmod(path, 0)
    try:
        text = t.run("status", name="ghost-boot", code=0).out
        data = json.loads(t.run("status", "--json", name="ghost-boot", code=0).out)
        check = t.run("status", "--check", name="ghost-boot", code=4).out
    finally:
        for path in hidden:
            os.chmod(path, 0o755)
    holds("01:00.0: cannot tell" in text and "not every process" in text, text)
    holds("cannot tell" in line(text, "reboot") and "cannot tell" in line(text, "change"), text)
    same((data["configured"], data["journal"]["open"], data["reboot_needed"]), (None, None, None))
    used = {d["bdf"]: d["used_by"] for d in data["now"]}
    same((used[m.gpu.bdf], data["all_processes_seen"]), (None, False))
    holds("told" in check, check)


@test
def notes_of_images(t):
    """What does nothing in silence is said."""
    m = lived_in(t)
    same(told(t)["builder"]["notes"], [])
    sysfs.put(m.at("etc/initramfs-tools/update-initramfs.conf"), "update_initramfs=no\n")
    notes = told(t)["builder"]["notes"]
    same(len(notes), 1)
    holds("update-initramfs does nothing" in notes[0]["text"] and "=yes" in notes[0]["fix"], notes)
    holds("update-initramfs does nothing" in line(page(t), "builder"), page(t))


@test
def images(t):
    """Which kernel's image has which claims; read on request only."""
    m = lived_in(t)
    claims = m.read("etc/ghost-boot/claims")
    kernels(m, claims, None)
    holds("2 not known" in line(page(t), "images"), page(t))
    same([(i["release"], i["running"], i["claims"]) for i in told(t)["images"]],
         [(KERNELS[0], False, None), (KERNELS[1], True, None)])
    read = told(t, "--images")
    same([(i["claims"], i["fit"]) for i in read["images"]], [("as-configured", False), ("none", False)])
    kernels(m, claims + "# more\n", "")
    same([i["claims"] for i in told(t, "--images")["images"]], ["others", "others"])
    holds("sudo ghost-boot update" in line(page(t, "--images"), "next"), "what to do")
    t.boot("status", "--images", "--check", code=4)
    sysfs.put(m.at(f"boot/initrd.img-{KERNELS[0]}"), "no image")
    same(told(t, "--images")["images"][0]["fit"], False)
    os.unlink(m.at("etc/ghost-boot/claims"))
    kernels(m, None, claims)
    same([i["claims"] for i in told(t, "--images")["images"]], ["as-configured", "others"])


@test
def a_broken_claims_file(t):
    m = lived_in(t)
    m.claims_raw("ghost-boot claims 9\n")
    text = page(t)
    holds("ghost-boot-claims(5)" in line(text, "next"), text)
    m.claims_raw("ghost-boot claims 1\nclaim path=nonsense\n")
    holds("/etc/ghost-boot/claims:2:" in line(page(t), "next"), page(t))


@test
def a_broken_record(t):
    m = lived_in(t)
    sysfs.put(m.at("run/ghost-boot/claim.json"), "{")
    text = page(t)
    holds("cannot tell" in text, text)
    t.boot("status", "--check", code=4)


@cases([(str(columns), columns) for columns in (1, 20, 33, 47, 100, 500)])
def any_width(t, columns):
    trouble(t)
    for row in t.terminal(columns, "status", "--all").splitlines():
        wide = len(re.sub(r"\x1b\[\d*m", "", row))
        holds(wide <= max(columns, 80), f"{wide} columns: {row}")


@test
def ascii_only(t):
    trouble(t)
    text = t.terminal(80, "status", LC_ALL="C")
    holds(text.isascii(), text)
