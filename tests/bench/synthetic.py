"""Synthetic machines: a root folder with any number of PCI functions in nested buses."""

import os

DISPLAY, AUDIO, USB, UART, NVME = 0x030000, 0x040300, 0x0C0330, 0x070002, 0x010802
BRIDGE, HOST_BRIDGE, ISA, NETWORK = 0x060400, 0x060000, 0x060100, 0x020000

# vendor, device, subvendor, subdevice, class
CARD = ((0x10DE, 0x2203, 0x1462, 0x5054, DISPLAY), (0x10DE, 0x1AEF, 0x1462, 0x5054, AUDIO),
        (0x10DE, 0x1AD8, 0x1462, 0x5054, USB), (0x10DE, 0x1AD9, 0x1462, 0x5054, UART))
KEPT = (0x8086, 0xA780, 0x1462, 0x7D91, DISPLAY)
DISK = (0x15B7, 0x5030, 0x15B7, 0x5030, NVME)
PORT = (0x8086, 0xA70D, 0x8086, 0x7270, BRIDGE)
OTHER = (0x1AF4, 0x1041, 0x1AF4, 0x1100, NETWORK)


def _line(word, path, what):
    return "%s path=%s id=%04x:%04x subsys=%04x:%04x class=%06x\n" % (word, path, *what)


CLAIMS = "ghost-boot claims 1\n" + "".join(
    [_line("claim", f"0000:00/01.0/00.{n}", what) for n, what in enumerate(CARD)]
    + [_line("keep", "0000:00/02.0", KEPT), _line("keep", "0000:00/06.0/00.0", DISK)])


class Root:
    """One machine. Its first ten functions are the same whatever its size: a kept display, a
    disk, the claimed card of four behind port 01.0 (MOVED: behind 07.0) and what they hang on."""

    def __init__(self, folder, functions, moved=False):
        self.folder, self.left = str(folder), functions
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
        self.left -= 1
        return path

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
