"""Power cuts during `enable` and `disable`, at every moment that a disk can tell apart.

Every write and flush of the machine's disk is recorded. From that come the disks that a cut would
have left: at each flush, and with some of the writes that no flush had covered. For each, what the
boot loader would boot by default must be all old or all new; an image with claims behind a command
line that does not arm them is inert, and counted by itself. Every outcome that can be told from
the others is then booted, and must come to one of the two sides by itself.
"""

import collections
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import check
import computer
import life
import loaders
import repo
import writes
from replay import Replay

IMAGES = 1000  # at least, for each of the two
BOOTS = 20  # at least
# Memory if there is enough: a thousand images write some hundred gigabytes.
ROOM = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 << 30 else None
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

    def view(self, path):
        try:
            found = self.read(path)
        except loaders.BadEntry as why:
            return f"bad: {why}"
        if found == self.old:
            return "old"
        if found == self.new:
            return "new"
        armed, plain = ((self.new, self.old) if ARMED in self.new.words else (self.old, self.new))
        if found == loaders.Default(plain.kernel, armed.image, plain.words):
            return "inert"
        return "bad: " + ", ".join(
            f"{name} {_side(getattr(found, name), getattr(self.old, name), getattr(self.new, name))}"
            for name in ("kernel", "image", "words"))

    def both(self, disk):
        """(as the loader finds it, after fsck, the repaired root's files)."""
        raw = self.view(disk.path(self.part))
        root = disk.path("root")
        if self.part == "root":
            fixed, files = repaired_root(root, lambda path: (self.view(path), state(path)))
        else:
            fixed = repaired_esp(disk.path("esp"), self.view)
            files = repaired_root(root, state)
        return raw, fixed, files


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
            raise check.Failure(f"e2fsck: {done.returncode}: {done.stdout[-300:]}")
        return look(path)
    finally:
        if undo.exists():
            subprocess.run(["e2undo", str(undo), str(path)], capture_output=True, check=True)


def repaired_esp(path, look):
    copy = path.with_name("esp.fixed")
    subprocess.run(["cp", "--sparse=always", str(path), str(copy)], check=True)
    done = subprocess.run(["fsck.fat", "-a", str(copy)], capture_output=True, text=True)
    if done.returncode > 1:
        raise check.Failure(f"fsck.fat: {done.returncode}: {done.stdout[-300:]}")
    return look(copy)


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


@dataclass(frozen=True)
class Recording:
    """One command's writes: the raw disk before, the log, and which of its entries are between."""
    start: Path
    log: Path
    first: int
    last: int


def record(machine, command, folder):
    """Runs COMMAND in MACHINE, which is off, and cuts its power right after."""
    start = machine.raw(folder / "start")
    machine.record = folder / "log"
    machine.record.touch()
    machine.boot()
    machine.must("sync")
    first = writes.count(machine.record)
    machine.must(command, 1800, command)
    machine.must("sync")
    last = writes.count(machine.record)
    machine.cut()
    log, machine.record = machine.record, None
    return Recording(start, log, first, last)


class Series:
    """All images of one recording: judged, and of each outcome one booted."""

    def __init__(self, base, recording, folder, say):
        self.base, self.recording, self.folder, self.say = base, recording, folder, say
        self.judge = Judge(base.kind)
        self.log = writes.Log(recording.log)
        self.epochs = self.log.epochs(recording.first, recording.last)
        self.counts = collections.Counter()
        self.bad = []
        self.outcomes = {}  # what tells one from the others: the first image with it
        self.old_files = self.new_files = None

    def replay(self):
        disk = Replay(self.recording.start, self.base.layout, self.log, self.folder)
        disk.apply(write for write in self.log.writes[:self.recording.first] if write.length)
        return disk

    def sides(self, disk):
        """Learns the two sides from the recording's beginning and end."""
        judge = self.judge
        judge.old = judge.read(disk.path(judge.part))
        self.old_files = repaired_root(disk.path("root"), state)
        undo = disk.tried([write for epoch in self.epochs for write in epoch])
        judge.new = judge.read(disk.path(judge.part))
        self.new_files = repaired_root(disk.path("root"), state)
        disk.take_back(undo)
        check.demand(judge.old != judge.new, "the command changed nothing that a loader reads")

    def check(self, wanted, seed):
        images = writes.plan(self.epochs, wanted, seed)
        start = time.monotonic()
        with self.replay() as disk:
            self.sides(disk)
            self._each(disk, images, self._look)
        self.say(f"{len(images)} images of {len(self.epochs)} flushes in "
                 f"{time.monotonic() - start:.0f} s, {len(self.outcomes)} outcomes: " + ", ".join(
                     f"{count} {what}" for what, count in sorted(self.counts.items())))
        return len(images)

    def _each(self, disk, images, look):
        """Calls LOOK at each image; they come in the order of their epochs."""
        done = 0  # epochs that are wholly on the disk
        for epoch, part in images:
            while done < epoch:
                disk.apply(self.epochs[done])
                done += 1
            undo = disk.tried(self.epochs[epoch] if part is None else part)
            look(disk, (epoch, part))
            disk.take_back(undo)

    def _look(self, disk, image):
        try:
            raw, fixed, files = self.judge.both(disk)
        except check.Failure as why:
            raw = fixed = f"bad: {why}"
            files = {}
        # The words of a failure may name anything; the kind of it is enough to count.
        self.counts["/".join(word.split(":")[0] for word in (raw, fixed))] += 1
        for when, view in (("as it lies", raw), ("after fsck", fixed)):
            if view.startswith("bad"):
                self.bad.append((image, f"{when}: {view}"))
        self.outcomes.setdefault((raw, fixed, frozenset(files.items())), image)

    def chosen(self, wanted, seed):
        """One image of each outcome, and others until there are WANTED; in order."""
        images = list(self.outcomes.values())
        more = writes.plan(self.epochs, 2 * wanted, seed + 1)
        images += more[:max(0, wanted - len(images))]
        return sorted(images, key=lambda image: image[0])

    def boot(self, wanted, seed):
        """Boots what chosen() names: each must come to one side by itself."""
        images = self.chosen(wanted, seed)
        like = self.recording.start
        ended = collections.Counter()
        with self.replay() as disk:
            def one(disk, image):
                raw = self.folder / "boot"
                disk.disk(like, raw)
                ended[self._recovers(raw, image)] += 1
            self._each(disk, images, one)
        self.say(f"{len(images)} boots: " + ", ".join(
            f"{count} ended {what}" for what, count in sorted(ended.items())))

    def _recovers(self, raw, image):
        base = Cut(self.base, raw, self.folder)
        with computer.Computer(f"{self.base.kind.name}-cut-{image[0]}", base) as machine:
            machine.boot()
            said = json.loads(machine.must("ghost-boot status --json"))
            check.demand(said["journal"]["open"] is False, f"after a boot of {_where(image)} the "
                         f"journal is open: {said['journal']}")
            machine.off()
            with Replay(machine.raw(self.folder / "after"), self.base.layout, self.log,
                        self.folder / "booted") as disk:
                view, _, files = self.judge.both(disk)
            check.demand(view in ("old", "new"), f"after a boot of {_where(image)}: {view}")
            wanted = self.old_files if view == "old" else self.new_files
            left = {name for name in files.keys() | wanted.keys()
                    if not name.startswith(RECORDS) and
                    files.get(name) != wanted.get(name)}
            check.demand(not left, f"after a boot of {_where(image)}: "
                         f"{view}, but not {sorted(left)}")
            return view


    def complaint(self):
        return f"{len(self.bad)} bad: " + "; ".join(
            f"{_where(image)}: {text}" for image, text in self.bad[:5])


class Cut:
    """What a computer boots: the disk after a cut, the firmware's memory from before."""

    def __init__(self, base, raw, folder):
        self.kind, self.layout, self.suite, self.vars = (base.kind, base.layout, base.suite,
                                                         base.vars)
        self.disk = folder / "boot.qcow2"
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(self.disk)], check=True)


def cuts(base, say, commands=("ghost-boot enable 02:00 --yes", "ghost-boot disable --yes"),
         images=IMAGES, boots=BOOTS, seed=1):
    """Each of COMMANDS in turn on one machine, its power cut at every moment."""
    packages = repo.make(base.suite, repo.ours())
    with computer.Computer(f"{base.kind.name}-cuts", base, packages, say=say) as machine:
        machine.boot()
        machine.must(life.INSTALL, 900, "our packages by apt")
        machine.off()
        for number, command in enumerate(commands, seed):
            with _series(machine, command, say) as series:
                done = series.check(images, number)
                check.demand(done >= images, f"only {done} images")
                check.demand(not series.bad, series.complaint())
                series.boot(boots, number)
            if number < seed + len(commands) - 1:
                machine.boot()  # what the cut after the command left
                machine.off()


def naive(base, say, images=300):
    """The test can fail: GRUB's own update rewrites grub.cfg in place."""
    drop_in = "/etc/default/grub.d/zz-naive.cfg"
    command = (f"""echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet {ARMED}"' >{drop_in} && """
               "update-grub")
    _must_be_bad(base, None, command, images, say)


def unsynced(base, say, images=IMAGES, which="all"):
    """The test can fail: `enable` without its syncs, or without one of them."""
    packages = repo.make(base.suite, [*repo.ours(), repo.nosync()])
    command = (f"LD_PRELOAD=/media/packages/nosync.so NOSYNC={which} "
               "ghost-boot enable 02:00 --yes")
    _must_be_bad(base, packages, command, images, say)


def _must_be_bad(base, packages, command, images, say):
    with computer.Computer(f"{base.kind.name}-bad", base, packages, say=say) as machine:
        if packages:
            machine.boot()
            machine.must(life.INSTALL, 900, "our packages by apt")
            machine.off()
        with _series(machine, command, say) as series:
            series.check(images, 1)
            check.demand(series.bad, "nothing bad was found in what must be bad")
            say(series.complaint())


@contextlib.contextmanager
def _series(machine, command, say):
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.", dir=ROOM) as scratch:
        folder = Path(scratch)
        (folder / "booted").mkdir()
        recording = record(machine, command, folder)
        yield Series(machine.base, recording, folder,
                     lambda text: say(f"{machine.base.kind.name}: {command}: {text}"))


def _where(image):
    epoch, part = image
    return f"flush {epoch}" + ("" if part is None else f" with {len(part)} more writes")
