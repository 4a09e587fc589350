"""Trial boots on machines whose boot loader or firmware forgets badly. Either a boot is tried, once, or
nothing is changed and `enable` says why and what is left; where boots are counted, the third has no
claims.
"""

import counted
import grubenv
import oneshot
import signed

# Of the archive, for the scenarios of that machine alone.
PACKAGES = {
    "debian13-grub-bios": ("btrfs-progs", "lvm2"),
    "debian13-grub-efi": ("btrfs-progs", "shim-signed", "grub-efi-amd64-signed"),
    "debian13-systemd-boot": (),
}
STAGES = {
    "debian13-grub-bios": grubenv.STAGES,
    "debian13-grub-efi": (*counted.STAGES, *signed.STAGES),
    "debian13-systemd-boot": oneshot.STAGES,
}
