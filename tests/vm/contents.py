"""What is in an image, without booting it."""

import subprocess
from dataclasses import dataclass

import check
import claims
import image


@dataclass
class Contents:
    name: str
    suite: str
    builder: str
    wanted: tuple = ()
    unwanted: tuple = ()
    static: bool = True
    fast: bool = False

    def run(self, _):
        payload = image.Payload({"/etc/ghost-boot/claims": claims.text()}, static=self.static)
        built = image.initramfs(self.suite, self.builder, payload, "contents")
        with built.open("rb") as archive:
            listing = subprocess.run(["cpio", "--quiet", "-it"], stdin=archive,
                                     capture_output=True, text=True, check=True).stdout.split()
        check.demand(len(listing) > 100, f"only {len(listing)} files in the image")
        for name in self.wanted:
            check.demand(any(name in path for path in listing), f"{name} is not in the image")
        for name in self.unwanted:
            found = [path for path in listing if name in path]
            check.demand(not found, f"in the image: {found}")


@dataclass
class Standing:
    """While a trial waits: its own image has its claims, and any other those that stand."""
    name: str
    suite: str
    builder: str
    static: bool = True
    fast: bool = False

    def run(self, _):
        standing, tried = claims.text(), claims.text(claimed=(*claims.GPU, "twin"))
        files = {"/etc/ghost-boot/claims": tried, "/var/lib/ghost-boot/standing-claims": standing}
        payload = image.Payload(files, static=self.static)
        for builder, wanted in (self.builder, standing), (self.builder + "-trial", tried):
            built = image.initramfs(self.suite, builder, payload, "standing")
            with built.open("rb") as archive:
                found = subprocess.run(["cpio", "--quiet", "-i", "--to-stdout", "*etc/ghost-boot/claims"],
                                       stdin=archive, capture_output=True, text=True, check=True).stdout
            check.demand(found == wanted, f"{builder}: the image's claims are {found!r}")


OURS = ("ghost-claim", "ghost-boot")
CARRIED = ("sbin/ghost-claim", "sbin/ghost-verify", "sbin/ghost-diag", "etc/ghost-boot/claims",
           "rules.d/60-ghost-boot.rules", "/vfio-pci.ko", "/vfio_iommu_type1.ko",
           "/efivarfs.ko", "/vfat.ko", "/nls_cp437.ko")
SCENARIOS = [
    Contents("contents-initramfs-tools", "bookworm", "initramfs-tools",
             (*CARRIED, "conf/conf.d/00-ghost-boot", "scripts/init-top/00_ghost_boot",
              "scripts/panic/ghost-boot")),
    Contents("contents-dracut", "trixie", "dracut-systemd",
             (*CARRIED, "sysinit.target.wants/ghost-claim.service",
              "hooks/cmdline/00-ghost-claim.sh", "hooks/emergency/99-ghost-diag.sh")),
    Standing("standing-initramfs-tools", "bookworm", "initramfs-tools"),
    Standing("standing-dracut", "trixie", "dracut-systemd"),
    # A crash kernel touches as little as possible.
    *(Contents(f"kdump-{builder}-{suite}", suite, f"{builder}-kdump", unwanted=OURS)
      for builder in ("initramfs-tools", "dracut") for suite in ("bookworm", "trixie")),
]
