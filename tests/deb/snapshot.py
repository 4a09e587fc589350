# SPDX-License-Identifier: GPL-2.0-or-later
"""snapshot.py ROOT: every file of a machine, a line each; what differs from run to run left out."""
import hashlib
import os
import stat
import sys

# Records of apt, dpkg and the image builders; images are compared by what is in them.
PASSED = ("proc", "sys", "dev", "run", "tmp", "repository", "var/cache", "var/log/apt",
          "var/log/dpkg.log", "var/log/dracut.log", "var/lib/apt", "var/lib/dpkg",
          "var/lib/initramfs-tools", "boot/initrd.img-")


def line(root, path):
    full = os.path.join(root, path)
    info = os.lstat(full)
    what = ""
    if stat.S_ISLNK(info.st_mode):
        what = os.readlink(full)
    elif stat.S_ISREG(info.st_mode):
        with open(full, "rb") as file:
            what = hashlib.sha256(file.read()).hexdigest()
    return f"{path} {info.st_mode:o} {info.st_uid}:{info.st_gid} {what}"


def walk(root, folder=""):
    for name in sorted(os.listdir(os.path.join(root, folder))):
        path = os.path.join(folder, name)
        if path.startswith(PASSED):
            continue
        print(line(root, path))
        if os.path.isdir(os.path.join(root, path)) and not os.path.islink(os.path.join(root, path)):
            walk(root, path)


walk(sys.argv[1])
