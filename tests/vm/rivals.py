"""Everything that loads a graphics driver early, all at once, as people have it configured."""

MODULES = ("bochs", "snd-hda-intel", "xhci-pci", "virtio-gpu")

# vfio-pci taken by ID would take the host's own displays of the same ID too; the softdeps would
# load the rivals before it.
MODPROBE = f"""options vfio-pci ids=1234:1111
softdep vfio-pci pre: {' '.join(MODULES)}
softdep vfio pre: bochs
softdep nvme pre: bochs
"""

FILES = {
    "/etc/modprobe.d/rival.conf": MODPROBE,
    "/etc/modules-load.d/rival.conf": "\n".join(MODULES) + "\n",
    "/etc/initramfs-tools/modules": "\n".join(MODULES) + "\n",
    "/etc/initramfs-tools/conf.d/rival": "MODULES=most\n",
    # init-top scripts run in the order of their names: this one comes before all others.
    "/etc/initramfs-tools/scripts/init-top/000_rival":
        '#!/bin/sh\n[ "$1" = prereqs ] && exit 0\n'
        + "".join(f"modprobe {module}\n" for module in MODULES),
    "/etc/dracut.conf.d/rival.conf":
        f'force_drivers+=" {" ".join(MODULES)} "\nadd_drivers+=" {" ".join(MODULES)} "\n'
        'install_items+=" /etc/modprobe.d/rival.conf /etc/modules-load.d/rival.conf "\n',
}

WORDS = (f"rd.driver.pre={','.join(MODULES)} rd.modules_load={','.join(MODULES)} "
         "vfio-pci.ids=1234:1111")
