# SPDX-License-Identifier: GPL-2.0-or-later
"""What other programs copy to where no journal reaches: Proxmox's two ESPs, with proxmox-boot-tool as
a short script, and a second /boot that a hook of another package fills. After every end of a
change the copies are what the files are."""
import os
import signal

import faults
import host as hosts
import loaders
import sysfs
from trying import call, holds, same

ENABLE = ("enable", "01:00", "--no-trial", "--yes")
SECOND = ("enable", "02:00", "--no-trial", "--yes")
DISABLE = ("disable", "--yes")
TOOL = "/usr/sbin/proxmox-boot-tool"
tests = []

# What `refresh` does on each ESP, which it mounts for itself. A test's own lines come after the first.
PROXMOX_BOOT_TOOL = r"""#!/bin/sh
set -e
echo "$*" >>/var/tmp/refreshed
[ ! -e /etc/broken-start ] || . /etc/broken-start
for esp in /esp/*; do
	cp /boot/initrd.img-* /boot/vmlinuz-* /etc/kernel/cmdline "$esp"
	[ ! -e /etc/broken-tool ] || . /etc/broken-tool
done
"""
HOOK = r"""#!/bin/sh
set -e
echo "$*" >>/var/tmp/hooked
cp "$2" /second/
[ ! -e /etc/broken-hook ] || . /etc/broken-hook
"""
# It goes wrong, and only this once.
ONCE = "rm /etc/broken-tool\n"


class Proxmox(hosts.Host):
    """Booted by systemd-boot from one of two ESPs, neither of them mounted; two cards."""
    environment = loaders.Systemd.environment
    STATE = hosts.Host.STATE + ("esp",)

    def make_machine(self, release):
        super().make_machine(release)
        sysfs.add_card(self.machine, self.machine.port2, group=13)

    def _boot_loader(self):
        self.put(f"sys/firmware/efi/efivars/LoaderInfo{loaders.LOADER}",
                 b"\6\0\0\0" + loaders.wide("systemd-boot 252.5"))
        self.put("usr/bin/pveversion", "")
        self.put("etc/kernel/proxmox-boot-uuids", "AAAA-AAAA\nBBBB-BBBB\n")
        self.put("etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet\n")
        self.put("proc/cmdline", f"initrd=\\EFI\\proxmox\\{hosts.KERNELS[-1]}\\initrd.img-"
                 f"{hosts.KERNELS[-1]} root=ZFS=rpool/ROOT/pve-1 boot=zfs quiet\n")
        self.put("usr/sbin/proxmox-boot-tool", PROXMOX_BOOT_TOOL, 0o755)
        self.put("etc/initramfs/post-update.d/proxmox-boot-sync", "#!/bin/sh\nexit 9\n", 0o755)
        for name in "AAAA-AAAA", "BBBB-BBBB":
            os.makedirs(self.at("esp/" + name))
        self.run_inside([TOOL, "refresh"])
        self.refreshed()

    def refreshed(self):
        """How often it was since this was asked last."""
        return taken(self, "refreshed")

    def copies(self):
        """Each file beside its copies."""
        for esp in os.listdir(self.at("esp")):
            yield "etc/kernel/cmdline", f"esp/{esp}/cmdline"
            for release in hosts.KERNELS:
                yield f"boot/initrd.img-{release}", f"esp/{esp}/initrd.img-{release}"


class ProxmoxGrub(hosts.Host):
    """The same by GRUB, which finds all that it reads on the ESP it comes from."""
    STATE = Proxmox.STATE

    def _boot_loader(self):
        super()._boot_loader()
        self.put("usr/bin/pveversion", "")
        self.put("etc/kernel/proxmox-boot-uuids", "AAAA-AAAA\n")
        self.put("usr/sbin/proxmox-boot-tool", PROXMOX_BOOT_TOOL.replace(
            "/etc/kernel/cmdline \"$esp\"", "\"$esp\"; grub-mkconfig -o \"$esp/grub.cfg\""), 0o755)
        os.makedirs(self.at("esp/AAAA-AAAA"))
        self.run_inside([TOOL, "refresh"])

    def copies(self):
        for release in hosts.KERNELS:
            yield f"boot/initrd.img-{release}", f"esp/AAAA-AAAA/initrd.img-{release}"


class Second(hosts.Host):
    """GRUB, and a hook that fills a second /boot."""
    STATE = hosts.Host.STATE + ("second",)

    def _boot_loader(self):
        super()._boot_loader()
        os.makedirs(self.at("second"))
        self.put("etc/initramfs/post-update.d/zz-second", HOOK, 0o755)
        for release in hosts.KERNELS:
            self.run_inside(["/etc/initramfs/post-update.d/zz-second", release,
                             f"/boot/initrd.img-{release}"])
        self.hooked()

    def hooked(self):
        return taken(self, "hooked")

    def copies(self):
        for release in hosts.KERNELS:
            yield f"boot/initrd.img-{release}", f"second/initrd.img-{release}"


def taken(host, name):
    path = host.at("var/tmp/" + name)
    if not os.path.exists(path):
        return 0
    with open(path, encoding="utf-8") as f:
        count = len(f.readlines())
    os.unlink(path)
    return count


def on(kind):
    def keep(function):
        function.kind = kind
        tests.append(function)
        return function
    return keep


def read(host, path):
    with open(host.at(path), "rb") as f:
        return f.read()


def in_step(host):
    for path, copy in host.copies():
        holds(read(host, path) == read(host, copy), f"{copy} is not what {path} is")


def out_of_step(host):
    return [copy for path, copy in host.copies() if read(host, path) != read(host, copy)]


def claimed(host):
    """What the images on the ESPs claim, and whether their line arms it."""
    esps = sorted(os.listdir(host.at("esp")))
    says = [(esp, faults.image_says(host.at(f"esp/{esp}/initrd.img-{release}"))[0])
            for esp in esps for release in hosts.KERNELS]
    lines = {esp: b"ghost.claim=on" in read(host, f"esp/{esp}/cmdline") for esp in esps}
    found = {((text or b"").count(b"\nclaim "), lines[esp]) for esp, text in says}
    holds(len(found) == 1, f"they differ: {found}")
    return found.pop()


def last_step(ran):
    steps = [line for line in ran.stdout.splitlines() if line[:1].isdigit() and ". " in line]
    return steps[-1].split(". ", 1)[1]


@on(Proxmox)
def proxmox_there_and_back(host):
    """One refresh a change, the last step of it, whatever has changed."""
    before = faults.meaning(host, host.snapshot())
    for args, wanted in ((ENABLE, (2, True)), (SECOND, (4, True)),
                         (("disable", "02:00", "--yes"), (2, True))):
        ran = call(host, *args)
        same(last_step(ran), f"run {TOOL} refresh", args)
        same((host.refreshed(), claimed(host)), (1, wanted), args)
        in_step(host)
    with open(host.at("etc/ghost-boot/claims"), "a", encoding="utf-8") as f:
        f.write("# edited\n")
    ran = call(host, "update", "--yes")
    same((last_step(ran), host.refreshed()), (f"run {TOOL} refresh", 1), "update")
    in_step(host)
    call(host, "update", "--yes")
    same(host.refreshed(), 0, "an update that changes nothing")
    ran = call(host, "cmdline", "--add", "nohz=off", "--yes")
    same((last_step(ran), host.refreshed()), (f"run {TOOL} refresh", 1), "cmdline")
    in_step(host)
    call(host, "cmdline", "--remove", "nohz=off", "--yes")
    with open(host.at("etc/ghost-boot/claims"), encoding="utf-8") as f:
        text = f.read()
    host.put("etc/ghost-boot/claims", text.replace("# edited\n", ""))
    host.refreshed()
    ran = call(host, *DISABLE)
    same((last_step(ran), host.refreshed(), claimed(host)),
         (f"run {TOOL} refresh", 1, (0, False)), "disable")
    in_step(host)
    same(faults.difference(before, faults.meaning(host, host.snapshot())), [])


@on(Proxmox)
def proxmox_rollback(host):
    before = host.snapshot()
    call(host, *ENABLE)
    host.refreshed()
    ran = call(host, "rollback", "--yes")
    same((last_step(ran), host.refreshed()), (f"run {TOOL} refresh", 1))
    same(faults.difference(before, host.snapshot()), [])
    call(host, "rollback", "--yes")
    same(claimed(host), (2, True), "the rollback of a rollback")
    in_step(host)


@on(Proxmox)
def proxmox_rollback_of_images_alone(host):
    """Large ones are built anew, and still come to the ESPs."""
    host.put("usr/lib/test/image/usr/bin/large", os.urandom(3 << 20))
    for release in hosts.KERNELS:
        host.run_inside(["/usr/sbin/mkinitramfs", "-o", f"/boot/initrd.img-{release}", release])
    call(host, *ENABLE)
    call(host, *SECOND)
    host.refreshed()
    ran = call(host, "rollback", "--yes")
    same((last_step(ran), host.refreshed(), claimed(host)),
         (f"run {TOOL} refresh", 1, (2, True)))
    in_step(host)


@on(Proxmox)
def proxmox_a_refresh_that_fails(host):
    """After the first ESP: it is refreshed again when the files are back."""
    before = host.snapshot()
    host.put("etc/broken-tool", ONCE + "echo 'no room'\nexit 3\n")
    ran = call(host, *ENABLE, code=5)
    holds("failed with 3: no room" in ran.stderr and "All is as it was before" in ran.stderr,
          ran.stderr)
    same(host.refreshed(), 2)
    same(faults.difference(before, host.snapshot()), [])


@on(Proxmox)
def proxmox_a_refresh_that_fails_again(host):
    """It is said, with what to type; the files are as before, and the next call goes on."""
    before = host.snapshot()
    host.put("etc/broken-tool", "echo exit 7 >/etc/broken-start\nexit 3\n")
    ran = call(host, *ENABLE, code=6)
    holds("All is as it was" not in ran.stderr and "sudo ghost-boot recover" in ran.stderr, ran.stderr)
    holds("failed with 7; and before that" in ran.stderr and "failed with 3" in ran.stderr, ran.stderr)
    holds("ghost.claim=on" not in read(host, "etc/kernel/cmdline").decode(), "not brought back")
    same(sorted({copy.split("/")[1] for copy in out_of_step(host)}), ["AAAA-AAAA"])
    ran = call(host, "update", "--yes", code=6)
    holds("sudo ghost-boot recover" in ran.stderr, ran.stderr)
    os.unlink(host.at("etc/broken-tool"))
    os.unlink(host.at("etc/broken-start"))
    ran = call(host, "recover")
    holds("all is as it was before" in ran.stderr, ran.stderr)
    same(faults.difference(before, host.snapshot()), [])
    call(host, *ENABLE)
    in_step(host)


@on(Proxmox)
def proxmox_a_refresh_given_up(host):
    """Whoever can't mend it goes on without."""
    host.put("etc/broken-tool", "exit 3\n")
    call(host, *ENABLE, code=6)
    ran = call(host, "recover", "--force", code=6)
    holds("All is" not in ran.stderr and "all is" not in ran.stderr, ran.stderr)
    same(call(host, "recover").stderr, "")


@on(Proxmox)
def proxmox_stopped_by_a_signal(host):
    """In the middle of it, after the first ESP."""
    before = host.snapshot()
    host.put("etc/broken-tool", ONCE + "kill -INT $PPID\nsleep 60\n")
    ran = call(host, *ENABLE, code=5)
    holds("stopped by Interrupt" in ran.stderr, ran.stderr)
    same(host.refreshed(), 2)
    same(faults.difference(before, host.snapshot()), [])


@on(Proxmox)
def proxmox_killed_in_it(host):
    """What it was at ends first; then the files come back, and the ESPs with them."""
    before = host.snapshot()
    host.put("etc/broken-tool", ONCE + "kill -KILL $PPID\n")
    ran = host.ghost(*ENABLE, check=False)
    same(ran.returncode, -signal.SIGKILL, ran.stderr)
    ran = host.ghost("recover", check=False)
    while ran.returncode == 3: # as long as it holds the lock
        ran = host.ghost("recover", check=False)
    same(ran.returncode, 0, ran.stderr)
    same(host.refreshed(), 2)
    same(faults.difference(before, host.snapshot()), [])


@on(Proxmox)
def proxmox_an_earlier_step_fails(host):
    """Then no ESP was touched, and none need be."""
    before = host.snapshot()
    host.put("etc/broken-builder", f"case $1 in {hosts.KERNELS[-1]}) exit 9 ;; esac\n")
    call(host, *ENABLE, code=5)
    os.unlink(host.at("etc/broken-builder"))
    same(host.refreshed(), 0)
    same(faults.difference(before, host.snapshot()), [])


@on(ProxmoxGrub)
def proxmox_with_grub(host):
    """Nothing is made where its GRUB would not find it."""
    before = host.snapshot()
    ran = call(host, "enable", "01:00", "--yes", code=3)
    for why in ("what GRUB reads lies on ESPs that proxmox-boot-tool mounts for itself",
                "entries lie on ESPs that proxmox-boot-tool mounts for itself"):
        holds(why in " ".join(ran.stdout.split()), ran.stdout)
    same(faults.difference(before, host.snapshot()), [])
    call(host, *ENABLE)
    in_step(host)
    holds(b"ghost.claim=on" in read(host, "esp/AAAA-AAAA/grub.cfg"), "the ESP's grub.cfg")
    holds(not os.path.exists(host.at("boot/grub/custom.cfg")), "an entry that no GRUB reads")
    call(host, *DISABLE)
    in_step(host)
    holds(b"ghost." not in read(host, "esp/AAAA-AAAA/grub.cfg"), "the ESP's grub.cfg")


@on(Second)
def hooks_of_others(host):
    """Behind all images, and again when they are back."""
    before = host.snapshot()
    call(host, *ENABLE)
    same(host.hooked(), 2)
    in_step(host)
    call(host, "rollback", "--yes")
    same(host.hooked(), 2)
    same(faults.difference(before, host.snapshot()), [])
    host.put("etc/broken-hook", "rm /etc/broken-hook\nexit 4\n")
    call(host, *ENABLE, code=5)
    same(host.hooked(), 2)
    same(faults.difference(before, host.snapshot()), [])
    # the second of two, with the first image copied already
    host.put("etc/broken-hook", f"case $1 in {hosts.KERNELS[-1]}) rm /etc/broken-hook; exit 4 ;; esac\n")
    call(host, *ENABLE, code=5)
    same(host.hooked(), 4)
    same(faults.difference(before, host.snapshot()), [])


@on(Second)
def a_hook_and_a_kernel_that_went(host):
    """A removed kernel has nothing to be copied, and a removed package copies nothing."""
    call(host, *ENABLE)
    host.hooked()
    gone = hosts.KERNELS[0]
    for path in f"boot/vmlinuz-{gone}", f"boot/initrd.img-{gone}", f"boot/config-{gone}":
        os.unlink(host.at(path))
    host.run_inside(["/usr/sbin/update-grub"])
    call(host, "rollback", "--yes", "--force")
    same(host.hooked(), 1)
    same(read(host, f"second/initrd.img-{hosts.KERNELS[-1]}"),
         read(host, f"boot/initrd.img-{hosts.KERNELS[-1]}"))
