# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-boot map: a picture that any viewer can show, whatever devices are called."""
import os
import xml.etree.ElementTree

import sysfs
from harness import cases, holds, same, test
from studio import studio

SVG = "{http://www.w3.org/2000/svg}"


def picture(t, *args):
    text = t.boot("map", "-o", "-", *args, code=0).out
    return text, xml.etree.ElementTree.fromstring(text.encode())


def labels(root):
    return ["".join(e.itertext()) for e in root.iter(SVG + "text")]


@test
def shows(t):
    m = studio(t.root)
    sysfs.put(m.at("sys/class/dmi/id/board_vendor"), "Micro-Star\n")
    sysfs.put(m.at("sys/class/dmi/id/board_name"), "PRO Z790-A\n")
    sysfs.put(m.at("proc/sys/kernel/osrelease"), "6.12.48\n")
    text, root = picture(t)
    said = labels(root)
    for label in ("Micro-Star PRO Z790-A", "NVIDIA GeForce RTX 3090 Ti (GA102)", "01:00.0",
                  "group 12", "group 14", "comes along", "no ACS", "SV", "nvidia", "CPU"):
        holds(label in said, f"{label} in {said}")
    holds(any("Linux 6.12.48" in label for label in said), "the kernel")
    for label in said:
        holds("(null)" not in label and "%" not in label, label)
    # both displays hang on the CPU by the emphasised way
    holds(len([e for e in root.iter(SVG + "path") if e.get("class") == "path"]) >= 3, "the ways")
    for word in "<script", "href", "url(", "@import", "@font-face":
        holds(word not in text, word)
    holds("prefers-color-scheme:dark" in text, "no colours for the night")


@test
def classes_are_styled(t):
    """Every class that is used has a rule for that kind of thing."""
    studio(t.root)
    text, root = picture(t)
    sheet = root.find(SVG + "style").text
    for e in root.iter():
        kind = e.tag.removeprefix(SVG)
        for word in (e.get("class") or "").split():
            holds(f"{kind}.{word}{{" in sheet or f".{word}{{" in sheet.replace(f"rect.{word}", ""),
                  f"{kind}.{word} has no rule")


@test
def inside(t):
    studio(t.root)
    _, root = picture(t)
    width, height = float(root.get("width")), float(root.get("height"))
    for e in root.iter(SVG + "rect"):
        x, y, w, h = (float(e.get(k)) for k in ("x", "y", "width", "height"))
        holds(x >= 0 and y >= 0 and x + w <= width and y + h <= height, f"{e.attrib}")


@test
def hostile(t):
    """Names end up as text, whatever they hold."""
    m = studio(t.root)
    evil = '</text><script>alert(1)</script>&amp;"\x1b\xff\x00'
    sysfs.put(m.at("usr/share/misc/pci.ids"),
              f"10de  {evil}\n\t2203  {evil}]]>\n".encode("latin-1"))
    sysfs.put(m.at("sys/class/dmi/id/product_name"), (evil + "\n").encode("latin-1"))
    sysfs.put(m.at("proc/cpuinfo"), b"model name\t: <b>" + b"\xe2\x82" * 3000 + b"\n")
    m.gpu.bind("<driver>")
    text, root = picture(t)
    holds("<script" not in text, "a script")
    same({e.tag for e in root.iter()} - {SVG + tag for tag in (
        "svg", "title", "style", "rect", "text", "path", "line", "g", "circle")}, set())
    holds(any("alert(1)" in label for label in labels(root)), "the name is not there")


@test
def predicted(t):
    studio(t.root, grouped=False)
    text, root = picture(t)
    holds(any("predicted by the rules of Linux 6.12" in label for label in labels(root)), "said so")
    studio_groups = [label for label in labels(root) if label.startswith("group ")]
    holds(studio_groups and all(label.endswith("*") for label in studio_groups), studio_groups)


@test
def writes_as_a_whole(t):
    """A file that is there is replaced or left; nothing else is left behind."""
    studio(t.root)
    folder = t.outside
    path = folder + "/map.svg"
    t.boot("map", "-o", path, code=0)
    same(sysfs.text(path), t.boot("map", "-o", "-").out)
    same(os.stat(path).st_mode & 0o777, 0o644)
    same(os.listdir(folder), ["map.svg"])
    os.symlink("map.svg", folder + "/link.svg")
    t.boot("map", "-o", folder + "/link.svg", code=0)
    holds(os.path.islink(folder + "/link.svg"), "the link was replaced")


@cases([("no folder", "missing/map.svg"), ("a folder", "."), ("too long", "x" * 300)])
def cannot_write(t, name):
    studio(t.root)
    result = t.boot("map", "-o", f"{t.outside}/{name}", code=1)
    holds(name[:20] in result.err, result.err)
    same(os.listdir(t.outside), [])


@test
def devices_are_not_replaced(t):
    """/dev/null is written to."""
    studio(t.root)
    pipe = t.outside + "/pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    t.boot("map", "-o", pipe, code=0)
    holds(os.read(reader, 100).startswith(b"<svg "), "nothing came")
    os.close(reader)
    same(os.listdir(t.outside), ["pipe"])
