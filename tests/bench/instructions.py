"""How many user-mode instructions a claim takes on machines of any size, counted by callgrind."""

import os
import re
import shutil
import subprocess
import tempfile

import synthetic

# The machine is bound over this one's folders in a mount namespace that ends with the program:
# so the code counted is what runs at boot, and valgrind needs not know openat2 (3.19 does not).
# The synthetic /sys has the drivers "loaded", so no module is loaded into this kernel.
NAMESPACE = """
set -e
for name in sys proc/cmdline dev/kmsg etc run; do mount --bind "$ROOT/$name" "/$name"; done
exec valgrind --tool=callgrind --callgrind-out-file=/dev/null "$PROGRAM"
"""


class CountError(Exception):
    """Nothing was counted; the text says why."""


def count(program, functions, moved=False):
    if not shutil.which("valgrind"):
        raise CountError("valgrind is missing")
    if os.geteuid() != 0:
        raise CountError("the mount namespace needs root")
    # A fast place: this makes some ten files a function.
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="ghost-boot-bench.", dir=place) as folder:
        root = f"{folder}/root"
        synthetic.Root(root, functions, moved)
        done = subprocess.run(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", NAMESPACE],
            env=dict(os.environ, ROOT=root, PROGRAM=str(program)), capture_output=True, text=True)
        found = re.search(r"Collected : (\d+)", done.stderr)
        decision = "moved" if moved else "claim"
        if not found or len(re.findall(rf"  {decision} ", done.stdout)) != 4:
            raise CountError(f"{functions} functions: {(done.stdout + done.stderr).strip()[-300:]}")
        return int(found[1])
