"""Cards that appear after boot: plugged in, or removed and found again by a rescan. Real udev, the
rule as installed on the host, and the rival's driver loaded or not."""

import json

import boot_order
import check
import claims
from machine import GPU, host
from scenario import Scenario

PORTS = 10
CARD = "secondary-vga,vgamem_mb=8"
# Without room to map a second card's memory its driver would fail by itself: no proof of ours.
PORT = {f"hp{at}": f"pcie-root-port,id=hp{at},bus=pcie.0,chassis={30 + at},mem-reserve=32M,"
                   f"multifunction=on,addr={9 + at // 8:x}.{at % 8}" for at in range(PORTS)}
DEVICES = {**host(without=(*GPU, "rp1", "twin", "twin-audio", "rp2", "shared-display")), **PORT}
CLAIMS = claims.text(()) + "".join(
    f"claim path=0000:00/{9 + at // 8:02x}.{at % 8}/00.0 id=1234:1111 subsys=1af4:1100 "
    "class=038000\n" for at in range(PORTS))


def port(at):
    return f"/sys/bus/pci/devices/0000:00:{9 + at // 8:02x}.{at % 8}"


def start_udev(boot):
    boot.run("mkdir -p /run/udev; /usr/lib/systemd/systemd-udevd --daemon; udevadm settle")


def settle(boot, at):
    """Wait for the card, its event and its record; its address, driver and record."""
    output, _ = boot.run(
        f"for n in $(seq 300); do set -- {port(at)}/0000:??:00.0; bdf=${{1##*/}}; "
        "late=/run/ghost-boot/late/$bdf.json; [ -e $late ] && break; sleep 0.1; done; "
        "udevadm settle -t 20; echo $bdf; basename $(readlink $1/driver || echo none); "
        "tr -d '\\n' <$late; echo")
    check.demand(len(output) == 3 and output[2], f"port {at}: no card or no record: {output}")
    return output[0], output[1], json.loads(output[2])


def plug(boot, at):
    boot.plug(f"{CARD},id=card{at},bus=hp{at}")


def rescan(boot, at):
    _, status = boot.run(f"set -- {port(at)}/0000:??:00.0; echo 1 >$1/remove; udevadm settle; "
                         "rm -f /run/ghost-boot/late/*; ! [ -e $1 ] && echo 1 >/sys/bus/pci/rescan")
    check.demand(status == 0, f"port {at}: the card could not be removed")


def cycles(boot, before):
    """Twenty cards: ten plugged, the same ten found again; (address, record) of each."""
    seen = []
    for event in (plug, rescan):
        for at in range(PORTS):
            _, status = boot.run(before)
            check.demand(status == 0, f"{before}: failed")
            event(boot, at)
            bdf, driver, record = settle(boot, at)
            check.demand((driver, record["result"]) == ("vfio-pci", "bound"),
                         f"{event.__name__} {at}: {bdf} is on {driver}: {record}")
            seen.append((bdf, record))
    return seen


def before_driver(boot, _):
    start_udev(boot)
    # Else the host's display would hold the module for ever.
    override = "/sys/bus/pci/devices/0000:01:00.0/driver_override"
    boot.run(f"echo none >{override}")
    seen = cycles(boot, "modprobe -r bochs; ! [ -e /sys/module/bochs ]")
    boot.run(f"echo >{override}")
    report = boot.report()
    check.demand(len(seen) == 2 * PORTS, f"{len(seen)} of {2 * PORTS}")
    cards = {bdf for bdf, _ in seen}
    check.exactly(report, cards)
    lost = [(name, bdf) for _, _, name, bdf in report.bound()
            if bdf in cards and name != "vfio-pci"]
    check.demand(not lost, f"bound by another first: {lost}")
    loads = [module for _, _, module in report.loaded()]
    check.demand(loads.count("bochs") >= PORTS, f"bochs came {loads.count('bochs')} times only")


def taken_back(boot, _):
    start_udev(boot)
    seen = cycles(boot, "modprobe bochs")
    report = boot.report()
    cards = {bdf for bdf, _ in seen}
    check.exactly(report, cards)
    lost, won = {}, 0
    for _, time, name, bdf in report.bound():
        if bdf in cards and name == "bochs-drm":
            lost[bdf] = time
        elif bdf in cards and bdf in lost:
            took = time - lost.pop(bdf)
            check.demand(took < 2, f"{bdf} was taken back after {took:.1f} s only")
            won += 1
    check.demand(won, "bochs never had one: this boot proves nothing")
    told = [record for _, record in seen if record["driver_before"] == "bochs-drm"]
    check.demand(len(told) == won, f"{won} were taken back, {len(told)} records say so")
    for record in told:
        check.demand("taken back from bochs-drm after" in record["text"], f"record: {record}")


def in_use(boot, _):
    start_udev(boot)
    boot.run("modprobe bochs; udevadm control --stop-exec-queue")
    plug(boot, 0)
    boot.run(f"for n in $(seq 100); do set -- {port(0)}/0000:??:00.0; [ -e $1/drm ] && break; "
             "sleep 0.1; done; card=$(basename $1/drm/card*); sleep 1000 </dev/dri/$card & "
             "sleep 0.5; udevadm control --start-exec-queue")
    bdf, driver, record = settle(boot, 0)
    check.demand(driver == "bochs-drm", f"{bdf} in use was taken to {driver}: {record}")
    check.demand(record["result"] == "in-use", f"record: {record}")
    check.demand("sleep" in record["text"], f"who uses it is not named: {record['text']}")
    report = boot.report()
    check.demand(not report.on("vfio-pci"), "something is on vfio-pci")
    check.said(report, bdf, "sleep")


def no_claims(boot, _):
    """An unarmed boot claims nothing later either."""
    start_udev(boot)
    plug(boot, 0)
    output, _ = boot.run(
        f"for n in $(seq 100); do set -- {port(0)}/0000:??:00.0; [ -e $1/driver ] && break; "
        "sleep 0.1; done; udevadm settle; basename $(readlink $1/driver)")
    check.demand(output == ["bochs-drm"], f"the card is on {output}")
    check.exactly(boot.report(), ())


def full_system(boot, report):
    """The whole distribution to its login prompt; then a card, with udev in systemd's sandbox."""
    boot.wait_console("login:")
    boot_order.first(boot, report, check.GPU_GROUP + 1)  # the empty port has a group as well
    plug(boot, 0)
    bdf, driver, record = settle(boot, 0)
    check.demand((driver, record["result"]) == ("vfio-pci", "bound"),
                 f"{bdf} is on {driver}: {record}")


# The look-alikes are kept: else the card that is not there yet might be one of them.
LOGIN_CLAIMS = claims.text((*claims.GPU, "plugged"), (*claims.KEPT, "twin", "shared-display"))

SCENARIOS = [
    Scenario(f"hotplug-{name}-{suite}", test, suite, kind="plain", claims=CLAIMS,
             devices=DEVICES, words=words, fast=suite == fast)
    for name, test, words, fast in (
        ("before-driver", before_driver, "ghost.claim=on", "trixie"),
        ("taken-back", taken_back, "ghost.claim=on", "bookworm"),
        ("in-use", in_use, "ghost.claim=on", "bookworm"),
        ("not-armed", no_claims, "", None))
    for suite in ("bookworm", "trixie")
] + [
    Scenario(f"login-{suite}", full_system, suite, builder, full=True, claims=LOGIN_CLAIMS,
             devices=host(extra={"hp0": PORT["hp0"]}), fast=suite == "trixie")
    for suite, builder in (("bookworm", "initramfs-tools"), ("trixie", "dracut-systemd"))
]
