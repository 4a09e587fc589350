"""Power cuts during `enable` and `disable`, at every moment that a disk can tell apart.

All is recorded first: images can be judged while the next recording is made. Every write and flush of the machine's disk is recorded. From that come the disks that a cut would
have left: at each flush, and with some of the writes that no flush had covered. For each, what the
boot loader would boot by default must be all old or all new; an image with claims behind a command
line that does not arm them is inert, and counted by itself. Every outcome that can be told from
the others is then booted, and must come to one of the two sides by itself.
"""

import collections
import contextlib
import json
import random
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import check
import computer
import life
import writes
from judge import RECORDS, Judge, repaired_root, situation, state
from replay import Replay
from stages import Stage

MACHINES = ("debian13-grub-bios", "debian13-systemd-boot")
IMAGES = 1000  # at least, of each recording
BOOTS = 6  # at least
# Memory if there is enough: hundreds of images write as many gigabytes.
ROOM = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 << 30 else None


@dataclass(frozen=True)
class Recording:
    """One command's writes: the raw disk before, the log, and which of its entries are between."""
    start: Path
    log: Path
    first: int
    last: int


def record(place, command, seconds=1800):
    """Runs COMMAND in the machine that PLACE goes on from; what it wrote is left in PLACE."""
    with place.machine() as machine:
        place.folder.mkdir(parents=True)
        machine.raw(place.folder / "start")
        machine.record = place.folder / "log"
        machine.record.touch()
        machine.boot()
        life.healthy(machine)
        machine.must("sync")
        first = writes.count(machine.record)
        said = machine.must(command, seconds, command)
        machine.must("sync")
        place.facts["between"] = first, writes.count(machine.record)
        machine.end("poweroff")
    (place.folder / "said").write_text(said)


def recording(place, name):
    folder = place.of(name)
    first, last = json.loads((folder / "facts.json").read_text())["between"]
    return Recording(folder / "start", folder / "log", first, last)


class Series:
    """All images of one recording: judged, and of each outcome one booted. SEED says which."""

    def __init__(self, place, name, seed, scratch):
        self.place, self.base, self.scratch = place, place.base, Path(scratch)
        self.recording, self.memory = recording(place, name), place.of(name)
        self.judge = Judge(place.base.kind)
        self.log = writes.Log(self.recording.log)
        self.epochs = self.log.epochs(self.recording.first, self.recording.last)
        self.images = writes.plan(self.epochs, IMAGES, seed)
        self.chance = random.Random(seed)
        self.counts = collections.Counter()
        self.bad = []
        self.outcomes = {}  # what tells one from the others: the number of the first image with it
        self.old_files = self.new_files = None

    @contextlib.contextmanager
    def replay(self):
        """The disk as it was when the command began; both sides are known then."""
        with Replay(self.recording.start, self.base.layout, self.log, self.scratch) as disk:
            disk.apply(one for one in self.log.writes[:self.recording.first] if one.length)
            self._sides(disk)
            yield disk

    def _sides(self, disk):
        judge = self.judge
        judge.old = judge.read(disk.path(judge.part))
        self.old_files = repaired_root(disk.path("root"), state)
        undo = disk.tried([write for epoch in self.epochs for write in epoch])
        judge.new = judge.read(disk.path(judge.part))
        self.new_files = repaired_root(disk.path("root"), state)
        disk.take_back(undo)
        check.demand(judge.old != judge.new, "the command changed nothing that a loader reads")

    def judged(self):
        """Looks at all images; returns how many."""
        start = time.monotonic()
        with self.replay() as disk:
            self._each(disk, range(len(self.images)), self._look)
        self.place.say(
            f"{len(self.images)} images of {len(self.epochs)} flushes in "
            f"{time.monotonic() - start:.0f} s, {len(self.outcomes)} outcomes, {len(self.bad)} bad: "
            + ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())))
        return len(self.images)

    def _each(self, disk, numbers, look):
        """Calls LOOK at the images of these NUMBERS; they are in the order of their epochs."""
        done = 0  # epochs that are wholly on the disk
        for number in numbers:
            epoch, part = self.images[number]
            while done < epoch:
                disk.apply(self.epochs[done])
                done += 1
            undo = disk.tried(self.epochs[epoch] if part is None else part)
            look(disk, number)
            disk.take_back(undo)

    def _look(self, disk, number):
        try:
            raw, fixed, found = self.judge.both(disk)
        except check.Failure as why:
            raw = fixed = f"bad: {why}"
            found = {}
        # The words of a failure may name anything; the kind of it is enough to count.
        kinds = tuple(word.split(":")[0] for word in (raw, fixed))
        self.counts["/".join(kinds)] += 1
        bad = [f"{when}: {view}" for when, view in (("as it lies", raw), ("after fsck", fixed))
               if view.startswith("bad")]
        if bad:
            self.bad.append((number, ", ".join(bad)))
        self.outcomes.setdefault((*kinds, situation(found, self.old_files, self.new_files)), number)

    def boot(self, numbers, wanted):
        """The images of these NUMBERS, and others until there are WANTED: each must come to one
        side by itself."""
        others = sorted(set(range(len(self.images))) - set(numbers))
        numbers = sorted([*numbers, *self.chance.sample(others, max(0, wanted - len(numbers)))])
        ended = collections.Counter()
        with self.replay() as disk:
            def one(disk, number):
                raw = self.scratch / "boot"
                disk.disk(self.recording.start, raw)
                side = self._recovers(raw, number)
                ended[side] += 1
                self.place.say(
                    f"boot {ended.total()} of {len(numbers)}: {self.where(number)}: {side}")
            self._each(disk, numbers, one)
        self.place.say(f"{len(numbers)} boots: " + ", ".join(
            f"{count} ended {what}" for what, count in sorted(ended.items())))

    def _recovers(self, raw, number):
        base = Cut(self.base, raw, self.memory)
        where = f"after a boot of {self.where(number)}"
        with computer.Computer(f"{self.base.kind.name}-cut-{number}", base) as machine:
            machine.boot()
            said = json.loads(machine.must("ghost-boot status --json 2>/dev/null"))
            check.demand(said["journal"]["open"] is False,
                         f"{where} the journal is open: {said['journal']}")
            machine.end("poweroff")
            booted = self.scratch / "booted"
            booted.mkdir(exist_ok=True)
            with Replay(machine.raw(self.scratch / "after"), self.base.layout, self.log,
                        booted) as disk:
                _, view, found = self.judge.both(disk)
        check.demand(view in ("old", "new"), f"{where}: {view}")
        wanted = dict(self.old_files if view == "old" else self.new_files)
        if RECORDS + "leftover" in wanted:  # which a boot without the words takes away
            wanted.pop("/etc/kernel/cmdline", None)
        left = {name for name in found.keys() | wanted.keys()
                if not name.startswith(RECORDS) and found.get(name) != wanted.get(name)}
        check.demand(not left, f"{where}: {view}, but not {sorted(left)}")
        return view

    def complaint(self):
        return f"{len(self.bad)} bad: " + "; ".join(
            f"{self.where(number)}: {text}" for number, text in self.bad[:5])

    def where(self, number):
        epoch, part = self.images[number]
        more = "" if part is None else f" with {len(part)} more writes"
        return f"image {number}, flush {epoch}{more}"


class Cut:
    """What a computer boots: the disk after a cut, the firmware's MEMORY as the command left it."""

    format = "raw"

    def __init__(self, base, raw, memory):
        self.kind, self.layout, self.suite, self.disk = base.kind, base.layout, base.suite, raw
        self.vars = memory / "vars.fd" if base.vars else None


# ---- the stages -----------------------------------------------------------------------------

def installed(place):
    with place.machine() as machine:
        machine.boot()
        machine.must(life.INSTALL, 900, "our packages by apt")
        machine.end("poweroff")


def _recorded(command):
    return lambda place: record(place, command)


@contextlib.contextmanager
def _series(place, name):
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.", dir=ROOM) as scratch:
        yield Series(place, name, SEEDS[name], scratch)


def _cut(name):
    """All images of recording NAME are good."""
    def body(place):
        with _series(place, name) as series:
            done = series.judged()
            check.demand(done >= IMAGES, f"only {done} images")
            check.demand(not series.bad, series.complaint())
            place.facts["outcomes"] = sorted(series.outcomes.values())
    return body


def _boots(name):
    """One image of each outcome recovers."""
    def body(place):
        with _series(place, name) as series:
            series.boot(place.facts["outcomes"], BOOTS)
    return body


def _bad(name):
    """The test can fail: this recording must have bad images."""
    def body(place):
        with _series(place, name) as series:
            series.judged()
            check.demand(series.bad, "nothing bad was found in what must be bad")
            place.say(series.complaint())
    return body


# The one sync that `enable` leaves out. ESP: the new name of the image on it. ext4: what GRUB reads
# of grub.cfg, written out before its name is.
UNSYNCED = {"root": "checkpoint:/boot/grub", "esp": "/boot/efi/*/initrd.img-*"}


def unsynced(place):
    which = UNSYNCED[Judge(place.base.kind).part]
    record(place, f"LD_PRELOAD=/media/packages/nosync.so NOSYNC='{which}' {life.ENABLE}")
    said = (place.folder / "said").read_text()
    left = said.count("nosync: ")
    check.demand(left == 1, f"{left} syncs were left out, not one: {said[-300:]}")


SEEDS = {"enable": 1, "disable": 2, "unsynced": 3}
STAGES = (
    Stage("installed", None, installed),
    Stage("enable", "installed", _recorded(life.ENABLE)),
    Stage("disable", "enable", _recorded(life.DISABLE)),
    Stage("unsynced", "installed", unsynced),
    Stage("enable-cut", "enable", _cut("enable")),
    Stage("disable-cut", "disable", _cut("disable")),
    Stage("unsynced-cut", "unsynced", _bad("unsynced")),
    Stage("enable-boots", "enable-cut", _boots("enable")),
    Stage("disable-boots", "disable-cut", _boots("disable")),
)
