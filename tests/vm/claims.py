"""Claims files for the machine of machine.py: one line for each device, by the device's key."""

# path, id, subsystem, class
IDENTITY = {
    "host-display": ("0000:00/02.0/00.0", "1234:1111", "1af4:1100", "030000"),
    "gpu": ("0000:00/03.0/00.0", "1234:1111", "1af4:1100", "038000"),
    "gpu-audio": ("0000:00/03.0/00.1", "8086:2668", "1af4:1100", "040300"),
    "gpu-usb": ("0000:00/03.0/00.2", "1033:0194", "1af4:1100", "0c0330"),
    "gpu-serial": ("0000:00/03.0/00.3", "1b36:0002", "1af4:1100", "070002"),
    "twin": ("0000:00/04.0/00.0", "1234:1111", "1af4:1100", "038000"),
    "shared-display": ("0000:00/05.0/00.0", "1234:1111", "1af4:1100", "038000"),
    "root-disk": ("0000:00/05.1/00.0", "1b36:0010", "1af4:1100", "010802"),
    "network": ("0000:00/06.0/00.0/01.0/00.0", "8086:10d3", "8086:0000", "020000"),
    "bridge": ("0000:00/03.0", "1b36:000c", "1b36:0000", "060400"),
    "plugged": ("0000:00/09.0/00.0", "1234:1111", "1af4:1100", "038000"),
}
GPU = ("gpu", "gpu-audio", "gpu-usb", "gpu-serial")
KEPT = ("host-display", "root-disk", "network")
HEADER = "ghost-boot claims 1\n"


def line(verb, key, **more):
    path, id_, subsys, class_ = IDENTITY[key]
    words = {"path": path, "id": id_, "subsys": subsys, "class": class_, **more}
    return " ".join([verb, *(f"{k}={v}" for k, v in words.items())]) + "\n"


def text(claimed=GPU, kept=KEPT, arm=False, header=HEADER):
    """A whole file."""
    return "".join([header, "arm always\n" if arm else "", *(line("claim", key) for key in claimed),
                    *(line("keep", key) for key in kept)])
