# SPDX-License-Identifier: GPL-2.0-or-later
"""Completions, made from --help, as the shells themselves understand them."""
import subprocess

import sysfs
from commands import COMMANDS, said
from harness import completions, same, test
from studio import studio

COMPLETE = """. "$1"; COMP_LINE=$2; COMP_POINT=${#COMP_LINE}
read -ra COMP_WORDS <<<"$2"; [[ $2 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_ghost_boot ghost-boot "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(t, line):
    script = t.outside + "/completion"
    sysfs.put(script, completions["ghost-boot"])
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, line], check=True,
                          capture_output=True, text=True)
    same(done.stderr, "")
    return sorted(done.stdout.split())


@test
def completion(t):
    """Every command, every long option of each, and the devices there are."""
    m = studio(t.root)
    same([w for w in complete(t, "ghost-boot ") if not w.startswith("-")], sorted(COMMANDS))
    for name, wanted in said(t).items():
        same(complete(t, f"ghost-boot {name} --"), long(wanted), name)
    for name in "verify", "enable", "disable":
        same(complete(t, f"ghost-boot --root {t.root} {name} 0000:01"),
             sorted(f.bdf.removeprefix("0000:") for f in (m.gpu, m.audio)), name)
        same(len(complete(t, f"ghost-boot --root {t.root} {name} ")), len(m.functions), name)


def long(words):
    return sorted(word for word in words if word.startswith("--"))


def shell(t, name, *command):
    script = t.outside + "/" + name
    sysfs.put(script, completions[name])
    done = subprocess.run([*command, script], check=False, capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": t.outside})
    same((done.returncode, done.stderr), (0, ""))
    return done.stdout


# What the completion hands to zsh's own functions, which need a terminal.
ZSH = """
_arguments() {
	case $1 in
	-C) shift; print -rl -- program: "$@"; state=argument; [[ -n $words ]] || state=command; return 1 ;;
	*) print -rl -- "$@" ;;
	esac
}
_describe() { print -rl -- "${(P@)2}"; }
words=(COMMAND); . $1
"""


@test
def zsh(t):
    def told(command):
        text = shell(t, "_ghost-boot", "zsh", "-fc", ZSH.replace("COMMAND", command), "zsh")
        return text.splitlines()

    same(sorted(line.split(":")[0] for line in told("") if line[0] not in "-(*1"),
         sorted(["program", *COMMANDS]))
    for name, wanted in said(t).items():
        lines = told(name)
        program = lines.index("*::argument:->argument")
        found = {line.split("[")[0].lstrip("*").rpartition(")")[2] for line in lines[program + 1:]
                 if "[" in line}
        same(sorted(found), sorted(wanted), name)


@test
def fish(t):
    def told(line):
        text = shell(t, "ghost-boot.fish", "fish", "--no-config", "-c",
                     f"source $argv[1]; complete -C '{line}'")
        return sorted(word.split("\t")[0] for word in text.splitlines())

    same(told("ghost-boot "), sorted(COMMANDS))
    for name, wanted in said(t).items():
        same(told(f"ghost-boot {name} --"), long(wanted), name)
