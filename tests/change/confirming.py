# SPDX-License-Identifier: GPL-2.0-or-later
"""A trial boot, from when it comes up: kept by a person, a login or the time, or not; with both
loaders, and what the boots after it are then."""
import hashlib
import json
import os
import re
import signal
import subprocess
import time
from urllib.parse import unquote

import faults
import host as hosts
import loaders
from trying import COUNTER, ONE_SHOT, SECOND, TRY, call, holds, same, said, state

tests = []
NOTICE = "run/motd.d/ghost-boot"
SYSTEMCTL = "#!/bin/sh\ncat /etc/units\n"
UNITS = "Id=graphical.target\nActiveState=active\n"
SESSION = "USER=ann\nSTATE=active\nCLASS=user\nSERVICE=login\nTTY=tty1\nLEADER=100\n"


def ready(host):
    """What systemd, wall and udev would say."""
    host.put("etc/units", UNITS)
    host.put("usr/bin/systemctl", SYSTEMCTL, 0o755)
    host.put("usr/bin/wall", '#!/bin/sh\necho "$1" >>/var/log/wall\n', 0o755)
    host.put("run/udev/data/b259:2", "E:ID_FS_UUID=1\n")
    info = os.stat(host.at("boot"))
    host.put(f"run/udev/data/b{os.major(info.st_dev)}:{os.minor(info.st_dev)}", "E:ID_FS_UUID=1\n")
    os.makedirs(host.at("sys/class/net"), exist_ok=True)


both = loaders.each(tests, ready)
systemd = loaders.each(tests, ready, (loaders.Systemd,))


def claimed(host, driver="vfio-pci"):
    for function in host.machine.gpu, host.machine.audio:
        function.bind(driver)


def try_it(host, *more):
    """Enabled, and the trial has booted; its claims are on their driver."""
    call(host, *TRY, *more)
    line = host.boot()
    holds(f"ghost.trial={state(host)['id']}" in line, line)
    claimed(host)


def notice(host):
    try:
        with open(host.at(NOTICE), encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return None


def kept(host, kernels=hosts.KERNELS):
    """Every boot has it, and nothing of the trial is left."""
    same((state(host), host.once), (None, None))
    line = host.boot()
    holds("ghost.claim=on" in line and "ghost.trial" not in line and "panic=" not in line, line)
    for release in kernels:
        claims, _ = said(host, f"boot/initrd.img-{release}")
        holds(claims and b"claim path=0000:00/01.0/00.0" in claims, release)
    holds(not os.path.exists(host.at(host.image)), "the trial's image is left")
    left = [path for path in host.snapshot(ours=True)
            if "a-ghost-boot-trial" in path or "standing" in path]
    same(left, [])
    same(host.boot(), line)


def not_kept(host, usual, why):
    """The next boot is the old one, and says why; and it can be tried again."""
    same(host.boot(), usual)
    claimed(host, None)
    ran = call(host, "confirm", "--service")
    for text in ran.stdout, notice(host):
        holds(why in text and "ghost-boot enable" in text, text)
    same(state(host)["state"], "failed")
    holds(why in call(host, "status").stdout.replace("\n            ", " "), "status")
    same((host.boot(), host.once), (usual, None))
    try_it(host)
    call(host, "confirm")
    kept(host)


# ---- kept ---------------------------------------------------------------------------------------

@both
def by_a_person(host):
    before = host.snapshot()
    try_it(host)
    ran = call(host, "confirm")
    holds("every claim is on its driver" in ran.stdout and "every boot" in ran.stdout, ran.stdout)
    told = notice(host)
    holds("are kept: by \"ghost-boot confirm\"" in told, told)
    # for the rest of this boot, whose command line says that it is a trial
    holds("confirmed already" in call(host, "confirm").stdout, "again")
    holds("trial" not in call(host, "status").stdout, "status")
    same((call(host, "confirm", "--service").stdout, notice(host)), (told, told))
    kept(host)
    holds("nothing to confirm" in call(host, "confirm").stdout, "confirmed twice")
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


def tried_release(host):
    return next(release for release in hosts.KERNELS if release in state(host)["kernel"])


def image_hash(host, path):
    with open(host.at(path), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


@both
def what_was_tried_is_kept(host):
    """Whatever its builder would make by now."""
    try_it(host)
    release, tried = tried_release(host), image_hash(host, host.image)
    host.put("usr/lib/test/image/later", "another\n")
    ran = call(host, "confirm")
    holds(ran.stdout.count("the one that was tried") == 1, ran.stdout)
    images = [path for path in host.snapshot() if path.endswith((f"initrd.img-{release}", f"{release}/initrd.img"))
              or path.endswith(f"{release}/initrd.img-{release}")]
    holds(images, host.snapshot().keys())
    for path in images:
        same(image_hash(host, path), tried, path)
    other = next(one for one in hosts.KERNELS if one != release)
    holds(image_hash(host, f"boot/initrd.img-{other}") != tried, "the other kernel has it, too")
    kept(host)


@both
def what_changed_meanwhile_is_built(host):
    """An update in the trial wrote the usual image: the tried one lacks it; whatever the clock says."""
    try_it(host)
    release, tried = tried_release(host), image_hash(host, host.image)
    os.utime(host.at(f"boot/initrd.img-{release}"), (1, 1))
    host.put("usr/lib/test/image/later", "another\n")
    ran = call(host, "confirm")
    holds("the one that was tried" not in ran.stdout, ran.stdout)
    holds(image_hash(host, f"boot/initrd.img-{release}") != tried, "the tried one")
    kept(host)


def serve(host, before=()):
    """The service, once it waits."""
    process = subprocess.Popen([*before, "chroot", host.dir, "/usr/sbin/ghost-boot", "confirm", "--service"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True,
                               env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C",
                                    **host.environment})
    line = process.stdout.readline()
    holds("This boot tries" in line, line)
    return process


@systemd
def that_is_not_forgotten(host):
    """A loader that does not forget it, in a firmware that lets nobody else: any restart tries it again,
    which is said to whoever comes."""
    call(host, *TRY)
    host.boot()
    host.once = host.trial
    process = serve(host, ["strace", "-D", "-f", "-o", "/dev/null", "-P", "/" + ONE_SHOT, "-e", "signal=none",
                           "-e", "trace=unlink,unlinkat", "-e", "inject=unlink,unlinkat:error=EPERM"])
    holds("may take it again" in notice(host), notice(host))
    process.send_signal(signal.SIGTERM)
    ended(process)
    same(host.once, host.trial)


def ended(process, code=0):
    try:
        text, _ = process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError("the service did not end: " + process.communicate()[0]) from None
    same(process.returncode, code, text[-600:])
    return text


def log_in(host):
    host.put("proc/100/cmdline", "/bin/login\0-p\0--\0")
    host.put("run/systemd/sessions/1", SESSION)


@both
def by_a_login(host):
    os.makedirs(host.at("run/systemd/sessions"))
    try_it(host)
    process = serve(host)
    same(state(host)["state"], "booted")
    log_in(host)
    ended(process)
    kept(host)
    holds("are kept: ann logged in (login on tty1)" in notice(host), notice(host))
    with open(host.at("var/log/wall"), encoding="utf-8") as f:
        holds("are kept" in f.read(), "nobody was told")


@both
def by_a_login_with_a_title(host):
    """As util-linux' login leaves itself: its getty's unit says that it was asked for."""
    os.makedirs(host.at("run/systemd/sessions"))
    try_it(host)
    host.put("usr/bin/systemctl", "#!/bin/sh\ncase $* in (*MainPID*) cat /etc/gettys;; (*) cat /etc/units;; esac\n", 0o755)
    host.put("etc/gettys", "MainPID=100\nExecStart={ path=/sbin/agetty ; argv[]=/sbin/agetty -o -- \\u - ; }\n"
             "Id=getty@tty1.service\n")
    process = serve(host)
    host.put("proc/100/cmdline", "login -- ann\0\0\0\0\0\0")
    host.put("run/systemd/sessions/1", SESSION)
    ended(process)
    kept(host)
    holds("are kept: ann logged in (login on tty1)" in notice(host), notice(host))


@both
def by_time(host):
    try_it(host, "--confirm-after=10")
    begun = time.monotonic()
    ended(serve(host))
    holds(time.monotonic() - begun >= 10, "too soon")
    kept(host)
    holds("within 10 seconds" in notice(host), notice(host))


@both
def once_all_is_there(host):
    """What is missing at the login may come later."""
    os.makedirs(host.at("run/systemd/sessions"))
    try_it(host)
    host.put("etc/units", UNITS.replace("active", "inactive"))
    log_in(host)
    process = serve(host)
    while "graphical.target: is not reached" not in (line := process.stdout.readline()):
        holds(line, "the service ended")
    holds("is not reached" in notice(host), notice(host))
    host.put("etc/units", UNITS)
    ended(process)
    kept(host)


@both
def a_second_card(host):
    """While one is claimed for good: all images have had but that one's claims, and have both."""
    before = host.snapshot()
    call(host, *TRY, "--no-trial")
    host.boot()
    claimed(host)
    call(host, *SECOND)
    host.boot()
    host.machine.nic.bind("vfio-pci")
    call(host, "confirm")
    kept(host)
    for release in hosts.KERNELS:
        claims, _ = said(host, f"boot/initrd.img-{release}")
        holds(b"claim path=0000:00/1c.0/00.0" in claims, claims)
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


def entry_of(host, kind):
    """What another system's ghost-boot has written there."""
    return f"# made by ghost-boot of machine dddddddd, which\ntitle Another (by ghost-boot)\nlinux /other/linux\ninitrd /{kind}.img\noptions root=/dev/sdb1 ro\n"


@systemd
def beside_another_system(host):
    """On one ESP, with entries of its own, which are never touched; whoever of the two goes first."""
    before = host.snapshot()
    others = {"efi/loader/entries/a-ghost-boot-trial.conf": entry_of(host, "ghost-boot-trial"),
              "efi/loader/entries/a-ghost-boot-recovery.conf": entry_of(host, "old"),
              "efi/ghost-boot-trial.img": "another's\n"}
    own = [f"efi/loader/entries/a-ghost-boot-{what}-{loaders.MACHINE[:8]}.conf" for what in ("trial", "recovery")]
    for path, text in others.items():
        host.put(path, text)

    def untouched():
        for path, text in others.items():
            same(open(host.at(path), encoding="utf-8").read(), text, path)

    try_it(host)
    same([os.path.exists(host.at(path)) for path in own], [True, True])
    same(state(host)["entry"], os.path.basename(own[0]))
    untouched()
    ran = call(host, "status")
    holds(os.path.basename(own[0]) in ran.stdout, ran.stdout)
    call(host, "confirm")
    untouched()
    same([os.path.exists(host.at(path)) for path in own], [False, True])
    for path in others:
        os.unlink(host.at(path))
    same(call(host, "update", "--entry", "--yes").stdout, "The boot entry without GPU claims is as it should be.\n")
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])
    # taken back in the trial, too; with another name for its own root, its own entries are its own
    for path, text in others.items():
        host.put(path, text)
    try_it(host)
    call(host, "disable", "--yes")
    untouched()
    for path in others:
        os.unlink(host.at(path))
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])
    try_it(host)
    host.put("proc/cmdline", open(host.at("proc/cmdline"), encoding="utf-8").read().replace("sda1", "sda9"))
    call(host, "disable", "--yes")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


@systemd
def with_a_new_machine_id(host):
    """What this system has noted, and what boots it, is its own all the same, and goes in the end."""
    before = host.snapshot()
    try_it(host)
    host.put("etc/machine-id", 32 * "e" + "\n")
    call(host, "confirm")
    names = [name for name in os.listdir(host.at("efi/loader/entries")) if "ghost-boot" in name]
    same(names, ["a-ghost-boot-recovery.conf"])
    call(host, "disable", "--yes")
    host.put("etc/machine-id", loaders.MACHINE + "\n")
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


@systemd
def whose_entry_another_system_took(host):
    """It was deleted by hand, and the other made one of that name: it is noted here, and not ours."""
    try_it(host)
    call(host, "confirm")
    path = "efi/loader/entries/a-ghost-boot-recovery.conf"
    host.put(path, entry_of(host, "old"))
    call(host, "update", "--entry", "--yes")
    call(host, "disable", "--yes")
    same(open(host.at(path), encoding="utf-8").read(), entry_of(host, "old"))
    same([name for name in os.listdir(host.at("efi/loader/entries")) if "ghost-boot" in name],
         ["a-ghost-boot-recovery.conf"])
    holds(not os.path.exists(host.at("var/lib/ghost-boot/footprint")), "something is noted still")


@both
def by_force(host):
    try_it(host)
    host.put("etc/units", UNITS + "\nId=new.service\nActiveState=failed\n")
    holds("new.service" in call(host, "confirm", code=4).stderr, "not found")
    call(host, "confirm", "--force")
    kept(host)


@both
def with_old_recipes(host):
    """An image has a copy of them, so the tried one is not what is kept."""
    host.put("etc/modprobe.d/vfio.conf", "options vfio-pci ids=10de:2203\n")
    line = "/etc/modprobe.d/vfio.conf line 1: options vfio-pci ids=10de:2203"
    said = call(host, "enable", "01:00", "--dry-run").stdout
    holds("--retire takes them out of use" in said and line in said, said)
    told = json.loads(call(host, "enable", "01:00", "--dry-run", "--json").stdout)
    same((told["retired"], [one["text"] for one in told["earlier_recipes"]]),
         ("no", ["options vfio-pci ids=10de:2203"]))
    said = call(host, "enable", "01:00", "--dry-run", "--retire").stdout
    holds("taken out of use when the trial is kept" in said and line in said, said)
    try_it(host, "--retire")
    with open(host.at("etc/modprobe.d/vfio.conf"), encoding="utf-8") as f:
        same(f.read(), "options vfio-pci ids=10de:2203\n")
    holds("the one that was tried" not in call(host, "confirm").stdout, "the tried image")
    with open(host.at("etc/modprobe.d/vfio.conf"), encoding="utf-8") as f:
        holds(f.read().startswith("#"), "it is still in use")
    kept(host)


# ---- not kept -----------------------------------------------------------------------------------

@both
def that_never_came_up(host):
    usual = host.boot()
    call(host, *TRY)
    host.boot()  # and hangs
    not_kept(host, usual, "never came as far as the host")


@both
def that_lost_its_power(host):
    usual = host.boot()
    try_it(host)
    process = serve(host)
    process.kill()
    process.communicate()
    not_kept(host, usual, "lost its power")


@both
def that_was_shut_down(host):
    usual = host.boot()
    try_it(host, "--confirm=manual")
    process = serve(host)
    process.send_signal(signal.SIGTERM)
    ended(process)
    not_kept(host, usual, "shut down before it was confirmed")


@both
def that_binds_nothing(host):
    usual = host.boot()
    try_it(host, "--confirm-after=10")
    claimed(host, "nouveau")
    text = ended(serve(host))
    holds("is on nouveau, and not on vfio-pci" in text, text)
    holds("nouveau" in call(host, "confirm", code=4).stderr, "confirmed")
    not_kept(host, usual, "is on nouveau")


@both
def that_lost_its_network(host):
    put_link(host, "1")
    usual = host.boot()
    try_it(host, "--confirm-after=10")
    put_link(host, "0")
    ended(serve(host))
    put_link(host, "1")
    not_kept(host, usual, "enp9s0: the link was up, and is not")


def put_link(host, carrier):
    host.put("sys/devices/x/net/enp9s0/carrier", carrier + "\n")
    host.put("sys/devices/x/net/enp9s0/address", "52:54:00:00:00:01\n")
    host.put("sys/devices/x/net/enp9s0/device/x", "")
    if not os.path.lexists(host.at("sys/class/net/enp9s0")):
        os.symlink("../../devices/x/net/enp9s0", host.at("sys/class/net/enp9s0"))


@both
def whose_claims_were_edited(host):
    try_it(host)
    with open(host.at("etc/ghost-boot/claims"), "a", encoding="utf-8") as f:
        f.write("# and more\n")
    ran = call(host, "confirm", code=4)
    holds("what was tried is not what it says" in ran.stdout, ran.stdout)
    same(state(host)["state"], "booted")


@both
def kept_by_a_builder_that_fails(host):
    """The trial stays what it was, and so does the usual boot."""
    usual = host.boot()
    try_it(host)
    files = host.snapshot()
    host.put("etc/broken-builder", "exit 7\n")
    call(host, "confirm", code=5)
    os.unlink(host.at("etc/broken-builder"))
    same(faults.difference(files, host.snapshot()), [])
    same(state(host)["state"], "booted")
    holds(os.path.exists(host.at(host.image)), "the trial's image is gone")
    call(host, "confirm")
    kept(host)
    holds(host.boot() != usual, "the usual boot")


@both
def kept_once_the_builder_does_it(host):
    """Somebody has logged in and believes it kept: who comes is told that it is not, and why; the service,
    started again, keeps it."""
    os.makedirs(host.at("run/systemd/sessions"))
    try_it(host)
    host.put("etc/broken-builder", "exit 7\n")
    process = serve(host)
    log_in(host)
    ended(process, 5)
    words = "it was to be kept (ann logged in (login on tty1)), and could not be"
    for text in notice(host), unquote(state(host)["reason"]), call(host, "status").stdout.replace("\n            ", " "):
        holds(words in text, text)
    with open(host.at("var/log/wall"), encoding="utf-8") as f:
        holds(words in f.read(), "nobody was told")
    os.unlink(host.at("etc/broken-builder"))
    ended(serve(host))
    kept(host)


@both
def forgotten_after_it_failed(host):
    usual = host.boot()
    call(host, *TRY)
    host.boot()  # and hangs
    host.boot()
    call(host, "confirm", "--service")
    holds("are not kept" in notice(host), notice(host))
    call(host, *TRY)
    same(notice(host), None)
    host.once = None
    same(host.boot(), usual)


@systemd
def that_is_the_usual_one_by_now(host):
    """Somebody has made it so: neither the time nor a login keeps it, a person's word does."""
    try_it(host, "--confirm-after=10")
    host.put("efi/loader/loader.conf", f"default {host.trial}\n")
    text = ended(serve(host))
    holds("boots by itself by now" in text and "boot it by itself by now, at every start" in notice(host), notice(host))
    same(state(host)["state"], "booted")
    ran = call(host, "confirm", code=4)
    holds("bootctl set-default" in ran.stdout and "A restart would not go back" in ran.stderr, ran.stderr)
    os.unlink(host.at("efi/loader/loader.conf"))
    call(host, "confirm")
    kept(host)


# ---- what happens in between --------------------------------------------------------------------

@both
def a_kernel_comes(host):
    """By the distribution, in the trial: its image is as those of the other kernels, and it is kept
    with them."""
    usual = host.boot()
    try_it(host)
    new = "6.99.0-1-amd64"
    for path in f"boot/vmlinuz-{new}", f"boot/config-{new}":
        with open(host.at(path.replace(new, hosts.KERNELS[0])), encoding="utf-8") as f:
            host.put(path, f.read())
    subprocess.run(["cp", "-a", host.at(f"usr/lib/modules/{hosts.KERNELS[0]}"),
                    host.at(f"usr/lib/modules/{new}")], check=True)
    host.run_inside(["/usr/sbin/mkinitramfs", "-o", f"/boot/initrd.img-{new}", new])
    host.run_inside(["/usr/sbin/update-grub"])
    if isinstance(host, loaders.Systemd):
        old = f"{loaders.MACHINE}-{hosts.KERNELS[0]}.conf"
        for name in "linux", "initrd.img":
            tail = "" if name == "linux" else "-" + new
            host.put(f"efi/{loaders.MACHINE}/{new}/{name}{tail}", f"{name}\n")
        subprocess.run(["cp", host.at(f"boot/initrd.img-{new}"),
                        host.at(f"efi/{loaders.MACHINE}/{new}/initrd.img-{new}")], check=True)
        with open(host.at(f"efi/loader/entries/{old}"), encoding="utf-8") as f:
            host.put(f"efi/loader/entries/{loaders.MACHINE}-{new}.conf",
                     f.read().replace(hosts.KERNELS[0], new))
    call(host, "confirm")
    kept(host, (*hosts.KERNELS, new))
    holds(host.boot() != usual, "the usual boot")


def purge_kernel(host, gone):
    for path in f"boot/vmlinuz-{gone}", f"boot/config-{gone}", f"boot/initrd.img-{gone}":
        os.unlink(host.at(path))
    subprocess.run(["rm", "-r", host.at(f"usr/lib/modules/{gone}")], check=True)
    if isinstance(host, loaders.Systemd):
        subprocess.run(["rm", "-r", host.at(f"efi/{loaders.MACHINE}/{gone}"),
                        host.at(f"efi/loader/entries/{loaders.MACHINE}-{gone}.conf")], check=True)
    host.run_inside(["/usr/sbin/update-grub"])


@both
def a_kernel_goes(host):
    """Not the one that runs."""
    try_it(host)
    purge_kernel(host, next(one for one in hosts.KERNELS if one != state(host)["kernel"]))
    call(host, "confirm")
    same((state(host), host.once), (None, None))


@both
def the_kernel_that_was_tried_goes(host):
    """The one that is left was never tried with the claims: they are not kept."""
    try_it(host)
    gone = state(host)["kernel"]
    purge_kernel(host, gone)
    ran = call(host, "confirm", code=4)
    holds(f"{gone} was removed since" in " ".join(ran.stderr.split()).replace(":", ""), ran.stderr)
    same(state(host)["state"], "booted")


@both
def its_kernel_goes(host):
    """By apt, before it is booted; what depmod made stays. Then the other one is tried."""
    call(host, *TRY)
    gone = tried_release(host)
    left = next(release for release in hosts.KERNELS if release != gone)
    for path in "vmlinuz", "config", "initrd.img":
        os.unlink(host.at(f"boot/{path}-{gone}"))
    subprocess.run(["rm", "-r", host.at(f"usr/lib/modules/{gone}/kernel"),
                    host.at(f"usr/lib/modules/{gone}/modules.builtin")], check=True)
    if isinstance(host, loaders.Systemd):
        subprocess.run(["rm", "-r", host.at(f"efi/{loaders.MACHINE}/{gone}"),
                        host.at(f"efi/loader/entries/{loaders.MACHINE}-{gone}.conf")], check=True)
        call(host, "update", "--entry", "--yes")
        host.usual = lambda: f"{loaders.MACHINE}-{left}.conf"
    else:
        host.run_inside(["/usr/sbin/update-grub"])
        host.usual = lambda: f"gnulinux-{left}-advanced-1"
    same(state(host)["state"], "armed")
    usual = host.boot()
    holds("ghost." not in usual, usual)
    host.put("proc/sys/kernel/osrelease", left + "\n")
    claimed(host, None)
    ran = call(host, "confirm", "--service")
    holds(f"its kernel {gone} was removed before it was booted" in ran.stdout, ran.stdout)
    try_it(host)
    same(tried_release(host), left)
    call(host, "confirm")
    kept(host, (left,))


@both
def var_is_lost(host):
    """The one-shot is used up, and nothing else is changed."""
    usual = host.boot()
    call(host, *TRY)
    host.boot()
    claimed(host)
    subprocess.run(["rm", "-r", host.at("var/lib/ghost-boot")], check=True)
    files = host.snapshot(ours=True)
    ran = call(host, "confirm", "--service")
    holds("nothing is known of that trial" in ran.stdout, ran.stdout)
    call(host, "confirm", code=3)
    found = faults.difference(files, host.snapshot(ours=True))
    same([line for line in found if not line.startswith("var/lib/ghost-boot")], [])
    same(host.boot(), usual)
    claimed(host, None)
    same(call(host, "confirm", "--service").stdout, "")


@both
def a_clock_that_is_wrong(host):
    """When it was made is for a person to read, and nothing hangs on it."""
    for at in b"4102444800", b"0":
        try_it(host)
        path = host.at("var/lib/ghost-boot/trial")
        with open(path, "rb") as f:
            text = re.sub(rb"(?m)^time .*", b"time " + at, f.read()).rpartition(b"end ")[0]
        with open(path, "wb") as f:
            f.write(text + b"end " + hashlib.sha256(text).hexdigest().encode() + b"\n")
        call(host, "confirm")
        kept(host)
        call(host, "disable", "--yes")
        host.boot()
        claimed(host, None)


@both
def some_faults(host):
    """A sample of all that can fail in keeping it: before, or after all of it."""
    try_it(host)
    call(host, "status")
    series = faults.Series(host, ("confirm",), os.path.dirname(host.dir),
                           ("confirm",)).run(every=41)
    same(series.bad, [])
    holds(series.tried > 10, f"only {series.tried} points")


# ---- counted ------------------------------------------------------------------------------------

def counted_boot(host):
    """ghost-claim's word on whether this boot may claim; what it claims is on its driver."""
    line = host.boot()
    holds(f"ghost.trial={state(host)['id']}c" in line, line)
    record = host.at("run/ghost-boot/claim.json")
    if os.path.exists(record):
        os.unlink(record)
    subprocess.run([os.path.join(host.base, "ghost-claim"), "--root", host.dir], check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    with open(record, encoding="utf-8") as f:
        word = json.load(f)["trial"]["counter"]
    claimed(host, "vfio-pci" if word == "counted" else None)
    return word


def counted(host):
    """No entry can be had, by its name; so the usual one claims."""
    ready(host)
    host.put("efi/loader/loader.conf", "default *-ghost-*\n")
    call(host, *TRY)


def is_over(host, why):
    text = call(host, "confirm", "--service").stdout
    holds(why in text and "This boot claims nothing." in text, text)
    same((text, state(host)["state"]), (notice(host), "failed"))


def counted_until_it_is_over(host):
    """Two boots that nobody confirms; the third claims nothing. Then it is tried again, and kept. Nothing
    of either is left, nor brought back by disable."""
    ready(host)
    before = host.snapshot()
    counted(host)
    same([counted_boot(host) for _ in range(3)], ["counted", "counted", "over"])
    is_over(host, "it was not confirmed in 2 boots, and claims nothing any more")
    same(counted_boot(host), "over")
    call(host, *TRY)
    same((state(host)["state"], counted_boot(host)), ("armed", "counted"))
    call(host, "confirm")
    same((state(host), os.path.exists(host.at(COUNTER))), (None, False))
    line = host.boot()
    holds("ghost.claim=on" in line and "ghost.trial" not in line, line)
    holds("not on the command line" not in (text := host.ghost("status", check=False).stdout), text)
    call(host, "disable", "--yes")
    holds("ghost" not in (line := host.boot()), line)
    os.unlink(host.at("efi/loader/loader.conf"))
    same(faults.difference(faults.meaning(host, before), faults.meaning(host, host.snapshot())), [])


def counted_no_more(host):
    """What can't be counted is not claimed, and is not said to be left unconfirmed."""
    counted(host)
    same(counted_boot(host), "counted")
    os.unlink(host.at(COUNTER))
    same(counted_boot(host), "absent")
    is_over(host, "no EFI variable counts its boots, and a boot that can't be counted claims nothing")
    call(host, "disable", "--yes")
    same(state(host), None)
    holds("ghost" not in host.boot(), "not disabled")


for function in counted_until_it_is_over, counted_no_more:
    function.kind = loaders.Systemd
    tests.append(function)
