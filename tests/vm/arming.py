"""When nothing may be claimed, and what is left of a claim when something is missing or broken."""

import check
import claims
from scenario import Scenario

GOOD = claims.text()
MODPROBE_FIRST = "\n".join(["MODULES=most", "BUSYBOX=auto", "KEYMAP=n", "DEVICE=", "NFSROOT=auto",
                            "RUNSIZE=10%", "FSTYPE=auto", "/sbin/modprobe vfio-pci", ""])


def unarmed(outcome, text):
    def checked(_, report):
        check.exactly(report, ())
        record = check.outcome(report, outcome)
        check.demand(record["armed"] is False, "the record says it was armed")
        check.said(report, text)
        check.silent(report)
        check.driver(report, "bochs-drm", "0000:01:00.0", "0000:02:00.0", "0000:03:00.0")
    return checked


def claimed(_, report):
    check.exactly(report, check.GPU)
    check.groups(report, [check.GPU_GROUP])
    check.outcome(report, "claimed")


def held(*words):
    """Kept from every driver, though vfio-pci can't have it."""
    def checked(_, report):
        check.demand(not report.on("vfio-pci"), "something is on vfio-pci")
        check.demand(report.overridden() == check.GPU, f"overridden: {report.overridden()}")
        record = check.outcome(report, "nothing", "failed", "partly")
        check.decided(report, {f"0000:00/03.0/00.{f}": "claim/held" for f in range(4)})
        check.demand(record["armed"], "not armed")
        check.driver(report, None, *check.GPU)
        check.driver(report, "bochs-drm", "0000:01:00.0", "0000:03:00.0")
        check.said(report, "0000:02:00.0", *words)
    return checked


def preloaded(_, report):
    loads = [module for _, _, module in report.loaded()]
    check.demand("vfio_pci" in loads, "vfio_pci was not loaded")
    at = next(at for at, _, module in report.loaded() if module == "vfio_pci")
    ours = next((at for at, line in enumerate(report.log) if "ghost-boot: " in line.text), 0)
    check.demand(at < ours, "vfio_pci came after ghost-claim")
    claimed(_, report)


def broken(text):
    """The file can't be used at all: nothing claimed, said why, the machine is up."""
    def checked(_, report):
        check.exactly(report, ())
        record = report.record()
        check.demand(record is not None, "no claim.json")
        check.demand(record["outcome"] in ("failed", "nothing", "not-armed"), record["outcome"])
        check.said(report, text)
        check.driver(report, "bochs-drm", "0000:01:00.0", "0000:03:00.0")
    return checked


def one_bad_line(_, report):
    check.exactly(report, check.GPU)
    record = check.outcome(report, "partly")
    check.demand([p["line"] for p in record["problems"]] == [2], f"problems: {record['problems']}")
    check.said(report, "/etc/ghost-boot/claims:2:")


def noise():
    """1 MB, the same each time."""
    import random
    return random.Random(1).randbytes(1 << 20)


BROKEN = {
    "empty": (b"", "/etc/ghost-boot/claims"),
    # Cut in the middle of its first claim: a header and half a line.
    "truncated": (GOOD.encode()[:50], "/etc/ghost-boot/claims:2:"),
    "noise": (noise(), "/etc/ghost-boot/claims"),
    "nul": (GOOD.encode().replace(b"\n", b"\0"), "/etc/ghost-boot/claims"),
    "newer": (claims.text(header="ghost-boot claims 2\n").encode(), "/etc/ghost-boot/claims"),
}

SCENARIOS = [
    Scenario("not-armed", unarmed("not-armed", "not armed"), words="", fast=True),
    Scenario("not-armed-dracut", unarmed("not-armed", "not armed"), "trixie", "dracut-systemd",
             words=""),
    Scenario("off-against-always", unarmed("off", "ghost.claim=off"), words="ghost.claim=off",
             claims=claims.text(arm=True), fast=True),
    Scenario("off-wins", unarmed("off", "ghost.claim=off"), "trixie", "dracut-plain",
             words="ghost.claim=off ghost.claim=on", claims=claims.text(arm=True)),
    Scenario("always", claimed, words="", claims=claims.text(arm=True)),
    Scenario("iommu-off", held("vfio-pci", "IOMMU"), iommu="none", fast=True),
    Scenario("no-vfio-module", held("vfio"), kind="no-vfio", fast=True),
    Scenario("no-vfio-module-dracut", held("vfio"), "trixie", "dracut-systemd", kind="no-vfio"),
    Scenario("vfio-loaded-before", preloaded, kind="plain", claims=GOOD, fast=True,
             files={"/conf/initramfs.conf": MODPROBE_FIRST}),
    Scenario("claims-missing", broken("claims"), kind="rivals-unclaimed", fast=True),
    Scenario("claims-one-bad-line", one_bad_line, fast=True,
             claims=GOOD.replace("claims 1\n", "claims 1\nclaim path=0000:00/03.0 id=xyz\n")),
    *(Scenario(f"claims-{name}", broken(text), claims=content, fast=name in ("noise", "nul"))
      for name, (content, text) in BROKEN.items()),
    *(Scenario(f"claims-{name}-dracut", broken(text), "trixie", "dracut-plain", claims=content)
      for name, (content, text) in BROKEN.items()),
]
