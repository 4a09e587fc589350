# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds the part of a machine that ghost-claim looks at, as a folder for --root."""
import os
import shutil
import stat
import struct


def put(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)


def link(path, target):
    """A relative link, as sysfs makes them."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(os.path.relpath(target, os.path.dirname(path)), path)


def relink(path, target):
    """A link exactly as given, in the place of whatever is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    os.symlink(target, path)


def text(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def config_space(ident, serial):
    """4 KiB with a device serial number capability (PCIe 6.0, 7.9.3) at 0x100."""
    vendor, device = (int(x, 16) for x in ident.split(":"))
    data = bytearray(4096)
    struct.pack_into("<HHHH", data, 0, vendor, device, 0, 0x10)
    data[0x34] = 0x40
    struct.pack_into("<BBH", data, 0x40, 0x10, 0, 0x0002)
    value = int(serial.replace("-", ""), 16)
    struct.pack_into("<IQ", data, 0x100, 0x00010003, value)
    return bytes(data)


class Function:
    """One PCI function: where it is and what it is."""

    def __init__(self, machine, where, ident, cls, subsys, behind, root, bus):
        if bus is None and behind:
            bus = behind.secondary
        bus = root if bus is None else f"{root[:-3]}:{bus:02x}"
        self.machine = machine
        self.bdf = f"{bus}:{where}"
        self.path = (behind.path if behind else root) + "/" + where
        self.id, self.cls, self.subsys = ident, cls, subsys
        self.secondary = None
        self.host_root = root
        parent = behind.folder if behind else machine.at(f"sys/devices/pci{root}")
        self.folder = os.path.join(parent, self.bdf)

    def file(self, name):
        return os.path.join(self.folder, name)

    def inside(self, name):
        """A file of this function, named from the root folder on."""
        return os.path.relpath(self.file(name), self.machine.dir)

    def read(self, name):
        return text(self.file(name))

    def line(self, word="claim", **more):
        extra = "".join(f" {key}={value}" for key, value in more.items())
        return f"{word} path={self.path} id={self.id} subsys={self.subsys} class={self.cls}{extra}"

    def bind(self, driver):
        if os.path.lexists(self.file("driver")):
            old = os.path.realpath(self.file("driver"))
            os.unlink(self.file("driver"))
            os.unlink(os.path.join(old, self.bdf))
        if driver:
            folder = self.machine.driver(driver)
            link(self.file("driver"), folder)
            link(os.path.join(folder, self.bdf), self.folder)


    def regroup(self, group):
        if os.path.lexists(self.file("iommu_group")):
            os.unlink(os.path.join(os.path.realpath(self.file("iommu_group")), "devices", self.bdf))
            os.unlink(self.file("iommu_group"))
        if group is not None:
            folder = self.machine.at(f"sys/kernel/iommu_groups/{group}")
            link(os.path.join(folder, "devices", self.bdf), self.folder)
            link(self.file("iommu_group"), folder)


class Machine:
    def __init__(self, folder):
        self.dir = folder
        self.functions = []
        os.makedirs(self.at("sys/bus/pci/devices"))
        os.makedirs(self.at("run"))
        os.makedirs(self.at("tmp"))
        put(self.at("sys/bus/pci/drivers_probe"), "")
        put(self.at("dev/kmsg"), "")
        self.cmdline("ghost.claim=on")

    def at(self, path):
        return os.path.join(self.dir, path)

    def read(self, path):
        return text(self.at(path))

    def cmdline(self, words):
        put(self.at("proc/cmdline"), f"BOOT_IMAGE=/vmlinuz root=/dev/sda1 {words}\n")

    def driver(self, name):
        folder = self.at(f"sys/bus/pci/drivers/{name}")
        if not os.path.isdir(folder):
            for file in "bind", "unbind":
                put(os.path.join(folder, file), "")
        return folder

    def claims(self, *lines, header="ghost-boot claims 1"):
        self.claims_raw("".join(line + "\n" for line in (header,) + lines))

    def claims_raw(self, data):
        put(self.at("etc/ghost-boot/claims"), data)

    def function(self, where, ident, cls, subsys="1462:5054", behind=None, root="0000:00",
                 driver=None, group=None, boot_vga=None, secondary=None, serial=None,
                 physfn=None, bare=False, bus=None):
        f = Function(self, where, ident, cls, subsys, behind, root, bus)
        vendor, device = ident.split(":")
        subvendor, subdevice = subsys.split(":")
        put(f.file("modalias"), "pci:v{:08X}d{:08X}sv{:08X}sd{:08X}bc{}sc{}i{}\n".format(
            *(int(x, 16) for x in (vendor, device, subvendor, subdevice)),
            *(cls[i:i + 2].upper() for i in (0, 2, 4))))
        for name, value in (("vendor", vendor), ("device", device), ("class", cls),
                            ("subsystem_vendor", subvendor), ("subsystem_device", subdevice)):
            put(f.file(name), f"0x{value}\n")
        put(f.file("driver_override"), "(null)\n")
        if boot_vga is not None:
            put(f.file("boot_vga"), f"{boot_vga}\n")
        if secondary is not None:
            f.secondary = secondary
            if not bare:
                put(f.file("secondary_bus_number"), f"{secondary}\n")
        f.regroup(group)
        if serial:
            put(f.file("config"), config_space(ident, serial))
        if physfn:
            link(f.file("physfn"), physfn.folder)
        link(self.at(f"sys/bus/pci/devices/{f.bdf}"), f.folder)
        f.bind(driver)
        self.functions.append(f)
        return f


GPU, AUDIO = "10de:2203", "10de:1aef"


def add_card(machine, behind, group=None, driver=None, boot_vga=0, **more):
    """A graphics card of two functions."""
    gpu = machine.function("00.0", GPU, "030000", behind=behind, group=group, driver=driver,
                           boot_vga=boot_vga, **more)
    audio = machine.function("00.1", AUDIO, "040300", behind=behind, group=group)
    return gpu, audio


def desktop(folder, buses=(1, 2, 3, 4), bare=False, card=True, display=True):
    """A desktop with its own display, a graphics card to give away, a disk and a network."""
    m = Machine(folder)
    m.host = m.function("00.0", "8086:a700", "060000")
    m.port = m.function("01.0", "8086:a70d", "060400", secondary=buses[0],
                        driver="pcieport", bare=bare)
    m.port2 = m.function("01.1", "8086:a72d", "060400", secondary=buses[1],
                         driver="pcieport", bare=bare)
    m.diskport = m.function("06.0", "8086:a74d", "060400", secondary=buses[2],
                            driver="pcieport", bare=bare)
    m.netport = m.function("1c.0", "8086:7a38", "060400", secondary=buses[3],
                           driver="pcieport", bare=bare)
    if display:
        m.igpu = m.function("02.0", "8086:a780", "030000", subsys="1462:7d91", boot_vga=1,
                            driver="i915", group=0)
    if card:
        m.gpu, m.audio = add_card(m, m.port, group=12)
    m.nvme = m.function("00.0", "15b7:5030", "010802", subsys="15b7:5030", behind=m.diskport,
                        driver="nvme", group=14)
    m.nic = m.function("00.0", "8086:15f3", "020000", subsys="1462:7d91", behind=m.netport,
                       driver="igc", group=15)
    m.driver("vfio-pci")
    return m


def snapshot(folder):
    """Everything below a folder that a program could change: kind, mode, content."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                what = os.readlink(path)
            elif stat.S_ISREG(info.st_mode) and os.access(path, os.R_OK):
                with open(path, "rb") as f:
                    what = f.read()
            else:
                what = None
            found[os.path.relpath(path, folder)] = (info.st_mode, what)
    return found


def changes(before, after):
    return sorted(path for path in before.keys() | after.keys()
                  if before.get(path) != after.get(path))
