# SPDX-License-Identifier: GPL-2.0-or-later
"""The decision table: which device a line means on the machine as it is now."""
import os
import signal

import sysfs
from harness import cases, decisions, holds, same, test

TAKEN = ("claim", "path")


def two_lines(m, gpu=None, audio=None):
    return [m.gpu.line(**(gpu or {})), m.audio.line(**(audio or {}))]


def replace(t, **options):
    """The same machine, rebuilt."""
    os.rename(t.root, t.root + ".before")
    return t.desktop(**options)


@cases([("with bus numbers", False), ("of a capture without them", True)])
def renumbered(t, bare):
    """A card added elsewhere moves bus numbers; the path stays."""
    old = t.desktop(bare=bare)
    m = replace(t, buses=(0x31, 0x32, 2, 1), bare=bare)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [("0000:31:00.0", *TAKEN), ("0000:31:00.1", *TAKEN)])


@test
def other_device_at_the_old_address(t):
    """02:00.0 was the GPU and is the disk now: never the disk."""
    old = t.desktop(buses=(2, 3, 4, 5))
    same(old.gpu.bdf, "0000:02:00.0")
    m = replace(t, buses=(5, 6, 2, 7))
    same(m.nvme.bdf, "0000:02:00.0")
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(m.gpu.bdf, *TAKEN), (m.audio.bdf, *TAKEN)])


@test
def absent(t):
    old = t.desktop()
    m = replace(t, card=False)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(None, "absent", "absent")] * 2)
    record, _ = t.claim(code=0)
    same(record["outcome"], "nothing")


@test
def half_absent(t):
    """A companion switched off in the firmware."""
    m = t.desktop()
    m.claims(*two_lines(m), m.gpu.line().replace("00.0 ", "00.3 "), m.igpu.line("keep"))
    same(decisions(t.dry(code=0))[2], (None, "absent", "absent"))


@test
def mismatch(t):
    """Its slot holds a disk now."""
    old = t.desktop()
    m = replace(t, card=False)
    disk = m.function("00.0", "144d:a80a", "010802", behind=m.port, driver="nvme")
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(disk.bdf, "mismatch", "mismatch"),
                                    (None, "absent", "absent")])
    record, changed = t.claim(code=3)
    same(record["outcome"], "nothing")
    holds(disk.inside("driver_override") not in changed, "the disk was touched")
    holds("144d:a80a" in record["devices"][0]["text"], record["devices"][0]["text"])


@cases([(key, change) for key, change in (
    ("device", {"ident": "10de:2204"}), ("vendor", {"ident": "1002:2203"}),
    ("subvendor", {"subsys": "1463:5054"}), ("subdevice", {"subsys": "1462:5055"}),
    ("class", {"cls": "030200"}), ("interface", {"cls": "030001"}))])
def one_id_differs(t, change):
    m = t.desktop(card=False)
    is_now = {"ident": sysfs.GPU, "cls": "030000", "subsys": "1462:5054", **change}
    other = m.function("00.0", behind=m.port, **is_now)
    m.claims(f"claim path={other.path} id={sysfs.GPU} subsys=1462:5054 class=030000",
             m.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(other.bdf, "mismatch", "mismatch")])


@test
def companion_differs(t):
    """The slot's card has another second function: it is another card."""
    m = t.desktop(card=False)
    gpu = m.function("00.0", sysfs.GPU, "030000", behind=m.port)
    audio = m.function("00.1", "10de:ffff", "040300", behind=m.port)
    m.claims(gpu.line(), audio.line().replace("ffff", "1aef"), m.igpu.line("keep"))
    same([d[1] for d in decisions(t.dry(code=3))], ["mismatch", "mismatch"])


def lost(t, **options):
    """A machine whose card is not at its claims' path."""
    old = t.desktop()
    m = replace(t, card=False, **options)
    return old, m


@test
def moved(t):
    old, m = lost(t)
    gpu, audio = sysfs.add_card(m, m.port2)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    record = t.dry(code=0)
    same(decisions(record), [(gpu.bdf, "moved", "moved"), (audio.bdf, "moved", "moved")])
    same(record["devices"][0]["path"], old.gpu.path)


@test
def moved_and_something_else_in_its_slot(t):
    old, m = lost(t)
    m.function("00.0", "144d:a80a", "010802", behind=m.port, driver="nvme")
    gpu, audio = sysfs.add_card(m, m.port2)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(gpu.bdf, "moved", "moved"), (audio.bdf, "moved", "moved")])


@test
def moved_but_boot_display(t):
    old, m = lost(t)
    sysfs.add_card(m, m.port2, boot_vga=1)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same([d[1:] for d in decisions(t.dry(code=3))], [("refused", "boot-display")] * 2)


@test
def moved_without_its_companion(t):
    old, m = lost(t)
    m.function("00.0", sysfs.GPU, "030000", behind=m.port2)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same([d[1:] for d in decisions(t.dry(code=3))], [("ambiguous", "companions")] * 2)


@test
def two_candidates(t):
    old, m = lost(t)
    sysfs.add_card(m, m.port2)
    sysfs.add_card(m, m.function("1d.0", "8086:7a39", "060400", secondary=9))
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same([d[1:] for d in decisions(t.dry(code=3))], [("ambiguous", "ambiguous")] * 2)


@test
def twin_is_not_taken_for_it(t):
    """The claimed one is gone; its kept twin is where it was."""
    old = t.desktop()
    twin = sysfs.add_card(old, old.port2)
    keep = [f.line("keep") for f in twin]
    m = replace(t, card=False)
    sysfs.add_card(m, m.port2)
    m.claims(*two_lines(old), *keep, m.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(None, "absent", "absent")] * 2)


@test
def twin_swapped_into_its_slot(t):
    """The kept one is not in its place and looks like the one that is."""
    old = t.desktop()
    twin = sysfs.add_card(old, old.port2)
    m = replace(t)
    m.claims(*two_lines(old), *(f.line("keep") for f in twin), m.igpu.line("keep"))
    same([d[1:] for d in decisions(t.dry(code=3))], [("refused", "keep-missing")] * 2)


@test
def two_identical_one_claimed(t):
    m = t.desktop()
    twin = sysfs.add_card(m, m.port2)
    m.claims(*(f.line() for f in twin), m.gpu.line("keep"), m.audio.line("keep"))
    same(decisions(t.dry(code=0)), [(twin[0].bdf, *TAKEN), (twin[1].bdf, *TAKEN)])


@test
def two_identical_both_claimed(t):
    m = t.desktop()
    twin = sysfs.add_card(m, m.port2)
    m.claims(*two_lines(m), *(f.line() for f in twin))
    same(decisions(t.dry(code=0)), [(f.bdf, *TAKEN) for f in (m.gpu, m.audio, *twin)])


@test
def virtual_function(t):
    m = t.desktop()
    vf = m.function("00.2", "10de:2203", "030000", behind=m.port, physfn=m.gpu)
    m.claims(vf.line(), m.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(vf.bdf, "refused", "virtual-function")])


@test
def two_virtual_functions_and_their_physical_one(t):
    m = t.desktop()
    vfs = [m.function(f"00.{i}", "10de:2203", "030000", behind=m.port, physfn=m.gpu)
           for i in (2, 3)]
    m.claims(m.gpu.line(), *(vf.line() for vf in vfs), m.igpu.line("keep"))
    same(decisions(t.dry(code=6)), [(m.gpu.bdf, *TAKEN)] +
         [(vf.bdf, "refused", "virtual-function") for vf in vfs])


@test
def virtual_functions_on_more_buses(t):
    """They lie beside the physical one, their bus numbers counted on: the same path in words."""
    m = t.desktop()
    for bus in range(0x11, 0x19):
        m.function("00.0", "10de:2203", "030000", behind=m.port, physfn=m.gpu, bus=bus)
    m.claims(*two_lines(m), m.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(m.gpu.bdf, *TAKEN), (m.audio.bdf, *TAKEN)])


@cases([("of the card", lambda m: m.port), ("the host bridge", lambda m: m.host)])
def bridge(t, which):
    m = t.desktop()
    f = which(m)
    m.claims(f.line(), m.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(f.bdf, "refused", "bridge")])
    m.claims(f.line(allow="storage,network,last-display"), m.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(f.bdf, "refused", "bridge")], "with allow")


@cases([("storage", "nvme", "storage", "network,last-display"),
        ("network", "nic", "network", "storage,last-display")])
def host_class(t, name, allow, others):
    m = t.desktop()
    f = getattr(m, name)
    for more, decision in (({}, "refused"), ({"allow": others}, "refused"),
                           ({"allow": allow}, "claim"),
                           ({"allow": f"last-display,{allow}"}, "claim")):
        m.claims(f.line(**more))
        same([d["decision"] for d in t.dry()["devices"]], [decision], str(more))


@test
def kept(t):
    m = t.desktop()
    m.claims(*two_lines(m), m.gpu.line("keep"))
    same(decisions(t.dry(code=3)), [(m.gpu.bdf, "refused", "keep"),
                                    (m.audio.bdf, "refused", "companion")])
    m.claims(m.gpu.line("keep"), *two_lines(m, gpu={"allow": "storage,network,last-display"}))
    same(decisions(t.dry(code=3))[0], (m.gpu.bdf, "refused", "keep"), "with allow")


@test
def kept_companion(t):
    m = t.desktop()
    m.claims(*two_lines(m), m.audio.line("keep"), m.igpu.line("keep"))
    same(decisions(t.dry(code=3)), [(m.gpu.bdf, "refused", "companion"),
                                    (m.audio.bdf, "refused", "keep")])


@cases([("no other", lambda m: None, True),
        ("a 3D controller", lambda m: m.function("00.0", "10de:20b0", "030200", behind=m.port2),
         True),
        ("a virtual function", lambda m: m.function("00.0", "1002:73af", "030000",
                                                    behind=m.port2, physfn=m.gpu), True),
        ("not a display", lambda m: m.function("00.0", "1002:73af", "038100", behind=m.port2)
         and None, False),
        ("another", lambda m: m.function("00.0", "1002:73bf", "030000", behind=m.port2), False)])
def last_display(t, add, last):
    m = t.desktop(display=False)
    add(m)
    m.claims(*two_lines(m))
    if not last:
        same(decisions(t.dry(code=0)), [(m.gpu.bdf, *TAKEN), (m.audio.bdf, *TAKEN)])
        return
    same(decisions(t.dry(code=3)), [(m.gpu.bdf, "refused", "last-display"),
                                    (m.audio.bdf, "refused", "companion")])
    m.claims(*two_lines(m, gpu={"allow": "last-display"}))
    same(decisions(t.dry(code=0)), [(m.gpu.bdf, *TAKEN), (m.audio.bdf, *TAKEN)])


@test
def kept_display_is_gone(t):
    """The host's own display broke: the claimed one would be the last."""
    old = t.desktop()
    m = replace(t, display=False)
    m.claims(*two_lines(old), old.igpu.line("keep"))
    same([d[1:] for d in decisions(t.dry(code=3))], [("refused", "last-display"),
                                                     ("refused", "companion")])


@test
def all_displays_claimed(t):
    m = t.desktop()
    m.claims(*two_lines(m), m.igpu.line())
    same([d[1:] for d in decisions(t.dry(code=3))],
         [("refused", "last-display"), ("refused", "companion"), ("refused", "last-display")])


SERIAL, OTHER = "00-04-4b-ff-fe-12-34-56", "00-04-4b-ff-fe-12-34-57"


@cases([("the same", SERIAL, SERIAL, ("claim", "path"), 0),
        ("another", SERIAL, OTHER, ("mismatch", "mismatch"), 3),
        ("none", SERIAL, None, ("mismatch", "mismatch"), 3),
        ("not asked for", None, OTHER, ("claim", "path"), 0)])
def serial(t, asked, there, decision, code):
    m = t.desktop(card=False)
    gpu = m.function("00.0", sysfs.GPU, "030000", behind=m.port, serial=there)
    m.claims(gpu.line(**({"serial": asked} if asked else {})), m.igpu.line("keep"))
    same(decisions(t.dry(code=code)), [(gpu.bdf, *decision)])


@test
def serial_tells_twins_apart(t):
    """Swapped between the slots: each is found by its number."""
    old, m = lost(t)
    gpu = m.function("00.0", sysfs.GPU, "030000", behind=m.port2, serial=SERIAL)
    m.function("00.0", sysfs.GPU, "030000", behind=m.port, serial=OTHER)
    m.claims(old.gpu.line(serial=SERIAL), m.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [(gpu.bdf, "moved", "moved")])


@cases([("named", True), ("not named", False)])
def root_bus_renumbered(t, named):
    """A second host bridge, whose own number moved: host= finds it by its ACPI path."""
    m = t.desktop(card=False)
    port = m.function("01.0", "8086:2030", "060400", root="0000:60", secondary=0x61)
    gpu = m.function("00.0", sysfs.GPU, "030000", behind=port, root="0000:60")
    sysfs.put(m.at("sys/devices/pci0000:60/firmware_node/path"), "\\_SB_.PC06\n")
    sysfs.put(m.at("sys/devices/pci0000:00/firmware_node/path"), "\\_SB_.PC00\n")
    line = gpu.line(**({"host": "\\_SB_.PC06"} if named else {}))
    m.claims(line.replace("0000:60/", "0000:40/"), m.igpu.line("keep"))
    got, = decisions(t.dry(code=0))
    same(got, (gpu.bdf, *(TAKEN if named else ("moved", "moved"))))


@test
def wide_domain(t):
    """VMD makes its domains up, from 0x10000."""
    m = t.desktop(card=False)
    port = m.function("01.0", "8086:2030", "060400", root="10000:e0", secondary=0xe1)
    gpu = m.function("00.0", sysfs.GPU, "030000", behind=port, root="10000:e0")
    same(gpu.path, "10000:e0/01.0/00.0")
    m.claims(gpu.line(), m.igpu.line("keep"))
    same(decisions(t.dry(code=0)), [("10000:e1:00.0", *TAKEN)])


@test
def same_place_in_another_domain(t):
    m = t.desktop()
    m.claims(m.gpu.line().replace("path=0000:", "path=0001:"), m.igpu.line("keep"))
    same([d[1] for d in decisions(t.dry(code=0))], ["moved"])
    m.claims(m.gpu.line().replace("path=0000:", "path=0001:"), m.gpu.line("keep"),
             m.igpu.line("keep"))
    same([d[1] for d in decisions(t.dry(code=0))], ["absent"], "kept")


@test
def partly(t):
    m = t.desktop()
    m.claims(*two_lines(m), m.nvme.line(), m.igpu.line("keep"))
    same(decisions(t.dry(code=6))[2], (m.nvme.bdf, "refused", "storage"))


@test
def renames_nearby(t):
    """openat2 gives up when anything is renamed while it walks up; sysfs links do that."""
    m = t.desktop()
    m.claims(*two_lines(m), m.igpu.line("keep"))
    one, other = (os.path.join(t.folder, name) for name in ("one", "other"))
    sysfs.put(one, "")
    child = os.fork()
    while not child:
        os.rename(one, other)
        os.rename(other, one)
    try:
        for _ in range(20 if t.suite.slow else 100):
            same(len([d for d in decisions(t.dry(code=0)) if d[1:] == TAKEN]), 2)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@test
def no_pci_at_all(t):
    m = sysfs.Machine(t.root)
    line = "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000"
    m.claims(line)
    same(decisions(t.dry(code=0)), [(None, "absent", "absent")])


@test
def mixed_table(t):
    """One of each, as a person sees it."""
    m = t.desktop()
    moved = m.function("00.0", "1002:73bf", "030000", behind=m.port2)
    gone = moved.line().replace("01.1/00.0", "1f.0").replace("1002:73bf", "1002:1234")
    m.claims(*two_lines(m), moved.line().replace("01.1/00.0", "1d.0/00.0"), m.nvme.line(), gone,
             m.nic.line().replace("15f3", "15f4"), m.port.line(), "clam", m.igpu.line("keep"))
    t.golden("mixed.txt", t.run("--dry-run", code=6))
    t.golden("mixed.json", t.run("--dry-run", "--json", code=6))
