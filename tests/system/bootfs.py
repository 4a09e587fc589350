"""A /boot of its own, on what GRUB can or can't write to."""

import disk
from check import demand

ROOM = 1300
SPLIT = ("sfdisk -q --relocate gpt-bak-std /dev/nvme0n1 2>/dev/null; "
         "printf ',420M\\n,420M\\n,420M\\n' | "
         "sfdisk -q --append --no-reread --force /dev/nvme0n1 >/dev/null 2>&1 && "
         "partx -u /dev/nvme0n1 && udevadm settle && lsblk -nro NAME /dev/nvme0n1")
BTRFS = "mkfs.btrfs -q -f {part} && echo {part}"
LVM = ("pvcreate -qqy {part} && vgcreate -qq boot {part} && "
       "lvcreate -qqy -l 90%FREE -n boot boot && mkfs.ext4 -q -F /dev/boot/boot && "
       "echo /dev/mapper/boot-boot")
EXT4 = "mkfs.ext4 -q -F {part} && echo {part}"


def split(machine):
    """More partitions, for a /boot of its own; their names."""
    before = set(machine.must("lsblk -nro NAME /dev/nvme0n1").split())
    return sorted(set(machine.must(SPLIT).split()) - before)


def move_boot(machine, part, make, kind, options="defaults"):
    """/boot, with all that is in it, lies there from now on, and GRUB reads it there."""
    device = machine.must(make.format(part=f"/dev/{part}"), 300).split()[-1]
    machine.must(f"""set -e
udevadm settle
mount {device} /mnt
cp -ax /boot/. /mnt/
umount /mnt
if mountpoint -q /boot/efi; then umount /boot/efi; fi
if mountpoint -q /boot; then umount /boot; fi
sed -i '\\| /boot |d' /etc/fstab
echo "UUID=$(blkid -s UUID -o value {device}) /boot {kind} {options} 0 0" >>/etc/fstab
systemctl daemon-reload
mount -o rw /boot
if grep -q ' /boot/efi ' /etc/fstab; then mount /boot/efi; fi
{disk.INSTALL[machine.base.kind.loader]}
sync
""", 900, f"/boot on {kind}")


def lies_on(machine, kind):
    found = machine.must("findmnt -no FSTYPE,OPTIONS /boot")
    demand(found.split()[0] == kind, f"/boot is {found}")
    return found
