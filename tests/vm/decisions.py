"""The decision table on machines that changed since the claims were written."""

import check
import claims
from machine import GPU, HOST, host
from scenario import Scenario

FUNCTIONS = [f"0000:00/03.0/00.{function}" for function in range(4)]
NVME = "nvme,bus=rp1,addr=0.0,drive=spare,serial=spare"


def new_port(addr, *devices):
    """A root port of its own with cards behind it."""
    port = f"pcie-root-port,id=rp9,bus=pcie.0,chassis=20,addr={addr}"
    return {"rp9": port, **{f"new-{at}": text for at, text in enumerate(devices)}}


def moved_card():
    """The whole card in another slot; nothing else in the machine looks like it."""
    devices = host(without=(*GPU, "twin", "twin-audio", "shared-display"))
    return {**devices, **new_port("9.0", *(HOST[key].replace("rp1", "rp9") for key in GPU))}


def renumbered(_, report):
    moved = {bdf.replace(":02:", ":03:") for bdf in check.GPU}
    check.exactly(report, moved)
    check.driver(report, "e1000e", "0000:01:00.0")
    check.driver(report, "bochs-drm", "0000:02:00.0", "0000:04:00.0")
    record = check.outcome(report, "claimed")
    check.demand({d["bdf"] for d in record["devices"]} == moved, f"record: {record}")


def replaced(_, report):
    check.exactly(report, ())
    check.driver(report, "nvme", "0000:02:00.0")
    check.outcome(report, "nothing")
    check.said(report, "1234:1111", "not", "line 2")


def swapped(_, report):
    check.exactly(report, ())
    check.outcome(report, "nothing")
    check.decided(report, {path: "mismatch/none" for path in FUNCTIONS})
    check.said(report, "only a part of the card is here")


def last_display(_, report):
    check.exactly(report, ())
    check.outcome(report, "nothing")
    check.decided(report, {FUNCTIONS[0]: "refused/none"})
    check.said(report, "no display would remain")


def absent(_, report):
    check.exactly(report, ())
    check.outcome(report, "nothing")
    check.decided(report, {path: "absent/none" for path in FUNCTIONS})
    check.said(report, "is not there")


def twin_left(_, report):
    check.exactly(report, ())
    check.outcome(report, "nothing")
    check.decided(report, {path: "ambiguous/none" for path in FUNCTIONS})


def moved(_, report):
    at = {bdf for bdf, f in report.functions.items() if f.id in (
        "1234:1111", "8086:2668", "1033:0194", "1b36:0002")} - {"0000:01:00.0"}
    check.demand(len(at) == 4, f"the machine is not the one meant: {at}")
    check.exactly(report, at)
    check.outcome(report, "claimed")
    check.decided(report, {path: "moved/bound" for path in FUNCTIONS})
    check.said(report, "moved to 0000:00/09.0/00.0")


def refused(text, *bdfs):
    def checked(_, report):
        check.exactly(report, ())
        check.outcome(report, "nothing")
        for bdf in bdfs:
            check.said(report, bdf, text)
    return checked


def disk_refused(_, report):
    refused("is a storage controller", "0000:05:00.0")(_, report)
    check.driver(report, "nvme", "0000:05:00.0")


def one_of_two(_, report):
    """A line that may not be claimed does not cost the others their claim."""
    check.exactly(report, check.GPU)
    check.outcome(report, "partly")
    check.said(report, "0000:00:03.0", "is a bridge")


def virtual(boot, report):
    """The machine has no virtual functions until its driver makes them; then the claim again."""
    pf = next(bdf for bdf, f in report.functions.items() if bdf.startswith("0000:02:00"))
    check.exactly(report, ())
    check.said(report, pf, "storage controller")
    _, status = boot.run(f"echo 2 >/sys/bus/pci/devices/{pf}/sriov_numvfs")
    report = boot.report()
    virtuals = [b for b, f in report.functions.items() if b[5:7] == "02" and b != pf]
    check.demand(status == 0 and len(virtuals) == 2, f"no virtual functions: {virtuals}")
    boot.run("cp /run/ghost-boot/claims /etc/ghost-boot/ && rm -r /run/ghost-boot; ghost-claim")
    report = boot.report()
    check.exactly(report, ())
    check.outcome(report, "nothing")
    for bdf in virtuals:
        check.said(report, bdf, "virtual function")


VIRTUAL_CLAIMS = claims.text((), claims.KEPT) + "".join(
    f"claim path=0000:00/03.0/{hop} id=1b36:0010 subsys=1af4:1100 class=010802{allow}\n"
    for hop, allow in (("00.0", ""), ("00.1", " allow=storage"), ("00.2", " allow=storage")))
SRIOV = {
    "subsystem": "nvme-subsys,id=vf",
    "pf": "nvme,bus=rp1,addr=0.0,subsys=vf,serial=vf,sriov_max_vfs=2,sriov_vq_flexible=4,"
          "sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=7",
}

SCENARIOS = [
    Scenario("bus-renumbered", renumbered, fast=True, devices={
        **new_port("1.0", "e1000e,bus=rp9"), **HOST}),
    Scenario("slot-holds-nvme", replaced, fast=True,
             devices=host({"gpu": NVME}, without=GPU[1:])),
    # The two cards change slots: the smaller twin now is where the claimed one was.
    Scenario("twin-in-its-place", swapped, fast=True, devices=host({
        "rp1": HOST["rp1"].replace("addr=3.0", "addr=4.0"),
        "rp2": HOST["rp2"].replace("addr=4.0", "addr=3.0")})),
    Scenario("twin-left-alone", twin_left, devices=host(without=GPU)),
    Scenario("last-display", last_display, fast=True, devices=host(without=(
        "host-display", "twin", "twin-audio", "shared-display", "switch-display"))),
    Scenario("card-absent", absent, fast=True,
             devices=host(without=(*GPU, "twin", "twin-audio", "shared-display"))),
    Scenario("card-moved", moved, fast=True, devices=moved_card()),
    Scenario("card-moved-trixie", moved, "trixie", "dracut-plain", devices=moved_card()),
    Scenario("kept-gpu", refused("is kept for the host", "0000:02:00.0"), fast=True,
             claims=claims.text() + claims.line("keep", "gpu")),
    Scenario("kept-host-display", refused("is kept for the host", "0000:01:00.0"),
             claims=claims.text(("host-display",))),
    Scenario("bridge", one_of_two, fast=True, claims=claims.text((*claims.GPU, "bridge"))),
    Scenario("root-disk", disk_refused, fast=True, claims=claims.text(("root-disk",), ())),
    Scenario("virtual-functions", virtual, fast=True, claims=VIRTUAL_CLAIMS,
             devices=dict(host(without=GPU), **SRIOV)),
]
