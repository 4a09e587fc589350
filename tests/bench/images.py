"""Reading a real image against the bare decompressor: processor time and peak memory."""

import os
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

# At least so many rounds, and more of what is over in a moment: so many seconds, but so many at most.
ROUNDS, ENOUGH, MOST = 3, 4.0, 25
# As the builders pack, at the level that is quickest to make; and what unpacks it.
PACKINGS = (("gzip", ("gzip", "-n"), ("gzip", "-dc")),
            ("xz", ("xz", "--check=crc32", "-1", "-T0"), ("xz", "-dc", "-T1")),
            ("zstd", ("zstd", "-q", "-3", "-T0"), ("zstd", "-qdc")),
            ("lz4", ("lz4", "-q", "-9", "-l"), ("lz4", "-qdc")))
# The widest windows that are read: of initramfs-tools' and dracut's levels.
WIDEST = (("xz -8", ("xz", "--check=crc32", "-8")), ("lzma -8", ("xz", "--format=lzma", "-8")),
          ("zstd -19", ("zstd", "-q", "-19", "-T0")), ("bzip2 -9", ("bzip2", "-9")))
WIDEST_BYTES = 40 << 20  # more than any of these windows


class ReadError(Exception):
    """The text says what could not be measured."""


def pack(command, plain, to):
    with open(plain, "rb") as source, open(to, "wb") as target:
        if subprocess.run(command, stdin=source, stdout=target, check=False).returncode:
            raise ReadError(f"{' '.join(command)} failed")


def timed(command, path):
    """Seconds of CPU and of wall time, and what it printed when it is ours."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([*command, str(path)], stdout=subprocess.PIPE if len(command) == 1
                          else subprocess.DEVNULL, check=False)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise ReadError(f"{' '.join(command)} {path.name}: exit status {done.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, (done.stdout or b"").split()


def compare(reader, plain, scratch):
    """Yields name, bytes unpacked, medians of CPU and wall time (bare, ours), peak KiB, rounds."""
    for name, command, bare in PACKINGS:
        packed = Path(scratch) / f"image.{name}"
        pack(command, plain, packed)
        runs, start = [], time.monotonic()
        while len(runs) < ROUNDS or len(runs) < MOST and time.monotonic() - start < ENOUGH:
            runs.append((timed(bare, packed), timed((str(reader),), packed)))
        packed.unlink()
        cpu, wall = ([statistics.median(run[who][which] for run in runs) for who in (0, 1)]
                     for which in (0, 1))
        ours = runs[-1][1][2]
        yield name, int(ours[0]), cpu, wall, max(int(run[1][2][3]) for run in runs), len(runs)


def widest(reader, plain, scratch):
    """Yields name and peak KiB of archives that fill the window they were packed with."""
    folder = Path(scratch) / "wide"
    folder.mkdir()
    # the same again and again: quick to pack, and the window fills all the same
    with open(plain, "rb") as source, open(folder / "data", "wb") as target:
        piece = source.read(1 << 20)
        for _ in range(WIDEST_BYTES >> 20):
            target.write(piece)
    archive = Path(scratch) / "wide.cpio"
    with open(archive, "wb") as target:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, input=b"data",
                       stdout=target, check=True)
    for name, command in WIDEST:
        packed = Path(scratch) / "wide.packed"
        pack(command, archive, packed)
        yield name, int(timed((str(reader),), packed)[2][3])


def unpacked(image, scratch):
    """The image as one uncompressed file, whatever it was."""
    plain = Path(scratch) / "plain"
    with open(plain, "wb") as target:
        if subprocess.run(["zstd", "-qdcf", str(image)], stdout=target, check=False).returncode:
            raise ReadError(f"{image.name} can't be unpacked")
    return plain


def scratch_folder():
    # in memory where that can be had: the disk is not what is measured
    return tempfile.TemporaryDirectory(prefix="ghost-boot-bench.",
                                       dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
