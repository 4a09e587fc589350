"""Boots of an image alone: the agent is its first program, before udev and any module."""

import functools
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import image
import machine

HOST_LIB = "/usr/lib/ghost-vm/host"
# vfio for what binds devices, xhci for what another has, nvme for what makes virtual functions,
# efivarfs for EFI variables.
FILES = {"/etc/initramfs-tools/modules": "vfio-pci\nvfio_iommu_type1\nnvme\nxhci-pci\n"
         "efivarfs\n",
         "/etc/initramfs-tools/conf.d/small": "MODULES=list\n"}


@functools.cache
def programs():
    """ghost-boot and the static tools as built here; the first with this machine's own libraries,
    which the image's may not agree with."""
    tools = image.staged() / "usr/sbin"
    program = tools / "ghost-boot"
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    files = {f"{HOST_LIB}/{Path(name).name}": Path(name).resolve()
             for name in re.findall(r"(/\S+) \(0x", listing)}
    loader = next(name for name in files if "/ld-" in name)
    files[f"{HOST_LIB}/ghost-boot"] = program
    files["/usr/bin/ghost-boot"] = (f'#!/bin/sh\nexec {loader} --library-path {HOST_LIB} '
                                    f'{HOST_LIB}/ghost-boot "$@"\n')
    files["/usr/bin/ghost-claim"] = tools / "ghost-claim"
    files["/usr/bin/ghost-verify"] = tools / "ghost-claim"
    return files


@dataclass
class Early:
    """One machine, described by its devices; a test runs commands in it."""
    name: str
    devices: dict
    suite: str = "bookworm"
    iommu: str = "intel"
    words: str = ""
    alterations: tuple = field(default=())
    static: bool = True

    def machine(self):
        initramfs = image.initramfs(self.suite, "initramfs-tools",
                                    image.Payload(FILES, install=False), "early")
        files = {"/usr/lib/ghost-vm/agent": image.GUEST / "agent",
                 "/usr/lib/ghost-vm/early": image.GUEST / "early", **programs()}
        return machine.Machine(self.name, image.kernel(self.suite), initramfs, None, self.devices,
                               self.iommu, f"rdinit=/usr/lib/ghost-vm/early {self.words}",
                               image.overlay(files), memory="512M", alterations=self.alterations)
