"""What QEMU's blklogwrites recorded: every write and flush of a disk, in the order they ended.

The format is that of Linux's drivers/md/dm-log-writes.c: a superblock, then for each entry a
sector that describes it and the sectors that were written.
"""

import mmap
import random
import struct
from dataclasses import dataclass

SUPER = struct.Struct("<QQQI")  # magic, version, entries, sector size
ENTRY = struct.Struct("<QQQQ")  # sector, sectors, flags, length of data
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class LogError(Exception):
    """The log is not one, or not whole."""


@dataclass(frozen=True)
class Write:
    offset: int  # on the disk
    length: int
    at: int  # of the data, in the log
    flush: bool  # all before it is on the disk for good
    fua: bool

    @property
    def end(self):
        """A log of that size has it."""
        return self.at + self.length


class Epoch(list):
    """The writes between two flushes; BEGIN and END are where the log has those."""

    def __init__(self, begin):
        super().__init__()
        self.begin, self.end = begin, float("inf")


def count(path):
    """How many entries the log has by now. Right after a flush it is exact."""
    with open(path, "rb") as file:
        return _super(file.read(SUPER.size))[0]


def _super(head):
    if len(head) < SUPER.size:
        raise LogError("the log has no superblock")
    magic, version, entries, size = SUPER.unpack(head)
    if magic != MAGIC or version != 1 or size < 512:
        raise LogError("the log's superblock is none")
    return entries, size


class Log:
    """All entries of a log; the data stay where they are."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        entries, size = _super(self.data[:SUPER.size])
        self.writes, at = [], size
        for _ in range(entries):
            if at + ENTRY.size > len(self.data):
                raise LogError(f"the log ends after {len(self.writes)} of {entries} entries")
            sector, sectors, flags, _ = ENTRY.unpack_from(self.data, at)
            at += size
            length = sectors * size
            if flags & (DISCARD | MARK):
                # A discard promises nothing about what is read afterwards: the old may stay.
                length = 0
            if at + length > len(self.data):
                raise LogError(f"the log ends within entry {len(self.writes)}")
            self.writes.append(Write(sector * size, length, at, bool(flags & FLUSH),
                                     bool(flags & FUA)))
            at += length

    def epochs(self, first, last):
        """The writes FIRST to LAST as lists that end with a flush each, the last perhaps not."""
        epochs = [Epoch(0)]
        for write in self.writes[first:last]:
            if write.flush and epochs[-1]:
                epochs[-1].end = write.at
                epochs.append(Epoch(write.at))
            if write.length:
                epochs[-1].append(write)
        return [epoch for epoch in epochs if epoch]


def pieces(write, size=512):
    """A write as a disk may tear it."""
    return [Write(write.offset + done, min(size, write.length - done), write.at + done, False,
                  write.fua) for done in range(0, write.length, size)]


def survivors(epoch, chance):
    """Some of an EPOCH's writes, as a power cut may leave them: in the order they were made, some
    reordered, and one of them torn."""
    how = chance.random()
    if how < 0.3:  # up to here and no further
        kept = list(epoch[:chance.randrange(len(epoch) + 1)])
    elif how < 0.5:  # all but a few
        lost = set(chance.sample(range(len(epoch)), min(len(epoch), chance.randint(1, 3))))
        kept = [write for n, write in enumerate(epoch) if n not in lost]
    elif how < 0.7:  # only a few
        kept = [epoch[n] for n in sorted(chance.sample(range(len(epoch)),
                                                       min(len(epoch), chance.randint(1, 3))))]
    else:
        share = chance.random()
        kept = [write for write in epoch if chance.random() < share]
    if kept and chance.random() < 0.5:
        n = chance.randrange(len(kept))
        parts = pieces(kept[n])
        share = chance.random()
        kept[n:n + 1] = [part for part in parts if chance.random() < share]
    return kept


def plan(epochs, wanted, seed):
    """Which images to build: (epoch, None) its end, (epoch, writes) a part of it. At least WANTED;
    epochs of many writes get more."""
    chance = random.Random(seed)
    weights = [len(epoch) ** 0.5 for epoch in epochs]
    images = [[(n, None)] for n in range(len(epochs))]
    for n, epoch in enumerate(epochs):
        images[n].append((n, survivors(epoch, chance)))
    extra = max(0, wanted - sum(len(some) for some in images))
    for n in chance.choices(range(len(epochs)), weights, k=extra):
        images[n].append((n, survivors(epochs[n], chance)))
    # Parts first: they build on the epoch before, its end comes last.
    return [one for some in images for one in (*some[1:], some[0])]
