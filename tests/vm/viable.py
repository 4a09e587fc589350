"""VFIO's own answer: a group is viable when nobody drives any of it, and only one may ask."""

import json
from dataclasses import dataclass

import check
from early import Early
from topologies import NIC, SEVERAL, root, slots

# A network card and a USB controller in one group, behind a port without ACS.
DEVICES = {**root("r", 2, model="ioh3420"),
           **slots(f"{NIC},addr=0.0{SEVERAL} r", "nec-usb-xhci,addr=0.1 r")}
FIRST, SECOND = "0000:01:00.0", "0000:01:00.1"


def to_vfio(boot, bdf):
    boot.run(f"echo vfio-pci >/sys/bus/pci/devices/{bdf}/driver_override; "
             f"[ ! -e /sys/bus/pci/devices/{bdf}/driver ] || "
             f"echo {bdf} >/sys/bus/pci/devices/{bdf}/driver/unbind; "
             f"echo {bdf} >/sys/bus/pci/drivers_probe")


def driver(boot, bdf):
    output, _ = boot.run(f"readlink /sys/bus/pci/devices/{bdf}/driver || echo none")
    return output[0].rpartition("/")[2]


def asked(boot, bdf):
    """The check that VFIO itself answered."""
    output, status = boot.run(f"ghost-verify --json {bdf}")
    checks = [c for c in json.loads("".join(output))["checks"] if c["id"] == "viable-vfio"]
    check.demand(len(checks) == 1, f"{len(checks)} checks viable-vfio, exit {status}")
    return checks[0], status


def wanted(boot, result, *words):
    found, status = asked(boot, FIRST)
    said = " ".join(str(found[key]) for key in ("text", "evidence", "fix"))
    check.demand(found["result"] == result, f"{found}, wanted {result}")
    check.demand((status == 4) == (result == "fail") or result == "pass", f"exit {status}: {found}")
    for word in words:
        check.demand(word in said, f"no {word!r} in {found}")


@dataclass
class Viable(Early):
    fast: bool = False

    def run(self, keep=lambda boot, report: None):
        with self.machine() as boot:
            try:
                boot.ready()
                self.look(boot)
            finally:
                keep(boot, None)

    def look(self, boot):
        boot.run("modprobe xhci-pci; modprobe vfio-pci; modprobe vfio_iommu_type1; sleep 1")
        to_vfio(boot, FIRST)
        check.demand((driver(boot, FIRST), driver(boot, SECOND)) == ("vfio-pci", "xhci_hcd"),
                     f"{driver(boot, FIRST)} and {driver(boot, SECOND)} have them")
        group = boot.run(f"readlink /sys/bus/pci/devices/{FIRST}/iommu_group")[0][0]
        node = f"/dev/vfio/{group.rpartition('/')[2]}"
        wanted(boot, "fail", node, "VFIO_GROUP_GET_STATUS")
        to_vfio(boot, SECOND)
        check.demand(driver(boot, SECOND) == "vfio-pci", f"{driver(boot, SECOND)} has {SECOND}")
        wanted(boot, "pass", node, "VFIO_GROUP_GET_STATUS")
        # As a virtual machine does: it opens once.
        _, status = boot.run(f"sleep 99 <>{node} & sleep 1; kill -0 $!")
        check.demand(status == 0, f"{node} could not be held open")
        wanted(boot, "unknown", node, "in use")


SCENARIOS = [Viable(f"viable-{iommu}", DEVICES, iommu=iommu, fast=iommu == "intel")
             for iommu in ("intel", "amd")]
