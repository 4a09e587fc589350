"""Config space that QEMU has no option for: ACS where its models have none, other models' ids.

Written into the memory of a QEMU that waits to be started. Its devices keep their config space in
one buffer each, which the guest reads byte by byte; what it may not write stays as it is."""

import os
import re
import struct
from dataclasses import dataclass

SPACE = 4096
ACS = 0x300  # QEMU's own devices have nothing there
ALL_BITS = 0x1d  # what the kernel wants of a port: SV, RR, CR, UF


class AlterError(Exception):
    """No such device, or no room in it; the text says which."""


@dataclass(frozen=True)
class Alter:
    """What becomes of every device of one model."""
    id: str  # as QEMU made it: "104c:8233"
    count: int = 1  # there must be so many of them
    new_id: str | None = None
    acs: int | None = None  # capability bits, all switched on: the guest can't write them
    wide: bool = False  # registers of 32 bits, an Intel erratum

    def edit(self, space):
        if self.new_id:
            space[:4] = _id(self.new_id)
        if self.acs is not None:
            bits = (self.acs, self.acs) if self.wide else (self.acs | self.acs << 16, 0)
            struct.pack_into("<LLL", space, _extend(space, ACS), 0x1000d, *bits)


def _id(text):
    return struct.pack("<HH", *(int(word, 16) for word in text.split(":")))


def _extend(space, new):
    """Links NEW behind the last extended capability; where the new one's header is to be."""
    at = 0x100
    if space[at:at + 4] == b"\0\0\0\0":
        return at
    while following := struct.unpack_from("<L", space, at)[0] >> 20:
        at = following
    head = struct.unpack_from("<L", space, at)[0]
    struct.pack_into("<L", space, at, head & 0xfffff | new << 20)
    return new


def _places(memory, pid, wanted):
    """Addresses of config spaces of the id WANTED. They are on QEMU's heap."""
    with open(f"/proc/{pid}/maps") as maps:
        heaps = re.findall(r"^(\w+)-(\w+) rw-p .*\[heap\]$", maps.read(), re.M)
    for first, last in heaps:
        start = int(first, 16)
        data = os.pread(memory, int(last, 16) - start, start)
        # Beside it there are masks of the same size; only the space itself has capabilities and
        # a type of header.
        for found in re.finditer(re.escape(wanted) + rb"..\x10\x00.{6}[\0\1\x80\x81]", data, re.S):
            if found.start() % 16 == 0 and len(data) - found.start() >= SPACE:
                yield start + found.start()


def alter(pid, alterations):
    memory = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
    try:
        # All are found before any is changed: a new id may be another's old one.
        edits = [(alteration, list(_places(memory, pid, _id(alteration.id))))
                 for alteration in alterations]
        for alteration, places in edits:
            if len(places) != alteration.count:
                raise AlterError(f"QEMU has {len(places)} {alteration.id}, "
                                 f"wanted {alteration.count}")
            for place in places:
                before = os.pread(memory, SPACE, place)
                space = bytearray(before)
                alteration.edit(space)
                # A conventional device's is shorter: leave what lies behind it alone.
                for at in range(0, SPACE, 4):
                    if space[at:at + 4] != before[at:at + 4]:
                        os.pwrite(memory, space[at:at + 4], place + at)
    finally:
        os.close(memory)
