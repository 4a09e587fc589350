"""What a scenario may demand of a report. Each raises Failure with what was seen instead."""

import json

GPU = {f"0000:02:00.{function}" for function in range(4)}
GPU_GROUP = 8


class Failure(Exception):
    pass


def demand(condition, text):
    if not condition:
        raise Failure(text)


def _list(names):
    return ",".join(sorted(n.removeprefix("0000:") for n in names)) or "none"


def exactly(report, wanted):
    """These functions and no others are on vfio-pci, and no other one has been touched."""
    taken = report.on("vfio-pci")
    demand(taken == set(wanted), f"on vfio-pci: {_list(taken)}, wanted {_list(wanted)}")
    touched = report.overridden() - set(wanted)
    demand(not touched, f"driver_override left on {_list(touched)}")


def groups(report, wanted):
    demand(report.groups == set(wanted), f"/dev/vfio has {sorted(report.groups)}, wanted {wanted}")


def driver(report, name, *functions):
    for bdf in functions:
        found = report.functions[bdf].driver
        demand(found == name, f"{bdf} is on {found}, wanted {name}")


def outcome(report, *wanted):
    record = report.record()
    demand(record is not None, "no claim.json")
    demand(record["outcome"] in wanted, f"outcome {record['outcome']}, "
           f"wanted {' or '.join(wanted)}: {json.dumps(record)[:600]}")
    return record


def verified(report):
    """The checks that ran with the claim left their record: sane, whole, about this machine."""
    record = report.record("verify.json")
    demand(record is not None, "no verify.json")
    checks = record["checks"]
    demand(record["version"] == 1 and checks, f"verify.json: {json.dumps(record)[:300]}")
    for one in checks:
        sane = all(isinstance(one[key], str) and one[key] for key in ("id", "subject", "text"))
        demand(sane and one["result"] in ("pass", "warn", "fail", "unknown"), f"verify.json: {one}")
    found = {(one["id"], one["result"]) for one in checks}
    for wanted in (("iommu-running", "pass"), ("viable", "pass")):
        demand(wanted in found, f"no {wanted} in verify.json: {sorted(found)}")
    subjects = {one["subject"] for one in checks}
    demand(GPU <= subjects, f"verify.json says nothing of the GPU: {sorted(subjects)}")


def decided(report, wanted):
    """The record's "decision/result" for each claimed path."""
    record = report.record()
    found = {d["path"]: f"{d['decision']}/{d['result']}" for d in record["devices"]}
    for path, decision in wanted.items():
        demand(found.get(path) == decision, f"{path} is {found.get(path)}, wanted {decision}; "
               f"texts: {[d['text'] for d in record['devices']]}")


def said(report, *words):
    """One line of ghost-boot in the kernel log holds all these words."""
    lines = report.said()
    demand(any(all(word in line for word in words) for line in lines),
           f"no kernel log line with {words}: {lines}")


def silent(report):
    demand(not [n for n in report.files if n.endswith("/claims")], "claims were left in /run")


def first(report, wanted, rivals):
    """By the kernel's own log: all WANTED were on vfio-pci before any of RIVALS was loaded."""
    loads = {}
    for at, time, module in report.loaded():
        loads.setdefault(module, (at, time))
    missing = [module for module in rivals if module not in loads]
    demand(not missing, f"{','.join(missing)} never came: this boot proves nothing")
    bound = {}
    for at, time, name, bdf in report.bound():
        if name == "vfio-pci":
            bound.setdefault(bdf, (at, time))
    for bdf in wanted:
        demand(bdf in bound, f"the kernel log has no bind of {bdf} to vfio-pci")
        for module in rivals:
            demand(bound[bdf][0] < loads[module][0],
                   f"{module} was loaded at {loads[module][1]:.3f}, before {bdf} "
                   f"was on vfio-pci at {bound[bdf][1]:.3f}")


def rivals_lost(report, wanted):
    """None of WANTED was ever bound to anything but vfio-pci after the kernel's own start."""
    said_at = min((at for at, _, name, bdf in report.bound() if name == "vfio-pci"), default=None)
    demand(said_at is not None, "vfio-pci never bound anything")
    for at, time, name, bdf in report.bound():
        demand(bdf not in wanted or name == "vfio-pci" or at < said_at,
               f"{name} got {bdf} at {time:.3f}")


def units_waited(report, unit, others):
    """systemd started none of OTHERS before UNIT was done. Winning by luck is not enough."""
    def at(text):
        lines = enumerate(report.log)
        return next((n for n, line in lines if f"{text}.service" in line.text), None)

    done = at(f"Finished {unit}")
    demand(done is not None, f"{unit} never finished")
    for other in others:
        begun = at(f"Starting {other}")
        demand(begun is not None, f"{other} never came: this boot proves nothing")
        demand(begun > done, f"{other} was started before {unit} was done")
