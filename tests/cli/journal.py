# SPDX-License-Identifier: GPL-2.0-or-later
"""Journals as the engine writes them, for tests of what reads them."""
import hashlib
import os
import stat

import sysfs

STATE = "var/lib/ghost-boot"
ABSENT, REGULAR = 0, 1


def word(text):
    return "".join(c if " " < c < "\x7f" and c != "%" else f"%{ord(c):02x}" for c in text) or "%"


def describe(tag, path):
    """The file as it is now."""
    if not os.path.lexists(path):
        return f"{tag} 0 0 0 0 0 0 0 0 0 % %\n"
    info = os.lstat(path)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return (f"{tag} 1 0 {stat.S_IMODE(info.st_mode):o} {info.st_uid} {info.st_gid} "
            f"{info.st_size} 1 {info.st_mtime_ns // 10**9} {info.st_mtime_ns % 10**9} "
            f"{digest} %\n")


class Change:
    """Changes files of a machine, and leaves the journal of it."""

    def __init__(self, machine, reason, at=1764100000):
        self.machine, self.entries, self.steps, self.copies = machine, "", "", {}
        self.head = f"ghost-boot journal 1\ntime {at}\nreason {word(reason)}\n"
        self.count = 0

    def write(self, path, text):
        return self.become(path, text, "change" if os.path.exists(self.machine.at(path)) else "make")

    def remove(self, path):
        return self.become(path, None, "remove")

    def become(self, path, text, verb):
        place = self.machine.at(path)
        before = describe("before", place)
        if os.path.exists(place):
            self.copies[f"{self.count}.old"] = sysfs.text(place)
        if text is None:
            os.unlink(place)
        else:
            sysfs.put(place, text)
            self.copies[f"{self.count}.new"] = text
        self.steps += f"step {word(verb + ' /' + path)}\n"
        self.entries += (f"entry {self.count} 0 {word('/' + path)} {word('/' + path)}\n{before}"
                         f"{describe('after', place)}")
        self.count += 1
        return self

    def file(self, folder, state="done", reached=0):
        record = self.head + self.steps + self.entries
        record += f"end {hashlib.sha256(record.encode()).hexdigest()}\n"
        base = f"{STATE}/{folder}"
        sysfs.put(self.machine.at(f"{base}/record"), record)
        sysfs.put(self.machine.at(f"{base}/state.{state}.{reached}"), "")
        for name, text in self.copies.items():
            sysfs.put(self.machine.at(f"{base}/{name}"), text)
