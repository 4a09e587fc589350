"""What `ghost-boot enable` takes beside the builder's time, on a real Debian tree: a copy-on-write
layer over it on this machine's own disk, so that syncing costs what it costs."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "change"))

import host as hosts  # noqa: E402
import image  # noqa: E402
import tree as trees  # noqa: E402

ROUNDS = 3

# The builders as they are, with their beginnings and ends written down.
TIMED = """#!/bin/bash
begin=$EPOCHREALTIME
{real} "$@" || exit
echo "{name} $begin $EPOCHREALTIME" >>/var/tmp/times
"""

INSIDE = r"""
set -eu
mkdir -p "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$WORK/upper,workdir=$WORK/work" overlay "$WORK/root"
root=$WORK/root
cp -a "$PAYLOAD/." "$root/"
mount --bind "$MACHINE/sys" "$root/sys"
mount --bind "$MACHINE/proc" "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/mnt/images"
mount --bind "$IMAGES" "$root/mnt/images"
exec env -i PATH=/usr/sbin:/usr/bin LC_ALL=C IMAGES=/mnt/images chroot "$root" /bin/bash /usr/lib/bench
"""

# Prints one line a call: what, exit status, seconds.
BENCH = r"""
timed() {
	local name=$1 begin=$EPOCHREALTIME rc=0
	shift
	"$@" >/var/tmp/said 2>&1 || { rc=$?; cat /var/tmp/said >&2; }
	echo "$name $rc $begin $EPOCHREALTIME"
}
sync -f /
: >/var/tmp/times
timed first ghost-boot enable 01:00 --no-trial --yes
cat /var/tmp/times
timed again ghost-boot enable 01:00 --no-trial --yes
cp /boot/initrd.img-* "$IMAGES"
timed disable ghost-boot disable --yes
"""


class EnableError(Exception):
    """The text says what could not be measured."""


def payload(folder, suite):
    tree = trees.ensure(suite)
    release = trees.kernel(tree)
    kept = Path(folder)
    subprocess.run(["cp", "-a", f"{image.staged()}/.", str(kept)], check=True)
    files = {"etc/default/grub": hosts.GRUB_DEFAULTS, "usr/sbin/grub-mkconfig": hosts.GRUB_SCRIPT,
             "usr/sbin/update-grub": hosts.UPDATE_GRUB, "etc/grub.d/10_linux": "#!/bin/sh\n",
             "etc/initramfs-tools/update-initramfs.conf": "update_initramfs=yes\n",
             "etc/fstab": "/dev/nvme0n1p2 / ext4 errors=remount-ro 0 1\n",
             "usr/sbin/mkinitramfs": TIMED.format(real="/usr/lib/bench-mkinitramfs",
                                                  name="mkinitramfs"),
             "usr/lib/bench": BENCH}
    for name, text in files.items():
        hosts.put(str(kept / name), text, 0o755 if text.startswith("#!") else 0o644)
    real = (tree / "usr/sbin/mkinitramfs").read_bytes()
    hosts.put(str(kept / "usr/lib/bench-mkinitramfs"), real, 0o755)
    (kept / "boot/grub").mkdir(parents=True)
    hosts.put(str(kept / "boot/grub/grub.cfg"), hosts.grub_cfg([release]))
    return tree, release


def packed(path):
    """What is behind the plain archives in front, and what unpacks it."""
    data = path.read_bytes()
    at = 0
    while data[at:at + 5] == b"07070":
        name = int(data[at + 94:at + 102], 16)
        size = int(data[at + 54:at + 62], 16)
        last = data[at + 110:at + 110 + name - 1] == b"TRAILER!!!"
        at = (at + 110 + name + 3) // 4 * 4 + (size + 3) // 4 * 4
        while last and at < len(data) and data[at] == 0:
            at += 1
    for magic, command in ((b"\x28\xb5\x2f\xfd", ["zstd", "-qdc"]), (b"\x1f\x8b", ["gzip", "-dc"]),
                           (b"\xfd7zXZ", ["xz", "-dc", "-T1"])):
        if data[at:].startswith(magic):
            return data[at:], command
    raise EnableError(f"{path.name} is packed in an unknown way")


def unpack(folder):
    took = 0
    for path in sorted(Path(folder).iterdir()):
        data, command = packed(path)
        begin = time.monotonic()
        subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)
        took += time.monotonic() - begin
    return took


def libraries(folder, tree):
    """What ghost-boot needs and the tree lacks: no more than its package would bring."""
    listing = subprocess.run(["ldd", str(image.REPOSITORY / "build" / "ghost-boot")], text=True,
                             capture_output=True, check=True).stdout
    for word in listing.split():
        if word.startswith("/lib/") and not (tree / word[1:]).exists():
            hosts.put(str(folder / "usr" / word[1:]), Path(word).read_bytes(), 0o755)


def once(suite, scratch):
    """Seconds: first, its builders, unpacking all images, again, disable."""
    folder = Path(scratch)
    for name in ("payload", "work", "machine", "images"):
        (folder / name).mkdir()
    tree, release = payload(folder / "payload", suite)
    libraries(folder / "payload", tree)
    machine = hosts.Host(str(folder / "machine" / "root"), "")
    machine.make_machine(release)
    done = subprocess.run(["unshare", "--mount", "--propagation=private", "sh", "-c", INSIDE],
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "WORK": str(folder / "work"),
                               "TREE": str(tree), "PAYLOAD": str(folder / "payload"),
                               "MACHINE": machine.dir, "IMAGES": str(folder / "images")},
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    took = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[1] != "0":
            raise EnableError(f"{words[0]} gave {words[1]}: {done.stderr.strip()[-600:]}")
        took.setdefault(words[0], 0)
        took[words[0]] += float(words[-1]) - float(words[-2])
    if "disable" not in took or "mkinitramfs" not in took:
        raise EnableError(f"{suite}: {(done.stderr or done.stdout).strip()[-600:]}")
    took["unpack"] = unpack(folder / "images")
    return took


def measure(suite, say=lambda text: None):
    rounds = []
    for i in range(ROUNDS):
        say(f"{suite}: enable, {i + 1} of {ROUNDS}")
        with tempfile.TemporaryDirectory(prefix="enable.", dir=image.REPOSITORY / "build") as scratch:
            rounds.append(once(suite, scratch))
    return rounds
