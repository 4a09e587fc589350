"""The claim comes before every rival: both builders, with and without systemd, both suites."""

import check
import tree
from scenario import Scenario

ALL_RIVALS = ("bochs", "snd_hda_intel", "xhci_pci", "virtio_gpu")


def first(_, report, group=check.GPU_GROUP):
    check.exactly(report, check.GPU)
    check.groups(report, [group])
    check.driver(report, "bochs-drm", "0000:01:00.0", "0000:03:00.0", "0000:04:00.0")
    check.driver(report, "snd_hda_intel", "0000:03:00.1")
    check.first(report, check.GPU, ALL_RIVALS)
    check.rivals_lost(report, check.GPU)
    record = check.outcome(report, "claimed")
    check.demand(record["armed"] and record["problems"] == [], f"record: {record}")
    paths = {f"0000:00/03.0/00.{function}": "claim/bound" for function in range(4)}
    check.decided(report, paths)
    before = [device["driver_before"] for device in record["devices"]][:4]
    check.demand(before == [None, None, None, "serial"], f"driver_before: {before}")
    for bdf in sorted(check.GPU)[:3]:
        check.said(report, bdf, "is on vfio-pci")
    check.said(report, "0000:02:00.3", "taken back from serial after")
    check.verified(report)


def first_by_unit(boot, report):
    first(boot, report)
    check.units_waited(report, "ghost-claim", (
        "systemd-modules-load", "systemd-udevd", "dracut-cmdline", "dracut-pre-udev"))


SCENARIOS = [
    Scenario(f"order-{suite}-{builder}-{iommu}",
             first_by_unit if builder == "dracut-systemd" else first, suite, builder, iommu=iommu,
             # Each builder and suite once; on AMD one builder a suite.
             fast=iommu == "intel" or (suite, builder) in (("bookworm", "initramfs-tools"),
                                                           ("trixie", "dracut-systemd")))
    for suite in ("bookworm", "trixie")
    for builder in ("initramfs-tools", "dracut-systemd", "dracut-plain")
    for iommu in ("intel", "amd")
] + [
    Scenario(f"dynamic-{builder}", first, tree.own_suite(), builder, static=False,
             fast=builder == "dracut-plain")
    for builder in ("initramfs-tools", "dracut-plain")
]
