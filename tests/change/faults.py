# SPDX-License-Identifier: GPL-2.0-or-later
"""Every system call by which ghost-boot changes something, failed in turn with each error, and the
process killed before each (so also after each): the real program, by strace. Whatever happens, the
machine is as before or as after the whole change, and the next call says the same."""
import gzip
import itertools
import os
import re
import subprocess

import pool

ERRORS = ("EIO", "ENOSPC", "EROFS", "EACCES")
# What changes a file system. openat, write and ioctl only where their arguments say so.
CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "syncfs", "sync", "rename", "renameat",
         "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "fchown", "fchownat", "chown",
         "lchown", "fchmod", "fchmodat", "chmod", "fsetxattr", "fremovexattr", "setxattr", "lsetxattr",
         "utimensat", "symlinkat", "linkat", "ftruncate", "fallocate", "copy_file_range", "sendfile",
         "ioctl", "mount", "umount2", "openat2")
LINE = re.compile(r"^(\w+)\((.*)\)\s+= ")


class Point:
    """One call: the nth of its name."""

    def __init__(self, call, nth, text):
        self.call, self.nth, self.text = call, nth, text

    def __str__(self):
        return f"{self.call} {self.nth} ({self.text[:90]})"


def changes(call, args):
    """Does this call, as strace prints it, change something that outlives the process?"""
    if call in ("openat", "openat2"):
        return "O_CREAT" in args or "O_TRUNC" in args
    if call in ("write", "pwrite64"):
        # to a file: not a terminal, a pipe, the log or a device
        return bool(re.match(r"\d+<(?!(pipe|/dev/|socket|/var/log))", args)) and \
            not re.match(r"[12]<", args)
    if call == "ioctl":
        return "FIFREEZE" in args or "FITHAW" in args or "0x66, 0x2b" in args
    return "/var/log/" not in args


def strace(log, *more):
    return ["strace", "-y", "-s", "64", "-o", log, "-e", "trace=" + ",".join(CALLS), *more]


def points(host, argv, log):
    """What a run of it does, which is carried out; chroot's own calls are counted with them."""
    ran = host.ghost(*argv, before=strace(log), check=False)
    found, count = [], {}
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            match = LINE.match(line)
            if not match:
                continue
            call, args = match.groups()
            count[call] = count.get(call, 0) + 1
            if changes(call, args):
                found.append(Point(call, count[call], args))
    return ran, found


def image_says(path):
    """The claims an image carries, and its kernel; None for what is no image."""
    try:
        with gzip.open(path) as f:
            data = f.read()
    except (OSError, EOFError):
        return None
    claims = release = None
    at = 0
    while at + 110 <= len(data) and data[at:at + 6] == b"070701":
        size, name_len = int(data[at + 54:at + 62], 16), int(data[at + 94:at + 102], 16)
        name = data[at + 110:at + 110 + name_len - 1].decode(errors="replace")
        body = (at + 110 + name_len + 3) // 4 * 4
        if name == "TRAILER!!!":
            return (claims, release)
        if name.endswith("etc/ghost-boot/claims"):
            claims = data[body:body + size]
        if name.endswith("conf/release"):
            release = data[body:body + size]
        at = (body + size + 3) // 4 * 4
    return None


TRIAL = re.compile(rb"(?<=ghost\.trial=)[0-9a-f]{8}")


def without_id(path):
    """Each trial has another."""
    with open(path, "rb") as f:
        return TRIAL.sub(b"", f.read())


def meaning(host, snapshot):
    """The same, images by what is in them: two builds of one are never the same bytes."""
    said = {}
    for path, (mode, uid, gid, what) in snapshot.items():
        name = os.path.basename(path)
        if (name.startswith("initrd.img-") or name.endswith("trial.img")) and what:
            what = ("image", image_says(host.at(path)))
        elif name in ("a-ghost-boot-trial.conf", "custom.cfg"):
            what = without_id(host.at(path))
        said[path] = (mode, uid, gid, what)
    return said


def difference(before, after):
    return [f"{path}: {before.get(path)} -> {after.get(path)}"
            for path in sorted(set(before) | set(after)) if before.get(path) != after.get(path)]


class Series:
    """All faults of one command on copies of one host."""

    def __init__(self, host, argv, scratch, recover):
        self.host, self.argv, self.scratch, self.recover = host, argv, scratch, recover
        self.old = host.snapshot()
        self.bad = []
        self.tried = 0
        self.codes = {}
        work = host.copy(os.path.join(scratch, "points"))
        ran, self.points = points(work, argv, os.path.join(scratch, "points.log"))
        if ran.returncode:
            raise RuntimeError(f"{argv} gave {ran.returncode}: {ran.stdout}{ran.stderr}")
        self.new = meaning(work, work.snapshot())
        work.remove()

    def inject(self, fault):
        """The exit status, and what is wrong afterwards."""
        point, what = fault
        name = f"work.{os.getpid()}"
        work = self.host.copy(os.path.join(self.scratch, name))
        log = os.path.join(self.scratch, name + ".log")
        ran = work.ghost(*self.argv, check=False, before=strace(
            log, "-e", f"inject={point.call}:{what}:when={point.nth}"))
        why = self.judge(work, ran, killed="signal" in what)
        work.remove()
        os.unlink(log)
        return ran.returncode, why

    def judge(self, work, ran, killed):
        # what is left to tidy after the last step, the next call tidies
        state = self.state(work, tidied=False)
        if not killed:
            if ran.returncode not in (0, 1, 3, 5, 6):
                return f"exit status {ran.returncode}: {ran.stderr[-300:]}"
            if ran.returncode == 0 and state != "new":
                return f"exit status 0, and the state is {state}"
            if ran.returncode in (1, 3, 5) and state != "old":
                return f"exit status {ran.returncode}, and the state is {state}: {ran.stderr[-300:]}"
        again = work.ghost(*self.recover, check=False)
        if again.returncode:
            return f"then {self.recover} gave {again.returncode}: {again.stderr[-300:]}"
        now = self.state(work)
        if now not in ("old", "new"):
            return f"after recovery the state is {now}"
        if not killed and ran.returncode == 0 and now != "new":
            return "recovery took back what was done"
        junk = [path for path in work.snapshot(ours=True)
                if ".ghost-boot" in path or path.endswith("ghost-boot/journal")]
        return f"left behind: {junk}" if junk else None

    def state(self, work, tidied=True):
        now = {path: what for path, what in work.snapshot().items()
               if tidied or "/.ghost-boot-" not in path}
        if now == self.old:
            return "old"
        if not tidied and "etc/ghost-boot" not in self.new:
            now.pop("etc/ghost-boot", None)  # empty, and still to go
        said = meaning(work, now)
        if said == self.new:
            return "new"
        return "neither: " + "; ".join(difference(self.new, said)[:3])[:300] + \
            " / from the old: " + "; ".join(difference(self.old, now)[:3])[:300]

    def run(self, every=1, progress=None):
        kinds = [f"error={error}" for error in ERRORS] + ["signal=SIGKILL"]
        todo = list(itertools.product(self.points, kinds))[::every]
        for (point, what), answer in pool.each(self.inject, todo):
            code, why = answer or (None, "it could not be tried")
            self.tried += 1
            self.codes[code] = self.codes.get(code, 0) + 1
            if why:
                self.bad.append(f"{' '.join(self.argv)}, {what} at {point}: {why}")
            if progress:
                progress(self.tried, len(todo), self)
        return self


def have_strace():
    return subprocess.run(["strace", "-V"], stdout=subprocess.DEVNULL, check=False).returncode == 0
