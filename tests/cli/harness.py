# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tests of the programs on synthetic machines."""
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import traceback

import sysfs

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests"))
import pool  # noqa: E402

RECORD, LATE = "run/ghost-boot/claim.json", "run/ghost-boot/late/"
EXITS = (0, 1, 2, 3, 4, 5, 6)
BOOT = ("commands.", "completing.", "history.", "listing.", "mapping.", "rollback.", "selecting.",
        "status.", "trials.", "wording.")  # modules that test ghost-boot
found = []
manuals, completions = {}, {}  # file name: text


class Skip(Exception):
    pass


def test(function):
    found.append((f"{function.__module__}.{function.__name__}", function, ()))
    return function


def cases(table):
    """One test for each entry: its name, and the arguments the function gets."""
    def add(function):
        for name, *args in table:
            found.append((f"{function.__module__}.{function.__name__} {name}", function, args))
        return function
    return add


def same(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}got {got!r}, wanted {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


class Result:
    def __init__(self, process, out, err):
        self.code, self.out, self.err = process.returncode, out, err


class Case:
    """What one test has: a folder of its own and the program."""

    def __init__(self, suite, folder):
        self.suite, self.folder = suite, folder
        self.root = os.path.join(folder, "root")
        self.outside = os.path.join(folder, "outside")
        os.mkdir(self.outside)

    def desktop(self, **options):
        return sysfs.desktop(self.root, **options)

    def call(self, *args, code=None, name="ghost-claim", **options):
        """The program as it is called. Whatever happens, it ends by itself and as documented."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        program = os.path.join(self.suite.base, name)
        process = subprocess.Popen([program, *args], stdin=subprocess.DEVNULL,
                                   text=True,
                                   errors="surrogateescape", **options)
        try:
            out, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise AssertionError("did not end within 30 s") from None
        holds(process.returncode in EXITS, f"ended with {process.returncode}: {err}")
        if code is not None:
            same(process.returncode, code, f"exit code ({err})")
        return Result(process, out, err)

    def run(self, *args, **options):
        return self.call("--root", self.root, *args, **options)

    def boot(self, *args, **options):
        """ghost-boot, which must leave the machine as it is."""
        before = sysfs.snapshot(self.root)
        result = self.run(*args, name="ghost-boot", **options)
        same(sysfs.changes(before, sysfs.snapshot(self.root)), [], "changed by ghost-boot")
        return result

    def terminal(self, columns, *args, **environment):
        """What ghost-boot writes to a terminal so wide."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        program = os.path.join(self.suite.base, "ghost-boot")
        with subprocess.Popen([program, "--root", self.root, *args], stdin=subprocess.DEVNULL,
                              stdout=theirs, stderr=theirs,
                              env={"TERM": "xterm", "LC_ALL": "C.UTF-8", **environment}):
            os.close(theirs)
            said = b""
            while True:
                try:
                    more = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
                if not more:
                    break
                said += more
        os.close(ours)
        return said.decode().replace("\r\n", "\n")

    def dry(self, **options):
        """The record of a dry run, which must leave the machine as it is."""
        before = sysfs.snapshot(self.root)
        result = self.run("--dry-run", "--json", **options)
        same(sysfs.changes(before, sysfs.snapshot(self.root)), [], "changed by a dry run")
        return check_record(json.loads(result.out))

    def claim(self, *args, **options):
        """The record of a real run, and which files it changed."""
        before = sysfs.snapshot(self.root)
        self.run(*args, **options)
        return self.record(), sysfs.changes(before, sysfs.snapshot(self.root))

    def record(self, path=RECORD):
        record = json.loads(sysfs.text(os.path.join(self.root, path)))
        return check_record(record) if path.endswith("claim.json") else check_late(record)

    def golden(self, name, result):
        got = f"{result.out}-- stderr\n{result.err}-- exit {result.code}\n"
        for key, value in ("at", "0"), ("took_ms", "0"), ("kernel", '"KERNEL"'), ("tool", '"TOOL"'):
            got = re.sub(rf'^(  "{key}": ).*?(,?)$', rf"\g<1>{value}\2", got, flags=re.M)
        self.suite.golden(name, got)


# ---- the record's contract ---------------------------------------------------------------

BDF = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]"
WORDS = {
    "outcome": {"claimed", "partly", "nothing", "not-armed", "off", "failed"},
    "decision": {"keep", "claim", "moved", "refused", "mismatch", "ambiguous", "absent"},
    "result": {"none", "planned", "bound", "held", "given-back", "in-use", "failed"},
    "state": {"ready", "loaded", "missing", "failed"},
}
HEAD = {"version": int, "tool": str, "kernel": (str, None), "at": float, "took_ms": float}
DEVICE = {"line": int, "path": str, "id": str, "bdf": (str, None), "group": (int, None),
          "decision": str, "reason": str, "text": str, "driver_before": (str, None),
          "driver": (str, None), "result": str}
MODULE = {"driver": str, "state": str, "text": (str, None)}
PROBLEM = {"file": str, "line": int, "column": int, "text": str}
TRIAL = {"id": str, "counted": bool, "counter": (str, None), "text": (str, None)}
WHOLE = {**HEAD, "armed": bool, "arming": str, "trial": (dict, None), "outcome": str,
         "error": (str, None), "claims_file": str, "problems": [PROBLEM], "problem_count": int,
         "modules": [MODULE], "devices": [DEVICE]}
ONE = {**HEAD, **DEVICE, "modules": [MODULE]}


def check_keys(data, schema, where):
    same(list(data), list(schema), f"keys of {where}")
    for key, kind in schema.items():
        value, at = data[key], f"{where}.{key}"
        if isinstance(kind, list):
            holds(isinstance(value, list), f"{at} is no list")
            for i, member in enumerate(value):
                check_keys(member, kind[0], f"{at}[{i}]")
            continue
        kinds = kind if isinstance(kind, tuple) else (kind,)
        good = (value is None and None in kinds) or type(value) in kinds
        holds(good, f"{at} is {value!r}, not {kinds}")
        holds(value != "", f"{at} is an empty string: unknown is null")
        if key in WORDS:
            holds(value in WORDS[key], f"{at} is {value!r}")
        if key == "bdf" and value:
            holds(re.fullmatch(BDF, value), f"{at} is {value!r}")


def check_record(data):
    check_keys(data, WHOLE, "record")
    same(data["version"], 1)
    return data


def check_late(data):
    check_keys(data, ONE, "record")
    same(data["version"], 1)
    return data


def decisions(record):
    return [(d["bdf"], d["decision"], d["reason"]) for d in record["devices"]]


# ---- running -----------------------------------------------------------------------------

class Suite:
    def __init__(self, program, label, base, golden, update):
        self.label, self.base, self.update = label, base, update
        self.expected = golden
        self.program = os.path.join(base, "ghost-claim")
        self.slow = label == "asan"
        shutil.copy(program, self.program)
        os.chmod(self.program, 0o755)
        boot = os.path.join(os.path.dirname(program), "ghost-boot")
        self.has_boot = os.path.exists(boot)
        if self.has_boot:
            shutil.copy(boot, os.path.join(base, "ghost-boot"))
            os.chmod(os.path.join(base, "ghost-boot"), 0o755)
        for name in "ghost-verify", "ghost-diag":
            os.symlink("ghost-claim", os.path.join(base, name))

    def wants(self, name):
        """Linking changes neither parsing nor judgement; ghost-boot is never static."""
        if name.startswith(BOOT):
            return self.has_boot and self.label != "dynamic"
        return self.label != "dynamic" or name.startswith(("acting.", "options."))

    def golden(self, name, got):
        if self.update:
            sysfs.put(os.path.join(REPO, "tests/cli/golden", name), got)
        else:
            wanted = self.expected.get(name, "")
            holds(got == wanted, f"differs from golden/{name}; this came:\n{got}")

    def one(self, name, function, args):
        folder = tempfile.mkdtemp(dir=self.base)
        title = f"{name} [{self.label}]"
        try:
            function(Case(self, folder), *args)
        except Skip as reason:
            print(f"skip {title}: {reason}")
        except Exception as e:  # whatever it is, the test is red and the others go on
            said = str(e) if isinstance(e, AssertionError) else traceback.format_exc()
            first, *rest = said.rstrip().split("\n") or [""]
            print(f"FAIL {title}: {first}")
            for line in rest:
                print(f"    {line}")
            return False
        else:
            print(f"ok {title}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return True


def read_folder(name):
    """Before privileges are dropped: the repository may be nobody else's to read."""
    folder = os.path.join(REPO, name)
    return {name: sysfs.text(os.path.join(folder, name)) for name in os.listdir(folder)}


def drop_privileges():
    """The tests are about a folder and need none; as root nothing would be unreadable."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def executable(folder):
    """Can be written to, and programs in it can be run."""
    return os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC


def run_one(chosen):
    suite, name, function, args = chosen
    return suite.one(name, function, args)


def main(programs, only, update):
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    golden = read_folder("tests/cli/golden")
    manuals.update(read_folder("tools/man"))
    if os.path.isdir(os.path.join(REPO, "build/completions")):
        completions.update(read_folder("build/completions"))
    memory = "/dev/shm" if executable("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="ghost-cli.", dir=memory,
                                     ignore_cleanup_errors=True) as base:
        suites = []
        for label, program in programs:
            folder = os.path.join(base, label)
            os.mkdir(folder)
            suites.append(Suite(program, label, folder, golden, update))
        if os.geteuid() == 0 and not update:
            for folder in [base] + [suite.base for suite in suites]:
                os.chown(folder, 65534, 65534)
        child = os.fork()
        if not child:
            code = 1
            try:
                if not update:
                    drop_privileges()
                chosen = [(suite, *one) for suite in suites for one in found
                          if only in one[0] and suite.wants(one[0])]
                good = [passed for _, passed in pool.each(run_one, chosen)]
                code = 0 if all(good) else 1
            finally:
                sys.stdout.flush()
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
