# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that ghost-boot can be at home on: Debian with GRUB and initramfs-tools, processes, a
record of this boot."""
import json

import sysfs
from studio import studio

ARM = "ghost.claim=on"
DROP_IN = "etc/default/grub.d/zz-ghost-boot.cfg"
KERNELS = "6.1.0-40-amd64", "6.12.48+deb13-amd64"


def debian(t):
    m = studio(t.root)
    sysfs.put(m.at("etc/os-release"), 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13"\n')
    sysfs.put(m.at("etc/passwd"), "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"
                                  "libvirt-qemu:x:64055:109::/var/lib/libvirt:/bin/false\n")
    sysfs.put(m.at("etc/default/grub"),
              'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n')
    sysfs.put(m.at("usr/sbin/grub-mkconfig"),
              "#!/bin/sh\nfor x in ${sysconfdir}/default/grub.d/*.cfg ; do . \"$x\"; done\n", 0o755)
    sysfs.put(m.at("usr/sbin/update-grub"), "#!/bin/sh\nexec grub-mkconfig\n", 0o755)
    sysfs.put(m.at("usr/sbin/update-initramfs"), "#!/bin/sh\nmkinitramfs\n", 0o755)
    sysfs.put(m.at("usr/sbin/mkinitramfs"), "#!/bin/sh\n", 0o755)
    sysfs.put(m.at("etc/kernel/postinst.d/initramfs-tools"), "#!/bin/sh\n", 0o755)
    sysfs.put(m.at("boot/grub/grub.cfg"), "# made\n")
    sysfs.put(m.at("proc/sys/kernel/osrelease"), "6.12.48+deb13-amd64\n")
    process(m, 1, "systemd", 0)
    return m


def process(m, pid, name, uid, *nodes):
    sysfs.put(m.at(f"proc/{pid}/comm"), name + "\n")
    sysfs.put(m.at(f"proc/{pid}/status"), f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    sysfs.put(m.at(f"proc/{pid}/maps"), "")
    for n, node in enumerate(("/dev/null",) + nodes):
        path = m.at(f"proc/{pid}/fd/{n}")
        sysfs.put(path, "")
        sysfs.relink(path, node)


def nodes(m):
    """What the drivers of the two displays would have made."""
    for f, names in (m.igpu, ("card1", "renderD128")), (m.gpu, ("card0",)):
        for name in names:
            sysfs.put(f.file(f"drm/{name}/dev"), "226:1\n")
            sysfs.put(f.file(f"drm/{name}/uevent"), f"DEVNAME=dri/{name}\n")
    sysfs.put(m.at("dev/vfio/12"), "")


def configure(m, armed=True, extra=()):
    """The files as `enable` leaves them."""
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"), m.nvme.line("keep"))
    if armed:
        sysfs.put(m.at(DROP_IN), 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT '
                                 f'{" ".join((ARM, *extra))}"\n')


def boot(t, m, armed=True):
    """This boot, as ghost-claim leaves it."""
    m.cmdline("quiet" + (f" {ARM}" if armed else ""))
    for f in m.gpu, m.audio:
        if armed:
            f.bind("vfio-pci")
    t.run()


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def archive(*files):
    """A cpio archive as the kernel unpacks it, not compressed."""
    out = b""
    folders = [p for f, _ in files for p in ("/".join(f.split("/")[:n])
                                             for n in range(1, f.count("/") + 1))]
    for n, (name, data) in enumerate([*((f, None) for f in dict.fromkeys(folders)), *files,
                                      ("TRAILER!!!", b"")]):
        body = (data or "").encode() if isinstance(data, (str, type(None))) else data
        mode = 0o040755 if data is None else 0o100644
        head = [n + 1, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name) + 1, 0]
        out += pad(b"070701" + b"".join(b"%08x" % x for x in head) + name.encode() + b"\0")
        out += pad(body)
    return out


def kernels(m, *claims):
    """Each with its image, which has these claims; None for none."""
    sysfs.put(m.at("boot/grub/grub.cfg"), "".join(
        f"menuentry a {{\n\tlinux /boot/vmlinuz-{r} quiet\n\tinitrd /boot/initrd.img-{r}\n}}\n"
        for r in KERNELS))
    for release, text in zip(KERNELS, claims):
        sysfs.put(m.at(f"boot/vmlinuz-{release}"), "kernel\n")
        sysfs.put(m.at(f"lib/modules/{release}/modules.dep"), "")
        sysfs.put(m.at(f"lib/modules/{release}/modules.builtin"), "")
        sysfs.put(m.at(f"boot/initrd.img-{release}"),
                  archive(("init", "#!/bin/sh\n"),
                          *(() if text is None else (("etc/ghost-boot/claims", text),))))


def told(t, *args):
    return json.loads(t.boot("status", "--json", *args, code=0).out)
