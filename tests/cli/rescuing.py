# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-diag --countdown: the rescue shell of a trial. Below a root it only says that it would restart
the machine, and its console is the terminal it was called from."""
import os
import pty
import re
import select
import subprocess
import termios
import time

import sysfs
from harness import cases, holds, same, test

ATTENDED = "run/ghost-boot/attended"
COUNTS = r"the machine restarts in (\d+) s; any key keeps it here"
RESTART = "another root: no restart"


def machine(t, words="ghost.claim=on ghost.trial=0123abcd panic=30"):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    return m


class Shell:
    """ghost-diag in front of a rescue shell, at a terminal."""

    def __init__(self, t, *args, typed=""):
        self.ours, self.theirs = pty.openpty()
        self.said, self.before = "", termios.tcgetattr(self.theirs)
        os.write(self.ours, typed.encode())
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [t.suite.base + "/ghost-diag", "--root", t.root, *args], stdin=self.theirs,
            stdout=self.theirs, stderr=self.theirs, env={"TERM": "linux"})

    def read(self, seconds):
        if select.select([self.ours], [], [], seconds)[0]:
            self.said += os.read(self.ours, 65536).decode(errors="replace")

    def wait(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.said):
            holds(time.monotonic() < end, f"{pattern!r} never came: {self.said[-300:]}")
            self.read(0.1)

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def end(self, seconds=20):
        """How long it took from the start. The terminal is as it was."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                self.process.kill()
                holds(False, f"did not end: {self.said[-300:]}")
            self.read(0.05)
        took = time.monotonic() - self.start
        self.read(0.1)
        same(termios.tcgetattr(self.theirs), self.before, "the terminal")
        os.close(self.ours)
        os.close(self.theirs)
        return took


@test
def nobody_is_there(t):
    m = machine(t)
    shell = Shell(t, "--countdown", "2")
    took = shell.end()
    same(re.findall(COUNTS, shell.said), ["2", "1"])
    holds(RESTART in shell.said and 2 <= took < 15, f"{took:.1f} s: {shell.said[-300:]}")
    holds("what became of this boot's claims" in shell.said.partition("restarts in")[0], shell.said)
    same(os.path.exists(m.at(ATTENDED)), False)
    same(m.read("dev/kmsg"), "<4>ghost-boot: trial 0123abcd: it failed and nobody was there: "
         "restart\n")


@cases([("enter", "\r"), ("space", " "), ("a letter", "q"), ("an arrow", "\x1b[A"),
        ("Ctrl-C", "\x03"), ("Ctrl-Z", "\x1a"), ("Ctrl-D", "\x04"), ("Ctrl-V", "\x16")])
def a_key(t, key):
    """It ends at once, and for good."""
    m = machine(t)
    shell = Shell(t, "--countdown", "300")
    shell.wait(COUNTS)
    shell.type(key)
    shell.end(10)
    holds(RESTART not in shell.said, shell.said)
    holds(os.path.exists(m.at(ATTENDED)), "not remembered")
    holds("somebody is at the rescue shell" in m.read("dev/kmsg"), m.read("dev/kmsg"))
    again = Shell(t, "--countdown", "300")
    again.end()
    same(re.findall(COUNTS, again.said), [])


@test
def the_caller_restarts(t):
    """It is told when, and only then."""
    m = machine(t)
    result = t.run("--countdown", "1", "--no-restart", name="ghost-diag", code=0)
    holds(RESTART not in result.out, result.out)
    holds("nobody was there" in m.read("dev/kmsg"), m.read("dev/kmsg"))
    shell = Shell(t, "--countdown", "300", "--no-restart")
    shell.wait(COUNTS)
    shell.type("q")
    shell.end(10)
    same(shell.process.returncode, 1)
    t.run("--countdown", "300", "--no-restart", name="ghost-diag", code=1)  # attended
    m.cmdline("ghost.claim=on")
    os.unlink(m.at(ATTENDED))
    t.run("--countdown", "300", "--no-restart", name="ghost-diag", code=1)  # no trial
    result = t.run("--no-restart", name="ghost-diag", code=2)
    holds("goes with --countdown" in result.err, result.err)


@test
def typed_before(t):
    """Only what is pressed during the countdown shows that somebody is there now."""
    machine(t)
    shell = Shell(t, "--countdown", "2", typed="hello\nworld")
    shell.end()
    holds(RESTART in shell.said, shell.said)


@test
def keys_do_not_show(t):
    machine(t)
    shell = Shell(t, "--countdown", "300")
    shell.wait(COUNTS)
    shell.type("zqz")
    shell.end()
    same("zqz" in shell.said, False, shell.said)


@test
def hung_up(t):
    """A console that is gone can't press a key, nor keep the machine from restarting."""
    m = machine(t)
    shell = Shell(t, "--countdown", "3")
    shell.wait(COUNTS)
    os.close(shell.ours)
    _, _, usage = os.wait4(shell.process.pid, 0)
    shell.process.returncode = 0
    holds(usage.ru_utime + usage.ru_stime < 0.5, "it never slept")
    os.close(shell.theirs)
    holds("nobody was there" in m.read("dev/kmsg"), m.read("dev/kmsg"))
    same(os.path.exists(m.at(ATTENDED)), False)


@test
def no_terminal(t):
    m = machine(t)
    result = t.run("--countdown", "1", name="ghost-diag", code=0)
    holds(RESTART in result.out, result.out)
    holds("nobody was there" in m.read("dev/kmsg"), m.read("dev/kmsg"))


@cases([(repr(words), words) for words in (
    "", "ghost.claim=on panic=30", "ghost.claim=on ghost.trial=x", "ghost.trial",
    "ghost.claim=on ghost.trials=0123abcd", "a='ghost.trial=0123abcd'")])
def no_trial(t, words):
    m = machine(t, words)
    shell = Shell(t, "--countdown", "300")
    shell.end()
    same((re.findall(COUNTS, shell.said), RESTART in shell.said), ([], False))
    same(m.read("dev/kmsg"), "")


def unreadable(m):
    os.unlink(m.at("proc/cmdline"))


@test
def command_line_unreadable(t):
    unreadable(machine(t))
    shell = Shell(t, "--countdown", "300")
    shell.end()
    same(re.findall(COUNTS, shell.said), [])


QUESTIONS = [
    ("systemd", "run/systemd/ask-password/ask.gX2bq1", "[Ask]\n"),
    ("askpass", "proc/123/comm", "askpass\n"),
    ("cryptsetup", "proc/77/comm", "cryptsetup\n"),
    ("systemd-ask-password", "proc/4194304/comm", "systemd-ask-pas\n"),
]


@cases([(name, path, text) for name, path, text in QUESTIONS])
def passphrase(t, path, text):
    """No countdown, and not one key is taken from the question; nor once it comes up."""
    m = machine(t)
    sysfs.put(m.at(path), text)
    shell = Shell(t, "--countdown", "300", typed="secret\n")
    shell.process.wait(20)
    holds(select.select([shell.theirs], [], [], 0)[0], "the answer is gone")
    same(os.read(shell.theirs, 64), b"secret\n")
    shell.end()
    same(re.findall(COUNTS, shell.said), [])
    holds("a passphrase is asked for" in m.read("dev/kmsg"), m.read("dev/kmsg"))
    os.unlink(m.at(path))
    shell = Shell(t, "--countdown", "300")
    shell.wait(COUNTS)
    sysfs.put(m.at(path), text)
    shell.end()
    same((RESTART in shell.said, os.path.exists(m.at(ATTENDED))), (False, False))


@cases([("systemd's other files", "run/systemd/ask-password/.dir", "x"),
        ("another name", "run/systemd/ask-password/askew", "x"),
        ("its agent", "proc/123/comm", "systemd-tty-ask\n"),
        ("another program", "proc/123/comm", "askpass2\n"),
        ("no process", "proc/x/comm", "askpass\n"), ("plymouthd", "proc/9/comm", "plymouthd\n")])
def no_question(t, path, text):
    m = machine(t)
    sysfs.put(m.at(path), text)
    shell = Shell(t, "--countdown", "1")
    shell.end()
    holds(RESTART in shell.said, shell.said)


@cases([(repr(value), value) for value in ("0", "-1", "x", "", "1x", "3601", " 5",
                                           "99999999999999999999")])
def seconds(t, value):
    result = t.run("--countdown", value, name="ghost-diag", code=2)
    holds("1 to 3600 seconds" in result.err, result.err)


@cases([(other, other) for other in ("--json", "--full")])
def alone(t, other):
    result = t.run("--countdown", "5", other, name="ghost-diag", code=2)
    holds("exclude each other" in result.err, result.err)
