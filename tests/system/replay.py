"""A disk as it was at any moment of a recording, and as a power cut would have left it.

The partitions are files of their own, changed in place: from one image to the next costs only what
was written in between.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class Part:
    name: str
    offset: int
    size: int


class Replay:
    """START is the raw disk before the first write of LOG. Everything lies below FOLDER."""

    def __init__(self, start, layout, log, folder):
        self.log, self.folder = log, Path(folder)
        size = os.stat(start).st_size
        self.parts = ([Part("esp", layout.esp, layout.root - layout.esp)] if layout.esp else []) + [
            Part("root", layout.root, size - layout.root - MIB)]
        self.files = {}
        for part in self.parts:
            path = self.folder / part.name
            subprocess.run(["dd", f"if={start}", f"of={path}", "bs=1M", "conv=sparse",
                            "iflag=skip_bytes,count_bytes", f"skip={part.offset}",
                            f"count={part.size}", "status=none"], check=True)
            os.truncate(path, part.size)
            self.files[part.name] = open(path, "r+b", buffering=0)
        self.outside = 0  # writes to no partition: the tables

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in self.files.values():
            file.close()

    def path(self, name):
        return self.folder / name

    def _place(self, write):
        for part in self.parts:
            if part.offset <= write.offset < part.offset + part.size:
                return self.files[part.name], write.offset - part.offset
        return None, 0

    def apply(self, writes):
        for write in writes:
            file, offset = self._place(write)
            if file is None:
                self.outside += 1
                continue
            os.pwrite(file.fileno(), self.log.data[write.at:write.at + write.length], offset)

    def tried(self, writes):
        """Apply WRITES; what is returned takes them back."""
        undo = []
        for write in writes:
            file, offset = self._place(write)
            if file is not None:
                undo.append((file, offset, os.pread(file.fileno(), write.length, offset)))
        self.apply(writes)
        return undo

    @staticmethod
    def take_back(undo):
        for file, offset, data in reversed(undo):
            os.pwrite(file.fileno(), data, offset)

    def disk(self, like, target):
        """The whole disk with the partitions as they are now; LIKE is any raw disk of the same."""
        size, end = os.stat(like).st_size, 0
        with open(like, "rb") as source, open(target, "wb") as file:
            file.truncate(size)
            for part in self.parts:  # what lies between them: tables, a BIOS's boot loader
                _copy(source, file, end, part.offset)
                end = part.offset + part.size
            _copy(source, file, end, size)
        for part in self.parts:
            subprocess.run(["dd", f"if={self.path(part.name)}", f"of={target}", "bs=1M",
                            "oflag=seek_bytes", f"seek={part.offset}", "conv=notrunc,sparse",
                            "status=none"], check=True)


def _copy(source, file, begin, end):
    source.seek(begin)
    file.seek(begin)
    file.write(source.read(end - begin))
