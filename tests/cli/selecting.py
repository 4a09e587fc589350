# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot verify and enable SELECTOR: the device that was meant, or the lines to type instead."""
import json
import re

import sysfs
from harness import cases, holds, same, test
from studio import studio

WORDS = [
    ("address", "0000:01:00.0"), ("short address", "01:00.0"), ("slot", "01:00"),
    ("long slot", "0000:01:00"), ("path", "0000:00/01.0/00.0"), ("ids", "10de:2203"),
    ("ids in capitals", "10DE:2203"), ("name", "3090"), ("name with blanks", "RTX 3090 ti"),
]


def subjects(t, word):
    checks = json.loads(t.boot("verify", "--json", word).out)["checks"]
    return {c["subject"] for c in checks}


@cases([(name, word) for name, word in WORDS])
def one(t, word):
    m = studio(t.root)
    result = t.boot("verify", "--json", word)
    holds(result.code in (0, 4), result.err)
    holds(m.gpu.bdf in subjects(t, word), word)
    holds(m.igpu.bdf not in subjects(t, word), word)


@cases([(name, word, lines) for name, word, lines in (
    ("nothing", "", 2), ("no such name", "Voodoo", 2), ("no such address", "05:00.0", 2),
    ("no such slot", "1f:1f", 2), ("no such ids", "10de:ffff", 2), ("no such path", "0000:00/1e.0", 2),
    ("no address", "01:00.9", 2), ("long", "x" * 5000, 2), ("format", "%s%n", 2))])
def none(t, word, lines):
    studio(t.root)
    result = t.boot("verify", word, code=2)
    same((result.out, len(result.err.splitlines())), ("", lines), result.err)
    holds("Try: ghost-boot list --all" in result.err, result.err)


@test
def several(t):
    """Two of a kind: where each is, what is plugged in, and the line to type."""
    m = studio(t.root)
    twin = m.function("00.0", m.gpu.id, "030000", behind=m.port2, group=13)
    sysfs.put(twin.file("drm/card1/card1-DP-1/status"), "connected\n")
    sysfs.put(twin.file("drm/card1/card1-HDMI-A-1/status"), "disconnected\n")
    sysfs.put(m.gpu.file("drm/card0/card0-DP-2/status"), "disconnected\n")
    for word in "3090", "10de:2203":
        result = t.boot("verify", word, code=2)
        same(result.out, "")
        rows = [line.split() for line in result.err.splitlines()[1:]]
        same([row[:3] for row in rows], [["ghost-boot", "verify", f.bdf] for f in (m.gpu, twin)])
        same([" ".join(row[-5:]) for row in rows],
             ["group 12 plugged in: nothing", "group 13 plugged in: DP-1"])
        for row in rows:
            t.boot(*row[1:3])


@test
def a_name_means_a_display(t):
    """Its audio function has the chip's name too."""
    m = studio(t.root)
    holds(m.gpu.bdf in subjects(t, "GA102"), "the display")
    holds(m.audio.bdf in subjects(t, "GA102 High"), "what only the audio function is called")


@test
def plugs_are_no_orders(t):
    m = studio(t.root)
    twin = m.function("00.0", m.gpu.id, "030000", behind=m.port2, group=13)
    sysfs.put(twin.file("drm/card1/card1-\x1b[2J/status"), "connected\n")
    result = t.boot("verify", "3090", code=2)
    holds("\x1b" not in result.err and re.search(r"plugged in: \?\[2J", result.err), result.err)


@test
def narrow(t):
    m = studio(t.root)
    m.function("00.0", m.gpu.id, "030000", behind=m.port2, group=13)
    for columns in 80, 60:
        for line in t.terminal(columns, "verify", "3090", NO_COLOR="1").splitlines():
            holds(len(line) <= columns, line)


@test
def without_a_word(t):
    """The claimed, or all displays."""
    m = studio(t.root)
    checks = json.loads(t.boot("verify", "--json").out)["checks"]
    holds({m.gpu.bdf, m.igpu.bdf} <= {c["subject"] for c in checks}, "all displays")
    m.claims(m.gpu.line(), m.audio.line())
    checks = json.loads(t.boot("verify", "--json").out)["checks"]
    said = {c["subject"] for c in checks}
    holds(m.gpu.bdf in said and m.igpu.bdf not in said, f"the claimed: {said}")


# ---- enable ---------------------------------------------------------------------------------


def planned(t, *words):
    """What would be claimed. This machine has nothing to boot from, so that is all it says."""
    result = t.boot("enable", "--dry-run", *words, code=3)
    claimed = result.out.split("Kept for the host:")[0].splitlines()
    same(claimed[0], "Claimed for virtual machines at every boot:")
    return [f"0000:{line.split()[0]}" for line in claimed[1:]]


@cases([(f"enable {name}", word) for name, word in WORDS])
def one_to_enable(t, word):
    """Whatever it was called by: the card as a whole."""
    m = studio(t.root)
    same(planned(t, word), [m.gpu.bdf, m.audio.bdf])


@test
def several_to_enable(t):
    m = studio(t.root)
    twin = m.function("00.0", m.gpu.id, "030000", behind=m.port2, group=13)
    for word in "3090", "10de:2203":
        result = t.boot("enable", "--dry-run", word, code=2)
        rows = [line.split() for line in result.err.splitlines()[1:]]
        same([row[:3] for row in rows], [["ghost-boot", "enable", f.bdf] for f in (m.gpu, twin)])
        for row, card in zip(rows, ([m.gpu.bdf, m.audio.bdf], [twin.bdf])):
            same(planned(t, row[2]), card)
    same(planned(t, m.gpu.bdf, twin.bdf), [m.gpu.bdf, m.audio.bdf, twin.bdf])


@cases([("no such word", ("--allow", "bridge")), ("a word too many", ("--allow", "storage,network")),
        ("force", ("--force",))])
def no_blanket(t, words):
    """A reason is lifted by its own word, and by nothing else."""
    studio(t.root)
    result = t.boot("enable", "--dry-run", *words, "01:00", code=2)
    same((result.out, len(result.err.splitlines())), ("", 2), result.err)
    if words[0] == "--allow":
        holds("storage, network, last-display, boot-display, keyboard" in result.err, result.err)
