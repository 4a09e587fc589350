# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian 13 in a folder that boots unified kernel images: systemd's own kernel-install and ukify
have made them, of real images, on an ESP that is a folder. The PCI machine is a synthetic one."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
for folder in "deb", "change", "cli":
    sys.path.append(str(REPOSITORY / "tests" / folder))
import host as hosts  # noqa: E402
from root import Root, layer  # noqa: E402

OLD = "6.1.0-9-amd64"
ID = "0123456789abcdef0123456789abcdef"
LINE = "root=/dev/nvme0n1p2 ro quiet"
LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
KEY, CERTIFICATE = "/etc/kernel/key.pem", "/etc/kernel/certificate.pem"

# The older kernel is the newer one by another name; a fast image of few modules.
INSIDE = f"""
apt-get -qq update
apt-get -qq install --no-install-recommends libkmod2 libpci3 libblkid1 libefivar1 zlib1g liblzma5 \
    libzstd1 liblz4-1 liblzo2-2 libbz2-1.0 systemd-boot systemd-boot-efi systemd-ukify sbsigntool \
    openssl
new=$(ls /lib/modules)
cp /boot/vmlinuz-$new /boot/vmlinuz-{OLD}
cp /boot/config-$new /boot/config-{OLD}
ln -s $new /lib/modules/{OLD}
rm -f /etc/initramfs-tools/update-initramfs.conf
sed -i 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=zstd\\nCOMPRESSLEVEL=1/' \
    /etc/initramfs-tools/initramfs.conf
mkdir -p /efi/EFI/Linux /etc/kernel
echo {ID} >/etc/machine-id
printf 'layout=uki\\ninitrd_generator=initramfs-tools\\nBOOT_ROOT=/efi\\n' >/etc/kernel/install.conf
echo '{LINE}' >/etc/kernel/cmdline
for kernel in $(linux-version list); do
    mkinitramfs -o /boot/initrd.img-$kernel $kernel
    kernel-install --verbose add $kernel /boot/vmlinuz-$kernel
done
"""


def sections(path):
    """A unified image's sections, by name."""
    data = Path(path).read_bytes()
    at, = struct.unpack_from("<I", data, 0x3c)
    count, = struct.unpack_from("<H", data, at + 6)
    table = at + 24 + struct.unpack_from("<H", data, at + 20)[0]
    found = {}
    for i in range(count):
        name, size, _, raw, offset = struct.unpack_from("<8sIIII", data, table + 40 * i)
        found[name.rstrip(b"\0").decode()] = data[offset:offset + min(size, raw)]
    return found


class Machine:
    def __init__(self):
        self.root = Root(layer("trixie", "unified", INSIDE))
        self.dir = self.root.upper
        self.fake = Path(tempfile.mkdtemp(prefix="ghost-boot-unified."))
        subprocess.run(["make", "-s", "-C", str(REPOSITORY), "install", f"DESTDIR={self.dir}"],
                       check=True, stdout=subprocess.DEVNULL)
        self.new = next(r for r in self.run("linux-version list").split() if r != OLD)
        host = hosts.Host(str(self.fake), str(REPOSITORY / "build" / "dynamic"))
        host.make_machine(self.new)
        hosts.put(str(self.fake / "proc/cmdline"), f"{LINE} systemd.machine_id={ID}\n")
        self.variable("LoaderInfo", "systemd-boot 257.13-1")
        self.variable("StubInfo", "systemd-stub 257.13-1")
        self.variable("LoaderEntrySelected", f"{ID}-{self.new}.efi")

    def close(self):
        self.root.close()
        shutil.rmtree(self.fake, ignore_errors=True)

    def variable(self, name, value, guid=LOADER):
        data = value.encode("utf-16-le") + b"\0\0" if isinstance(value, str) else value
        hosts.put(str(self.fake / f"sys/firmware/efi/efivars/{name}-{guid}"), b"\6\0\0\0" + data)

    def put(self, path, data, mode=0o644):
        if os.path.lexists(f"{self.dir}{path}"):  # what a layer below it has may be hidden by it
            os.unlink(f"{self.dir}{path}")
        hosts.put(str(self.dir) + path, data, mode)

    def run(self, inside, code=0, synthetic=False):
        binds = [(self.fake / "sys", "/sys"), (self.fake / "proc", "/proc")] if synthetic else []
        return self.root.run(inside, code=code, binds=binds)

    def ghost(self, words, code=0):
        """libefivar takes a folder for the firmware's variables only when it is told to."""
        return self.run(f"EFIVARFS_PATH=/sys/firmware/efi/efivars/ ghost-boot {words}", code=code,
                        synthetic=True)

    def read(self, path):
        """The bytes of a file as the machine has it."""
        for layered in self.dir, *map(Path, self.root.lower):
            if os.path.lexists(f"{layered}{path}"):
                return Path(f"{layered}{path}").read_bytes()
        return None

    def image(self, release, counter=""):
        """Where the unified image of a kernel lies, outside."""
        path = f"/efi/EFI/Linux/{ID}-{release}{counter}.efi"
        return next(f"{layered}{path}" for layered in (self.dir, *self.root.lower)
                    if os.path.exists(f"{layered}{path}"))

    def line(self, release):
        return sections(self.image(release))[".cmdline"].rstrip(b"\0").decode()

    def claims(self, release):
        """The claims file in the .initrd of a unified image, or ""."""
        self.put("/tmp/image", sections(self.image(release))[".initrd"])
        return self.run("rm -rf /tmp/x; unmkinitramfs /tmp/image /tmp/x; "
                        "cat /tmp/x/etc/ghost-boot/claims /tmp/x/main/etc/ghost-boot/claims "
                        "2>/dev/null || :; rm -rf /tmp/x /tmp/image")

    STATE = "etc boot efi var/lib/ghost-boot"

    def snapshot(self, state=STATE):
        """Every file that a change may touch: kind, mode, owner, bytes."""
        return self.run("cd /; for top in " + state + "; do [ -e $top ] || continue; "
                        "find $top -printf '%M %U:%G %p %l\\n' | sort; "
                        "find $top -type f -exec sha256sum {} + | sort -k2; done")
