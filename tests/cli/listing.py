# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot list: what a person sees, what a program gets."""
import json
import os
import re

import sysfs
from harness import BDF, cases, check_keys, holds, same, test
from studio import desktop_claims, studio

VIEWS = {"displays": (), "all": ("--all",), "groups": ("--groups",), "tree": ("--tree",),
         "predicted": ("--groups", "--predict")}
REASON = {"id": str, "text": str, "evidence": (str, None), "fix": (str, None)}
DEVICE = {"bdf": str, "path": str, "id": str, "subsys": (str, None), "class": str,
          "driver": (str, None), "boot_vga": bool, "group": (int, None), "role": str,
          "verdict": str, "reasons": [REASON]}
GROUP = {"number": (int, None), "source": str}


def plain(text):
    """Without what other tests are about: the words of a verdict."""
    text = re.sub(r"^((?:\x1b\[\d+m)?  (?:ok|refused|unknown)).*\n(?:    .*\n)*", r"\1 …\n", text,
                  flags=re.M)
    return re.sub(r"^.*more to know: .*\n(?:    .*\n)*", "", text, flags=re.M)


def show(t, columns, *args, **environment):
    return plain(t.terminal(columns, "list", *args, **environment))


def width(line):
    return len(re.sub(r"\x1b\[\d*m", "", line))


@cases([(f"{name} {columns}", name, columns) for name in VIEWS for columns in (80, 60)])
def golden(t, name, columns):
    desktop_claims(studio(t.root))
    text = show(t, columns, *VIEWS[name], NO_COLOR="1")
    t.suite.golden(f"list-{name}-{columns}.txt", text)
    for line in text.splitlines():
        holds(len(line) <= columns, f"{len(line)} columns: {line}")


@cases([(name, name) for name in VIEWS])
def coloured(t, name):
    """Colour changes nothing else; without a terminal, with NO_COLOR or on a dumb one it is not
    there."""
    desktop_claims(studio(t.root))
    raw = t.terminal(80, "list", *VIEWS[name])
    same(len(re.findall(r"\x1b\[[1-9]", raw)), raw.count("\x1b[0m"), "colours begun and ended")
    text = plain(raw)
    holds("\x1b[" in text, "no colour on a terminal")
    same(re.sub(r"\x1b\[\d*m", "", text), show(t, 80, *VIEWS[name], NO_COLOR="1"))
    same(show(t, 80, *VIEWS[name], TERM="dumb"), show(t, 80, *VIEWS[name], NO_COLOR="1"))
    same(show(t, 80, *VIEWS[name], NO_COLOR=""), text, "an empty NO_COLOR")
    holds("\x1b" not in t.boot("list", *VIEWS[name]).out, "colour in a pipe")


@cases([(str(columns), columns) for columns in (1, 5, 12, 20, 33, 47, 71, 100, 500)])
def any_width(t, columns):
    """Tables never exceed a terminal that has room for an address; nothing crashes on less."""
    studio(t.root)
    for args in VIEWS.values():
        for line in t.terminal(columns, "list", *args).splitlines():
            holds(width(line) <= max(columns, 47), f"{width(line)} columns: {line}")


@test
def ascii_only(t):
    studio(t.root)
    for args in VIEWS.values():
        text = t.terminal(80, "list", *args, LC_ALL="C")
        holds(text.isascii(), text)
    holds("|- 00:01.0" in t.terminal(80, "list", "--tree", LC_ALL="C"), "no lines")


@test
def without_groups(t):
    """Predicted, and said so."""
    m = studio(t.root, grouped=False)
    text = t.boot("list", "--groups", code=0).out
    holds("The kernel has no groups" in text and "predicted by the rules of Linux 6.12" in text,
          text)
    group = {d: g["devices"] for g in json.loads(t.boot("list", "--groups", "--json").out)["groups"]
             for d in g["devices"]}
    same(group[m.gpu.bdf], [m.gpu.bdf, m.audio.bdf])
    same(group[m.nvme.bdf], [m.diskport.bdf, m.nvme.bdf])
    holds(re.search(r"01:00\.0 .* \d+\* ", t.boot("list").out), "the mark of a prediction")
    same([d["group"] for d in devices(t)], [None] * 3, "a predicted number is not the kernel's")


@test
def unreadable(t):
    """64 bytes, as a user gets: that is no missing ACS."""
    m = studio(t.root)
    for f in m.functions:
        with open(f.file("config"), "r+b") as config:
            config.truncate(64)
    tree = t.boot("list", "--tree").out
    holds("cannot tell" in tree and "no ACS" not in tree, tree)
    text = t.boot("list", "--groups", "--predict").out
    holds("unproven" in text and "split" not in text, text)


@test
def override_lie(t):
    """Groups that the hardware does not separate."""
    m = studio(t.root)
    m.nvme.regroup(77)
    for args in ("--groups",), ("--groups", "--predict"):
        text = t.boot("list", *args).out
        holds(re.search(r"^  split: 00:06\.0 and 03:00\.0 are apart \(groups 14 and 77\)", text,
                        re.M), text)
    differences = json.loads(t.boot("list", "--groups", "--json").out)["differences"]
    same([(d["kind"], d["a"], d["b"]) for d in differences],
         [("split", m.diskport.bdf, m.nvme.bdf)])


@test
def joined_and_left_out(t):
    m = studio(t.root)
    m.nic.regroup(12)
    m.igpu.regroup(None)
    text = t.boot("list", "--groups").out
    holds("  joined: 01:00.0 and 04:00.0 are together (group 12)" in text, text)
    holds("  left-out: 00:02.0 has no group" in text, text)


@test
def roles(t):
    m = studio(t.root)
    desktop_claims(m)
    same({d["bdf"]: d["role"] for d in devices(t)},
         {m.igpu.bdf: "kept", m.gpu.bdf: "claimed", m.audio.bdf: "claimed"})


@test
def claims_of_this_boot(t):
    """What the boot used says what is, not what is configured for the next."""
    m = studio(t.root)
    m.claims(m.gpu.line())
    sysfs.put(m.at("run/ghost-boot/claims"), "ghost-boot claims 1\n" + m.igpu.line("keep") + "\n")
    same({d["bdf"]: d["role"] for d in devices(t)},
         {m.igpu.bdf: "kept", m.gpu.bdf: "free", m.audio.bdf: "free"})


def devices(t, *args):
    document = json.loads(t.boot("list", "--json", *args, code=0).out)
    same(list(document), ["version", "tool", "devices"])
    same(document["version"], 1)
    for i, device in enumerate(document["devices"]):
        check_keys(device, DEVICE, f"devices[{i}]")
        holds(device["role"] in ("claimed", "kept", "free"), device["role"])
        holds(device["verdict"] in ("ok", "refused", "unknown"), device["verdict"])
    return document["devices"]


@test
def json_of_displays(t):
    m = studio(t.root)
    found = devices(t)
    same([d["bdf"] for d in found], [m.igpu.bdf, m.gpu.bdf, m.audio.bdf])
    gpu = found[1]
    same([gpu[key] for key in ("path", "id", "subsys", "class", "driver", "boot_vga", "group")],
         [m.gpu.path, m.gpu.id, m.gpu.subsys, m.gpu.cls, "nvidia", False, 12])
    same((found[0]["boot_vga"], found[0]["group"]), (True, 0))


@cases([(name, args) for name, args in (("displays", ()), ("all", ("--all",)),
                                        ("tree", ("--tree",)), ("groups", ("--groups",)),
                                        ("predicted", ("--groups", "--predict")))])
def json_is_stable(t, args):
    """The same bytes each time, whatever the terminal and the order of a folder."""
    m = studio(t.root)
    wanted = t.boot("list", "--json", *args).out
    folder = m.at("sys/bus/pci/devices")
    for name in sorted(os.listdir(folder), reverse=True):
        target = os.readlink(f"{folder}/{name}")
        os.unlink(f"{folder}/{name}")
        os.symlink(target, f"{folder}/{name}")
    same(t.boot("list", "--json", *args).out, wanted)
    same(json.loads(t.terminal(60, "list", "--json", *args)), json.loads(wanted))


@test
def json_of_all(t):
    m = studio(t.root)
    same(sorted(d["bdf"] for d in devices(t, "--all")), sorted(f.bdf for f in m.functions))
    bridge, = (d for d in devices(t, "--all") if d["bdf"] == m.port.bdf)
    same((bridge["verdict"], [r["id"] for r in bridge["reasons"]]), ("refused", ["bridge"]))


@test
def json_of_groups(t):
    m = studio(t.root)
    document = json.loads(t.boot("list", "--groups", "--json").out)
    same(list(document), ["version", "tool", "rules", "groups", "differences"])
    for group in document["groups"]:
        same(list(group), ["number", "source", "devices"])
        same(group["source"], "kernel")
        for bdf in group["devices"]:
            holds(re.fullmatch(BDF, bdf), bdf)
    numbers = [g["number"] for g in document["groups"]]
    same(numbers, [0, 1, 2, 3, 4, 12, 14, 15])
    same(document["groups"][5]["devices"], [m.gpu.bdf, m.audio.bdf])
    document = json.loads(t.boot("list", "--groups", "--predict", "--json").out)
    same({(g["number"], g["source"]) for g in document["groups"]}, {(None, "predicted")})


HOSTILE = "10de  Evil\x1b[2J Corporation\n\t2203  \x1b]0;owned\x07 \xff\xfe [name\x1b[31m]\n"


@test
def hostile_names(t):
    """What a database or a link calls a thing is no order to a terminal."""
    m = studio(t.root)
    sysfs.put(m.at("usr/share/misc/pci.ids"), HOSTILE.encode("latin-1"))
    m.gpu.bind("evil\x1b[2Jdriver")
    for args in (*VIEWS.values(), ("--json", "--all")):
        result = t.boot("list", *args, code=0)
        holds("\x1b" not in result.out and "\x07" not in result.out, repr(result.out))
        holds(result.out.isprintable() or set(result.out) - set("\n") and
              all(c.isprintable() or c == "\n" for c in result.out), repr(result.out))


IDS = [("empty", b""), ("no newline", b"10de  NVIDIA"), ("NUL", b"10de  NV\0IDIA\n\t2203  x\n"),
       ("only a tab", b"\t"), ("long", b"10de  " + b"N" * 100000 + b"\n\t2203  " + b"x" * 100000),
       ("bracket", b"10de  []\n\t2203  []\n"), ("open bracket", b"10de  [\n\t2203  A [\n"),
       ("commas", b"10de  , , Inc.\n\t2203  ]x[\n"), ("no name", b"10de  \n\t2203  \n"),
       ("no blank before a bracket", "10de  N\n\t2203  E\u2555[x]\n".encode()),
       ("huge", b"#" * (17 << 20))]


@cases([(name, data) for name, data in IDS])
def odd_names(t, data):
    m = studio(t.root)
    sysfs.put(m.at("usr/share/misc/pci.ids"), data)
    text = t.boot("list", "--all", code=0).out
    holds("10de:2203" in text, text)
    holds(text.isprintable() or all(c.isprintable() or c == "\n" for c in text), repr(text))


@test
def names(t):
    """What a person knows it by comes first; what is in no list has its class and IDs."""
    m = studio(t.root)
    m.function("07.0", "1234:5678", "0c0330")
    m.function("08.0", "1a03:2000", "030000")
    text = t.boot("list", "--all").out
    for name in ("NVIDIA GeForce RTX 3090 Ti (GA102)", "Intel UHD Graphics 770 (Raptor Lake-S GT1)",
                 "NVIDIA GA102 High Definition Audio Controller", "Intel Ethernet Controller I225-V",
                 "USB controller 1234:5678", "ASPEED Graphics Family"):
        holds(f"  {name}  " in text, f"{name} in\n{text}")


@test
def no_display(t):
    m = sysfs.Machine(t.root)
    m.function("00.0", "8086:a700", "060000")
    text = t.boot("list", code=0).out
    same(text, "There is no display here.\n1 other devices: ghost-boot list --all\n")
    same(json.loads(t.boot("list", "--json").out)["devices"], [])


@test
def nothing_at_all(t):
    sysfs.Machine(t.root)
    for args in (*VIEWS.values(), ("--json",), ("--groups", "--json")):
        t.boot("list", *args, code=0)


@test
def other_domains(t):
    """Addresses have their domain where there are several."""
    m = studio(t.root)
    port = m.function("00.0", "8086:a70d", "060400", root="10000:e0", secondary=0xe1)
    m.function("00.0", "15b7:5030", "010802", behind=port, root="10000:e0")
    text = t.boot("list", "--tree", code=0).out
    holds("─" in t.terminal(80, "list", "--tree"), "lines")
    holds(" 10000:e1:00.0  " in text and " 0000:01:00.0  " in text, text)
    holds(re.search(r"^10000:e0", text, re.M), text)
