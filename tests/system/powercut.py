"""Power cuts during `enable` and `disable`, at every moment that a disk can tell apart.

All is recorded first: images can be judged while the next recording is made. Recorded is every
write and flush of the machine's disk, and every write to its firmware's memory. From that come the
disks that a cut would have left: at each flush, and with some of the writes that no flush had
covered; with each goes all that the memory may have been by then. For each, what the boot loader
would boot by default must be all old or all new; an image with claims behind a command line that
does not arm them is inert, and counted by itself. Every outcome that can be told from the others is
then booted, and must come to one of the two sides by itself.
"""

import collections
import contextlib
import json
import random
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

import check
import computer
import flash
import life
import writes
from judge import RECORDS, Judge, repaired_root, situation, state
from replay import Replay
from stages import Stage

IMAGES = 1000  # at least, of each recording
BOOTS = 6  # at least
UNFLUSHED = 60
PATIENCE = 1800  # seconds for a boot, on a busy host
# What the kernel writes out by itself, after seconds, would hide a sync that is missing: emulated,
# everything takes long.
LAZY = "sysctl -qw vm.dirty_writeback_centisecs=0 && mount -o remount,commit=600 /"
# Memory if there is enough: hundreds of images write as many gigabytes.
ROOM = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 8 << 30 else None


def record(place, command, seconds=1800, look=life.healthy, packages=True):
    """Runs COMMAND in the machine that PLACE goes on from, once LOOK has looked at it. Left in
    PLACE: the disk and the firmware's memory before, the logs, and where in them the command is."""
    with place.machine(packages) as machine:
        place.folder.mkdir(parents=True)
        machine.raw(place.folder / "start")
        machine.record = place.folder / "log"
        machine.record.touch()
        clock = contextlib.nullcontext()
        if machine.vars:
            shutil.copy(machine.vars, place.folder / "vars-start")
            machine.record_vars = place.folder / "vars-log"
            machine.record_vars.touch()
            clock = flash.Clock(machine.record, machine.record_vars)
        machine.boot(PATIENCE)
        look(machine)
        machine.must(f"{LAZY} && sync")
        with clock as clock:
            first = writes.count(machine.record)
            said = machine.must(command, seconds, command)
            machine.must("sync")
            place.facts["between"] = first, writes.count(machine.record)
        if machine.vars:
            place.facts["steps"] = clock.steps
        machine.end("poweroff")
    (place.folder / "said").write_text(said)


class Series:
    """All images of one recording: judged, and of each outcome one booted. At least WANTED, and
    SEED says which."""

    def __init__(self, place, name, seed, scratch, judge, wanted):
        self.place, self.base, self.scratch = place, place.base, Path(scratch)
        self.folder, self.judge, self.wanted = place.of(name), judge, wanted
        facts = json.loads((self.folder / "facts.json").read_text())
        self.first, last = facts["between"]
        self.log = writes.Log(self.folder / "log")
        self.epochs = self.log.epochs(self.first, last)
        self.images = writes.plan(self.epochs, wanted, seed)
        self.seed = seed
        self.flash = flash.Flash(
            self.folder / "vars-start", writes.Log(self.folder / "vars-log"),
            facts["steps"]) if self.base.vars else None
        self.chance = random.Random(seed)
        self.counts = collections.Counter()
        self.bad = []
        self.outcomes = {}  # what tells one from the others: the first cut with it
        self.old_files = self.new_files = None

    def forget_flushes(self, wanted):
        """All in one, of which anything may survive: the images of a disk that knows no flush."""
        one = writes.Epoch(0)
        for epoch in self.epochs:
            one += epoch
        self.epochs = [one]
        self.images = writes.plan(self.epochs, wanted, self.seed)

    @contextlib.contextmanager
    def replay(self):
        """The disk as it was when the command began; both sides are known then."""
        with Replay(self.folder / "start", self.base.layout, self.log, self.scratch) as disk:
            disk.apply(one for one in self.log.writes[:self.first] if one.length)
            self._sides(disk)
            yield disk

    def _sides(self, disk):
        self.judge.know(disk, "old")
        self.old_files = repaired_root(disk.path("root"), state)
        undo = disk.tried([write for epoch in self.epochs for write in epoch])
        self.judge.know(disk, "new")
        self.new_files = repaired_root(disk.path("root"), state)
        disk.take_back(undo)
        why = self.judge.complaint()
        check.demand(not why, why)

    def moments(self, number):
        """What the firmware's memory may have been with this image: one for each thing that it can
        tell, None where there is none."""
        if not self.flash:
            return [None]
        epoch, part = self.images[number]
        # What follows a flush may not have come as far as the disk until the next one.
        last = epoch if part is not None else min(epoch + 1, len(self.epochs) - 1)
        found = self.flash.during(self.epochs[epoch].begin, self.epochs[last].end)
        self.chance.shuffle(found)
        return list({(one.told, one.torn): one for one in found}.values())

    def judged(self):
        """Looks at all images; returns how many."""
        start = time.monotonic()
        with self.replay() as disk:
            for number in self._each(disk, range(len(self.images))):
                self._look(disk, number)
        self.place.say(
            f"{len(self.images)} images of {len(self.epochs)} flushes in "
            f"{time.monotonic() - start:.0f} s, {len(self.outcomes)} outcomes, {len(self.bad)} bad: "
            + ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())))
        return len(self.images)

    def _each(self, disk, numbers):
        """DISK as each image of these NUMBERS; they are in the order of their epochs."""
        done = 0  # epochs that are wholly on the disk
        for number in numbers:
            epoch, part = self.images[number]
            while done < epoch:
                disk.apply(self.epochs[done])
                done += 1
            undo = disk.tried(self.epochs[epoch] if part is None else part)
            yield number
            disk.take_back(undo)

    def _look(self, disk, number):
        moments = self.moments(number)
        try:
            raw, fixed, found = self.judge.both(disk, [one and one.told for one in moments])
        except check.Failure as why:
            raw = fixed = [f"bad: {why}"] * len(moments)
            found = {}
        where = situation(found, self.old_files, self.new_files)
        for moment, *views in zip(moments, raw, fixed):
            # The words of a failure may name anything; the kind of it is enough to count.
            kinds = tuple(word.split(":")[0] for word in views)
            torn = bool(moment and moment.torn)
            self.counts["/".join(kinds) + (" with a variable half written" if torn else "")] += 1
            bad = [f"{when}: {view}" for when, view in zip(("as it lies", "after fsck"), views)
                   if view.startswith("bad")]
            if bad:
                self.bad.append((number, ", ".join(bad)))
            self.outcomes.setdefault((*kinds, torn, where), (number, moment and moment.writes))

    def boot(self, cuts, wanted):
        """These CUTS, (number of the image, writes to the memory), and others until there are
        WANTED: each must come to one side by itself."""
        others = sorted(set(range(len(self.images))) - {number for number, _ in cuts})
        more = self.chance.sample(others, max(0, wanted - len(cuts)))
        cuts = [(number, self._moment(number, count)) for number, count in sorted(
            [*cuts, *((number, None) for number in more)], key=lambda cut: cut[0])]
        ended = collections.Counter()
        with self.replay() as disk:
            for (number, moment), _ in zip(cuts, self._each(disk, [number for number, _ in cuts])):
                disk.disk(self.folder / "start", self.scratch / "boot")
                side = self._recovers(number, moment)
                ended[side] += 1
                self.place.say(
                    f"boot {ended.total()} of {len(cuts)}: {self.where(number, moment)}: {side}")
        self.place.say(f"{len(cuts)} boots: " + ", ".join(
            f"{count} ended {what}" for what, count in sorted(ended.items())))

    def _moment(self, number, count):
        moments = self.moments(number)
        if count is None:
            return self.chance.choice(moments)
        return next(one for one in self.flash.moments if one.writes == count)

    def _recovers(self, number, moment):
        """Boots it; returns where it ended."""
        base = Cut(self.base, self.scratch / "boot",
                   moment and self.flash.put(moment, self.scratch / "vars.fd"))
        where = f"after a boot of {self.where(number, moment)}"
        with computer.Computer(f"{self.base.kind.name}-cut-{number}", base) as machine:
            status = self.comes_up(machine, where)
            machine.end("poweroff")
            told = machine.vars and flash.once(flash.variables(machine.vars.read_bytes())[0])
            booted = self.scratch / "booted"
            booted.mkdir(exist_ok=True)
            with Replay(machine.raw(self.scratch / "after"), self.base.layout, self.log,
                        booted) as disk:
                _, [view], found = self.judge.both(disk, [told])
                return self.settled(disk, view, found, status, where)

    def comes_up(self, machine, where):
        """By itself; returns what `status` says."""
        machine.boot(PATIENCE)
        said = json.loads(machine.must("ghost-boot status --json 2>/dev/null"))
        check.demand(said["journal"]["open"] is False,
                     f"{where} the journal is open: {said['journal']}")
        return said

    def settled(self, disk, view, found, status, where):
        """The disk is on one side with all its files; returns which."""
        check.demand(view in ("old", "new"), f"{where}: {view}")
        left = self.left(found, view)
        check.demand(not left, f"{where}: {view}, but not {sorted(left)}")
        return view

    def left(self, found, side):
        """The files that are not that side's."""
        wanted = dict(self.old_files if side == "old" else self.new_files)
        if RECORDS + "leftover" in wanted:  # which a boot without the words takes away
            wanted.pop("/etc/kernel/cmdline", None)
        return {name for name in found.keys() | wanted.keys()
                if not name.startswith(RECORDS) and found.get(name) != wanted.get(name)}

    def complaint(self):
        return f"{len(self.bad)} bad: " + "; ".join(
            f"{self.where(number)}: {text}" for number, text in self.bad[:5])

    def where(self, number, moment=None):
        epoch, part = self.images[number]
        more = "" if part is None else f" with {len(part)} more writes"
        if moment:
            more += f", {moment.writes} writes to the firmware's memory"
            more += " and a variable half written" if moment.torn else ""
        return f"image {number}, flush {epoch}{more}"


class Cut:
    """What a computer boots: the disk after a cut, and the firmware's memory."""

    format = "raw"

    def __init__(self, base, raw, vars):
        self.kind, self.layout, self.suite, self.disk = base.kind, base.layout, base.suite, raw
        self.vars = vars


# ---- the stages -----------------------------------------------------------------------------

def installed(place):
    with place.machine() as machine:
        machine.boot()
        machine.must(life.INSTALL, 900, "our packages by apt")
        machine.end("poweroff")


def recorded(command, **more):
    return lambda place: record(place, command, **more)


@contextlib.contextmanager
def series(place, name):
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.", dir=ROOM) as scratch:
        yield Series(place, name, SEEDS[name], scratch, Judge(place.base.kind), IMAGES)


def cut(series, name):
    """All images of recording NAME are good."""
    def body(place):
        with series(place, name) as all_of_it:
            done = all_of_it.judged()
            check.demand(done >= all_of_it.wanted, f"only {done} images")
            check.demand(not all_of_it.bad, all_of_it.complaint())
            place.facts["outcomes"] = sorted(all_of_it.outcomes.values())
    return body


def boots(series, name, wanted):
    """One image of each outcome recovers."""
    def body(place):
        with series(place, name) as all_of_it:
            all_of_it.boot(place.facts["outcomes"], wanted)
    return body


def bad(series, name):
    """The test can fail: this recording must have bad images."""
    def body(place):
        with series(place, name) as all_of_it:
            all_of_it.judged()
            check.demand(all_of_it.bad, "nothing bad was found in what must be bad")
            place.say(all_of_it.complaint())
    return body


@contextlib.contextmanager
def unflushed(series, place, name):
    """The same with a disk that flushes nothing: any write may survive any other."""
    with series(place, name) as all_of_it:
        all_of_it.forget_flushes(UNFLUSHED)
        yield all_of_it


# The one sync that `enable` leaves out: that of the new image's name on the ESP.
UNSYNCED = "/boot/efi/*/initrd.img-*"


def unsynced(place):
    record(place, f"LD_PRELOAD=/media/packages/nosync.so NOSYNC='{UNSYNCED}' {life.ENABLE}")
    said = (place.folder / "said").read_text()
    left = said.count("nosync: ")
    check.demand(left == 1, f"{left} syncs were left out, not one: {said[-300:]}")


# The test can fail. On ext4 any later sync will do for one that is missing, and there are three on
# the way of what GRUB reads: there a disk without flushes stands for it.
RED = {
    "debian13-systemd-boot": (Stage("unsynced", "installed", unsynced),
                              Stage("unsynced-cut", "unsynced", bad(series, "unsynced"))),
    "debian13-grub-bios": (Stage("unflushed-cut", "enable",
                                 bad(partial(unflushed, series), "enable")),),
}
SEEDS = {"enable": 1, "disable": 2, "unsynced": 3}
STAGES = {name: (
    Stage("installed", None, installed),
    Stage("enable", "installed", recorded(life.ENABLE)),
    Stage("disable", "enable", recorded(life.DISABLE)),
    Stage("enable-cut", "enable", cut(series, "enable")),
    Stage("disable-cut", "disable", cut(series, "disable")),
    Stage("enable-boots", "enable-cut", boots(series, "enable", BOOTS)),
    Stage("disable-boots", "disable-cut", boots(series, "disable", BOOTS)),
    *red,
) for name, red in RED.items()}
MACHINES = tuple(STAGES)
