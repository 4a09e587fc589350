"""IOMMU groups as predicted against those of the kernel that runs, on machines of every shape."""

import json
from collections import defaultdict
from dataclasses import dataclass

import check
import machine
from alter import ALL_BITS, Alter
from early import Early

SEVERAL = ",multifunction=on"
NO_ACS = ",disable-acs=on"
NIC = "e1000e,romfile="
OLD_NIC = "e1000,romfile="  # conventional


def root(name, addr, more="", model="pcie-root-port", bus="pcie.0"):
    """A root port. Of QEMU's, pcie-root-port has ACS, ioh3420 has not."""
    return {name: f"{model},id={name},bus={bus},chassis={ord(name)},addr={addr}{more}"}


def switch(name, bus, ports, more=""):
    """An upstream port with PORTS downstream ports NAME0, NAME1, …; none of QEMU's has ACS."""
    return {name: f"x3130-upstream,id={name},bus={bus}{more}",
            **{f"{name}{at}": f"xio3130-downstream,id={name}{at},bus={name},addr={at},"
                              f"chassis={ord(name)},slot={at}" for at in range(ports)}}


def slots(*texts):
    """Devices without a name: "MODEL bus", each with the options of its model."""
    return {text: "{},bus={}".format(*text.split(" ")) for text in texts}


def nvme(name, bus):
    return {f"{name}-all": f"nvme-subsys,id={name}",
            name: f"nvme,bus={bus},serial={name},subsys={name},sriov_max_vfs=4,"
                  "sriov_vq_flexible=8,sriov_vi_flexible=4"}


@dataclass
class Shape:
    """`groups`: how many are in each of the kernel's groups, but for single functions and the
    chipset's own; says that QEMU really made what the shape is named after."""
    groups: str
    devices: dict
    alterations: tuple = ()
    prepare: str = ""
    iommus: tuple = ("intel", "amd")
    fast: str = ""  # the IOMMU with which it is part of the set that runs without --all


SWITCH = {**root("r", 2), **switch("s", "r", 3), **switch("t", "s2", 2),
          **slots(f"{NIC} s0", "qemu-xhci s1", "bochs-display t0", "virtio-rng-pci t1")}
TWO_UPSTREAM = {**root("r", 2), **switch("s", "r", 1, f",addr=0.0{SEVERAL}"),
                **switch("t", "r", 1, ",addr=0.1"), **slots(f"{NIC} s0", "qemu-xhci t0")}
CARD = {**root("r", 2), **slots(f"{NIC},addr=0.0{SEVERAL} r", "qemu-xhci,addr=0.1 r",
                                "bochs-display,addr=0.2 r")}
PORTS = {**root("a", 2.0, SEVERAL), **root("b", 2.1, NO_ACS), **root("c", 2.2),
         **root("d", 2.3, NO_ACS), **root("e", 3, NO_ACS),
         **slots(f"{NIC} a", "qemu-xhci b", "bochs-display c", "virtio-rng-pci d", "qemu-xhci e")}
OLD_PORTS = {**root("a", 2.0, SEVERAL, "ioh3420"), **root("b", 2.1, "", "ioh3420"),
             **root("c", 3, "", "ioh3420"),
             **slots(f"{NIC} a", "qemu-xhci b", "bochs-display c")}
BRIDGE = {**root("r", 2), "p": "pcie-pci-bridge,id=p,bus=r",
          **slots(f"{OLD_NIC},addr=1 p", "pci-testdev,addr=2 p", f"intel-hda,addr=3.0{SEVERAL} p",
                  "pci-ohci,addr=3.1 p"), **root("s", 3), **slots("bochs-display s")}
OLD_BRIDGES = {"d": "i82801b11-bridge,id=d,bus=pcie.0,addr=1e",
               "p": "pci-bridge,id=p,bus=d,chassis_nr=5,addr=1",
               "q": "pci-bridge,id=q,bus=p,chassis_nr=6,addr=1",
               "r": "pci-bridge,id=r,bus=pcie.0,chassis_nr=7,addr=4",
               **slots(f"{OLD_NIC},addr=2 p", "pci-testdev,addr=2 q", "intel-hda,addr=3 d",
                       "pci-testdev,addr=1 r", "pci-ohci,addr=2 r")}
INTEGRATED = {**slots(f"{NIC},addr=4.0{SEVERAL} pcie.0", "qemu-xhci,addr=4.1 pcie.0",
                      "virtio-rng-pci,addr=4.2 pcie.0", f"nec-usb-xhci,addr=5.0{SEVERAL} pcie.0",
                      "qemu-xhci,addr=5.1 pcie.0", f"{OLD_NIC},addr=6.0{SEVERAL} pcie.0",
                      "pci-testdev,addr=6.1 pcie.0", "pci-testdev,addr=7 pcie.0")}
SOUTHBRIDGE = slots(f"intel-hda,addr=6.0{SEVERAL} pcie.0", "intel-hda,addr=6.1 pcie.0")
TWO_ROOTS = {"x": "pxb-pcie,id=x,bus=pcie.0,bus_nr=64,addr=8", **root("a", 0, bus="x"),
             **root("b", 1, "", "ioh3420", "x"),
             "y": "pxb-pcie,id=y,bus=pcie.0,bus_nr=128,addr=9", **root("c", 0, NO_ACS, bus="y"),
             **switch("s", "c", 2),
             **slots(f"{NIC} a", "qemu-xhci b", "bochs-display s0", "virtio-rng-pci s1")}
NESTED = {**root("r", 2), **switch("s", "r", 3), "p": "pcie-pci-bridge,id=p,bus=s0",
          "q": "pci-bridge,id=q,bus=p,chassis_nr=9,addr=2", **root("u", 3), **switch("t", "u", 2),
          **slots("pci-testdev,addr=1 p", f"{OLD_NIC},addr=1 q", f"{NIC},addr=0.0{SEVERAL} s1",
                  "qemu-xhci,addr=0.1 s1", "bochs-display s2", f"{NIC} t0")}
VIRTUAL = {**root("r", 2), **nvme("n", "r"), **root("s", 3, NO_ACS), **nvme("m", "s")}
ENABLE = ("modprobe nvme; for n in $(seq 50); do [ -e /sys/class/nvme/nvme1 ] && break; "
          "sleep 0.1; done; for d in 01 02; do "
          "echo 3 >/sys/bus/pci/devices/0000:$d:00.0/sriov_numvfs || break; done")

PORT, OLD_PORT, DOWN, UP = "1b36:000c", "8086:3420", "104c:8233", "104c:8232"
E1000E, XHCI, BOCHS, HDA = "8086:10d3", "1b36:000d", "1234:1111", "8086:2668"

SHAPES = {
    "host": Shape("2 2 2 3 4", machine.host(without=("root-disk",)), fast="amd"),
    "switch": Shape("2 2 6", SWITCH, fast="intel"),
    "switch-acs": Shape("", SWITCH, (Alter(DOWN, 5, acs=ALL_BITS),), fast="intel"),
    # Bits that the capability lacks count as hard-wired.
    "switch-acs-cut": Shape("", SWITCH, (Alter(DOWN, 5, acs=0x05),)),
    "switch-below-no-acs": Shape("12", {**SWITCH, **root("r", 2, NO_ACS)},
                                 (Alter(DOWN, 5, acs=ALL_BITS),)),
    "upstream": Shape("6", TWO_UPSTREAM),
    "upstream-acs": Shape("", TWO_UPSTREAM, (Alter(UP, 2, acs=ALL_BITS),
                                             Alter(DOWN, 2, acs=ALL_BITS))),
    "card": Shape("3", CARD),
    "card-acs": Shape("", CARD, tuple(Alter(id_, acs=ALL_BITS) for id_ in (E1000E, XHCI, BOCHS))),
    "card-acs-some": Shape("2", CARD, (Alter(E1000E, acs=ALL_BITS),), fast="intel"),
    "ports": Shape("2 4", PORTS, fast="amd"),
    "ports-old": Shape("2 4", OLD_PORTS),
    # Models whose isolation the kernel knows, though their config space does not show it.
    "ports-known": Shape("", OLD_PORTS, (Alter(OLD_PORT, 3, "8086:8c10"),)),
    "ports-wide": Shape("", OLD_PORTS, (Alter(OLD_PORT, 3, "8086:a110", ALL_BITS, True),),
                        fast="intel"),
    "card-known": Shape("", CARD, (Alter(E1000E, new_id="8086:1521"),
                                   Alter(XHCI, new_id="8086:1521"))),
    # One function that speaks in the name of another.
    "alias": Shape("2", CARD, (Alter(BOCHS, new_id="1b4b:9123", acs=ALL_BITS),
                              Alter(E1000E, acs=ALL_BITS), Alter(XHCI, acs=ALL_BITS))),
    "bridge": Shape("5", BRIDGE),
    "bridges-old": Shape("3 6", OLD_BRIDGES, fast="intel"),
    "integrated": Shape("2 2 2", INTEGRATED, fast="intel"),
    # Isolated where there is an AMD IOMMU (drivers/pci/quirks.c pci_quirk_amd_sb_acs).
    "southbridge": Shape("", SOUTHBRIDGE, (Alter(HDA, 2, "1002:4383"),), iommus=("amd",)),
    "southbridge-unknown": Shape("2", SOUTHBRIDGE),
    "two-roots": Shape("2 6", TWO_ROOTS, fast="amd"),
    "nested": Shape("2 2 3 5", NESTED),
    "nested-acs": Shape("2 4", NESTED, (Alter(DOWN, 5, acs=ALL_BITS),)),
    "virtual": Shape("5", VIRTUAL, prepare=ENABLE, fast="amd"),
}


def kernel_groups(boot):
    """Each function's group, None where the kernel gives none, and class."""
    output, _ = boot.run("grep . /sys/bus/pci/devices/*/class; "
                         "for d in /sys/kernel/iommu_groups/*/devices/*; do echo $d; done")
    classes, groups = {}, {}
    for line in output:
        words = line.split("/")
        if line.startswith("/sys/bus/pci"):
            classes[words[5]] = line.partition(":0x")[2]
        elif words[-1] != "*":
            groups[words[6]] = int(words[4])
    return classes, groups


def predicted_groups(boot):
    """ghost-boot's, by function, and how the kernel's differ in its eyes."""
    output, status = boot.run("ghost-boot list --groups --predict --json 2>&1")
    check.demand(status == 0, f"ghost-boot exits with {status}: {output[:5]}")
    answer = json.loads("".join(output))
    sources = {group["source"] for group in answer["groups"]}
    check.demand(sources == {"predicted"}, f"groups are {sources}")
    return ({bdf: at for at, group in enumerate(answer["groups"]) for bdf in group["devices"]},
            [difference["text"] for difference in answer["differences"]])


def partition(groups):
    members = defaultdict(set)
    for bdf, group in groups.items():
        members[group].add(bdf)
    return set(map(frozenset, members.values()))


def text(groups):
    return "; ".join(sorted(" ".join(sorted(b.removeprefix("0000:") for b in g)) for g in groups))


def compare(kernel, predicted):
    """Both by function. What has no group in the kernel is compared with nothing."""
    wrong = partition(kernel) ^ partition({b: g for b, g in predicted.items() if b in kernel})
    check.demand(not wrong, f"the kernel has {text(partition(kernel) & wrong)}; "
                 f"predicted {text(wrong - partition(kernel))}")


@dataclass
class Topology(Early):
    shape: Shape = None
    fast: bool = False

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                self.look(boot)
            finally:
                keep(boot, None)

    def look(self, boot):
        boot.ready()
        if self.shape.prepare:
            _, status = boot.run(self.shape.prepare)
            check.demand(status == 0, "what the shape needs could not be prepared")
        classes, kernel = kernel_groups(boot)
        # An IOMMU's own function has none, and AMD's tables begin behind the host bridge.
        ungrouped = {bdf for bdf in classes if bdf not in kernel
                     and classes[bdf][:4] not in ("0806", "0600")}
        check.demand(kernel and not ungrouped, f"the kernel has no group for {ungrouped or 'any'}")
        predicted, differences = predicted_groups(boot)
        compare(kernel, predicted)
        check.demand(not differences, f"equal, but ghost-boot says: {differences[:2]}")
        self.demand_shape(kernel)

    def demand_shape(self, kernel):
        others = {bdf: group for bdf, group in kernel.items() if not bdf.startswith("0000:00:1f.")}
        sizes = sorted(len(group) for group in partition(others) if len(group) > 1)
        check.demand(" ".join(map(str, sizes)) == self.shape.groups,
                     f"the kernel's groups are of {sizes}, wanted {self.shape.groups or 'none'}: "
                     "this machine proves something else")


@dataclass
class Off(Topology):
    """The same machine with its IOMMU off and on: what is predicted, and what then comes."""

    def run(self, keep=lambda boot, report: None):
        words = self.words
        self.words = OFF[self.iommu]
        with self.machine() as boot:
            try:
                boot.ready()
                _, kernel = kernel_groups(boot)
                check.demand(not kernel, "the kernel has groups: its IOMMU is on")
                predicted, _ = predicted_groups(boot)
            finally:
                keep(boot, None)
        self.words = words
        with self.machine() as boot:
            try:
                boot.ready()
                _, kernel = kernel_groups(boot)
                check.demand(kernel, "the kernel has no groups")
                compare(kernel, predicted)
                self.demand_shape(kernel)
            finally:
                keep(boot, None)


OFF = {"intel": "intel_iommu=off", "amd": "amd_iommu=off"}
# Debian 13's kernel and libraries, once for each thing that decides.
NEWER = ("host", "switch-acs", "card-acs-some", "bridges-old", "virtual")


def scenario(kind, name, iommu, suite="bookworm", more="", fast=False):
    shape = SHAPES[name]
    return kind(f"groups-{name}-{iommu}{more}", shape.devices, suite, iommu,
                alterations=shape.alterations, shape=shape, fast=fast)


SCENARIOS = [
    scenario(Topology, name, iommu, fast=iommu == shape.fast)
    for name, shape in SHAPES.items() for iommu in shape.iommus
] + [
    scenario(Topology, name, "intel", "trixie", "-trixie") for name in NEWER
] + [
    scenario(Off, name, iommu, more="-off", fast=name == "nested-acs")
    for name, iommu in (("nested-acs", "intel"), ("host", "amd"))
]
