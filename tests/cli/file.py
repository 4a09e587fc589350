# SPDX-License-Identifier: GPL-2.0-or-later
"""The claims file, whole and broken. Named in each case: what is still claimed."""
import os
import random

from harness import RECORD, cases, holds, same, test


def good(m):
    return ["ghost-boot claims 1", m.gpu.line(), m.audio.line(), m.igpu.line("keep")]


def lines(*more):
    return "".join(line + "\n" for line in more)


def noise(size):
    return random.Random(1).randbytes(size)


def replace(m, make):
    os.unlink(m.at("etc/ghost-boot/claims"))
    make(m.at("etc/ghost-boot/claims"))


def unreadable(m):
    os.chmod(m.at("etc/ghost-boot/claims"), 0)


def raw(data):
    return lambda m: m.claims_raw(data)


def no_folder(m):
    os.unlink(m.at("etc/ghost-boot/claims"))
    os.rmdir(m.at("etc/ghost-boot"))


# name, how to spoil the file, exit code when armed, a part of the error
WHOLE = [
    ("missing", lambda m: os.unlink(m.at("etc/ghost-boot/claims")), "there is no claims file"),
    ("no folder", no_folder, "there is no claims file"),
    ("empty", raw(""), "empty"),
    ("blank lines", raw("\n\n\n"), "empty"),
    ("comments only", raw("# nothing\n# here\n"), "empty"),
    ("cut in the header", raw("ghost-boot cla"), "line 1"),
    ("1 MB of noise", raw(noise(1 << 20)), "too large"),
    ("100 KB of noise", raw(noise(100 << 10)), "line 1"),
    ("1 MB of comments", raw("ghost-boot claims 1\n" + "# a comment\n" * 90000), "too large"),
    ("NUL bytes", raw(b"\0" * 4096), "line 1"),
    ("NUL in the header", raw(b"ghost-boot\0claims 1\n"), "line 1"),
    ("newer version", lambda m: m.claims(m.gpu.line(), "arm always", header="ghost-boot claims 2"),
     "version 2, this tool reads version 1"),
    ("version 11", lambda m: m.claims(m.gpu.line(), header="ghost-boot claims 11"), "version 11"),
    ("version 1x", lambda m: m.claims(m.gpu.line(), header="ghost-boot claims 1x"), "version 1x"),
    ("no header", lambda m: m.claims(m.gpu.line(), header="# claims"), "ghost-boot claims 1"),
    ("header second", lambda m: m.claims("ghost-boot claims 1", header=m.gpu.line()),
     "ghost-boot claims 1"),
    ("a folder", lambda m: replace(m, os.mkdir), "irectory"),
    ("unreadable", unreadable, "ermission"),
    ("symlink loop", lambda m: replace(m, lambda p: os.symlink("claims", p)), ""),
    ("dangling symlink", lambda m: replace(m, lambda p: os.symlink("gone", p)),
     "there is no claims file"),
    ("a fifo nobody feeds", lambda m: replace(m, os.mkfifo), "empty"),
]


@cases(WHOLE)
def refused_whole(t, spoil, error):
    m = t.desktop()
    m.claims_raw(lines(*good(m)))
    spoil(m)
    record, changed = t.claim(code=1)
    same((record["outcome"], record["devices"], record["armed"]), ("failed", [], True))
    holds(error in record["error"], record["error"])
    same(changed, ["dev/kmsg", "run/ghost-boot", RECORD])
    holds("nothing claimed" in m.read("dev/kmsg"), m.read("dev/kmsg"))


@cases(WHOLE)
def not_armed(t, spoil, error):
    """A broken file is nobody's trouble in a boot that is not armed."""
    m = t.desktop()
    m.cmdline("")
    m.claims_raw(lines(*good(m)))
    spoil(m)
    record, changed = t.claim(code=0)
    same(record["outcome"], "not-armed")
    same(changed, ["dev/kmsg", "run/ghost-boot", RECORD])


GPU_LINE = "claim path=0000:00/01.0/00.0 id=10de:2203 subsys=1462:5054 class=030000"
# name, the line, where it is wrong, a part of why
BAD = [
    ("unknown word", "clam path=0000:00/1f.0", 1, "clam"),
    ("nothing but a word", "claim", 6, "path= is missing"),
    ("no id", "claim path=0000:00/1f.0 subsys=1:1", 32, "subsys=1:1"),
    ("path of decimal", "claim path=0000:00/99.0 id=10de:2203 subsys=1462:5054 class=030000", None,
     "path=0000:00/99.0"),
    ("path without hops", "claim path=0000:00 id=10de:2203 subsys=1462:5054 class=030000", None,
     "path=0000:00"),
    ("path of BDF", "claim path=0000:01:00.0 id=10de:2203 subsys=1462:5054 class=030000", None,
     "path=0000:01:00.0"),
    ("33 hops", "claim path=0000:00" + "/01.0" * 33 + " id=10de:2203", None, "path="),
    ("id of three digits", "claim path=0000:00/1f.0 id=10d:2203 subsys=1462:5054 class=030000", 28,
     "id=10d:2203"),
    ("class of four digits", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=0300", 61,
     "class=0300"),
    ("serial", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000 serial=12", 75,
     "serial=12"),
    ("host", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000 host=PCI0", 73,
     "host=PCI0"),
    ("driver of the host", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000"
     " driver=nouveau", 75, "driver=nouveau"),
    ("driver with a slash", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000"
     " driver=../vfio-pci", 75, "driver=../vfio-pci"),
    ("unknown allow", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000"
     " allow=all", 74, "allow=all"),
    ("unknown key", "claim path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000 bdf=1", 68,
     "bdf="),
    ("key twice", "claim path=0000:00/1f.0 path=0000:00/1f.1", 25, "path= stands twice"),
    ("no value", "claim path=", 7, "path="),
    ("path twice", GPU_LINE, 1, "line 2 is about the same path"),
    ("keep with a driver", "keep path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000"
     " driver=vfio-pci", 67, "driver="),
    ("keep with allow", "keep path=0000:00/1f.0 id=10de:2203 subsys=1462:5054 class=030000"
     " allow=storage", 67, "allow="),
    ("ids=", "options vfio-pci disable_vga=1 ids=10de:2203", 32, "ids="),
    ("options without a driver", "options", 8, "driver"),
    ("option without a name", "options vfio-pci =1", 18, "=1"),
    ("arm never", "arm never", 5, "always"),
    ("arm twice the word", "arm always always", None, "always"),
    ("a NUL byte", "# good\0bad", 7, "0x00"),
    ("an escape", "claim \x1b[2K", 7, "0x1b"),
    ("not ASCII", "claim path=\u00e9", 12, "0xc3"),
    ("2,000 characters", "claim " + "a" * 2000, None, "longer"),
]


@cases(BAD)
def bad_line(t, line, column, why):
    """The line is reported and skipped; those before and after it hold."""
    m = t.desktop()
    first, gpu, *rest = good(m)
    same(gpu, GPU_LINE)
    m.claims_raw(lines(first, gpu, line, *rest))
    record, _ = t.claim(code=6)
    same([d["bdf"] for d in record["devices"]], [m.gpu.bdf, m.audio.bdf])
    same((m.gpu.read("driver_override"), m.audio.read("driver_override")), ("vfio-pci",) * 2)
    same(record["problem_count"], 1)
    problem, = record["problems"]
    same((problem["file"], problem["line"]), ("/etc/ghost-boot/claims", 3))
    if column is not None:
        same(problem["column"], column, "column")
    holds(why in problem["text"], problem["text"])


@test
def only_bad_lines(t):
    m = t.desktop()
    m.claims("clam", "keep", "options")
    record, changed = t.claim(code=1)
    same((record["outcome"], record["problem_count"]), ("nothing", 3))
    holds(m.gpu.inside("driver_override") not in changed, "something was claimed")


@test
def cut_short(t):
    """The last line is not ended: a path cut short could be another device's."""
    m = t.desktop()
    m.claims_raw(lines(*good(m)[:2]) + m.audio.line())
    record, _ = t.claim(code=6)
    same([d["bdf"] for d in record["devices"]], [m.gpu.bdf])
    holds("cut short" in record["problems"][0]["text"], str(record["problems"]))


@test
def cut_anywhere(t):
    m = t.desktop()
    data = lines("# a comment", *good(m), m.nvme.line("keep"))
    allowed = {m.gpu.bdf, m.audio.bdf}
    for length in range(0, len(data), 29 if t.suite.slow else 5):
        m.claims_raw(data[:length])
        claimed = {d["bdf"] for d in t.dry()["devices"] if d["decision"] == "claim"}
        holds(claimed <= allowed, f"cut to {length} bytes: {claimed}")


@test
def noise_among_good(t):
    m = t.desktop()
    rng = random.Random(2)
    data = lines(*good(m)).encode()
    allowed = {m.gpu.bdf, m.audio.bdf}
    for _ in range(20 if t.suite.slow else 150):
        spoiled = bytearray(data)
        for _ in range(rng.randrange(1, 6)):
            spoiled[rng.randrange(len(spoiled))] = rng.randrange(256)
        m.claims_raw(bytes(spoiled))
        claimed = {d["bdf"] for d in t.dry()["devices"] if d["decision"] in ("claim", "moved")}
        holds(claimed <= allowed, f"{claimed} for {bytes(spoiled)!r}")


@test
def more_problems_than_kept(t):
    m = t.desktop()
    m.claims(*good(m)[1:], *["clam"] * 1000)
    record = t.dry(code=6)
    same((record["problem_count"], len(record["problems"])), (1000, 64))
    same(len(record["devices"]), 2)


@test
def more_lines_than_kept(t):
    m = t.desktop()
    m.claims(*good(m)[1:], *(f"keep path=0001:{i >> 8:02x}/{i >> 3 & 31:02x}.{i & 7} id=8086:0001"
                             " subsys=0000:0000 class=010802" for i in range(600)))
    record = t.dry(code=6)
    same([d["decision"] for d in record["devices"]], ["claim", "claim"])
    holds(record["problem_count"] >= 1, "not reported")


@cases([
    ("header only", lambda m: m.claims(), 0, 0),
    ("keep lines only", lambda m: m.claims(m.igpu.line("keep")), 0, 0),
    ("CR LF", lambda m: m.claims_raw("\r\n".join(good(m)) + "\r\n"), 0, 2),
    ("tabs and comments", lambda m: m.claims_raw(
        "# first\n\n  ghost-boot\tclaims 1 # here\n" + lines(
            *("\t" + x.replace(" ", " \t ") + "  # é" for x in good(m)[1:]))), 0, 2),
    ("upper case digits", lambda m: m.claims(
        m.gpu.line().replace("10de:", "10DE:"), m.igpu.line("keep")), 0, 1),
    ("fields in another order", lambda m: m.claims(
        " ".join(["claim"] + m.gpu.line().split()[:0:-1]), m.igpu.line("keep")), 0, 1),
    ("options", lambda m: m.claims(
        *good(m)[1:], "options vfio-pci disable_vga=1 disable_idle_d3=1"), 0, 2),
    ("through a symlink", lambda m: (m.claims(*good(m)[1:]), os.rename(
        m.at("etc/ghost-boot/claims"), m.at("etc/ghost-boot/real")), os.symlink(
            "real", m.at("etc/ghost-boot/claims"))), 0, 2),
])
def good_file(t, write, code, claimed):
    m = t.desktop()
    write(m)
    record = t.dry(code=code)
    same((record["problem_count"], len(record["devices"])), (0, claimed), str(record["problems"]))
    same({d["decision"] for d in record["devices"]}, {"claim"} if claimed else set())


@test
def booted_claims_are_a_copy(t):
    m = t.desktop()
    m.claims(*good(m)[1:], "# comments too", "clam")
    t.claim(code=6)
    same(m.read("run/ghost-boot/claims"), m.read("etc/ghost-boot/claims"))
