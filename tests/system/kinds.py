"""The machines: which Debian, which boot loader, which image builder."""

from dataclasses import dataclass

SUITES = {"bookworm": "debian12", "trixie": "debian13"}
# For each loader: its packages.
LOADERS = {
    "grub-efi": ("grub-efi-amd64", "efibootmgr"),
    "grub-bios": ("grub-pc",),
    "systemd-boot": ("systemd-boot", "efibootmgr"),
    "unified": ("systemd-boot", "efibootmgr", "systemd-boot-efi", "systemd-ukify"),
}
BUILDERS = {"initramfs-tools": ("initramfs-tools",), "dracut": ("dracut",)}


@dataclass(frozen=True)
class Kind:
    suite: str
    loader: str
    builder: str = "initramfs-tools"

    @property
    def name(self):
        tail = "" if self.builder == "initramfs-tools" else f"-{self.builder}"
        return f"{SUITES[self.suite]}-{self.loader}{tail}"

    @property
    def efi(self):
        return self.loader != "grub-bios"

    @property
    def packages(self):
        return (*LOADERS[self.loader], *BUILDERS[self.builder])


# Debian 12 has no ukify.
ALL = tuple(Kind(suite, loader) for suite in SUITES for loader in LOADERS
            if (suite, loader) != ("bookworm", "unified")) + (Kind("trixie", "grub-efi", "dracut"),)


def named(name):
    return next(kind for kind in ALL if kind.name == name)
