"""Synthetic machines: a root folder with any number of PCI functions in nested buses."""

import os
import struct

DISPLAY, AUDIO, USB, UART, NVME = 0x030000, 0x040300, 0x0C0330, 0x070002, 0x010802
BRIDGE, HOST_BRIDGE, ISA, NETWORK = 0x060400, 0x060000, 0x060100, 0x020000

# vendor, device, subvendor, subdevice, class
CARD = ((0x10DE, 0x2203, 0x1462, 0x5054, DISPLAY), (0x10DE, 0x1AEF, 0x1462, 0x5054, AUDIO),
        (0x10DE, 0x1AD8, 0x1462, 0x5054, USB), (0x10DE, 0x1AD9, 0x1462, 0x5054, UART))
KEPT = (0x8086, 0xA780, 0x1462, 0x7D91, DISPLAY)
DISK = (0x15B7, 0x5030, 0x15B7, 0x5030, NVME)
PORT = (0x8086, 0xA70D, 0x8086, 0x7270, BRIDGE)
OTHER = (0x1AF4, 0x1041, 0x1AF4, 0x1100, NETWORK)


DRIVERS = {DISPLAY: "nouveau", AUDIO: "snd_hda_intel", USB: "xhci_hcd", NVME: "nvme",
           BRIDGE: "pcieport", NETWORK: "virtio-pci"}


def _config(what, below):
    """4 KiB: a port with ACS, or one function of several of a PCI Express card."""
    vendor, device, subvendor, subdevice, class_ = what
    data = bytearray(4096)
    struct.pack_into("<HHHHI", data, 0, vendor, device, 0x0007, 0x0010, class_ << 8)
    data[0x0E] = 0x01 if below else 0x80
    if below:
        data[0x18:0x1B] = bytes((0, below, below))
    else:
        struct.pack_into("<HH", data, 0x2C, subvendor, subdevice)
    data[0x34] = 0x40
    struct.pack_into("<BBHI", data, 0x40, 0x10, 0x60, 0x0002 | (4 if below else 0) << 4, 0)
    struct.pack_into("<BBH", data, 0x60, 0x05, 0x00, 0x0080)
    struct.pack_into("<IHH", data, 0x100, 0x0001000D if below else 0, 0x1F, 0x1D)
    return bytes(data)


def _line(word, path, what):
    return "%s path=%s id=%04x:%04x subsys=%04x:%04x class=%06x\n" % (word, path, *what)


CLAIMS = "ghost-boot claims 1\n" + "".join(
    [_line("claim", f"0000:00/01.0/00.{n}", what) for n, what in enumerate(CARD)]
    + [_line("keep", "0000:00/02.0", KEPT), _line("keep", "0000:00/06.0/00.0", DISK)])


class Root:
    """One machine. Its first ten functions are the same whatever its size: a kept display, a
    disk, the claimed card of four behind port 01.0 (MOVED: behind 07.0) and what they hang on."""

    def __init__(self, folder, functions, moved=False, whole=False):
        """`whole`: with config space, drivers and IOMMU groups, which a claim does not look at."""
        self.folder, self.left, self.whole = str(folder), functions, whole
        self.groups = {}
        self.buses = {}
        for name in ("sys/bus/pci/devices", "sys/bus/pci/drivers/vfio-pci", "proc", "dev", "run",
                     "sys/module/vfio_iommu_type1", "etc/ghost-boot"):
            os.makedirs(f"{self.folder}/{name}")
        for name, text in (("sys/bus/pci/drivers_probe", ""), ("dev/kmsg", ""),
                           ("proc/cmdline", "ro quiet ghost.claim=on\n"),
                           ("etc/ghost-boot/claims", CLAIMS)):
            self._write(f"{self.folder}/{name}", text)
        self._first_ten(7 if moved else 1)
        self._fill()

    @staticmethod
    def _write(path, text):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(fd, text.encode())
        os.close(fd)

    def _function(self, place, devfn, what, more=()):
        """One function in its bus's folder; returns its own."""
        parent, domain, bus = place
        bdf = f"{domain:04x}:{bus:02x}:{devfn >> 3:02x}.{devfn & 7}"
        path = f"{parent}/{bdf}"
        full = f"{self.folder}/sys/{path}"
        os.mkdir(full)
        class_ = what[4]
        modalias = "pci:v%08Xd%08Xsv%08Xsd%08X" % what[:4] + "bc%02Xsc%02Xi%02X\n" % (
            class_ >> 16, class_ >> 8 & 0xFF, class_ & 0xFF)
        names = ("vendor", "device", "subsystem_vendor", "subsystem_device")
        for name, text in (("modalias", modalias), ("class", f"0x{class_:06x}\n"),
                           ("driver_override", "(null)\n"), *more,
                           *((name, f"0x{number:04x}\n") for name, number in zip(names, what))):
            self._write(f"{full}/{name}", text)
        os.symlink(f"../../../{path}", f"{self.folder}/sys/bus/pci/devices/{bdf}")
        if self.whole:
            self._complete(path, bdf, what, dict(more).get("secondary_bus_number"))
        self.left -= 1
        return path

    def _complete(self, path, bdf, what, below):
        """The rest of what lspci and a list look at. A card is one group, a port one each."""
        full = f"{self.folder}/sys/{path}"
        up = "../" * (path.count("/") + 1)
        self._write(f"{full}/irq", "11\n")
        self._write(f"{full}/resource", "0x0 0x0 0x0\n" * 13)
        self._write(f"{full}/enable", "1\n")
        with open(f"{full}/config", "wb") as file:
            file.write(_config(what, int(below) if below else 0))
        driver = DRIVERS.get(what[4])
        if driver:
            os.makedirs(f"{self.folder}/sys/bus/pci/drivers/{driver}", exist_ok=True)
            os.symlink(f"{up}bus/pci/drivers/{driver}", f"{full}/driver")
        slot = bdf if below else bdf[:-2]
        group = self.groups.setdefault(slot, len(self.groups))
        folder = f"kernel/iommu_groups/{group}"
        os.makedirs(f"{self.folder}/sys/{folder}/devices", exist_ok=True)
        os.symlink(f"{up}{folder}", f"{full}/iommu_group")
        os.symlink(f"../../../../{path}", f"{self.folder}/sys/{folder}/devices/{bdf}")

    def _next_bus(self, domain):
        self.buses[domain] = self.buses.get(domain, -1) + 1
        return self.buses[domain]

    def _host_bridge(self, domain):
        bus = self._next_bus(domain)
        path = f"devices/pci{domain:04x}:{bus:02x}"
        os.makedirs(f"{self.folder}/sys/{path}")
        return path, domain, bus

    def _bridge(self, place, devfn):
        """The bus behind it."""
        below = self._next_bus(place[1])
        path = self._function(place, devfn, PORT, (("secondary_bus_number", f"{below}\n"),))
        return path, place[1], below

    def _first_ten(self, slot):
        root = self._host_bridge(0)
        self._function(root, 0, (0x8086, 0xA740, 0x1462, 0x7D91, HOST_BRIDGE))
        self._function(root, 0x1F << 3, (0x8086, 0x7A04, 0x1462, 0x7D91, ISA))
        self._function(root, 2 << 3, KEPT, (("boot_vga", "1\n"),))
        card = self._bridge(root, slot << 3)
        for number, what in enumerate(CARD):
            more = (("boot_vga", "0\n"),) if what[4] == DISPLAY else ()
            self._function(card, number, what, more)
        self._function(self._bridge(root, 6 << 3), 0, DISK)

    def _fill(self):
        """Domain after domain of root ports, each with a switch and four cards of eight."""
        domain = 0
        while self.left:
            domain += 1
            root = self._host_bridge(domain)
            for port in range(32):
                if self.left:
                    self._switch(self._bridge(root, port << 3))

    def _switch(self, above):
        inner = self._bridge(above, 0) if self.left else None
        for port in range(4):
            card = self._bridge(inner, port << 3) if self.left else None
            for function in range(min(8, self.left)):
                self._function(card, function, OTHER)
