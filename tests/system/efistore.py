"""The file in which OVMF keeps its variables, written from outside while the machine is off."""

import contextlib
import struct
import uuid

LASTING = 7  # non-volatile, for boot services, at run time (UEFI specification 8.2)
SIGNED = 0x20  # changed only by who signs the change: time-based authenticated write access
VALID = 0x3F
# MdeModulePkg/Include/Guid/VariableFormat.h: the store's header, a variable's.
STORE, VARIABLE = 28, 60


class StoreError(Exception):
    """There is no room; the text says where."""


def _room(store):
    """Where the next variable would begin, and where the store ends."""
    begin, = struct.unpack_from("<H", store, 48)
    size, = struct.unpack_from("<I", store, begin + 16)
    at = begin + STORE
    while store[at:at + 2] == b"\xaa\x55":
        at = (at + VARIABLE + sum(struct.unpack_from("<II", store, at + 36)) + 3) & ~3
    return at, begin + size


def _put(store, name, guid, data, attributes):
    at, end = _room(store)
    wide = name.encode("utf-16-le") + b"\0\0"
    new = struct.pack("<HBBIQ16sIII16s", 0x55AA, VALID, 0, attributes, 0, bytes(16), 0, len(wide),
                      len(data), uuid.UUID(guid).bytes_le) + wide + data
    if at + len(new) > end or any(one != 0xFF for one in store[at:at + len(new)]):
        raise StoreError(f"no room for {name} at {at}")
    store[at:at + len(new)] = new


def add(file, name, guid, data, attributes=LASTING):
    """One more variable."""
    store = bytearray(file.read_bytes())
    _put(store, name, guid, data, attributes)
    file.write_bytes(store)


def crowd(file, name, guid, left):
    """Variables NAME0, NAME1 and so on, until only LEFT bytes can be written, or a little more."""
    store, number, size = bytearray(file.read_bytes()), 0, 4096
    at, end = _room(store)
    while end - at > left + 2 * size:
        _put(store, f"{name}{number}", guid, bytes(size), LASTING)
        number += 1
        at, end = _room(store)
    file.write_bytes(store)
    return number


def _lasting(store):
    """Without what was deleted or replaced, as the firmware itself rewrites it when it boots."""
    begin, = struct.unpack_from("<H", store, 48)
    at, end = begin + STORE, _room(store)[1]
    stop, kept = _room(store)[0], bytearray()
    while at < stop:
        size = (VARIABLE + sum(struct.unpack_from("<II", store, at + 36)) + 3) & ~3
        if store[at + 2] == VALID:
            kept += store[at:at + size]
        at += size
    store[begin + STORE:end] = kept.ljust(end - begin - STORE, b"\xff")


def fill(file, name, guid):
    """Variables NAME0, NAME1 and so on, until nothing can be written any more, be it the smallest."""
    store, number = bytearray(file.read_bytes()), 0
    _lasting(store)
    for size in 4096, 256, 4:
        with contextlib.suppress(StoreError):
            while True:
                _put(store, f"{name}{number}", guid, bytes(size), LASTING)
                number += 1
    file.write_bytes(store)
