# SPDX-License-Identifier: GPL-2.0-or-later
"""ghost-diag: one screen for a rescue shell, whatever is missing there."""
import json
import os
import re

import sysfs
from harness import cases, holds, manuals, same, test

RIVAL = "nouveau"
KEYS = ["version", "tool", "arming", "trial", "record", "devices", "checks_file", "checks", "next", "back"]
LOG = """6,{n},300100,-;pci 0000:01:00.0: [10de:2203] type 00 class 0x030000
6,{n},912345,-;nouveau 0000:01:00.0: NVIDIA GA102 (172000a1)
 SUBSYSTEM=pci
14,{n},1212345,-;ghost-boot: 0000:01:00.0 10de:2203 nouveau has it
"""


def diag(t, *args, code=0):
    """What it says; it changes nothing."""
    before = sysfs.snapshot(t.root)
    result = t.call("--root", t.root, *args, name="ghost-diag", code=code)
    same(sysfs.changes(before, sysfs.snapshot(t.root)), [], "changed by ghost-diag")
    same(result.err, "", "stderr")
    return result


def told(t, *args):
    return json.loads(diag(t, "--json", *args).out)


def armed(t, rival=RIVAL, words="ghost.claim=on", record=True):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"))
    m.gpu.bind(rival)
    m.audio.bind("vfio-pci")
    if rival:
        folder = m.at(f"sys/module/{rival}")
        sysfs.put(folder + "/initstate", "live\n")
        sysfs.link(m.at(f"sys/bus/pci/drivers/{rival}/module"), folder)
    sysfs.put(m.at("proc/sys/kernel/osrelease"), "6.12\n")
    if record:
        t.run()
    sysfs.put(m.at("dev/kmsg"), "")
    return m


def aliases(m):
    sysfs.put(m.at("lib/modules/6.12/modules.alias"),
              "# comment\nalias pci:v000010DEd*sv*sd*bc04sc*i* nouveau\n"
              "alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n"
              "alias pci:v000010DEd00002203sv*sd*bc*sc*i* nvidiafb\n")


def built_in(m):
    os.unlink(m.at("sys/bus/pci/drivers/nouveau/module"))


def built_in_with_parameters(m):
    os.unlink(m.at("sys/module/nouveau/initstate"))


def holder(m):
    sysfs.put(m.at("sys/module/nouveau/holders/thief/x"), "")


def loaded_softdep(m):
    sysfs.put(m.at("sys/module/snd_hda/initstate"), "live\n")
    sysfs.put(m.at("etc/modprobe.d/a.conf"), "softdep absent pre: nouveau\n"
              "softdep snd-hda pre: foo post: nouveau\n")


def put(path, text):
    return lambda m: sysfs.put(m.at(path), text)


def word(words):
    return lambda m: m.cmdline("ghost.claim=on " + words)


CHANNELS = [
    ("built in", built_in, "built-in", "/sys/bus/pci/drivers/nouveau"),
    ("built in, with parameters", built_in_with_parameters, "built-in", "/sys/module/nouveau"),
    ("modules-load.d", put("etc/modules-load.d/gpu.conf", "# nouveau\n\n nouveau\n"),
     "modules-load", "/etc/modules-load.d/gpu.conf:3"),
    ("modules_load=", word("rd.modules_load=foo,nouveau"), "modules-load", "/proc/cmdline:1"),
    ("rd.driver.pre=", word("rd.driver.pre=nouveau"), "driver-pre", "/proc/cmdline:1"),
    ("force_drivers in the image", put("etc/cmdline.d/20-force_drivers.conf",
                                       "rd.driver.pre=vfio\nrd.driver.pre=nouveau\n"),
     "driver-pre", "/etc/cmdline.d/20-force_drivers.conf:2"),
    ("force_drivers on the host", put("etc/dracut.conf.d/x.conf", 'force_drivers+=" a nouveau "\n'),
     "driver-pre", "/etc/dracut.conf.d/x.conf:1"),
    ("init-top script", put("scripts/init-top/000_rival", "#!/bin/sh\nmodprobe -q nouveau; x\n"),
     "script", "/scripts/init-top/000_rival:2"),
    ("dracut hook", put("var/lib/dracut/hooks/pre-udev/10-x.sh", "insmod /lib/nouveau.ko\n"),
     "script", "/var/lib/dracut/hooks/pre-udev/10-x.sh:1"),
    ("softdep", loaded_softdep, "softdep", "/etc/modprobe.d/a.conf:2"),
    ("coldplug", aliases, "coldplug", "/lib/modules/6.12/modules.alias:3"),
    ("dependency", holder, "dependency", "/sys/module/nouveau/holders/thief"),
    ("conf/modules", put("conf/modules", "bar\nnouveau\n"), "modules", "/conf/modules:2"),
    ("rd.driver.post=", word("rd.driver.post=nouveau"), "driver-post", "/proc/cmdline:1"),
]


@cases(CHANNELS)
def channel(t, prepare, kind, where):
    m = armed(t)
    prepare(m)
    gpu, audio = told(t)["devices"]
    same([(c["channel"], c["where"].split(" ")[0]) for c in gpu["channels"]], [(kind, where)])
    same((gpu["standing"], gpu["driver"], gpu["planned_driver"]), ("rival", RIVAL, "vfio-pci"))
    same((audio["standing"], audio["channels"]), ("ours", []))
    screen = diag(t).out
    holds("taken by nouveau; planned: vfio-pci" in screen, screen)
    holds(where in screen.replace("\n         ", ""), screen)


@cases([("nothing", lambda m: None),
        ("a comment", put("etc/modules-load.d/gpu.conf", "# nouveau\n;nouveau\n")),
        ("another's name", put("etc/modules-load.d/gpu.conf", "nouveau2\n")),
        ("no conf", put("etc/modules-load.d/gpu", "nouveau\n")),
        ("our own hook", put("scripts/init-top/00_ghost_boot", "modprobe nouveau\n")),
        ("its name only", put("scripts/init-top/x", "echo nouveau\n# modprobe nouveau\n")),
        ("softdep of what is not there", put("etc/modprobe.d/a.conf", "softdep b pre: nouveau\n"))])
def no_channel(t, prepare):
    prepare(armed(t))
    same(told(t)["devices"][0]["channels"], [])
    holds("nobody can tell" in diag(t).out, "silent about it")


@cases([("modules-load in initramfs-tools' image", "conf/initramfs.conf",
         word("rd.modules_load=nouveau"), 0),
        ("dracut's word in initramfs-tools' image", "conf/initramfs.conf",
         word("rd.driver.pre=nouveau"), 0),
        ("dracut's late word there", "conf/initramfs.conf", word("rd.driver.post=nouveau"), 0),
        ("modules-load without systemd", "usr/lib/initrd-release", word("rd.modules_load=nouveau"),
         1)])
def nobody_reads_it(t, image, prepare, with_systemd):
    m = armed(t)
    prepare(m)
    sysfs.put(m.at(image), "")
    same(told(t)["devices"][0]["channels"], [])
    sysfs.put(m.at("usr/lib/systemd/systemd-modules-load"), "")
    same(len(told(t)["devices"][0]["channels"]), with_systemd)


@test
def earliest_first(t):
    m = armed(t)
    for _, prepare, kind, _ in CHANNELS:
        if kind in ("modules-load", "script", "coldplug", "modules"):
            prepare(m)
    same([c["channel"] for c in told(t)["devices"][0]["channels"]],
         ["modules-load", "script", "coldplug", "modules"])


def fits(screen, lines=24):
    for line in screen.splitlines():
        holds(len(line) <= 80, f"{len(line)} columns: {line}")
    holds(screen.count("\n") <= lines, screen)


CHECKS = {"version": 1, "checks": [
    {"id": "a-b", "result": "warn", "subject": "system", "text": "beware", "evidence": "/x",
     "fix": None},
    {"id": "driver", "result": "fail", "subject": "0000:01:00.0", "text": "told above",
     "evidence": None, "fix": None},
    {"id": "ok", "result": "pass", "subject": "system", "text": "fine", "evidence": None,
     "fix": None},
    {"id": "c", "result": "fail", "subject": "group 3", "text": "bad", "evidence": None,
     "fix": "mend it"}]}


@test
def screen(t):
    m = armed(t)
    aliases(m)
    sysfs.put(m.at("dev/kmsg"), LOG.format(n=0))
    sysfs.put(m.at("run/ghost-boot/verify.json"), json.dumps(CHECKS))
    result = diag(t)
    fits(result.out)
    result.out = re.sub(r" *\d{3,}\.\d\d s", " AT s", result.out)
    t.golden("diag.txt", result)


@test
def keys_are_in_the_manual(t):
    armed(t)
    said, page = told(t), manuals["ghost-diag.8"]
    words = list(said) + list(said["record"]) + list(said["devices"][0])
    words += [kind for _, _, kind, _ in CHANNELS]
    words += ["ours", "rival", "held", "refused", "absent", "unclaimed", "unknown"]
    same([word for word in words if not re.search(rf"\b{word}\b", page)], [])


@test
def events(t):
    m = armed(t)
    sysfs.put(m.at("dev/kmsg"), LOG.format(n=3))
    gpu = told(t)["devices"][0]
    same([(e["at"], e["driver"]) for e in gpu["events"]],
         [(0.3001, "pci"), (0.912345, "nouveau"), (1.212345, None)])
    same(gpu["events"][1]["text"], "NVIDIA GA102 (172000a1)")


@test
def all_well(t):
    armed(t, rival="vfio-pci")
    said = told(t)
    same([d["standing"] for d in said["devices"]], ["ours", "ours"])
    same((list(said), said["version"], said["arming"]), (KEYS, 1, "armed"))
    result = diag(t).out
    holds("all claimed" in result and "2 of 2" in result, result)
    fits(result)


@cases([("a trial", "ghost.trial=0123abcd", False, None, "this boot is the trial 0123abcd"),
        ("counted", "ghost.trial=0123abcdc", True, "absent",
         "trial 0123abcd: no EFI variable counts its boots")])
def trial(t, words, counted, counter, text):
    armed(t, words="ghost.claim=on " + words)
    said = told(t)
    same(said["trial"], {"id": "0123abcd", "counted": counted, "counter": counter,
                         "text": text if counter else None})
    same("the next one goes as before" in said["back"], not counted)
    holds("\ntrial    " + text in diag(t).out, diag(t).out)


@test
def odd_trial(t):
    m = armed(t)
    m.cmdline("ghost.claim=on ghost.trial=x\x1b[m")
    same(told(t)["trial"], None)
    holds("\ntrial    ghost.trial=x?[m is no trial's ID: ignored\n" in diag(t).out, diag(t).out)


@cases([("off", "ghost.claim=off", "off", "switched off"),
        ("not armed", "quiet", "not-armed", "not armed"),
        ("neither", "ghost.claim=maybe", "off", "neither on nor off")])
def without_claims(t, words, arming, text):
    for record in True, False:
        t.root = os.path.join(t.folder, str(record))
        armed(t, words=words, record=record)
        said = told(t)
        same((said["arming"], said["devices"][0]["standing"]), (arming, "unclaimed"))
        holds("not what stopped it" in said["back"], said["back"])
        if record:
            out = re.sub(r"\s+", " ", diag(t).out)
            holds(text in out, out)


@test
def no_record(t):
    armed(t, record=False)
    said = told(t)
    same((said["record"], said["arming"]), (None, "armed"))
    same([d["standing"] for d in said["devices"]], ["rival", "ours"])
    holds("left no record" in said["next"][0], said["next"])


@cases([("empty", ""), ("cut", '{"version": 1, "armed": tr'), ("other", "[1, 2]"),
        ("binary", b"\0\xff{"), ("deep", "[" * 5000)])
def broken_record(t, data):
    m = armed(t)
    sysfs.put(m.at("run/ghost-boot/claim.json"), data)
    holds("can't be read" in diag(t).out, "not said")
    same(told(t)["record"], None)


WAITING = "/.ghost-boot"  # until /run is there


@test
def record_before_run_is_there(t):
    armed(t, record=False)
    t.run("--records", WAITING)
    same(told(t)["record"]["file"], WAITING + "/claim.json")


@cases([("in /run", "/run/ghost-boot"), ("that waits", WAITING)])
def what_next_names_does_it(t, records):
    """The command that takes a stolen device back finds the claims that booted."""
    m = armed(t, record=False)
    t.run("--records", records)
    m.gpu.bind(RIVAL)
    command = re.search(r"ghost-claim (.*) takes it from nouveau now", told(t)["next"][0])
    holds(command, told(t)["next"])
    sysfs.put(m.gpu.file("driver_override"), "(null)\n")
    t.run("--json", *command[1].split())
    same(m.gpu.read("driver_override"), "vfio-pci", "of the device that was stolen")
    late = f"{records[1:]}/late/{m.gpu.bdf}.json"
    sysfs.put(m.at(late), json.dumps({**json.loads(m.read(late)), "text": "came late"}))
    same(told(t)["devices"][0]["text"], "came late", "what that run recorded is read back")


@test
def late_device(t):
    m = armed(t, rival="vfio-pci")
    sysfs.put(m.at("run/ghost-boot/late/0000:01:00.0.json"), json.dumps(
        {"version": 1, "at": 77.5, "line": 2, "path": m.gpu.path, "id": m.gpu.id,
         "bdf": m.gpu.bdf, "decision": "claim", "text": "came late", "result": "bound"}))
    devices = told(t)["devices"]
    same(([d["text"] for d in devices], len(devices)), (["came late", "is on vfio-pci"], 2))


@test
def refused(t):
    m = t.desktop()
    m.claims(m.nvme.line(), m.igpu.line("keep"))
    t.run()
    holds("not claimed: is a storage controller" in diag(t).out, diag(t).out)


@cases([("run", "run"), ("proc", "proc"), ("sys", "sys"), ("dev", "dev"), ("etc", "etc"),
        ("all", None)])
def missing(t, folder):
    m = armed(t)
    os.makedirs(m.at("gone"), exist_ok=True)
    for name in [folder] if folder else ("run", "proc", "sys", "dev", "etc"):
        os.rename(m.at(name), m.at("gone/" + name))
    fits(diag(t).out, 40)
    same(list(told(t)), KEYS)
    diag(t, "--full")


@cases([("record", True, "ghost.claim=on", "unknown"), ("no record", False, "ghost.claim=on", "unknown"),
        ("not armed", True, "quiet", "unclaimed")])
def nothing_is_said_of_what_cannot_be_seen(t, record, words, standing):
    """Without /sys no device is there or absent, and none has a driver or is without one."""
    m = armed(t, record=record, words=words)
    os.rename(m.at("sys"), m.at("gone"))
    os.mkdir(m.at("sys"))  # where it would be mounted
    same({(d["standing"], d["driver"]) for d in told(t)["devices"]}, {(standing, None)})
    out = re.sub(r"\s+", " ", diag(t).out)
    for wrong in "without a driver", "not there", "0 of 2", "claims hold":
        holds(wrong not in out, f"{wrong!r} is said: {out}")
    holds(standing != "unknown" or "can't be told who has it; planned: vfio-pci" in out, out)


@test
def one_driver_that_cannot_be_read(t):
    m = armed(t, rival="vfio-pci")
    os.unlink(m.at(f"sys/bus/pci/devices/{m.gpu.bdf}/driver"))
    sysfs.put(m.at(f"sys/bus/pci/devices/{m.gpu.bdf}/driver"), "no link")
    same([d["standing"] for d in told(t)["devices"]], ["unknown", "ours"])
    holds("1 of 2 on the planned driver, 1 can't be told" in diag(t).out, diag(t).out)


HOSTILE = [
    ("escapes", b"6,1,2,-;nouveau 0000:01:00.0: \x1b[2J\x07\x9b\r\n"),
    ("no end", b"6,1,2,-;nouveau 0000:01:00.0: x"),
    ("long", b"6,1,2,-;nouveau 0000:01:00.0: " + b"A" * 100000 + b"\n"),
    ("driver's name too long", b"6,1,2,-;" + b"n" * 300 + b" 0000:01:00.0: x\n"),
    ("numbers", b"6,99999999999999999999,99999999999999999999999,-;nouveau 0000:01:00.0: x\n"),
    ("many", b"6,1,2,-;nouveau 0000:01:00.0: x\n" * 200000),
    ("binary", bytes(range(256)) * 64),
    ("formats", b"6,1,2,-;nouveau 0000:01:00.0: %s%n%d\n"),
]


@cases(HOSTILE)
def hostile_log(t, data):
    m = armed(t)
    sysfs.put(m.at("dev/kmsg"), data)
    for args in (), ("--json",), ("--full",):
        out = diag(t, *args).out
        holds(re.fullmatch(r"[ -~\n]*", out), "unprintable output")
    fits(diag(t).out, 40)


@test
def others_cant_speak_for_a_driver(t):
    """What a program wrote to /dev/kmsg is no word of the kernel's."""
    m = armed(t)
    sysfs.put(m.at("dev/kmsg"), "14,1,2000,-;nvme 0000:01:00.0: it was me\n")
    same(told(t)["devices"][0]["events"], [])


@test
def checks_of_the_boot(t):
    m = armed(t, record=False)
    t.run("--verify")
    same(told(t)["checks_file"], "/run/ghost-boot/verify.json")
    sysfs.put(m.at("run/ghost-boot/verify.json"), json.dumps(CHECKS))
    same([(c["id"], c["result"], c["evidence"]) for c in told(t)["checks"]],
         [("a-b", "warn", "/x"), ("driver", "fail", None), ("ok", "pass", None), ("c", "fail", None)])
    out = diag(t).out
    holds(out.index("group 3 bad") < out.index("beware"), "the worst comes first")
    holds("told above" not in out, "said twice")


@test
def full_is_masked(t):
    m = armed(t, words="ghost.claim=on root=UUID=0a1b2c3d-1111-2222-3333-444455556666")
    sysfs.put(m.at("proc/sys/kernel/hostname"), "tower\n")
    m.claims(m.gpu.line(serial="00-04-4b-ff-fe-12-34-56"), m.igpu.line("keep"))
    sysfs.put(m.at("dev/kmsg"), "6,0,1,-;vfio-pci 0000:01:00.0: of tower at 192.168.3.4\n")
    out = diag(t, "--full").out
    for secret in "0a1b2c3d", "00-04-4b", "tower", "192.168":
        holds(secret not in out, f"{secret} is in the report")
    for wanted in "ghost-boot claims 1", "0000:01:00.0", "10de:2203", "[uuid]", "## System":
        holds(wanted in out, f"{wanted} is not in the report")


@cases([("two", ["--json", "--full"]), ("root", ["--save", "/dev/null", "--root", "/tmp"]),
        ("word", ["x"]), ("option", ["--nonsense"]), ("value", ["--save"])])
def usage(t, words):
    result = t.call(*words, name="ghost-diag", code=2)
    holds("Try: ghost-diag --help" in result.err, result.err)


@test
def not_a_disk(t):
    """Refused before anything is mounted."""
    for device in "/dev/null", t.suite.program:
        holds("is no disk" in t.call("--save", device, name="ghost-diag", code=3).err, device)


@test
def timeline(t):
    """A picture, into a new file only."""
    armed(t)
    file = t.outside + "/boot.svg"
    result = t.call("--root", t.root, "--timeline", "-o", file, name="ghost-diag", code=0)
    same((result.out, result.err), ("", ""))
    with open(file, encoding="utf-8") as picture:
        text = picture.read()
    holds(text.startswith("<svg") or text.startswith("<?xml"), text[:80])
    holds("0000:01:00.0" in text or "01:00.0" in text, "the claimed device has no lane")
    again = t.call("--root", t.root, "--timeline", "-o", file, name="ghost-diag", code=1)
    holds("boot.svg" in again.err, again.err)
    with open(file, encoding="utf-8") as picture:
        same(picture.read(), text, "replaced")


@cases([("no file", ["--timeline"]), ("no picture", ["-o", "/x"]),
        ("two", ["--timeline", "-o", "/x", "--full"])])
def timeline_usage(t, words):
    holds(t.call(*words, name="ghost-diag", code=2).err, "no reason")


@test
def nothing_is_planned(t):
    m = t.desktop()
    m.cmdline("quiet")
    holds("planned  nothing, there is no /etc/ghost-boot/claims; not armed" in diag(t).out,
          diag(t).out)
    holds("of a captured machine" in diag(t, "--full").out, "it is not the running system")


@cases([("file", put("etc/modules-load.d/gpu.conf", "nouveau\n"),
         "take nouveau out of /etc/modules-load.d/gpu.conf:1, rebuild the image, restart"),
        ("word", word("rd.driver.pre=nouveau"),
         "take nouveau off the kernel command line of this boot entry, restart")])
def how_to_mend_it(t, prepare, wanted):
    m = armed(t)
    prepare(m)
    holds(wanted in told(t)["next"], told(t)["next"])
