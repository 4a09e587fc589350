"""What one machine said about itself: its PCI functions, ghost-boot's records, the kernel log."""

import base64
import gzip
import json
import re
from dataclasses import dataclass

RIVALS = {"bochs", "snd_hda_intel", "xhci_pci", "virtio_gpu", "drm_vram_helper"}


@dataclass(frozen=True)
class Function:
    bdf: str
    id: str
    class_: str
    driver: str | None
    override: str | None


@dataclass(frozen=True)
class Line:
    time: float
    text: str


class Report:
    def __init__(self, lines):
        facts, self.groups, self.files, self.log = {}, set(), {}, []
        for line in lines:
            kind, *words = line.split()
            if kind == "fact":  # ./BDF/FILE:CONTENT
                _, name, content = line.split("/", 2)
                key, value = content.split(":", 1)
                facts.setdefault(name, {})[key] = value.removeprefix("0x")
            elif kind == "driver":  # ./BDF TARGET
                facts[words[0].removeprefix("./")]["driver"] = words[1].rpartition("/")[2]
            elif kind == "group":
                self.groups.add(int(words[0]))
            elif kind == "file":
                self.files[words[0]] = base64.b64decode(words[1] if len(words) > 1 else "")
            elif kind == "log":
                self.log = list(_kernel_lines(gzip.decompress(base64.b64decode(words[0])).decode(
                    errors="replace")))
        self.functions = {bdf: Function(bdf, f"{fact['vendor']}:{fact['device']}", fact["class"],
                                        fact.get("driver"), _set(fact.get("driver_override")))
                          for bdf, fact in facts.items()}

    def record(self, name="claim.json"):
        """A record of ghost-boot, or None where there is none; bad JSON is an error."""
        content = self.files.get(f"/run/ghost-boot/{name}")
        return None if content is None else json.loads(content)

    def on(self, driver):
        """The functions held by DRIVER."""
        return {f.bdf for f in self.functions.values() if f.driver == driver}

    def overridden(self):
        return {f.bdf for f in self.functions.values() if f.override}

    def said(self):
        """ghost-boot's own kernel log lines."""
        return [line.text for line in self.log if "ghost-boot: " in line.text]

    def bound(self):
        """Every bind in the kernel's words: (position in the log, time, driver, function)."""
        # Up to 6.6 the device comes last, in quotes; later first.
        form = re.compile(
            r"(?:(\S+): )?driver: '([^']+)': driver_bound: bound to device(?: '([^']+)')?")
        return [(at, line.time, match[2], match[3] or match[1])
                for at, line in enumerate(self.log) if (match := form.search(line.text))]

    def loaded(self):
        """Every module load: (position in the log, time, module)."""
        form = re.compile(r"module_load: (\S+)")
        return [(at, line.time, match[1]) for at, line in enumerate(self.log)
                if (match := form.search(line.text))]


def _set(override):
    """The kernel writes (null) where none is set."""
    return None if override in (None, "", "(null)") else override


def _kernel_lines(text):
    for line in text.splitlines():
        match = re.match(r"\[\s*(\d+\.\d+)\] (.*)", line)
        if match:
            yield Line(float(match[1]), match[2])
