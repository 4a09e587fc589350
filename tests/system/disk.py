"""A machine's disk with everything on it, as its distribution's own tools leave it.

The root is made in a chroot, at the full speed of this machine; then the machine itself boots once
and installs its boot loader, with grub-install and update-grub, or bootctl and kernel-install.
What comes out is kept for a week; machines of a test write to an overlay of it. No loop devices.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import suite

HERE = Path(__file__).resolve().parent
ROOT_UUID = "11111111-2222-3333-4444-555555555555"
ESP_UUID = "ABCD-EF01"
MIB = 1 << 20
ESP_MIB, ROOT_MIB = 500, 3000
OVMF_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
OVMF_VARS = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")

# Of this machine only, as images for clouds have them: where the console is, and what makes an
# emulated machine bearable. The kernel itself names each module it loads, and when.
WORDS = ("console=ttyS0 no_timer_check mitigations=off nokaslr log_buf_len=4M "
         "trace_event=module:module_load tp_printk systemd.service_watchdogs=no")

FILES = {
    "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "/etc/hostname": "machine\n",
    "/etc/hosts": "127.0.0.1 localhost\n127.0.1.1 machine\n",
    "/etc/resolv.conf": "",
    "/etc/apt/sources.list": "",
    "/etc/apt/sources.list.d/disk.list": "deb [trusted=yes] file:/media/packages ./\n",
    "/etc/default/grub.d/10_machine.cfg":
        f'GRUB_CMDLINE_LINUX="{WORDS}"\nGRUB_TIMEOUT=0\nGRUB_TERMINAL=console\n',
    # A busy host takes the processor away for longer than any real disk would.
    "/etc/systemd/system.conf.d/machine.conf":
        "[Manager]\nDefaultTimeoutStartSec=1800\nDefaultDeviceTimeoutSec=1800\n",
    "/usr/lib/ghost-vm/agent": HERE / "guest" / "agent",
    "/usr/lib/ghost-vm/report": HERE.parent / "vm" / "guest" / "report",
    "/usr/lib/systemd/system/ghost-vm.service": HERE / "guest" / "agent.service",
}
# From the first boot on: emulated, an image of every module takes a quarter of an hour. They name
# what the machine has, so that a chroot cannot build them.
BUILDER_FILES = {
    "initramfs-tools": {"/etc/initramfs-tools/conf.d/machine":
                        "MODULES=dep\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n"},
    "dracut": {"/etc/dracut.conf.d/machine.conf": 'compress="zstd -1"\nhostonly=yes\n'},
}
# They would write whenever the clock says so.
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer",
          "e2scrub_all.timer", "man-db.timer", "systemd-tmpfiles-clean.timer")

# Runs in a mount namespace of its own: nothing to clean up however it ends.
CHROOT = r"""
set -eu
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay -o "lowerdir=$SUITE/root,upperdir=$WORK/upper,workdir=$WORK/work" \
	overlay "$WORK/root"
root=$WORK/root
cp -r "$PAYLOAD/early/." "$root/"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/media/packages"
mount --bind "$SUITE/pool" "$root/media/packages"
inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
		DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}
# What is there already is as good; only another builder makes its own.
conf=$root/etc/initramfs-tools/update-initramfs.conf
cp "$conf" "$WORK/conf"
echo update_initramfs=no >"$conf"
inside apt-get -qq update
echo 'grub-pc grub-pc/install_devices_empty boolean true' | inside debconf-set-selections
inside apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 \
	-o Dpkg::Options::=--force-confold install $PACKAGES
cp "$WORK/conf" "$conf"
inside apt-get clean
if [ "$BUILDER" = initramfs-tools ]; then # the first image too is small: each boot unpacks it
	cp -r "$root/etc/initramfs-tools" "$root/run/conf"
	echo MODULES=list >"$root/run/conf/conf.d/first"
	printf 'nvme\next4\n' >"$root/run/conf/modules"
	inside mkinitramfs -d /run/conf -o "/boot/initrd.img-$KERNEL" "$KERNEL"
fi
cp -r "$PAYLOAD/late/." "$root/"
inside systemctl --quiet mask $TIMERS
inside systemctl --quiet enable ghost-vm.service
rm -f "$root/var/lib/dbus/machine-id" "$root/var/log/"*.log
umount "$root/media/packages" "$root/run" "$root/dev" "$root/sys" "$root/proc"
cp "$root/boot/vmlinuz-$KERNEL" "$OUT/vmlinuz"
cp "$root/boot/initrd.img-$KERNEL" "$OUT/initrd"
# GRUB before 2.12 reads none of these two.
mkfs.ext4 -q -F -O ^metadata_csum_seed,^orphan_file -E root_owner=0:0,lazy_itable_init=0 \
	-U "$UUID" -d "$root" "$OUT/root" "$SIZE"
"""

# What the distribution's installer would do at its end.
INSTALL = {
    "grub-efi": "mkdir -p /boot/grub && grub-install --target=x86_64-efi --no-uefi-secure-boot "
                "--efi-directory=/boot/efi --bootloader-id=debian && update-grub",
    "grub-bios": "mkdir -p /boot/grub && grub-install --target=i386-pc /dev/nvme0n1 && update-grub",
    "systemd-boot": "bootctl install && release=$(uname -r) && "
                    "kernel-install add $release /boot/vmlinuz-$release /boot/initrd.img-$release",
}
INSTALL["unified"] = INSTALL["systemd-boot"]


class DiskError(Exception):
    """No disk; the text says why."""


@dataclass(frozen=True)
class Layout:
    """Where the partitions are, in bytes."""
    root: int
    esp: int | None

    @staticmethod
    def of(kind):
        return Layout((1 + ESP_MIB) * MIB, MIB) if kind.efi else Layout(MIB, None)


@dataclass(frozen=True)
class Base:
    """A machine that was installed: its folder and the suite's."""
    kind: object
    folder: Path
    suite: Path

    format = "qcow2"

    @property
    def disk(self):
        return self.folder / "disk.qcow2"

    @property
    def vars(self):
        return self.folder / "vars.fd" if self.kind.efi else None

    @property
    def layout(self):
        return Layout.of(self.kind)


def _key():
    """Another recipe makes another disk."""
    total = hashlib.sha256()
    for part in (Path(__file__), HERE / "suite.py", HERE / "kinds.py", HERE / "guest" / "agent",
                 HERE / "guest" / "agent.service"):
        total.update(part.read_bytes())
    return total.hexdigest()[:8]


def ensure(kind, say=lambda text: None):
    of_suite = suite.ensure(kind.suite, say)
    made = suite.folder() / f"{kind.name}-{suite.week()}-{_key()}"
    with suite.alone(made):
        if not made.is_dir():
            start = time.monotonic()
            _make(kind, of_suite, made)
            say(f"{kind.name}: installed in {time.monotonic() - start:.0f} s")
            suite.tidy(made, f"{kind.name}-[0-9]*W[0-9]*")
    return Base(kind, made, of_suite)


def _run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise DiskError(f"{Path(command[0]).name}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def _make(kind, of_suite, made):
    import computer  # it boots what is made here

    new = made.with_name(f".{made.name}.{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        _root(kind, of_suite, new)
        _partitions(kind, new)
        if kind.efi:
            shutil.copy(OVMF_VARS, new / "vars.fd")
        direct = (new / "vmlinuz", new / "initrd",
                  f"root=UUID={ROOT_UUID} ro {WORDS} quiet")
        base = Base(kind, new, of_suite)
        with computer.Computer(kind.name, base, direct=direct, own=True) as machine:
            machine.boot()
            machine.must(INSTALL[kind.loader], 600)
            machine.end("poweroff")
        (new / "vmlinuz").unlink()
        (new / "initrd").unlink()
        new.rename(made)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _put(folder, files):
    for name, content in files.items():
        target = folder / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, target)
        else:
            target.write_text(content)


def _root(kind, of_suite, out):
    files = dict(FILES)
    files["/etc/fstab"] = f"UUID={ROOT_UUID} / ext4 errors=remount-ro 0 1\n" + (
        f"UUID={ESP_UUID} /boot/efi vfat umask=0077 0 1\n" if kind.efi else "")
    if not kind.loader.startswith("grub"):
        del files["/etc/default/grub.d/10_machine.cfg"]
    if kind.loader == "unified":
        files["/etc/kernel/install.conf"] = "layout=uki\n"
    with tempfile.TemporaryDirectory(prefix="ghost-boot-system.") as scratch:
        work, payload = Path(scratch) / "work", Path(scratch) / "payload"
        work.mkdir()
        _put(payload / "early", files)
        _put(payload / "late", BUILDER_FILES[kind.builder])
        if kind.efi:
            (payload / "early" / "boot" / "efi").mkdir(parents=True)
        environment = dict(os.environ, WORK=str(work), SUITE=str(of_suite), OUT=str(out),
                           PAYLOAD=str(payload), KERNEL=suite.kernel(of_suite), UUID=ROOT_UUID,
                           PACKAGES=" ".join(kind.packages), TIMERS=" ".join(TIMERS),
                           BUILDER=kind.builder, SIZE=f"{ROOT_MIB}M")
        _run("unshare", "--mount", "--propagation=private", "sh", "-c", CHROOT, env=environment)


def _partitions(kind, out):
    """The raw disk from its parts, and as QEMU's own format, which takes less room."""
    layout, disk = Layout.of(kind), out / "disk"
    with disk.open("wb") as file:
        file.truncate(layout.root + (ROOT_MIB + 1) * MIB)
    if kind.efi:
        table = ("label: gpt\n"
                 f"start=2048,size={ESP_MIB}MiB,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n"
                 f"size={ROOT_MIB}MiB,type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n")
        # The file system lies in the disk from the start: nothing to copy.
        _run("mkfs.vfat", "-F32", "-i", ESP_UUID.replace("-", ""), "--offset",
             layout.esp // 512, disk, ESP_MIB * 1024)
    else:
        table = f"label: dos\nstart=2048,size={ROOT_MIB}MiB,type=83,bootable\n"
    done = subprocess.run(["sfdisk", "-q", "--wipe", "never", str(disk)], input=table, text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise DiskError(f"sfdisk: {done.stderr.strip()}")
    _run("dd", f"if={out / 'root'}", f"of={disk}", "bs=1M", f"seek={layout.root // MIB}",
         "conv=notrunc,sparse", "status=none")
    (out / "root").unlink()
    _run("qemu-img", "convert", "-O", "qcow2", disk, out / "disk.qcow2")
    disk.unlink()
