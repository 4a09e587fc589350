"""`ghost-boot list --all` beside lspci and the usual script, and how it grows with the machine."""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import synthetic

# What people run to see groups, from a dozen guides.
SCRIPT = """
for group in $(find "$1/sys/kernel/iommu_groups" -maxdepth 1 -mindepth 1 -type d | sort -V); do
	echo "IOMMU Group ${group##*/}:"
	for device in "$group"/devices/*; do
		echo -e "\\t$(lspci -O "sysfs.path=$1/sys/bus/pci" -nns "${device##*/}")"
	done
done
"""
NAMESPACE = """
set -e
for name in sys proc/cmdline etc run; do mount --bind "$ROOT/$name" "/$name"; done
exec valgrind --tool=callgrind --callgrind-out-file=/dev/null "$PROGRAM" list --all
"""


class ListError(Exception):
    """Nothing was measured; the text says why."""


def place():
    """A fast one: this makes some fifteen files a function."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def contenders(program, root):
    return {"ghost-boot list": [str(program), "--root", root, "list", "--all"],
            "lspci -nnk": ["lspci", "-O", f"sysfs.path={root}/sys/bus/pci", "-nnk"],
            "group script": ["bash", "-c", SCRIPT, "bash", root]}


def run(command):
    """CPU and wall seconds of a program and its children, and what it said."""
    with tempfile.TemporaryFile(dir=place()) as out:
        start = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, os.environ,
                              file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1),
                                            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY,
                                             0)])
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        out.seek(0)
        said = out.read().decode(errors="replace")
    if status:
        raise ListError(f"{command[0]} ended with status {status}")
    return usage.ru_utime + usage.ru_stime, wall, said


def fits(name, said, functions):
    """All of them told the same devices, or the comparison is none."""
    seen = len(set(re.findall(r"\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b", said)))
    if seen < functions:
        raise ListError(f"{name} named {seen} of {functions} functions")


def compare(program, functions, rounds, script_rounds):
    """Samples of (CPU, wall) by contender, interleaved."""
    for tool in "lspci", "bash":
        if not shutil.which(tool):
            raise ListError(f"{tool} is missing")
    with tempfile.TemporaryDirectory(prefix="ghost-boot-bench.", dir=place()) as folder:
        root = f"{folder}/root"
        synthetic.Root(root, functions, whole=True)
        commands = contenders(program, root)
        samples = {name: [] for name in commands}
        for turn in range(rounds):
            for name, command in commands.items():
                if name == "group script" and turn >= script_rounds:
                    continue
                cpu, wall, said = run(command)
                if not turn:
                    fits(name, said, functions)
                    continue  # the first one warms the caches
                samples[name].append((cpu, wall))
    return samples


def grow(program, sizes, rounds):
    """Median CPU seconds by size, interleaved."""
    with tempfile.TemporaryDirectory(prefix="ghost-boot-bench.", dir=place()) as folder:
        commands = {}
        for size in sizes:
            root = f"{folder}/{size}"
            synthetic.Root(root, size, whole=True)
            commands[size] = contenders(program, root)["ghost-boot list"]
        samples = {size: [] for size in sizes}
        for _ in range(rounds):
            for size, command in commands.items():
                samples[size].append(run(command)[0])
    return {size: statistics.median(found) for size, found in samples.items()}


def count(program, functions):
    """User-mode instructions, in a namespace where the machine is this one's: valgrind 3.19 does
    not know openat2."""
    if not shutil.which("valgrind"):
        raise ListError("valgrind is missing")
    if os.geteuid() != 0:
        raise ListError("the mount namespace needs root")
    with tempfile.TemporaryDirectory(prefix="ghost-boot-bench.", dir=place()) as folder:
        root = f"{folder}/root"
        synthetic.Root(root, functions, whole=True)
        done = subprocess.run(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", NAMESPACE],
            env=dict(os.environ, ROOT=root, PROGRAM=str(program)), capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if not found or done.returncode:
        raise ListError(f"{functions} functions: {done.stderr.strip()[-300:]}")
    fits("ghost-boot", done.stdout, functions)
    return int(found[1])
