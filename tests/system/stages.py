"""A scenario as stages: each goes on from what an earlier one left, and can be repeated alone.

What a stage leaves lies in build/system/kept/SCENARIO/STAGE: the machine's disk, as an overlay of
the one it went on from, its firmware's memory, and what later stages want to know.
"""

import contextlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import computer

KEPT = Path(__file__).resolve().parents[2] / "build" / "system" / "kept"
FACTS = "facts.json"


class StageError(Exception):
    """A stage could not begin; the text says why."""


@dataclass(frozen=True)
class Stage:
    """BODY(place) starts from what the stage AFTER left, or from the machine as it was installed."""
    name: str
    after: str | None
    body: Callable


class Place:
    """Where one stage works. FACTS: what the stages before it found out; what it adds is kept."""

    def __init__(self, kept, base, packages, stage, say):
        self.kept, self.base, self.packages, self.say = kept, base, packages, say
        self.stage = stage
        self.folder = kept / stage.name
        self.before = kept / stage.after if stage.after else None
        self.facts = self._facts()

    def _facts(self):
        if not self.before:
            return {}
        try:
            return json.loads((self.before / FACTS).read_text())
        except OSError:
            raise StageError(f"{self.stage.name} goes on from {self.stage.after}, "
                             "which was not kept") from None

    def of(self, name):
        """What another stage left."""
        return self.kept / name

    @contextlib.contextmanager
    def machine(self, packages=True, room=0):
        """The machine, off. What becomes of it is kept if all goes well."""
        name = f"{self.base.kind.name}-{self.stage.name}"
        with computer.Computer(name, self.base, self.packages if packages else None,
                               like=self.before, room=room, say=self.say) as machine:
            yield machine
            machine.cut()
            machine.keep(self.folder)

    def look(self, name=None):
        """The machine as stage NAME left it, None for as it was installed; only to be read."""
        return computer.Computer(f"{self.base.kind.name}-look", self.base,
                                 like=self.of(name) if name else None)

    def done(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FACTS).write_text(json.dumps(self.facts))


def _index(name, names, stage, otherwise):
    if stage is None:
        return otherwise
    if stage not in names:
        raise StageError(f"{name} has no stage {stage}, but {', '.join(names)}")
    return names.index(stage)


def run(name, base, packages, stages, first, last, say):
    """The STAGES of scenario NAME from FIRST to LAST; None are the ends. Those before FIRST were
    kept by an earlier run."""
    names, kept = [stage.name for stage in stages], KEPT / name
    begin = _index(name, names, first, 0)
    end = _index(name, names, last, len(names) - 1)
    for stage in stages[begin:]:
        shutil.rmtree(kept / stage.name, ignore_errors=True)
    for stage in stages[begin:end + 1]:
        start = time.monotonic()
        place = Place(kept, base, packages, stage, say)
        stage.body(place)
        place.done()
        say(f"{name}: {stage.name}: {time.monotonic() - start:.0f} s")
    if end == len(names) - 1:  # what was seen to work is of no more use
        shutil.rmtree(kept, ignore_errors=True)
