# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot as a command: help, wrong usage, output that can't be written."""
import os
import re
import subprocess

import sysfs
from harness import cases, holds, manuals, same, test
from manual import options
from studio import studio

COMMANDS = ("cmdline", "confirm", "diag", "disable", "enable", "history", "list", "map", "recover",
            "rollback", "status", "update", "verify")


def boot(t, *args, **options):
    return t.call(*args, name="ghost-boot", **options)


@test
def version(t):
    same(boot(t, "--version", code=0).out, boot(t, "-V", code=0).out)


@test
def help_names_every_command(t):
    text = boot(t, "--help", code=0).out
    holds(text.startswith("usage: ghost-boot "), text)
    same(sorted(re.findall(r"^  ([a-z][a-z-]*)  ", text, re.M)), sorted(COMMANDS))
    holds(max(map(len, text.splitlines())) <= 80, "wider than 80 columns")


@cases([(name, name) for name in COMMANDS])
def help_of(t, name):
    text = boot(t, name, "--help", code=0).out
    holds(text.startswith(f"usage: ghost-boot {name} "), text)
    holds(max(map(len, text.splitlines())) <= 79, "wider than 79 columns")
    same(boot(t, name, "-h", code=0).out, text)


WRONG = [
    ("nothing", ()), ("no such command", ("lsit",)), ("no such option", ("--lits", "list")),
    ("option of a command before it", ("--all", "list")), ("unknown", ("list", "--bogus")),
    ("a letter", ("list", "-az")), ("an argument", ("list", "01:00.0")),
    ("two views", ("list", "--all", "--tree")), ("no output", ("map",)),
    ("half an output", ("map", "-o")), ("no output for a timeline", ("diag", "--timeline")),
    ("two forms", ("diag", "--full", "--json")), ("two devices", ("verify", "01:00.0", "02:00.0")),
    ("an argument to no end", ("cmdline", "quiet")), ("half an argument", ("cmdline", "--add")),
    ("two arguments in one", ("cmdline", "--add", "a b")),
    ("an argument with quotes", ("cmdline", "--add", 'x="y"')),
    ("an argument to and fro", ("cmdline", "--add", "a", "--remove", "a")),
    ("a dry run of nothing", ("cmdline", "--dry-run")),
    ("a root that is not there", ("--root", "/nowhere", "list")), ("half a root", ("--root",)),
]


@cases([(name, args) for name, args in WRONG])
def wrong(t, args):
    """Exit 2, one line that says what and one of help."""
    result = boot(t, *args, code=2)
    same(result.out, "")
    lines = result.err.splitlines()
    same(len(lines), 2, result.err)
    holds(lines[0].startswith("ghost-boot"), lines[0])
    holds(lines[1].startswith("Try: ghost-boot ") and lines[1].endswith("--help"), lines[1])


@test
def options_anywhere(t):
    """--root before and after the command, options in any order."""
    studio(t.root)
    wanted = boot(t, "--root", t.root, "list", "--all", code=0).out
    same(boot(t, "list", "--root", t.root, "--all", code=0).out, wanted)
    same(boot(t, "list", "--all", f"--root={t.root}", code=0).out, wanted)


@test
def no_pci(t):
    for args in ("list",), ("list", "--json"), ("verify",), ("map", "-o", "-"):
        sysfs.put(t.root + "/etc/hostname", "x\n")
        result = t.boot(*args, code=1)
        same(result.out, "")
        same(len(result.err.splitlines()), 2, result.err)


@cases([(" ".join(args), args) for args in
        (("list",), ("list", "--json"), ("verify",), ("map", "-o", "-"), ("--help",))])
def full_disk(t, args):
    """What could not be written was not done."""
    studio(t.root)
    with open("/dev/full", "wb") as full:
        result = t.boot(*args, code=1, stdout=full)
    holds("No space left" in result.err, result.err)


@test
def closed_output(t):
    """A reader that went away ends it quietly, or as a failure; never a crash."""
    studio(t.root)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([t.suite.base + "/ghost-boot", "--root", t.root, "list", "--all"],
                               stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    process.stderr.read()
    holds(process.wait(30) in (1, -13), f"ended with {process.returncode}")


def said(t):
    """The options of each command's help."""
    return {name: options(boot(t, name, "--help").out) for name in COMMANDS}


@test
def manual_has_every_option(t):
    """Of --help, and the other way round, command by command."""
    page = manuals["ghost-boot.8"]
    parts = dict(re.findall(r"^\.Ss (\w+)\n(.*?)(?=^\.S[sh] )", page, re.M | re.S))
    same(sorted(parts), sorted(COMMANDS), "commands in the manual")
    shared = {"--root", "-h", "--help"}
    for name, wanted in said(t).items():
        found = {"-" + word for line in re.findall(r"^\.It (Fl .*)$", parts[name], re.M)
                 for word in re.findall(r"Fl (-?[A-Za-z][a-z-]*)", line)}
        same(sorted(found), sorted(wanted - shared), name)
    found = {"-" + word for word in re.findall(r"\bFl (-?[A-Za-z][a-z-]*)", page)}
    same(sorted(found), sorted(set().union(options(boot(t, "--help").out), *said(t).values())))


@test
def manual_has_exit_codes(t):
    line, = (x for x in boot(t, "--help").out.splitlines() if x.startswith("Exit: "))
    page = manuals["ghost-boot.8"].split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    same(re.findall(r"^\.It (\d)$", page, re.M), re.findall(r"(?:: |, )(\d)", line))
