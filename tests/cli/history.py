# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot history: what was changed, when, and how it ended."""
import json
import os
import re

import sysfs
from harness import cases, holds, same, test
from host import DROP_IN, debian
from journal import STATE, Change

CHANGE = ["number", "time", "reason", "outcome"]
UTC = {"TZ": "UTC"}


def changed(t):
    m = debian(t)
    Change(m, "claim 0000:01:00.0 and 1 more").write("etc/ghost-boot/claims", "ghost-boot claims 1\n") \
        .write(DROP_IN, 'X="$X on"\n').file("history/001")
    Change(m, "update\x1b[2J, and a reason that is too long for one line of any terminal at all",
           1764186400).write("etc/default/grub", "x\n").remove(DROP_IN) \
        .file("history/002", "rolled-back")
    return m


@cases([("all 80", 80, ()), ("all 60", 60, ()), ("one 80", 80, ("1",)), ("other 80", 80, ("2",))])
def golden(t, columns, args):
    changed(t)
    text = t.terminal(columns, "history", *args, NO_COLOR="1", **UTC)
    t.suite.golden(f"history-{args[0] if args else 'all'}-{columns}.txt", text)
    for line in text.splitlines():
        holds(len(line) <= columns, line)
    colour = t.terminal(columns, "history", *args, **UTC)
    holds("\x1b[3" in colour and "\x1b[2J" not in colour, repr(colour))


@test
def machine_readable(t):
    changed(t)
    data = json.loads(t.boot("history", "--json", code=0).out)
    same(data["version"], 1)
    for change in data["changes"]:
        same(list(change), CHANGE)
        holds(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", change["time"]), change)
    same([(c["number"], c["outcome"]) for c in data["changes"]], [(1, "done"), (2, "brought-back")])
    one, = json.loads(t.boot("history", "--json", "2", code=0).out)["changes"]
    same(list(one), [*CHANGE, "steps", "files"])
    same([(f["path"], f["change"], f["step"]) for f in one["files"]],
         [("/etc/default/grub", "changed", 1), (f"/{DROP_IN}", "removed", 2)])


@test
def nothing(t):
    debian(t)
    same(t.boot("history", code=0).out, "ghost-boot has changed nothing here.\n")
    same(json.loads(t.boot("history", "--json", code=0).out)["changes"], [])
    holds("there is no change 7" in t.boot("history", "7", code=2).err, "which")
    for word in "0", "x", "1x", "-1", "99999999999":
        t.boot("history", word, code=2)


@test
def interrupted(t):
    """It has the number that it will have."""
    m = changed(t)
    Change(m, "enable").write("etc/x", "1").file("journal", "applying", 0)
    holds("interrupted" in t.boot("history", code=0).out, "in the list")
    holds(t.boot("history", "3", code=0).out.startswith("change 3, "), "its number")


@test
def damaged(t):
    """One that can't be read is said to be, and the others are shown."""
    m = changed(t)
    with open(m.at(f"{STATE}/history/001/record"), "a", encoding="utf-8") as record:
        record.write("more\n")
    result = t.boot("history", code=1)
    holds("001" in result.err and "brought back" in result.out, result.out + result.err)


@test
def unreadable(t):
    m = changed(t)
    os.chmod(m.at(f"{STATE}/history"), 0)
    try:
        result = t.run("history", name="ghost-boot", code=1)
        holds("sudo ghost-boot" in result.err and "root" in result.err, result.err)
        same(result.out, "")
    finally:
        os.chmod(m.at(f"{STATE}/history"), 0o755)


@test
def hostile(t):
    m = changed(t)
    sysfs.put(m.at(f"{STATE}/history/-3/record"), "")
    sysfs.put(m.at(f"{STATE}/history/004"), "no folder")
    sysfs.put(m.at(f"{STATE}/history/005/record"), "\0" * 4096)
    result = t.boot("history", code=1)
    same(len(result.err.splitlines()), 2, result.err)
