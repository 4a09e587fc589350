"""The firmware's memory: which variables are in it, and what it was at each moment of a recording.

The format is edk2's: a firmware volume (MdePkg/Include/Pi/PiFirmwareVolume.h) that holds a store
of authenticated variables (MdeModulePkg/Include/Guid/VariableFormat.h). A variable is written in
steps, and its state, where bits are only ever cleared, says how far it is: header, data, there, to
be replaced, gone. Flash is written byte by byte, so a power cut may leave it after any of them.
"""

import struct
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path

VOLUME = struct.Struct("<16x16s8x4s4xH6x")  # file system, signature, length of the header
STORE = struct.Struct("<16sIBB6x")  # kind, size, format, state
VARIABLE = struct.Struct("<HBxI28xII16s")  # start, state, attributes, two lengths, vendor
SYSTEM_NV_DATA = uuid.UUID("fff12b8d-7696-4c8b-a985-2747075b4f50").bytes_le
AUTHENTICATED = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
FORMATTED, HEALTHY = 0x5A, 0xFE
START = 0x55AA
ADDED, HEADER_ONLY, ERASED, REPLACED = 0x3F, 0x7F, 0xFF, 0x3E
NOTHING = 0xFFFFFFFF  # a length that was not written yet
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ONCE = f"LoaderEntryOneShot-{LOADER}"
NON_VOLATILE, AT_RUNTIME = 1, 4  # attributes


class StoreError(Exception):
    """The store can't be read."""


def variables(data):
    """({"Name-vendor": (attributes, value)}, is something in it half done?), as the firmware would
    find them when it starts."""
    system, signature, length = VOLUME.unpack_from(data)
    if system != SYSTEM_NV_DATA or signature != b"_FVH":
        raise StoreError("no volume of variables")
    kind, size, form, state = STORE.unpack_from(data, length)
    if (kind, form, state) != (AUTHENTICATED, FORMATTED, HEALTHY):
        raise StoreError("no store of authenticated variables")
    at, end = length + STORE.size, length + size
    found, replaced, torn = {}, {}, False
    while at + VARIABLE.size <= end:
        start, state, attributes, names, values, vendor = VARIABLE.unpack_from(data, at)
        if start != START:
            break
        if state == ERASED or NOTHING in (attributes, names, values):
            names = values = 0
        at += VARIABLE.size
        if state in (ADDED, REPLACED):
            name = data[at:at + names].decode("utf-16-le").rstrip("\0")
            into = found if state == ADDED else replaced
            into[f"{name}-{uuid.UUID(bytes_le=bytes(vendor))}"] = (
                attributes, bytes(data[at + names:at + names + values]))
        torn = torn or state in (ERASED, HEADER_ONLY, REPLACED)
        at += names + values
        at += -at % 4
    # What is to be replaced counts until another one is there.
    return {**replaced, **found}, torn or bool(bytes(data[at:end]).strip(b"\xff"))


def once(found):
    """What the loader is told to boot once; "" for nothing."""
    return found.get(ONCE, (0, b""))[1].decode("utf-16-le").rstrip("\0")


def at_runtime(found):
    """Those that the running system sees and that outlive it."""
    wanted = NON_VOLATILE | AT_RUNTIME
    return {name: value for name, value in found.items() if value[0] & wanted == wanted}


class Clock(threading.Thread):
    """How far the log of the disk was whenever that of the memory had grown. Use as a context
    manager. STEPS: (disk's log before, after; memory's log): what is new in that one was written in
    between. The first step is what there was at the beginning."""

    def __init__(self, disk, memory):
        super().__init__(daemon=True)
        self.disk, self.memory = Path(disk), Path(memory)
        self.over = threading.Event()
        self.steps, self.before = [], 0

    def __enter__(self):
        self._look()
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        self._look()

    def run(self):
        while not self.over.wait(0.001):
            self._look()

    def _look(self):
        low, now = self.disk.stat().st_size, self.memory.stat().st_size
        if not self.steps or now != self.steps[-1][2]:
            self.steps.append((self.before, self.disk.stat().st_size, now))
        self.before = low


@dataclass(frozen=True)
class Moment:
    """After so many WRITES, while the disk's log grew from BEGIN to END."""
    writes: int
    begin: float
    end: float
    told: str  # the entry to boot once
    torn: bool


class Flash:
    """All that a recording left of it: as it was in the file START, and the LOG. STEPS are the
    clock's, from the command's begin to its end; the first one is what was written before."""

    def __init__(self, start, log, steps):
        self.start, self.log = Path(start).read_bytes(), log
        self.now, self.done = bytearray(self.start), 0
        step, times = 0, []  # of each write: its step, and where the disk's log was
        for write in log.writes:
            while step < len(steps) and steps[step][2] < write.end:
                step += 1
            if step == len(steps):
                break
            times.append((step, *steps[step][:2]))
        first = sum(step == 0 for step, *_ in times)
        self.moments, others = [], None
        for count in range(first, len(times) + 1):
            found, torn = variables(self._state(count))
            told = once(found)
            found.pop(ONCE, None)
            others = others or found
            if found != others:
                raise StoreError(f"not only {ONCE} changed, but " + ", ".join(sorted(
                    name for name in found.keys() | others.keys()
                    if found.get(name) != others.get(name))))
            self.moments.append(Moment(
                count, times[count - 1][1] if count > first else 0,
                times[count][2] if count < len(times) else float("inf"), told, torn))

    def _state(self, count):
        """After so many writes."""
        if count < self.done:
            self.now, self.done = bytearray(self.start), 0
        for write in self.log.writes[self.done:count]:
            self.now[write.offset:write.offset + write.length] = self.log.data[write.at:write.end]
        self.done = count
        return self.now

    def during(self, begin, end):
        """All it may have been while the disk's log was between these."""
        return [one for one in self.moments if one.begin < end and one.end >= begin]

    def put(self, moment, target):
        Path(target).write_bytes(self._state(moment.writes))
        return target
