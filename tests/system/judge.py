"""Which side of a change a disk is on: as its boot loader finds it, and once it was repaired."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import loaders
from loaders import BadEntry, Entry
from check import Failure

ARMED = "ghost.claim=on"
# What says on which side a machine is, and what it would do next.
STATE = ("/etc/ghost-boot", "/etc/default", "/etc/kernel", "/boot/grub/grub.cfg",
         "/var/lib/ghost-boot")
# What a recovery leaves of itself is told from the recording's own.
RECORDS = "/var/lib/ghost-boot/"


class Judge:
    """Knows both sides, and says in a word which one a disk is on."""

    def __init__(self, kind):
        grub = kind.loader.startswith("grub")
        self.read = loaders.grub_default if grub else loaders.systemd_boot_default
        self.part = "root" if grub else "esp"
        self.old = self.new = None

    def know(self, disk, side):
        """The disk is on that SIDE now."""
        setattr(self, side, self.read(disk.path(self.part)))

    def complaint(self):
        """What is wrong with the sides themselves."""
        return self.old == self.new and "the command changed nothing that a loader reads"

    def views(self, path, told):
        """A word for each thing that the loader's firmware may have TOLD it."""
        return [self.view(path)] * len(told)

    def view(self, path):
        try:
            found = self.read(path)
        except BadEntry as why:
            return f"bad: {why}"
        if found == self.old:
            return "old"
        if found == self.new:
            return "new"
        armed, plain = ((self.new, self.old) if ARMED in self.new.words else (self.old, self.new))
        if found == Entry(plain.kernel, armed.image, plain.words):
            return "inert"
        return f"bad: {_parts(found, self.old, self.new)}"

    def both(self, disk, told=(None,)):
        """(as the loader finds it, after fsck, the repaired root's files); a word for each of
        TOLD."""
        def look(path):
            return self.views(path, told)

        raw = look(disk.path(self.part))
        root = disk.path("root")
        if self.part == "root":
            fixed, files = repaired_root(root, lambda path: (look(path), state(path)))
        else:
            fixed = repaired_esp(disk.path("esp"), look)
            files = repaired_root(root, state)
        return raw, fixed, files


class TrialJudge(Judge):
    """And what the loader is told to boot once: nothing, an entry that is not there, or all of the
    trial. What is told is in the firmware's memory, or on the disk. KEEPS: the usual entry must
    stay as it is."""

    def __init__(self, kind, keeps):
        super().__init__(kind)
        grub = kind.loader.startswith("grub")
        self.name = "ghost-boot-trial" if grub else "a-ghost-boot-trial.conf"
        self.entry = loaders.grub_entry if grub else loaders.systemd_boot_entry
        self.keeps, self.trial = keeps, None

    def know(self, disk, side):
        super().know(disk, side)
        self.trial = self.made(disk) or self.trial

    def made(self, disk):
        """The trial's entry as it is now; None: there is none."""
        return self.entry(disk.path(self.part), self.name)

    def complaint(self):
        if not self.trial:
            return "no trial was made"
        if self.keeps:
            return self.old != self.new and "the usual entry was changed"
        return super().complaint()

    def views(self, path, told):
        side = self.view(path)
        return [side if side.startswith("bad") else self._once(path, side, one) for one in told]

    def _once(self, path, side, told):
        name = told
        try:
            name = loaders.grub_once(path) if told is None else told
            entry = name and self.entry(path, name)
        except BadEntry as why:
            return f"bad: once {name}: {why}"
        if not entry:
            return f"{side}, once nothing" if name else side
        if entry == self.trial:
            return f"{side}, once the trial"
        return f"bad: once {name}: {_parts(entry, self.trial, self.trial)}"


def _parts(found, old, new):
    return ", ".join(f"{name} {_side(*(getattr(one, name) for one in (found, old, new)))}"
                     for name in ("kernel", "image", "words"))


def _side(value, old, new):
    if old == new:
        return "as ever" if value == old else f"neither ({value})"
    return "old" if value == old else "new" if value == new else f"neither ({value})"


def repaired_root(path, look):
    """What LOOK returns once e2fsck has replayed the journal; PATH is then as it was."""
    undo = path.with_name("undo")
    undo.unlink(missing_ok=True)
    done = subprocess.run(["e2fsck", "-fy", "-z", str(undo), str(path)], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    try:
        if done.returncode > 2:  # more than "errors corrected"
            raise Failure(f"e2fsck: {done.returncode}: {done.stdout[-300:]}")
        return look(path)
    finally:
        if undo.exists():
            subprocess.run(["e2undo", str(undo), str(path)], capture_output=True, check=True)


def repaired_esp(path, look):
    copy = path.with_name("esp.fixed")
    subprocess.run(["cp", "--sparse=always", str(path), str(copy)], check=True)
    done = subprocess.run(["fsck.fat", "-a", str(copy)], capture_output=True, text=True)
    if done.returncode > 1:
        raise Failure(f"fsck.fat: {done.returncode}: {done.stdout[-300:]}")
    return look(copy)


def situation(files, old, new):
    """What a machine would go on from: the journal's state, and of each file that matters whose it
    is."""
    found = set()
    for name, content in files.items():
        if _goes_on(name):
            side = ("as ever" if old.get(name) == content == new.get(name) else
                    "old" if old.get(name) == content else
                    "new" if new.get(name) == content else "other")
            found.add((name, side))
        elif name.startswith(RECORDS + "journal/state."):
            found.add((name, ""))
    found |= {(name, "gone") for name in (old.keys() | new.keys()) - files.keys()
              if _goes_on(name)}
    return frozenset(one for one in found if one[1] != "as ever")


def _goes_on(name):
    """What it is decides what is done with it."""
    return not name.startswith(RECORDS) or name == f"{RECORDS}trial"


def state(path):
    """The files that matter on a repaired root, each by the hash of its content."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.", dir=path.parent) as scratch:
        places = {name: Path(scratch) / name.strip("/").replace("/", "-") for name in STATE}
        for place in places.values():
            place.mkdir()
        subprocess.run(["debugfs", "-f", "-", str(path)], capture_output=True, text=True,
                       input="".join(f"rdump {name} {place}\n" for name, place in places.items()))
        for name, place in places.items():
            for folder, _, names in os.walk(place):
                for one in names:
                    file = Path(folder) / one
                    content = (os.readlink(file).encode() if file.is_symlink()
                               else file.read_bytes())
                    inside = file.relative_to(place)
                    found[f"{name.rpartition('/')[0]}/{inside}"] = hashlib.sha256(
                        content).hexdigest()[:12]
    return found
