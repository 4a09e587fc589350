# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole host in a folder, small enough to be made anew for every test: a synthetic machine in
sys and proc, GRUB's and the builder's programs as short scripts, and the real ghost-boot, which is
run in a chroot and so takes the folder for the running system. Needs root."""
import hashlib
import os
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(REPO, "tests", "cli"))
import sysfs  # noqa: E402

KERNELS = ("6.1.0-1-amd64", "6.12.0-2-amd64")
CLAIM = "sbin/ghost-claim --verify\n"

# Like the real one: a new file by that name, from what is there when it runs. It writes in pieces
# and syncs nothing, as real builders do.
MKINITRAMFS = r"""#!/bin/sh
set -e
while [ $# -gt 1 ]; do
	case $1 in -o) out=$2; shift ;; esac
	shift
done
[ ! -e /etc/broken-builder ] || . /etc/broken-builder
work=/var/tmp/mkinitramfs.$$
mkdir -p "$work"
cd "$work"
cp -a /usr/lib/test/image/. .
claims=/etc/ghost-boot/claims standing=/var/lib/ghost-boot/standing-claims
[ -n "$GHOST_BOOT_TRIAL" ] || [ ! -e $standing ] || claims=$standing
[ ! -e $claims ] || {
	cp -a "${OURS:-/usr/lib/test/ours}/." .
	mkdir -p etc/ghost-boot
	cp "$claims" etc/ghost-boot/claims
}
mkdir -p "usr/lib/modules/$1"
cp -a "/usr/lib/modules/$1/." "usr/lib/modules/$1"
echo "$1" >conf/release
find . | sort | cpio -o -H newc 2>/dev/null | gzip -1 >"$out"
cd /
rm -rf "$work"
[ ! -e /etc/late-builder ] || . /etc/late-builder
"""

GRUB_HEADER = r"""### BEGIN /etc/grub.d/00_header ###
if [ -s \$prefix/grubenv ]; then
  load_env
fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="$GRUB_DEFAULT"
fi
### END /etc/grub.d/00_header ###"""
GRUB_CUSTOM = r"""### BEGIN /etc/grub.d/41_custom ###
if [ -f  \${config_directory}/custom.cfg ]; then
  source \${config_directory}/custom.cfg
elif [ -z "\${config_directory}" -a -f  \$prefix/custom.cfg ]; then
  source \$prefix/custom.cfg
fi
### END /etc/grub.d/41_custom ###"""

# What matters of grub-mkconfig: the file and its drop-ins, read by a shell; a .new beside it.
GRUB_MKCONFIG = r"""#!/bin/sh
set -e
umask 077
while [ $# -gt 0 ]; do
	case $1 in -o) out=$2; shift ;; --output=*) out=${1#*=} ;; esac
	shift
done
[ ! -e /etc/broken-grub ] || . /etc/broken-grub
. /etc/default/grub
for file in /etc/default/grub.d/*.cfg; do
	[ ! -e "$file" ] || . "$file"
done
{
	cat <<END
@HEADER@
END
	echo "### BEGIN /etc/grub.d/10_linux ###"
	for kernel in /boot/vmlinuz-*; do
		release=${kernel#/boot/vmlinuz-}
		for words in "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" "single $GRUB_CMDLINE_LINUX"; do
			case $words in single*) mode=recovery ;; *) mode=advanced ;; esac
			echo "menuentry 'Linux $release' --class os \$menuentry_id_option 'gnulinux-$release-$mode-1' {"
			echo "	linux	/boot/vmlinuz-$release root=/dev/sda1 ro $words"
			echo "	initrd	/boot/initrd.img-$release"
			echo "}"
		done
	done
	echo "### END /etc/grub.d/10_linux ###"
	cat <<END
@CUSTOM@
END
} >"$out.new"
chmod 444 "$out.new" || true
cat "$out.new" >"$out"
rm -f "$out.new"
"""


GRUB_MKCONFIG = GRUB_MKCONFIG.replace("@HEADER@", GRUB_HEADER).replace("@CUSTOM@", GRUB_CUSTOM)
GRUB_SCRIPT = "#!/bin/sh\n# reads /etc/default/grub.d\n" + GRUB_MKCONFIG.split("\n", 1)[1]
UPDATE_GRUB = "#!/bin/sh\nset -e\nexec grub-mkconfig -o /boot/grub/grub.cfg \"$@\"\n"
GRUB_DEFAULTS = ("GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n"
                 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n')


def put(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)


def grub_cfg(kernels, words="quiet"):
    """As the script above writes it."""
    lines = [GRUB_HEADER.replace("\\$", "$").replace("$GRUB_DEFAULT", "0"),
             "### BEGIN /etc/grub.d/10_linux ###"]
    for release in sorted(kernels):
        for mode, line in (("advanced", f" {words}"), ("recovery", "single ")):
            lines += [f"menuentry 'Linux {release}' --class os $menuentry_id_option "
                      f"'gnulinux-{release}-{mode}-1' {{",
                      f"\tlinux\t/boot/vmlinuz-{release} root=/dev/sda1 ro {line}",
                      f"\tinitrd\t/boot/initrd.img-{release}", "}"]
    return "\n".join(lines + ["### END /etc/grub.d/10_linux ###",
                               GRUB_CUSTOM.replace("\\$", "$"), ""])


class Host:
    """`folder` must not exist. `base`: the folder with ghost-boot and ghost-claim."""

    def __init__(self, folder, base):
        self.dir = folder
        self.base = base

    def at(self, path):
        return os.path.join(self.dir, path.lstrip("/"))

    def put(self, path, data, mode=0o644):
        put(self.at(path), data, mode)

    def make(self):
        self.make_machine(KERNELS[-1])
        for name in ("etc/default/grub.d", "var/tmp", "var/lib", "var/log", "boot/grub", "usr/bin",
                     "usr/sbin", "root", "dev/disk", "usr/lib/modules"):
            os.makedirs(self.at(name), exist_ok=True)
        for name in ("bin", "sbin", "lib"):
            os.symlink("usr/" + name, self.at(name))
        self._system()
        self._kernels()
        self._image()
        for release in KERNELS:
            self.run_inside(["/usr/sbin/mkinitramfs", "-o", f"/boot/initrd.img-{release}", release])
        self._boot_loader()
        return self

    environment = {}

    def _boot_loader(self):
        self.run_inside(["/usr/sbin/grub-mkconfig", "-o", "/boot/grub/grub.cfg"])

    def make_machine(self, release):
        """Its sys and proc alone: what no program of the host changes."""
        self.machine = sysfs.desktop(self.dir)
        self.machine.cmdline("quiet")
        self.put("proc/sys/kernel/osrelease", release + "\n")
        self.put("proc/self/mounts", "/dev/nvme0n1p2 / ext4 rw 0 0\n")
        self.put("proc/self/mountinfo", "20 1 259:2 / / rw shared:1 - ext4 /dev/nvme0n1p2 rw\n")
        self.put("proc/mounts", "/dev/nvme0n1p2 / ext4 rw 0 0\n")
        self.put("proc/swaps", "Filename Type Size Used Priority\n")
        self.put("proc/iomem", "")
        for name in ("firmware/acpi/tables/DMAR", "class/iommu/dmar0/intel-iommu/cap"):
            self.put("sys/" + name, b"DMAR" + b"\0" * 44 if name.endswith("DMAR") else "0\n")
        disk = self.machine.nvme.folder + "/nvme/nvme0/nvme0n1"
        for name, number in (("nvme0n1", "259:0"), ("nvme0n1/nvme0n1p2", "259:2")):
            where = os.path.join(os.path.dirname(disk), name)
            put(os.path.join(where, "dev"), number + "\n")
            os.makedirs(self.at("sys/class/block"), exist_ok=True)
            os.symlink(os.path.relpath(where, self.at("sys/class/block")),
                       self.at("sys/class/block/" + os.path.basename(name)))
            os.makedirs(self.at("sys/dev/block"), exist_ok=True)
            os.symlink(os.path.relpath(where, self.at("sys/dev/block")),
                       self.at("sys/dev/block/" + number))
        put(os.path.join(disk, "nvme0n1p2", "partition"), "2\n")

    def _system(self):
        self.put("etc/os-release", 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
        self.put("etc/default/grub", GRUB_DEFAULTS)
        self.put("etc/fstab", "/dev/nvme0n1p2 / ext4 errors=remount-ro 0 1\n")
        self.put("etc/initramfs-tools/initramfs.conf", "MODULES=most\nCOMPRESS=gzip\n")
        self.put("etc/initramfs-tools/update-initramfs.conf", "update_initramfs=yes\n")
        self.put("etc/grub.d/10_linux", "#!/bin/sh\n", 0o755)
        shutil.copy("/bin/busybox", self.at("usr/bin/busybox"))
        for name in ("sh", "cat", "cp", "mv", "rm", "mkdir", "find", "sort", "cpio", "gzip", "chmod",
                     "true", "kill", "sleep", "head", "ln", "touch", "env"):
            os.symlink("busybox", self.at("usr/bin/" + name))
        os.mknod(self.at("dev/null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        self.put("usr/sbin/mkinitramfs", MKINITRAMFS, 0o755)
        self.put("usr/sbin/update-initramfs", "#!/bin/sh\nexit 9\nmkinitramfs -o\n", 0o755)
        self.put("usr/sbin/grub-mkconfig", GRUB_SCRIPT, 0o755)
        self.put("usr/sbin/update-grub", UPDATE_GRUB, 0o755)
        self._programs()

    def _programs(self):
        for name in ("ghost-boot", "ghost-claim"):
            shutil.copy(os.path.join(self.base, name), self.at("usr/sbin/" + name))
        for name in ("ghost-verify", "ghost-diag"):
            os.symlink("ghost-claim", self.at("usr/sbin/" + name))
        for name in ("ghost-boot", "ghost-claim"):
            for line in subprocess.run(["ldd", os.path.join(self.base, name)], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       check=False).stdout.splitlines():
                path = next((word for word in line.split() if word.startswith("/")), None)
                if path and not os.path.exists(self.at(path)):
                    if path.startswith("/lib64") and not os.path.lexists(self.at("lib64")):
                        os.symlink("usr/lib64", self.at("lib64"))
                        os.makedirs(self.at("usr/lib64"))
                    os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
                    shutil.copy(path, self.at(path))
        self.put("usr/share/initramfs-tools/hooks/ghost-boot", "#!/bin/sh\n", 0o755)

    def _kernels(self):
        for release in KERNELS:
            modules = f"usr/lib/modules/{release}"
            self.put(f"boot/vmlinuz-{release}", f"kernel {release}\n")
            self.put(f"boot/config-{release}", "CONFIG_INTEL_IOMMU=y\nCONFIG_VFIO_PCI=m\n"
                     "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n")
            for name in ("vfio-pci", "vfio-pci-core", "vfio", "vfio_iommu_type1"):
                self.put(f"{modules}/kernel/{name}.ko", "module " + name)
            self.put(f"{modules}/modules.dep",
                     "kernel/vfio-pci.ko: kernel/vfio-pci-core.ko kernel/vfio.ko\n"
                     "kernel/vfio-pci-core.ko: kernel/vfio.ko\n"
                     "kernel/vfio_iommu_type1.ko: kernel/vfio.ko\nkernel/vfio.ko:\n")
            self.put(f"{modules}/modules.dep.bin", "binary")
            self.put(f"{modules}/modules.builtin", "")
            self.put(f"{modules}/modules.alias", "")

    def _image(self):
        """What both images have, and what our hook adds."""
        image, ours = "usr/lib/test/image/", "usr/lib/test/ours/"
        self.put(image + "conf/initramfs.conf", "MODULES=most\n")
        self.put(image + "init", "#!/bin/sh\n", 0o755)
        self.put(image + "scripts/init-top/udev", "udevd\n", 0o755)
        self.put(image + "scripts/init-top/ORDER", "/scripts/init-top/udev\n")
        self.put(image + "usr/bin/filler", os.urandom(200000))
        self.put(ours + "conf/conf.d/00-ghost-boot", "/usr/" + CLAIM)
        self.put(ours + "scripts/init-top/00_ghost_boot", "/usr/" + CLAIM, 0o755)
        self.put(ours + "scripts/init-top/ORDER", "/scripts/init-top/00_ghost_boot\n"
                 "/scripts/init-top/udev\n")
        os.makedirs(self.at(ours + "usr/sbin"))
        shutil.copy(self.at("usr/sbin/ghost-claim"), self.at(ours + "usr/sbin/ghost-claim"))
        for name in ("ghost-verify", "ghost-diag"):
            os.symlink("ghost-claim", self.at(ours + "usr/sbin/" + name))

    def run_inside(self, argv, before=(), check=True, **options):
        """A program with the folder as its root; `before` runs it (strace)."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        ran = subprocess.run([*before, "chroot", self.dir, *argv], text=True, check=False,
                             errors="replace", timeout=120,
                             env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", **self.environment},
                             **options)
        if check and ran.returncode:
            raise RuntimeError(f"{argv} gave {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran

    def ghost(self, *args, **options):
        return self.run_inside(["/usr/sbin/ghost-boot", *args], **options)

    STATE = ("etc", "boot", "var", "usr/lib/modules")

    def snapshot(self, ours=False):
        """Every file that a change may touch: kind, mode, owner, content; not our own records,
        unless wanted, nor logs."""
        found = {}
        for top in self.STATE:
            for base, folders, files in os.walk(self.at(top)):
                for name in folders + files:
                    path = os.path.join(base, name)
                    inside = os.path.relpath(path, self.dir)
                    if inside.startswith("var/log") or inside.startswith("var/tmp"):
                        continue
                    if not ours and inside.startswith("var/lib/ghost-boot"):
                        continue
                    info = os.lstat(path)
                    what = None
                    if stat.S_ISLNK(info.st_mode):
                        what = os.readlink(path)
                    elif stat.S_ISREG(info.st_mode):
                        with open(path, "rb") as f:
                            what = hashlib.sha256(f.read()).hexdigest()
                    found[inside] = (info.st_mode, info.st_uid, info.st_gid, what)
        return found

    def copy(self, folder):
        """The same host again, for the next run."""
        subprocess.run(["cp", "-a", self.dir, folder], check=True)
        other = type(self)(folder, self.base)
        other.machine = None
        return other

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)
