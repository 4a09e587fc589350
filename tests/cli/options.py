# SPDX-License-Identifier: GPL-2.0-or-later
"""Options, help, and what is said about a wrong one."""
import os
import re

import sysfs
from harness import cases, holds, same, test


@cases([(" ".join(args) or "empty", words, *args) for words, args in (
    ("--bogus", ["--bogus"]), ("--bogus=1", ["--bogus=1"]), ("-x", ["-x"]), ("--root", ["--root"]),
    ("-x", ["-xn"]), ("-x", ["-nx"]), ("--device", ["--device"]), ("--publish", ["--publish"]),
    ("--records", ["--records"]), ("--dry-run=yes", ["--dry-run=yes"]),
    ("--re", ["--re"]), ("claim", ["claim"]), ("0000:01:00.0", ["0000:01:00.0"]), ("here", ["--", "here"]),
    ("/nowhere", ["--root", "/nowhere"]), ("/dev/null", ["--root", "/dev/null"]),
    ("--publish", ["--device", "0000:01:00.0", "--publish", "/x"]),
    ("--modules", ["--device", "0000:01:00.0", "--modules"]),
    ("--modules", ["--publish", "/x", "--modules"]),
    ("records", ["--records", "run"]), ("records", ["--publish", "run"]), ("records",
                                                                          ["--records", ""]),
    ("bogus", ["--root", "/", "--device", "bogus"]))])
def wrong(t, word, *args):
    """One line what and where, one line of help; and nothing is done."""
    result = t.call(*args, code=2)
    same(result.out, "")
    same(result.err.count("\n"), 2, result.err)
    what, hint = result.err.splitlines()
    holds(what.startswith("ghost-claim: ") and word in what, what)
    same(hint, "Try: ghost-claim --help")


@test
def wrong_leaves_no_trace(t):
    m = t.desktop()
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    before = sysfs.snapshot(m.dir)
    for args in (["--bogus"], ["more"], ["--device"], ["--records", "run"]):
        t.run(*args, code=2)
    same(sysfs.changes(before, sysfs.snapshot(m.dir)), [])


@cases([("-h", "-h"), ("--help", "--help")])
def help_fits(t, word):
    result = t.call(word, code=0)
    same(result.err, "")
    wide = [line for line in result.out.splitlines() if len(line) > 80]
    same(wide, [])
    holds(result.out.isascii() and "\t" not in result.out, "not plain text")
    holds("ghost-claim(8)" in result.out and "ghost-boot-claims(5)" in result.out, "no manual")


@cases([("-V", "-V"), ("--version", "--version")])
def version(t, word):
    result = t.call(word, code=0)
    holds(re.fullmatch(r"ghost-claim \d+\.\d+\.\d+\S*\n", result.out), result.out)


@cases([("none", lambda root: root), ("a slash at the end", lambda root: root + "/"),
        ("relative", lambda root: os.path.relpath(root, "/"))])
def root_folder(t, name):
    m = t.desktop()
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    result = t.call("--root", name(m.dir), "--dry-run", code=0, cwd="/")
    holds(m.gpu.bdf in result.out, result.out)


@test
def short_forms(t):
    m = t.desktop()
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    same(t.run("-n").out, t.run("--dry-run").out)
