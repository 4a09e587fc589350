# SPDX-License-Identifier: GPL-2.0-or-later
"""A root folder made by somebody else: no link in it leads out of it."""
import os

import sysfs
from harness import RECORD, cases, holds, same, test


def start(t):
    """A machine to be spoilt; its double lies outside."""
    double = sysfs.desktop(os.path.join(t.outside, "double"))
    double.claims(double.gpu.line(), double.igpu.line("keep"))
    m = t.desktop()
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    return m, double


def confined(t, *args, code=None):
    """Runs it, and whatever it says, the outside stays as it is."""
    before = sysfs.snapshot(t.outside)
    result = t.run(*args, code=code)
    same(sysfs.changes(before, sysfs.snapshot(t.outside)), [], "changed outside")
    return result


def ways_out(path):
    """An absolute link, and one that climbs."""
    return [("absolute", path), ("climbing", "../" * 40 + path.lstrip("/"))]


# Each of these in the root folder is a link to the same thing outside.
LINKS = ["sys", "sys/bus", "sys/bus/pci/devices", "sys/bus/pci/drivers_probe", "sys/devices",
         "sys/devices/pci0000:00", "run", "dev", "dev/kmsg", "etc", "etc/ghost-boot",
         "etc/ghost-boot/claims", "proc", "proc/cmdline"]


@cases([(f"{way} {name}", name, way) for name in LINKS for way in ("absolute", "climbing")])
def link_in_the_tree(t, name, way):
    m, double = start(t)
    double.gpu.bind("nouveau")
    double.claims(double.gpu.line(), double.igpu.line("keep"), "arm always")
    sysfs.relink(m.at(name), dict(ways_out(double.at(name)))[way])
    confined(t)
    confined(t, "--dry-run", "--json")
    confined(t, "--device", m.gpu.bdf)


@cases([("absolute", "absolute"), ("climbing", "climbing")])
def device(t, way):
    """The device's entry leads to the outside double: there is no device."""
    m, double = start(t)
    sysfs.relink(m.at("sys/bus/pci/devices/" + m.gpu.bdf),
                 dict(ways_out(double.gpu.folder))[way])
    confined(t, code=0)
    device, = t.record()["devices"]
    same((device["bdf"], device["decision"]), (None, "absent"))


@cases([(name, name) for name in ("driver_override", "modalias", "driver", "boot_vga")])
def attribute(t, name):
    m, double = start(t)
    double.gpu.bind("nouveau")
    sysfs.relink(m.gpu.file(name), double.gpu.file(name))
    confined(t)
    same(double.read("sys/bus/pci/drivers/nouveau/unbind"), "")


@test
def driver_folder(t):
    """driver/unbind is written through the link."""
    m, double = start(t)
    double.driver("nouveau")
    sysfs.relink(m.gpu.file("driver"), double.at("sys/bus/pci/drivers/nouveau"))
    confined(t)


SERIAL = "00-04-4b-ff-fe-12-34-56"


@cases([(name, name) for name in ("config", "device", "devices")])
def serial(t, name):
    """A number read from outside would be believed."""
    m = t.desktop(card=False)
    double = sysfs.desktop(os.path.join(t.outside, "double"), card=False)
    m.gpu, double.gpu = (x.function("00.0", sysfs.GPU, "030000", behind=x.port)
                         for x in (m, double))
    sysfs.put(double.gpu.file("config"), sysfs.config_space(sysfs.GPU, SERIAL))
    if name == "config":
        os.symlink(double.gpu.file("config"), m.gpu.file("config"))
    elif name == "device":
        sysfs.relink(m.at("sys/bus/pci/devices/" + m.gpu.bdf), double.gpu.folder)
    else:
        sysfs.relink(m.at("sys/bus/pci/devices"), double.at("sys/bus/pci/devices"))
    m.claims(m.gpu.line(serial=SERIAL), m.igpu.line("keep"))
    confined(t)
    holds(t.record()["devices"][0]["decision"] != "claim", "claimed by an outside serial number")


@cases([(f"{kind}", kind) for kind in ("folder", "late folder", "records folder")])
def records_folder(t, kind):
    """A link where the records' folder would be: not followed, inside neither."""
    m, _ = start(t)
    target = os.path.join(t.outside, "records")
    os.mkdir(target)
    os.mkdir(m.at("inside"))
    for where in (target, "/inside"):
        if kind == "folder":
            sysfs.relink(m.at("run/ghost-boot"), where)
            result = confined(t, code=6)
        elif kind == "records folder":
            sysfs.relink(m.at("x"), where)
            result = confined(t, "--records", "/x", code=6)
        else:
            if not os.path.isdir(m.at("run/ghost-boot")):
                t.run(code=6)
            sysfs.relink(m.at("run/ghost-boot/late"), where)
            result = confined(t, "--device", m.gpu.bdf, code=6)
        same(os.listdir(m.at("inside")), [], "followed inside")
        holds("ghost-claim: /" in result.err, f"nothing said: {result.err!r}")


@cases([("claims", "claims"), ("claim.json", "claim.json")])
def record_itself(t, name):
    """A link where a record would be is replaced."""
    m, _ = start(t)
    os.mkdir(m.at("run/ghost-boot"))
    victim = os.path.join(t.outside, "victim")
    sysfs.put(victim, "precious")
    os.symlink(victim, m.at("run/ghost-boot/" + name))
    confined(t, code=6)
    holds(not os.path.islink(m.at("run/ghost-boot/" + name)), "still a link")
    t.record()


@test
def temporary_name(t):
    """Links at every name a temporary file could have."""
    m, _ = start(t)
    os.mkdir(m.at("run/ghost-boot"))
    victim = os.path.join(t.outside, "victim")
    sysfs.put(victim, "precious")
    # the process number comes right after the last one
    last = int(sysfs.text("/proc/loadavg").split()[4])
    for number in range(last, last + 300):
        os.symlink(victim, m.at(f"run/ghost-boot/.claim.json.{number}"))
    confined(t, code=6)
    t.record()


@test
def publish_from_outside(t):
    m, double = start(t)
    sysfs.put(double.at("records/claim.json"), "{}")
    sysfs.relink(m.at("waiting"), double.at("records"))
    confined(t, "--publish", "/waiting", code=1)
    same(os.path.exists(m.at(RECORD)), False)


@test
def odd_names(t):
    """Things in the folders that no kernel puts there."""
    m, _ = start(t)
    for name in ("0000:01:00.0.bak", "x", "0000:zz:00.0", "\x1b[2J", "a" * 200, "0000:05:00.0"):
        sysfs.put(m.at("sys/bus/pci/devices/" + name), "")
    m.gpu.folder and sysfs.relink(m.gpu.file("driver"), "x" * 500)
    line = m.gpu.line().replace("01.0/00.0", "1d.0/00.0")
    m.claims(line, m.gpu.line("keep"), m.igpu.line("keep"))
    same(t.dry(code=0)["devices"][0]["decision"], "absent")
    confined(t, code=0)


@cases([("quotes and controls", 'no"u\\v\x1b[2J\teau\x7f'), ("not UTF-8", b"n\xffu".decode(
    errors="surrogateescape")), ("long", "n" * 200), ("like a path", "..")])
def driver_name(t, name):
    """Goes into the record and the kernel log: one line, and valid JSON."""
    m, _ = start(t)
    sysfs.relink(m.gpu.file("driver"), f"../../../../bus/pci/drivers/{name}")
    confined(t)
    t.record()
    for line in m.read("dev/kmsg").removesuffix("\n").split("\n"):
        holds(line[:1] == "<" and line[2:15] == ">ghost-boot: ", repr(line))
    record = m.read(RECORD)
    holds(record.isascii() and record.replace("\n", "").isprintable(), "not plain text")


@cases([(repr(value), value) for value in (
    b"", b"\n", b"pci:", b"pci:v000010DEd00002203sv00001462sd00005054bc03sc00i0", b"\0" * 100,
    b"A" * 5000, b"pci:vFFFFFFFFFFFFd0sv0sd0bc0sc0i0\n")])
def odd_modalias(t, value):
    """Then the single attributes count, and they say the same."""
    m, _ = start(t)
    sysfs.put(m.gpu.file("modalias"), value)
    t.dry()


@cases([(repr(value), value) for value in (b"", b"x", b"-1", b"999999", b"256\n", b"\xff" * 64)])
def odd_bus_number(t, value):
    m, _ = start(t)
    sysfs.put(m.port.file("secondary_bus_number"), value)
    record = t.dry()
    holds({d["bdf"] for d in record["devices"]} <= {None, m.gpu.bdf}, str(record["devices"]))


@test
def bridge_to_itself(t):
    """Bus numbers in a circle: as deep as the path, no deeper."""
    m, _ = start(t)
    sysfs.put(m.port.file("secondary_bus_number"), "0\n")
    deep = "0000:00" + "/01.0" * 32
    m.claims(f"claim path={deep} id=10de:2203 subsys=1462:5054 class=030000", m.igpu.line("keep"))
    holds(t.dry()["devices"][0]["decision"] != "claim", "claimed in a circle")
