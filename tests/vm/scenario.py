"""One boot and what it must show."""

from dataclasses import dataclass, field
from typing import Callable

import claims
import image
import machine
import rivals

CLAIMS = "/etc/ghost-boot/claims"


@dataclass
class Scenario:
    name: str
    check: Callable  # check(machine, report): raises check.Failure
    suite: str = "bookworm"
    builder: str = "initramfs-tools"
    kind: str = "rivals"  # which image: see payload()
    claims: str | bytes | None = None  # behind the image's own, which are the GPU's
    words: str = "ghost.claim=on"
    iommu: str = "intel"
    devices: dict | None = None
    files: dict = field(default_factory=dict)  # more to put behind the image
    full: bool = False  # boots the whole system rather than the agent alone
    static: bool = True
    fast: bool = False  # part of the set that runs without --all

    def payload(self):
        """What the image is built with. The image is shared by all scenarios that agree in this."""
        if self.kind == "rivals":
            files = {**rivals.FILES, CLAIMS: claims.text()}
        elif self.kind == "rivals-unclaimed":
            files = rivals.FILES
        elif self.kind == "plain":  # no rivals, no claims
            files = {}
        elif self.kind == "no-vfio":
            files = {CLAIMS: claims.text(),
                     "/etc/initramfs-tools/modules": "bochs\n",
                     "/etc/initramfs-tools/hooks/zz-no-vfio":
                         '#!/bin/sh\n[ "$1" = prereqs ] && exit 0\n'
                         'rm -r "$DESTDIR"/lib/modules/*/kernel/drivers/vfio\n',
                     "/etc/dracut.conf.d/no-vfio.conf":
                         'force_drivers+=" bochs "\nomit_drivers+=" vfio vfio_pci vfio_pci_core '
                         'vfio_iommu_type1 vfio_virqfd "\n'}
        else:
            raise ValueError(self.kind)
        return image.Payload(files, static=self.static)

    def image(self):
        name = self.kind if self.static else f"{self.kind}-dynamic"
        return image.initramfs(self.suite, self.builder, self.payload(), name)

    def disk(self):
        return image.disk(self.suite, image.Payload(static=self.static))

    def machine(self):
        files = dict(self.files)
        if self.claims is not None:
            files[CLAIMS] = self.claims
        words = self.words + (f" {rivals.WORDS}" if self.kind.startswith("rivals") else "")
        return machine.Machine(
            self.name, image.kernel(self.suite), self.image(), self.disk(), self.devices,
            self.iommu, words, image.overlay(files) if files else b"",
            "ghost-vm.agent" if self.full else None)

    def run(self, keep=lambda boot, report: None):
        """KEEP is called with what there is, whatever happens: for the logs."""
        report = None
        with self.machine() as boot:
            try:
                boot.ready(240 if self.full else 150)
                report = boot.report()
                self.check(boot, report)
            finally:
                keep(boot, report)
