"""What a boot loader would boot by default from partitions as they are: kernel, image, words.

GRUB's files are read by GRUB's own file system code, which replays no journal; an ESP by mtools.
Nothing here is ghost-boot's: it is a second opinion.
"""

import hashlib
import re
import subprocess
from dataclasses import dataclass


class BadEntry(Exception):
    """The boot loader would find no sane default entry; the text says why."""


@dataclass(frozen=True)
class Default:
    """Hashes and words of the default entry."""
    kernel: str
    image: str
    words: tuple


def _hash(data):
    return hashlib.sha256(data).hexdigest()[:16]


def grub_read(part, name):
    done = subprocess.run(["grub-fstest", str(part), "cat", f"(loop0){name}"],
                          capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0 or done.stderr:
        raise BadEntry(f"{name}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def grub_default(part):
    """The first entry of grub.cfg, as GRUB on PART would see it."""
    text = grub_read(part, "/boot/grub/grub.cfg")
    check = subprocess.run(["grub-script-check"], input=text, capture_output=True)
    if check.returncode != 0:
        raise BadEntry(f"grub.cfg: {check.stderr.decode(errors='replace').strip()[-200:]}")
    if b"\0" in text:
        raise BadEntry("grub.cfg holds zeroes")
    lines = text.decode(errors="replace").split("\n")
    begun = [line for line in lines if line.startswith("### BEGIN ")]
    ended = [line for line in lines if line.startswith("### END ")]
    # Every part is there, and the last one that Debian's scripts write.
    if [line[10:] for line in begun] != [line[8:] for line in ended] or not any(
            "41_custom" in line for line in ended):
        raise BadEntry(f"grub.cfg is cut short: {len(begun)} parts begin, {len(ended)} end")
    entry = re.search(r"^menuentry .*?^}", "\n".join(lines), re.M | re.S)
    if not entry:
        raise BadEntry("grub.cfg has no entry")
    linux = re.search(r"^\s*linux\s+(\S+)\s*(.*)$", entry[0], re.M)
    initrd = re.search(r"^\s*initrd\s+(\S+)\s*$", entry[0], re.M)
    if not linux or not initrd:
        raise BadEntry("the first entry of grub.cfg has no kernel or no image")
    return Default(_hash(grub_read(part, linux[1])), _hash(grub_read(part, initrd[1])),
                   tuple(linux[2].split()))


def _mtools(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise BadEntry(f"{words[0]}: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return done.stdout


def esp_read(part, name):
    return _mtools("mtype", "-i", part, "::" + name.replace("\\", "/"))


def _entry(text):
    """The fields of a type 1 entry; options and initrd may come more than once."""
    fields = {}
    for line in text.decode(errors="replace").split("\n"):
        key, _, value = line.strip().partition(" ")
        if key and not key.startswith("#"):
            fields.setdefault(key, []).append(value.strip())
    return fields


def systemd_boot_default(part):
    """The newest entry: what systemd-boot picks where loader.conf names none."""
    entries = []
    for line in _mtools("mdir", "-b", "-i", part, "::loader/entries").decode().splitlines():
        name = line.rpartition("/")[2]
        if name.lower().endswith(".conf"):
            entries.append((name, esp_read(part, f"/loader/entries/{name}")))
    conf = _entry(esp_read(part, "/loader/loader.conf"))
    if "default" in conf:
        raise BadEntry("loader.conf names a default; this reader knows none")
    # With one kernel, or with releases of the same length, names sort as versions do.
    for name, text in sorted(entries, reverse=True):
        fields = _entry(text)
        if "linux" not in fields or "initrd" not in fields or "options" not in fields:
            raise BadEntry(f"{name} is cut short: {sorted(fields)}")
        if b"\0" in text:
            raise BadEntry(f"{name} holds zeroes")
        images = b"".join(esp_read(part, image) for image in fields["initrd"])
        return Default(_hash(esp_read(part, fields["linux"][0])), _hash(images),
                       tuple(" ".join(fields["options"]).split()))
    raise BadEntry("no entries")
