# SPDX-License-Identifier: GPL-2.0-or-later
"""Who arms, and the kill switch."""
import os

import sysfs
from harness import RECORD, TRIAL, cases, check_keys, holds, same, test

ON, OFF, SILENT = "claimed", "off", "not-armed"
# what the command line says; what comes of it without and with "arm always"
WORDS = [
    ("", SILENT, ON),
    ("quiet", SILENT, ON),
    ("ghost.claim=on", ON, ON),
    ("ghost.claim=off", OFF, OFF),
    ("ghost.claim=on ghost.claim=off", OFF, OFF),
    ("ghost.claim=off ghost.claim=on", OFF, OFF),
    ("ghost.claim=off ghost.claim=maybe ghost.claim=on", OFF, OFF),
    ("ghost.claim=on ghost.claim=maybe", OFF, OFF),
    ("ghost.claim=maybe ghost.claim=on", OFF, OFF),
    ("ghost.claim=maybe", OFF, OFF),
    ("ghost.claim=ON", OFF, OFF),
    ("ghost.claim=1", OFF, OFF),
    ("ghost.claim=", OFF, OFF),
    ("ghost.claim", OFF, OFF),
    ("ghost.claim=onn", OFF, OFF),
    ('"ghost.claim=on"', ON, ON),
    ('ghost.claim="on"', ON, ON),
    ('ghost.claim="off"', OFF, OFF),
    ('"ghost.claim=off"', OFF, OFF),
    ('dyndbg="file x +p ghost.claim=on"', SILENT, ON),
    ('dyndbg="file x +p" ghost.claim=on', ON, ON),
    ("xghost.claim=on", SILENT, ON),
    ("ghost.claims=on", SILENT, ON),
    ("ghost.claim.x=on", SILENT, ON),
    ("ghost.debug ghost.trial=7 ghost.claim=on", ON, ON),
    ("a" * 2000 + " ghost.claim=on", ON, ON),
    ("a" * 2000 + " ghost.claim=off", OFF, OFF),
    ("\tghost.claim=on\t", ON, ON),
]


@cases([(f"{words[-60:]!r}", words, plain, always) for words, plain, always in WORDS])
def word(t, words, plain, always):
    m = t.desktop(display=True)
    for outcome, more in ((plain, ()), (always, ("arm always",))):
        m.gpu.bind("vfio-pci")
        m.audio.bind("vfio-pci")
        m.cmdline(words)
        m.claims(m.gpu.line(), m.audio.line(), m.igpu.line("keep"), *more)
        record, changed = t.claim()
        same((record["outcome"], record["armed"]), (outcome, outcome == ON), str(more))
        same(m.gpu.read("driver_override"), "vfio-pci" if outcome == ON else "(null)\n")
        same(os.path.exists(m.at("run/ghost-boot/claims")), outcome == ON, "claims record")
        holds(m.igpu.inside("driver_override") not in changed, "kept display was touched")
        holds(record["arming"] in m.read("dev/kmsg"), "the kernel log does not say why")
        for name in "claims", "claim.json":
            if os.path.exists(m.at(f"run/ghost-boot/{name}")):
                os.unlink(m.at(f"run/ghost-boot/{name}"))


@test
def not_armed_touches_only_the_record(t):
    m = t.desktop()
    m.cmdline("")
    m.claims(m.gpu.line())
    _, changed = t.claim(code=0)
    same(changed, ["dev/kmsg", "run/ghost-boot", RECORD])


@test
def odd_word_is_quoted(t):
    m = t.desktop()
    m.cmdline("ghost.claim=perhaps")
    m.claims(m.gpu.line())
    record, _ = t.claim(code=0)
    holds("perhaps" in record["arming"], record["arming"])


@cases([("missing", lambda m: os.unlink(m.at("proc/cmdline"))),
        ("a folder", lambda m: (os.unlink(m.at("proc/cmdline")), os.mkdir(m.at("proc/cmdline")))),
        ("too long", lambda m: m.cmdline("ghost.claim=on " + "a" * 70000))])
def command_line_unreadable(t, spoil):
    """The kill switch may stand in it."""
    m = t.desktop()
    m.claims(m.gpu.line(), "arm always")
    spoil(m)
    record, changed = t.claim(code=1)
    same((record["outcome"], record["armed"]), ("failed", False))
    holds("/proc/cmdline" in record["error"], record["error"])
    same(changed, ["dev/kmsg", "run/ghost-boot", RECORD])


@cases([(repr(words), words) for words in ("", "ghost.claim=off", "ghost.claim=maybe")])
def dry_run_decides_all_the_same(t, words):
    m = t.desktop()
    m.cmdline(words)
    m.claims(m.gpu.line())
    record = t.dry(code=0)
    same([d["result"] for d in record["devices"]], ["planned"])
    same(record["armed"], False)


VARIABLE = ("sys/firmware/efi/efivars/"
            "GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67")


def counter(count, trial="\xcd\xab\x23\x01"):
    return f"\7\0\0\0\1{chr(count)}{trial}".encode("latin-1")


@cases([(repr(words), words, trial, odd) for words, trial, odd in (
    ("ghost.trial=0123abcd", "0123abcd", None),
    ("ghost.trial=0123abcdc ghost.trial=0123abcd", "0123abcd", None),
    ("ghost.trial=0123ABCD", None, "0123ABCD"),
    ("ghost.trial", None, ""),
    ("ghost.trial=0123abcd ghost.trial=?", "0123abcd", "?"))])
def trial(t, words, trial, odd):
    """What is no trial's ID is said and changes nothing."""
    m = t.desktop()
    m.cmdline("ghost.claim=on " + words)
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    m.gpu.bind("vfio-pci")
    record, _ = t.claim(code=0)
    same(record["outcome"], "claimed")
    wanted = trial and {"id": trial, "counted": False, "counter": None, "text": None}
    same(record["trial"], wanted)
    if wanted:
        check_keys(record["trial"], TRIAL, "trial")
    log = m.read("dev/kmsg")
    same(f"<6>ghost-boot: trial {trial}\n" in log, trial is not None, log)
    same(f"<4>ghost-boot: ghost.trial={odd} is no trial's ID: ignored\n" in log,
         odd is not None, log)


@cases([("first", counter(0), "counted"), ("third", counter(2), "over"),
        ("absent", None, "absent"), ("another's", counter(0, "\xcd\xab\x23\x02"), "other"),
        ("damaged", counter(0)[:-1], "odd")])
def counted(t, value, state):
    """One more boot in the EFI variable, or no claim."""
    m = t.desktop()
    m.cmdline("ghost.claim=on ghost.trial=0123abcdc")
    m.claims(m.gpu.line(), m.igpu.line("keep"))
    m.gpu.bind("vfio-pci")
    if value is not None:
        sysfs.put(m.at(VARIABLE), value)
    record, changed = t.claim(code=0 if state == "counted" else 3)
    check_keys(record["trial"], TRIAL, "trial")
    same((record["trial"]["id"], record["trial"]["counted"], record["trial"]["counter"]),
         ("0123abcd", True, state))
    if state == "counted":
        same(record["outcome"], "claimed")
        with open(m.at(VARIABLE), "rb") as file:
            same(file.read(), counter(1))
        return
    same((record["outcome"], record["armed"], record["devices"]), ("off", False, []))
    same(record["arming"], record["trial"]["text"])
    same(changed, ["dev/kmsg", "run/ghost-boot", RECORD])


@test
def dry_run_counts_nothing(t):
    m = t.desktop()
    m.cmdline("ghost.claim=on ghost.trial=0123abcdc")
    m.claims(m.gpu.line())
    sysfs.put(m.at(VARIABLE), counter(1))
    same(t.dry(code=0)["trial"]["counter"], None)
