# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-claim --verify: the checks that go with a boot's claim."""
import json
import os

import sysfs
from harness import cases, holds, same, test

VERIFY = "run/ghost-boot/verify.json"
KEYS = {"id", "result", "subject", "text", "evidence", "fix"}


def armed(t, words="ghost.claim=on"):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"))
    return m


@test
def beside_the_record(t):
    m = armed(t)
    without, _ = t.claim()
    os.unlink(m.at("run/ghost-boot/claim.json"))
    before = sysfs.snapshot(m.dir)
    t.run("--verify", code=6)
    changed = sysfs.changes(before, sysfs.snapshot(m.dir))
    # the log's last line says how long it took
    same([name for name in changed if name != "dev/kmsg"],
         ["run/ghost-boot/claim.json", VERIFY], "the rest as without --verify")
    same([d["result"] for d in t.record()["devices"]],
         [d["result"] for d in without["devices"]])
    said = json.loads(m.read(VERIFY))
    same((said["version"], list(said)), (1, ["version", "tool", "cpu_ms", "checks"]))
    for check in said["checks"]:
        same(set(check), KEYS)
        holds(check["result"] in ("pass", "warn", "fail", "unknown"), check)
        holds(check["text"] and check["subject"], check)
    same(oct(os.lstat(m.at(VERIFY)).st_mode & 0o777), "0o644")


@cases([("boot's", "ghost-verify"), ("host's", "ghost-boot")])
def each_check_has_its_id_and_where_it_was_read(t, name):
    armed(t)
    words = ["verify"] if name == "ghost-boot" else []
    shown = t.call(*words, "--all", "--root", t.root, name=name).out
    for check in json.loads(t.call(*words, "--json", "--root", t.root, name=name).out)["checks"]:
        holds(f"{check['text']} [{check['id']}]\n" in shown, f"{check['id']} not in: {shown}")
        holds(check["evidence"] and check["evidence"] in shown, check)


@test
def moves_with_the_records(t):
    m = armed(t)
    t.run("--verify", "--records", "/.ghost-boot")
    same(os.path.exists(m.at(VERIFY)), False)
    t.run("--publish", "/.ghost-boot", code=0)
    same(m.read(VERIFY), m.read(".ghost-boot/verify.json"))


@test
def says_that_it_could_not_be_written(t):
    """A child writes it; the boot goes on as it would, and both the caller and the log hear of it."""
    m = armed(t)
    wanted, _ = t.claim()
    os.unlink(m.at("run/ghost-boot/claim.json"))
    sysfs.put(m.at(VERIFY + "/in the way"), "")
    sysfs.put(m.at("dev/kmsg"), "")
    said = t.run("--verify", code=6).err
    holds(f"/{VERIFY}: Is a directory" in said, said)
    holds(f"<4>ghost-boot: /{VERIFY}: Is a directory\n" in m.read("dev/kmsg"), m.read("dev/kmsg"))
    same([d["result"] for d in t.record()["devices"]], [d["result"] for d in wanted["devices"]])


@cases([("off", "ghost.claim=off"), ("not armed", "quiet")])
def says_nothing(t, words):
    m = armed(t, words)
    t.run("--verify", code=0)
    holds(not os.path.exists(m.at(VERIFY)), "nothing was claimed, and it was checked")


@cases([("dry-run", ["--dry-run"]), ("device", ["--device", "0000:01:00.0"]),
        ("publish", ["--publish", "/x"]), ("modules", ["--modules"])])
def goes_with_the_claim_only(t, words):
    armed(t)
    holds("--verify" in t.run("--verify", *words, code=2).err, "not named")
