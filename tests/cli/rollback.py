# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot rollback and recover: what was changed comes back, and nothing else."""
import hashlib
import json
import os

import sysfs
from harness import cases, holds, same, test
from host import DROP_IN, debian
from journal import STATE, Change, word
from wording import ROOT, entry, systemd

GRUB = "etc/default/grub"


def files(m):
    """All but our own."""
    return {k: v for k, v in sysfs.snapshot(m.dir).items() if not k.startswith("var")}


def changed(t):
    m = debian(t)
    os.makedirs(m.at("var/lib/ghost-boot"))
    before = files(m)
    Change(m, "claim 0000:01:00.0").write(GRUB, "GRUB_DEFAULT=7\n").write(DROP_IN, "X=1\n") \
        .file("history/001")
    sysfs.put(m.at("var/log/x"), "")
    holds(sysfs.changes(before, files(m)), "nothing was changed")
    return m, before


def run(t, *args, **options):
    return t.run("rollback", *args, name="ghost-boot", **options)


def without_folder(m):
    """A folder that a change needed is no part of these journals."""
    os.rmdir(m.at("etc/default/grub.d"))


@test
def takes_back(t):
    m, before = changed(t)
    result = run(t, "--yes", code=0)
    without_folder(m)
    same(sysfs.changes(before, files(m)), [], result.out + result.err)
    holds("-GRUB_DEFAULT=7" in result.out and "+GRUB_DEFAULT=0" in result.out, result.out)
    holds("taken back" in result.out, result.out)
    history = json.loads(t.boot("history", "--json", code=0).out)["changes"]
    same([(c["reason"], c["outcome"]) for c in history],
         [("claim 0000:01:00.0", "done"), ("take back: claim 0000:01:00.0", "done")])


@test
def twice_is_back_again(t):
    m, _ = changed(t)
    after = files(m)
    run(t, "--yes", code=0)
    run(t, "--yes", code=0)
    same(sysfs.changes(after, files(m)), [], "not what it was")


@test
def dry_run(t):
    changed(t)
    text = t.boot("rollback", "--dry-run", code=0).out
    holds("+GRUB_DEFAULT=0" in text and "a dry run" in text, text)
    data = json.loads(t.boot("rollback", "--dry-run", "--json", code=0).out)
    same((data["version"], data["result"]), (1, "planned"))


@test
def nobody_to_ask(t):
    changed(t)
    result = t.boot("rollback", code=3)
    holds("--yes" in result.err, result.err)


@test
def nothing(t):
    debian(t)
    result = t.boot("rollback", "--yes", code=1)
    holds("no change" in result.err, result.err)
    same(result.out, "")


@test
def changed_since(t):
    """Shown, refused, and only --force takes it."""
    m, before = changed(t)
    sysfs.put(m.at(GRUB), "GRUB_DEFAULT=7\n# a person was here\n")
    for args in ("--yes",), ("--dry-run",):
        result = t.boot("rollback", *args, code=3)
        holds("+# a person was here" in result.err and "--force" in result.err, result.err)
        holds("Nothing was changed" in result.err, result.err)
    run(t, "--yes", "--force", code=0)
    without_folder(m)
    same(sysfs.changes(before, files(m)), [])


@test
def recovers_first(t):
    """A change that was cut off is no part of what is taken back."""
    m, before = changed(t)
    Change(m, "a second one").write("etc/second", "1\n").file("journal", "applying", 0)
    result = run(t, "--yes", code=0)
    holds("brought back" in result.err, result.err)
    without_folder(m)
    same(sysfs.changes(before, files(m)), [])


@test
def recover(t):
    m, _ = changed(t)
    after = files(m)
    same(t.boot("recover", code=0).err, "")
    Change(m, "a second one").write("etc/second", "1\n").write(GRUB, "").file("journal", "applying", 1)
    result = t.run("recover", name="ghost-boot", code=0)
    holds("brought back" in result.err, result.err)
    same(sysfs.changes(after, files(m)), [])
    holds(not os.path.exists(m.at(f"{STATE}/journal")), "still there")
    same(t.boot("recover", code=0).err, "")


@test
def recover_meets_a_stranger(t):
    """What somebody else has written meanwhile is left, until that is mended."""
    m, _ = changed(t)
    Change(m, "a second one").write(GRUB, "ours\n").file("journal", "applying", 0)
    sysfs.put(m.at(GRUB), "theirs\n")
    result = t.run("recover", name="ghost-boot", code=6)
    holds(f"/{GRUB}" in result.err, result.err)
    holds("    -ours\n    +theirs\n" in result.err, result.err)
    same(m.read(GRUB), "theirs\n")
    holds("interrupted" in t.run("status", name="ghost-boot").out, "status")
    t.run("recover", "--force", name="ghost-boot", code=0)
    holds(m.read(GRUB).startswith("GRUB_DEFAULT=7"), m.read(GRUB))


def footprint(*traces):
    text = "ghost-boot footprint 1\n"
    text += "".join(" ".join([kind, *map(word, (path, added, ""))]) + "\n"
                    for kind, path, added in traces)
    return text + f"end {hashlib.sha256(text.encode()).hexdigest()}\n"


class Machine:
    def __init__(self, root):
        self.dir = root

    def at(self, path):
        return os.path.join(self.dir, path)


@cases([("none", ()), ("one", ("6.13.1",)), ("two", ("6.13.1", "6.13.2"))])
def kernels_that_came_meanwhile(t, came):
    """Their entries lack the words that come back when `disable` is taken back: said, and by whom."""
    systemd(t)
    m, armed, before = Machine(t.root), f"{ROOT} ro quiet ghost.claim=on", ("6.1.140", "6.12.48")
    sysfs.put(m.at("etc/kernel/cmdline"), armed + "\n")
    for release in before:
        sysfs.put(m.at(f"efi/loader/entries/m-{release}.conf"), entry(release, armed))
    paths = "/etc/kernel/cmdline", *(f"/efi/loader/entries/m-{release}.conf" for release in before)
    sysfs.put(m.at(f"{STATE}/footprint"), footprint(*(("added", path, "ghost.claim=on") for path in paths)))
    change = Change(m, "give everything back to the host")
    change.write("etc/kernel/cmdline", f"{ROOT} ro quiet\n")
    for release in before:
        change.write(f"efi/loader/entries/m-{release}.conf", entry(release))
    change.remove(f"{STATE}/footprint").file("history/001")
    for release in came:
        sysfs.put(m.at(f"efi/loader/entries/m-{release}.conf"), entry(release))
    result = run(t, "--yes", code=0)
    same(sysfs.text(m.at("etc/kernel/cmdline")), armed + "\n")
    said = [line for line in result.out.splitlines() if "ghost-boot update" in line]
    same(said, [] if not came else
         [f"{len(came)} boot entr{'y has' if len(came) == 1 else 'ies have'} none of the words that "
          "are back: sudo ghost-boot update adds them."])
