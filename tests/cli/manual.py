# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages say what the program does."""
import os
import re
import subprocess

import sysfs
from harness import (DEVICE, LATE, RECORD, REPO, TRIAL, WHOLE, WORDS, cases, holds, same, test,
                     manuals)

PROGRAM, FILE, BOOT = "ghost-claim.8", "ghost-boot-claims.5", "ghost-boot.8"
PAGES = (PROGRAM, FILE, BOOT, "ghost-verify.8", "ghost-diag.8")
PROGRAMS = [(name, name) for name in ("ghost-claim", "ghost-verify", "ghost-diag")]


def options(text):
    return set(re.findall(r"(?<![\w/-])(--[a-z][a-z-]*|-[A-Za-z])(?![\w-])", text))


@cases(PROGRAMS)
def options_of_the_help(t, name):
    """Every option of --help is in the manual, and the other way round."""
    page = {"-" + word for word in re.findall(r"\bFl (-?[A-Za-z][a-z-]*)", manuals[name + ".8"])}
    said = options(t.call("--help", code=0, name=name).out)
    same(sorted(page), sorted(said))
    holds(len(said) >= 8, f"only {sorted(said)}")


@test
def keys_of_the_record(t):
    page = manuals[PROGRAM]
    words = set(WHOLE) | set(DEVICE) | set(TRIAL) | WORDS["decision"] | WORDS["result"] | WORDS["outcome"]
    same(sorted(w for w in words - {"keep"} if not re.search(rf"\b{w}\b", page)), [])


@cases(PROGRAMS)
def exit_codes(t, name):
    line, = (x for x in t.call("--help", name=name).out.splitlines() if x.startswith("Exit: "))
    told = re.findall(r"(?:: |, )(\d)", line)
    page = manuals[name + ".8"].split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    same(re.findall(r"^\.It (\d)$", page, re.M), told)


def judgements():
    """The sources that add checks, as one text."""
    folder, text = os.path.join(REPO, "src"), ""
    for name in sorted(os.listdir(folder)):
        if name.startswith("judge-") and name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text += file.read()
    return text


@test
def checks(t):
    """Every check that a judgement may add is explained, and no other."""
    text = judgements()
    said = set(re.findall(r'gb_check\(\s*[^,]*checks,\s*(?:[^",]*\?\s*)?"([a-z-]+)"', text))
    page = manuals["ghost-verify.8"].split(".Sh CHECKS")[1].split(".Sh FILES")[0]
    lines = re.findall(r"^\.It Cm (.*)$", page, re.M)
    told = {word for line in lines for word in line.split(" , ")}
    same(sorted(said - told), [], "not in the manual")
    same(sorted(word for word in told if f'"{word}"' not in text), [], "no such check")
    holds(len(said) >= 30, f"only {sorted(said)}")


@test
def files(t):
    for name in "/" + RECORD, "/run/ghost-boot/claims", "/" + LATE, "/etc/ghost-boot/claims":
        holds(name in manuals[PROGRAM], name)


def example():
    return re.search(r"^\.Bd -literal.*?\n(.*?)^\.Ed", manuals[FILE], re.M | re.S)[1]


@test
def example_can_be_read(t):
    """The manual's own claims file, on a machine it fits."""
    m = t.desktop()
    m.claims_raw(example())
    record = t.dry(code=0)
    same((record["problem_count"], [d["decision"] for d in record["devices"]]),
         (0, ["claim", "claim"]), str(record["problems"]))


@cases([(key, key, value) for key, value in (
    ("serial", "00-04-4b-ff-fe-12-34-56"), ("host", "\\_SB_.PC06"), ("driver", "vfio-pci"),
    ("allow", "storage,network,last-display"))])
def optional_key(t, key, value):
    """The manual names it, and the program takes it."""
    m = t.desktop()
    m.claims(m.gpu.line(**{key: value}), m.igpu.line("keep"))
    same(t.dry()["problems"], [])
    holds(f"\n.It Cm {key}\n" in manuals[FILE], "not in the manual")
    for word in value.split(",") if key == "allow" else ():
        holds(word in manuals[FILE], word)


@cases([(name, name) for name in PAGES])
def lint(t, name):
    page = t.folder + "/" + name
    sysfs.put(page, manuals[name])
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False,
                          capture_output=True, text=True)
    same(done.stdout, "")


@cases([(name, name) for name in PAGES])
def groff(t, name):
    page = t.folder + "/" + name
    sysfs.put(page, manuals[name])
    done = subprocess.run(["groff", "-mandoc", "-ww", "-z", "-Tutf8", page], check=False,
                          capture_output=True, text=True)
    same(done.stderr, "")
