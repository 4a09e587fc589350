# SPDX-License-Identifier: GPL-2.0-or-later
"""Throw-away Debian machines in folders: overlays of the cached trees of tests/vm."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests" / "vm"))
import tree as trees  # noqa: E402

# In a mount namespace of its own: nothing to clean up however it ends.
SCRIPT = r"""
set -eu
mount -t overlay -o "lowerdir=$LOWER,upperdir=$WORK/upper,workdir=$WORK/work" overlay "$WORK/root"
root=$WORK/root
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
for pair in $BINDS; do
	mkdir -p "$root${pair#*=}"
	mount --bind "${pair%%=*}" "$root${pair#*=}"
done
eval "$COMMAND"
"""
ENTER = ('env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 '
         'DEBIAN_FRONTEND=noninteractive chroot "$root" sh -ec "$INSIDE"')


class Failed(Exception):
    """A command in a root failed; the text has its words."""


class Root:
    """A root folder that keeps what is done in it until it is closed."""

    def __init__(self, lower, work=None):
        self.lower = [str(layer) for layer in lower]
        self.work = Path(work or tempfile.mkdtemp(prefix="ghost-boot-deb."))
        for name in "upper", "work", "root":
            (self.work / name).mkdir(exist_ok=True)
        self.upper = self.work / "upper"

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def mounted(self, command, binds=(), network=False, inside="", code=0):
        """What COMMAND, of the host's shell, says with the root mounted at $root."""
        environment = dict(os.environ, LOWER=":".join(self.lower), WORK=str(self.work),
                           BINDS=" ".join(f"{a}={b}" for a, b in binds), COMMAND=command,
                           INSIDE=inside)
        own = ["unshare", "--mount", "--propagation=private"] + ([] if network else ["--net"])
        done = subprocess.run([*own, "sh", "-c", SCRIPT], env=environment, text=True,
                              errors="replace", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if code is not None and done.returncode != code:
            raise Failed(f"{inside or command}: {done.returncode}\n{done.stdout[-3000:]}")
        return done.stdout

    def run(self, inside, **options):
        """What INSIDE, a shell's command in the root, says."""
        return self.mounted(ENTER, inside=inside, **options)


def layer(suite, name, inside):
    """What INSIDE adds to SUITE's tree, made once a week, and the tree: lower layers."""
    tree = trees.ensure(suite)
    key = hashlib.sha256(inside.encode()).hexdigest()[:12]
    made = tree.parent / f"deb-{name}-{key}-{tree.name}"
    if not made.is_dir():
        root = Root([tree], tempfile.mkdtemp(prefix=".deb-", dir=tree.parent))
        try:
            (root.upper / "etc").mkdir()
            shutil.copy("/etc/resolv.conf", root.upper / "etc" / "resolv.conf")
            root.run(inside, network=True)
            root.upper.rename(made)
        except OSError:  # somebody else was faster
            if not made.is_dir():
                raise
        finally:
            root.close()
        for old in tree.parent.glob(f"deb-{name}-*-{suite}-*"):
            if old != made:
                shutil.rmtree(old, ignore_errors=True)
    return [made, tree]


def purpose(*names):
    """The packages that ./bootstrap has for these purposes."""
    text = (REPOSITORY / "bootstrap").read_text()
    return " ".join(re.search(rf"^{name}='([^']*)'", text, re.M)[1] for name in names).split()
