# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with everything that ghost-boot shows: names, groups, ports with and without ACS."""
import struct

import sysfs

IDS = """# a small one
10de  NVIDIA Corporation
\t1aef  GA102 High Definition Audio Controller
\t2203  GA102 [GeForce RTX 3090 Ti]
\t\t1462 5054  a board that is not looked for
15b7  Sandisk Corp
\t5030  WD Black SN850X NVMe SSD with a name that is too long for any terminal
1a03  ASPEED Technology, Inc.
\t2000  ASPEED Graphics Family
8086  Intel Corporation
\t15f3  Ethernet Controller I225-V
\t7a38  PCI Express Root Port
\ta700  Host Bridge
\ta70d  PCI Express 5.0 Graphics Port
\ta72d  PCI Express 5.0 Graphics Port
\ta74d  PCI Express 4.0 Port
\ta780  Raptor Lake-S GT1 [UHD Graphics 770]
C 03  Display controller
\t00  VGA compatible controller
"""
ROOT_PORT, ENDPOINT = 4, 0


def config(ident, port, secondary=0, acs=None, multi=False):
    """4 KiB of PCI Express config space; acs: (capability, control), or None for none of it."""
    vendor, device = (int(x, 16) for x in ident.split(":"))
    data = bytearray(4096)
    struct.pack_into("<HHHH", data, 0, vendor, device, 0, 0x10)
    data[0x0e] = (1 if port == ROOT_PORT else 0) | (0x80 if multi else 0)
    if secondary:
        data[0x19] = data[0x1a] = secondary
    data[0x34] = 0x40
    struct.pack_into("<BBH", data, 0x40, 0x10, 0, 0x0002 | port << 4)
    if acs:
        struct.pack_into("<IHH", data, 0x100, 0x0001000d, *acs)
    return bytes(data)


def studio(folder, grouped=True, readable=True, **options):
    """A desktop whose card is alone in its group; the disk shares a group with its port, which
    does not isolate."""
    m = sysfs.desktop(folder, **options)
    sysfs.put(m.at("usr/share/misc/pci.ids"), IDS)
    m.cmdline("quiet")
    ports = {m.port: (0x1f, 0x1d), m.port2: (0x1f, 0x00), m.diskport: None, m.netport: (0x0d, 0x0d)}
    for f in m.functions:
        acs, port = ports.get(f), f in ports
        if readable:
            sysfs.put(f.file("config"), config(f.id, ROOT_PORT if port else ENDPOINT,
                                               f.secondary or 0, acs,
                                               f in (m.gpu, m.audio, m.port, m.port2)))
    groups = {m.host: 1, m.port: 2, m.port2: 3, m.diskport: 14, m.netport: 4, m.igpu: 0,
              m.audio: 12, m.gpu: 12, m.nvme: 14, m.nic: 15}
    for f in m.functions:
        f.regroup(groups[f] if grouped else None)
    m.gpu.bind("nvidia")
    m.audio.bind("snd_hda_intel")
    return m


def desktop_claims(m):
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"))
