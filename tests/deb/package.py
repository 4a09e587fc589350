# SPDX-License-Identifier: GPL-2.0-or-later
"""This source tree's packages for one release, built in a tree of that."""
import functools
import hashlib
import os
import re
import subprocess

from root import REPOSITORY, Root, layer, purpose


def builder(suite):
    return layer(suite, "build", "apt-get -qq update && apt-get -qq install --no-install-recommends "
                 + " ".join(purpose("build", "deb")) + " >/dev/null")


def inputs():
    """A hash of all that a build is made of."""
    git = ["git", "-C", str(REPOSITORY)]
    total = hashlib.sha256(subprocess.check_output([*git, "rev-parse", "HEAD"]))
    listed = subprocess.check_output([*git, "ls-files", "-co", "--exclude-standard", "-z"])
    for name in sorted(listed.split(b"\0")):
        path = os.path.join(os.fsencode(REPOSITORY), name)
        if os.path.isfile(path) and not name.startswith(b"tests/"):
            with open(path, "rb") as file:
                total.update(name + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()


@functools.cache  # a file that is edited meanwhile is the next run's business
def ensure(suite):
    """The folder of SUITE's packages, a repository; built anew only when something changed."""
    out = REPOSITORY / "build" / "deb" / suite
    stamp, wanted = out / "inputs", inputs()
    if stamp.is_file() and stamp.read_text() == wanted:
        return out
    out.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    version = re.search(r"^VERSION := (.*)", (REPOSITORY / "Makefile").read_text(), re.M)[1]
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.path.join(base, "ghost-boot", "src")
    os.makedirs(cache, exist_ok=True)
    root = Root(builder(suite))
    try:
        said = root.mounted(f'SOURCE_CACHE=/cache "{REPOSITORY}/tools/debian/build" --root "$root" '
                            f'"{version}" "{out}"', binds=[(cache, "/cache")],
                            network=True)
    finally:
        root.close()
    (out / "build.log").write_text(said)
    stamp.write_text(wanted)
    return out
