"""Power cuts while a trial is made and while it is kept, at every moment that a disk and the
firmware's memory can tell apart.

While it is made, the usual entry is the old one in every image, byte for byte, and what the loader
is told to boot once is nothing, an entry that is not there, or the whole trial. While it is kept,
the usual entry is all old or all new. A machine may then boot the trial: the boot after that is the
old one. What a loader does with an entry that is not there is seen where such an image is booted.
"""

import contextlib
import json
import tempfile
from functools import partial

import check
import flash
import life
import powercut
import trial
from judge import TrialJudge
from stages import Stage

MACHINES = powercut.MACHINES
IMAGES = 500  # at least, of each recording
BOOTS = 10  # at least
# By a person alone: the service must not do it meanwhile.
TRY = f"{trial.TRY} --confirm=manual"
LINE = "cat /proc/cmdline"
VARIABLES = ("cd /sys/firmware/efi/efivars && for one in *; do "
             "echo \"$one $(od -An -v -tx1 \"$one\" | tr -d ' \\n')\"; done")


def same_variables(machine):
    """What we read in the firmware's memory is what the system in the machine sees of it."""
    if not machine.vars:
        return
    seen = {}
    for line in machine.must(VARIABLES).splitlines():
        name, _, text = line.partition(" ")
        value = bytes.fromhex(text)
        seen[name] = int.from_bytes(value[:4], "little"), value[4:]
    ours = flash.at_runtime(flash.variables(machine.vars.read_bytes())[0])
    theirs = flash.at_runtime(seen)
    other = sorted(name for name in ours.keys() | theirs.keys()
                   if ours.get(name) != theirs.get(name))
    check.demand(ours and not other, f"{len(ours)} variables, other than in the machine: {other}")
    machine.say(f"{machine.name}: {len(ours)} variables, as the machine sees them")


class Series(powercut.Series):
    """The usual entry is `old` however it ends, and the files say which side it is on."""

    def comes_up(self, machine, where):
        said = super().comes_up(machine, where)
        if "ghost.trial=" in machine.must(LINE):
            trial.state(machine, "booted", True)
            machine.must("sync")
            machine.cut()
            self.place.say(f"{where}: the trial")
            said = super().comes_up(machine, where)
        line = machine.must(LINE)
        check.demand("ghost.trial=" not in line, f"{where} the trial is booted again: {line}")
        trial.ended(machine, 300)
        return json.loads(machine.must("ghost-boot status --json 2>/dev/null"))

    def settled(self, disk, view, found, status, where):
        wanted = ("old",) if self.judge.keeps else ("old", "new")
        check.demand(view in wanted, f"{where}: {view}")
        sides = [side for side in ("old", "new") if not self.left(found, side)]
        check.demand(len(sides) == 1 and (self.judge.keeps or sides == [view]),
                     f"{where}: {view}, but not {sorted(self.left(found, view))}; "
                     f"new: {sorted(self.left(found, 'new'))}")
        now = status["trial"] and status["trial"]["state"]
        entry = self.judge.made(disk)
        # Where there is a trial, so is its entry.
        there = (sides == ["new"]) == self.judge.keeps
        check.demand(now in (("prepared", "failed") if there else (None,)) and
                     entry == (self.judge.trial if there else None),
                     f"{where}: {sides[0]}, and the trial is {now}, its entry {entry}")
        return f"{sides[0]}, {now or 'no trial'}"


@contextlib.contextmanager
def series(place, name):
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.", dir=powercut.ROOM) as scratch:
        yield Series(place, name, SEEDS[name], scratch,
                     TrialJudge(place.base.kind, keeps=name != "confirm"), IMAGES)


# ---- the stages -----------------------------------------------------------------------------

def prepared(machine):
    life.healthy(machine)
    same_variables(machine)


def tried(machine):
    prepared(machine)
    trial.tried(machine)


SEEDS = {"trial": 11, "confirm": 12}
STAGES = (
    Stage("installed", None, powercut.installed),
    Stage("trial", "installed", powercut.recorded(TRY, look=prepared, packages=False)),
    Stage("confirm", "trial", powercut.recorded("ghost-boot confirm", look=tried,
                                                packages=False)),
    Stage("trial-cut", "trial", powercut.cut(series, "trial")),
    Stage("confirm-cut", "confirm", powercut.cut(series, "confirm")),
    Stage("unflushed-cut", "trial", powercut.bad(
        partial(powercut.unflushed, series), "trial")),
    Stage("trial-boots", "trial-cut", powercut.boots(series, "trial", BOOTS)),
    Stage("confirm-boots", "confirm-cut", powercut.boots(series, "confirm", BOOTS)),
)
