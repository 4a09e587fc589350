"""What a boot loader would boot from partitions as they are: kernel, image, words.

GRUB's files are read by GRUB's own file system code, which replays no journal; an ESP by mtools.
Nothing here is ghost-boot's: it is a second opinion.
"""

import fnmatch
import hashlib
import re
import subprocess
from dataclasses import dataclass


class BadEntry(Exception):
    """The boot loader would find no sane entry; the text says why."""


class Missing(BadEntry):
    """There is no such file."""


@dataclass(frozen=True)
class Entry:
    """Hashes and words of an entry."""
    kernel: str
    image: str
    words: tuple


def _hash(data):
    return hashlib.sha256(data).hexdigest()[:16]


def grub_read(part, name):
    done = subprocess.run(["grub-fstest", str(part), "cat", f"(loop0){name}"],
                          capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0 or done.stderr:
        why = done.stderr.decode(errors="replace").strip()[-200:]
        raise (Missing if "not found" in why else BadEntry)(f"{name}: {why}")
    return done.stdout


def _script(part, name):
    text = grub_read(part, f"/boot/grub/{name}")
    check = subprocess.run(["grub-script-check"], input=text, capture_output=True)
    if check.returncode != 0:
        raise BadEntry(f"{name}: {check.stderr.decode(errors='replace').strip()[-200:]}")
    if b"\0" in text:
        raise BadEntry(f"{name} holds zeroes")
    return text.decode(errors="replace")


def _menu_entry(part, text, *more):
    """The first one in TEXT."""
    entry = re.search(r"^menuentry .*?^}", text, re.M | re.S)
    if not entry:
        raise BadEntry("GRUB's menu has no entry")
    linux = re.search(r"^\s*linux\s+(\S+)\s*(.*)$", entry[0], re.M)
    initrd = re.search(r"^\s*initrd\s+(\S+)\s*$", entry[0], re.M)
    if not linux or not initrd:
        raise BadEntry("an entry of GRUB's menu has no kernel or no image")
    return Entry(_hash(grub_read(part, linux[1])), _hash(grub_read(part, initrd[1])),
                 (*linux[2].split(), *more))


def grub_default(part):
    """The first entry of grub.cfg, as GRUB on PART would see it."""
    text = _script(part, "grub.cfg")
    lines = text.split("\n")
    begun = [line for line in lines if line.startswith("### BEGIN ")]
    ended = [line for line in lines if line.startswith("### END ")]
    # Every part is there, and the last one that Debian's scripts write.
    if [line[10:] for line in begun] != [line[8:] for line in ended] or not any(
            "41_custom" in line for line in ended):
        raise BadEntry(f"grub.cfg is cut short: {len(begun)} parts begin, {len(ended)} end")
    return _menu_entry(part, text)


def grub_once(part):
    """What GRUB's environment tells it to boot once; "" for nothing."""
    text = grub_read(part, "/boot/grub/grubenv")
    if len(text) != 1024 or not text.startswith(b"# GRUB Environment Block\n"):
        raise BadEntry(f"grubenv is no environment block: {len(text)} bytes, {text[:30]}")
    told = re.findall(rb"^next_entry=(.*)$", text, re.M)
    return told[-1].decode(errors="replace") if told else ""


def grub_entry(part, name):
    """The entry NAME of custom.cfg, None if nothing has that name. All of that file is its words,
    too: it says what else the entry needs."""
    try:
        text = _script(part, "custom.cfg")
    except Missing:
        text = ""
    if re.search(rf"^\s*(menuentry|submenu)\b.*'{re.escape(name)}'", _script(part, "grub.cfg"),
                 re.M) or re.match(r"\d|.*>", name):
        raise BadEntry(f"{name} is another entry")
    entry = re.search(rf"^menuentry .* --id '{re.escape(name)}' {{$", text, re.M)
    return entry and _menu_entry(part, text[entry.start():], _hash(text.encode()))


def _mtools(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise BadEntry(f"{words[0]}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def esp_read(part, name):
    return _mtools("mtype", "-i", part, "::" + name.replace("\\", "/"))


def _fields(text):
    """The fields of a type 1 entry; options and initrd may come more than once."""
    fields = {}
    for line in text.decode(errors="replace").split("\n"):
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            fields.setdefault(key, []).append(value.strip())
    return fields


def _has_sort_key(part, name):
    try:
        return "sort-key" in _fields(esp_read(part, f"/loader/entries/{name}"))
    except BadEntry:
        return False


def _entries(part):
    """Names of type 1 entries as systemd-boot lists them: what has no sort-key is last. With one
    kernel, or with releases of the same length, names sort as versions do."""
    names = (line.rpartition("/")[2] for line in _mtools(
        "mdir", "-b", "-i", part, "::loader/entries").decode().splitlines())
    names = sorted((name for name in names if name.lower().endswith(".conf")), reverse=True)
    return sorted(names, key=lambda name: not _has_sort_key(part, name))


def _type1(part, name):
    text = esp_read(part, f"/loader/entries/{name}")
    fields = _fields(text)
    if "linux" not in fields or "initrd" not in fields or "options" not in fields:
        raise BadEntry(f"{name} is cut short: {sorted(fields)}")
    if b"\0" in text:
        raise BadEntry(f"{name} holds zeroes")
    images = b"".join(esp_read(part, image) for image in fields["initrd"])
    return Entry(_hash(esp_read(part, fields["linux"][0])), _hash(images),
                 tuple(" ".join(fields["options"]).split()))


def systemd_boot_default(part):
    """The newest entry: what systemd-boot picks where loader.conf names none."""
    if "default" in _fields(esp_read(part, "/loader/loader.conf")):
        raise BadEntry("loader.conf names a default; this reader knows none")
    names = _entries(part)
    if not names:
        raise BadEntry("no entries")
    return _type1(part, names[0])


def systemd_boot_entry(part, name):
    """The entry that NAME, a pattern in the variable, stands for; None if there is none."""
    for one in _entries(part):
        if fnmatch.fnmatchcase(one.lower(), name.lower()):
            return _type1(part, one)
    return None
