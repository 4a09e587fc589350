"""Trial boots on machines whose boot loader or firmware forgets badly: GRUB's environment on btrfs,
LVM and a file system mounted read-only; EFI variables that are full, locked, read-only, not there;
Secure Boot. Either a boot is tried, once, or nothing is changed and `enable` says why and what is
left; where boots are counted, the third has no claims.
"""

import re
import shutil
from pathlib import Path

import disk
import efistore
import life
import trial
from check import demand
from stages import Stage

# Of the archive, for the scenarios of that machine alone.
PACKAGES = {
    "debian13-grub-bios": ("btrfs-progs", "lvm2"),
    "debian13-grub-efi": ("btrfs-progs", "shim-signed", "grub-efi-amd64-signed"),
    "debian13-systemd-boot": (),
}
NO_TRIAL = "No trial boot can be made on this machine"
FOR_GOOD = "holds from the next boot on, at once and for good"
RECOVERY = 'the entry "without GPU claims"'
EFIVARS = "/sys/firmware/efi/efivars"
COUNTER = f"{EFIVARS}/GhostBootUnconfirmed-4d96d10c-7292-4f2a-ba4b-9b776eaaca67"
ONE_SHOT = "LoaderEntryOneShot", "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
FILLED = "11111111-2222-3333-4444-555555555555"
# Until the firmware takes no more, not even little ones.
FILL = (f"cd {EFIVARS}; full=; for size in 6000 1000 100 1; do "
        "{ printf '\\007\\000\\000\\000'; head -c $size /dev/zero; } >/run/filling; "
        "for n in $(seq 100); do "
        f"cat /run/filling 2>/dev/null >Fill$size.$n-{FILLED} || {{ full=$size; break; }}; "
        "done; done; "
        f"chattr -i *-{FILLED} 2>/dev/null; find . -name '*-{FILLED}' -size -5c -delete; "
        f"ls | grep -c {FILLED}; [ \"$full\" = 1 ]")
EMPTY = (f"cd {EFIVARS}; chattr -i *-{FILLED}; rm -f *-{FILLED}; "
         f"[ -z \"$(find . -name '*-{FILLED}' -size +0c)\" ]")


CONF = "/etc/initramfs-tools/update-initramfs.conf"


def install(machine, *names):
    """Our packages and NAMES by apt. The usual images are left as they are: where they matter,
    `enable` builds them, and here an image takes minutes."""
    machine.must(f"cp {CONF} /run/conf && echo update_initramfs=no >{CONF} && "
                 f"{life.INSTALL} {' '.join(names)} && cp /run/conf {CONF}", 1800,
                 "packages by apt")


# ---- what is demanded -----------------------------------------------------------------------

def refused(machine, before, code, *words):
    """`enable` ends with CODE, says all WORDS, and all files are what they were BEFORE."""
    got, text = machine.run(trial.TRY, 1800)
    text = " ".join(text.split())
    demand(got == code, f"enable ended with {got}, wanted {code}: {text[-900:]}")
    for one in words:
        demand(one in text, f"enable does not say {one!r}: {text[-1500:]}")
    unchanged(machine, before)
    machine.say(f"{machine.name}: exit {code}: {text[text.find(words[0]):][:400]}")


def every_file(machine):
    return machine.must(life.SUMS, 600)


def unchanged(machine, before):
    left = set(before.splitlines()) ^ set(every_file(machine).splitlines())
    demand(not left, "enable changed " + "; ".join(sorted(left)[:6]))
    now = trial.said(machine)
    demand(now is None or now["state"] == "failed", f"a trial is known: {now}")


def asked(machine, answer):
    """`enable` at a terminal, where somebody answers: (exit status, its words)."""
    code, text = machine.run(f"echo {answer} | script -qec 'ghost-boot enable 02:00' /dev/null",
                             1800)
    text = " ".join(text.split())
    demand("Carry this out? [y/N]" in text, f"nobody was asked: {text[-600:]}")
    return code, text


def not_claimed(machine, place):
    """No function is with another driver than before ghost-boot came."""
    report = machine.report()
    demand(not report.on("vfio-pci"), f"on vfio-pci: {sorted(report.on('vfio-pci'))}")
    now = trial.drivers(machine)
    demand(now == place.facts["drivers"], f"drivers: {now}, before {place.facts['drivers']}")


def failed(machine, story):
    trial.ended(machine, 600)
    now = trial.state(machine, "failed", False)
    demand(re.search(story, now["reason"]), f"status has as its reason: {now['reason']}")
    notice = " ".join(machine.must(f"cat {trial.NOTICE}").split())
    demand(re.search(story, notice), f"the notice says: {notice}")


def cut(machine):
    machine.must("sync")
    machine.cut()


def taken_back(machine, place):
    """After `disable`: files as they were, but for images, which were built anew."""
    machine.must(life.DISABLE, 1800, "disable")
    demand(trial.said(machine) is None, "a trial is left")
    left = [line for line in set(place.facts["sums"]) ^ set(trial.sums(machine, trial.WRITTEN))
            if "/initrd.img-" not in line]
    demand(not left, "not as before: " + "; ".join(sorted(left)[:8]))


# ---- GRUB's environment --------------------------------------------------------------------

ROOM = 1300
SPLIT = ("sfdisk -q --relocate gpt-bak-std /dev/nvme0n1 2>/dev/null; "
         "printf ',420M\\n,420M\\n,420M\\n' | "
         "sfdisk -q --append --no-reread --force /dev/nvme0n1 >/dev/null 2>&1 && "
         "partx -u /dev/nvme0n1 && udevadm settle && lsblk -nro NAME /dev/nvme0n1")
BTRFS = "mkfs.btrfs -q -f {part} && echo {part}"
LVM = ("pvcreate -qqy {part} && vgcreate -qq boot {part} && "
       "lvcreate -qqy -l 90%FREE -n boot boot && mkfs.ext4 -q -F /dev/boot/boot && "
       "echo /dev/mapper/boot-boot")
EXT4 = "mkfs.ext4 -q -F {part} && echo {part}"


def split(machine):
    """More partitions, for a /boot of its own; their names."""
    before = set(machine.must("lsblk -nro NAME /dev/nvme0n1").split())
    return sorted(set(machine.must(SPLIT).split()) - before)


def move_boot(machine, part, make, kind, options="defaults"):
    """/boot, with all that is in it, lies there from now on, and GRUB reads it there."""
    device = machine.must(make.format(part=f"/dev/{part}"), 300).split()[-1]
    machine.must(f"""set -e
udevadm settle
mount {device} /mnt
cp -ax /boot/. /mnt/
umount /mnt
if mountpoint -q /boot/efi; then umount /boot/efi; fi
if mountpoint -q /boot; then umount /boot; fi
sed -i '\\| /boot |d' /etc/fstab
echo "UUID=$(blkid -s UUID -o value {device}) /boot {kind} {options} 0 0" >>/etc/fstab
systemctl daemon-reload
mount -o rw /boot
if grep -q ' /boot/efi ' /etc/fstab; then mount /boot/efi; fi
{disk.INSTALL[machine.base.kind.loader]}
sync
""", 900, f"/boot on {kind}")


def lies_on(machine, kind):
    found = machine.must("findmnt -no FSTYPE,OPTIONS /boot")
    demand(found.split()[0] == kind, f"/boot is {found}")
    return found


def installed(place):
    """A trial is armed; then /boot moves to where GRUB can't write, its environment with it."""
    with place.machine(room=ROOM) as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "btrfs-progs", "lvm2")
        place.facts["parts"] = split(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        move_boot(machine, place.facts["parts"][0], BTRFS, "btrfs")
        env = machine.must("grub-editenv /boot/grub/grubenv list")
        demand(f"next_entry={trial.said(machine)['entry']}" in env, f"GRUB's environment: {env}")
        machine.end("reboot")


def on_btrfs(place):
    """GRUB is told to take the trial and can't forget it: it does not take it. Nothing is asked of
    it again."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        lies_on(machine, "btrfs")
        line = machine.must("cat /proc/cmdline")
        demand("ghost" not in line, f"the trial was booted: {line}")
        not_claimed(machine, place)
        failed(machine, "the boot loader did not take its entry")
        env = machine.must("grub-editenv /boot/grub/grubenv list")
        demand("next_entry=ghost" not in env, f"it is still asked for: {env}")
        before = every_file(machine)
        refused(machine, before, 3, NO_TRIAL, "GRUB can't write its environment", "it is on btrfs",
                FOR_GOOD, RECOVERY,
                "no protection against a boot that fails", "--no-trial")
        code, text = asked(machine, "n")
        demand(code == 0 and "Nothing was changed." in text and FOR_GOOD in text,
               f"{code}: {text[-500:]}")
        unchanged(machine, before)
        machine.must(life.DISABLE, 1800, "disable")
        demand(trial.said(machine) is None, "a trial is left")
        move_boot(machine, place.facts["parts"][1], LVM, "ext4")
        machine.end("reboot")


def on_lvm(place):
    """The same, but somebody says yes: it holds for good, and is called so."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand("/dev/mapper/" in machine.must("findmnt -no SOURCE /boot"), "/boot is not on LVM")
        trial.remember(machine, place)
        refused(machine, every_file(machine), 3, NO_TRIAL, "GRUB can't write its environment",
                "it is on LVM", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails", "--no-trial")
        code, text = asked(machine, "y")
        demand(code == 0 and "Done. It holds from the next boot on" in text,
               f"{code}: {text[-500:]}")
        demand("tries it, once" not in text, text[-800:])
        demand(trial.said(machine) is None, "a trial is known")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        demand("ghost.trial" not in machine.must("cat /proc/cmdline"), "it is called a trial")
        taken_back(machine, place)
        # it writes to GRUB's environment in each boot
        machine.must("systemctl -q mask grub-common.service")
        move_boot(machine, place.facts["parts"][2], EXT4, "ext4", "ro")
        machine.end("reboot")


def read_only(place):
    """What is mounted so can be changed by nobody, and what helps is said; then it is tried."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(lies_on(machine, "ext4").split()[1].startswith("ro"), "/boot can be written")
        not_claimed(machine, place)
        trial.remember(machine, place)
        refused(machine, every_file(machine), 3, "mounted read-only", "Nothing was changed.",
                "mount -o remount,rw /boot")
        machine.must("mount -o remount,rw /boot")
        trial.armed(machine, place)
        machine.end("reboot")


def read_only_trial(place):
    """GRUB has written what Linux may not; the trial can't be kept there, and ends as any other."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(lies_on(machine, "ext4").split()[1].startswith("ro"), "/boot can be written")
        trial.tried(machine)
        code, text = machine.run("ghost-boot confirm", 1800)
        demand(code in (1, 3) and "read-only" in text, f"confirm: {code}: {text[-600:]}")
        machine.say(f"{machine.name}: confirm: exit {code}: {text[-200:]}")
        trial.state(machine, "booted", True)
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        machine.must("mount -o remount,rw /boot")
        taken_back(machine, place)
        machine.end("poweroff")


GRUB_BIOS = (
    Stage("installed", None, installed),
    Stage("btrfs", "installed", on_btrfs),
    Stage("lvm", "btrfs", on_lvm),
    Stage("read-only", "lvm", read_only),
    Stage("read-only-trial", "read-only", read_only_trial),
)


# ---- boots that are counted ----------------------------------------------------------------

def counted(machine):
    """The counter, None if there is none."""
    text = machine.run(f"cat {COUNTER} 2>/dev/null | od -An -tu1 -v")[1].split()
    return int(text[5]) if text else None


def crowd(machine):
    """Before a boot: from inside, emulated, the most of it would take minutes."""
    efistore.crowd(machine.vars, "Fill", FILLED, 16 << 10)


def fill(machine):
    machine.must(FILL, 600, "the store filled")


def efi_installed(place):
    """/boot on btrfs, and nothing of ours asked for."""
    with place.machine(room=ROOM) as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "btrfs-progs")
        move_boot(machine, split(machine)[0], BTRFS, "btrfs")
        machine.end("reboot")


def second_line(place):
    """What protects where GRUB can't, and what is said where that can't be had, too."""
    with place.machine(packages=False) as machine:
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        lies_on(machine, "btrfs")
        trial.remember(machine, place)
        before = every_file(machine)
        machine.must(f"umount {EFIVARS}")
        refused(machine, before, 3, NO_TRIAL, "it is on btrfs", "What helps: mount -t efivarfs",
                FOR_GOOD, "no protection against a boot that fails")
        machine.must(f"mount -t efivarfs -o ro efivarfs {EFIVARS}")
        refused(machine, before, 1, NO_TRIAL, "GhostBootUnconfirmed", "Nothing was changed.",
                "remount,rw")
        machine.must(f"mount -o remount,rw {EFIVARS}")
        fill(machine)
        refused(machine, before, 1, NO_TRIAL, "GhostBootUnconfirmed", "Nothing was changed.",
                "store is full", "and reboot")
        machine.must(EMPTY)
        # OVMF has the room only after the next boot
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        count(machine)
        machine.end("reboot")


def count(machine):
    """The change is made, and its boots are counted."""
    text = " ".join(machine.must(trial.TRY, 1800, "enable").split())
    for one in (NO_TRIAL, "it is on btrfs", "its boots are counted in an EFI variable",
                "2 boots have the claims", "`ghost-boot disable` takes all of it back"):
        demand(one in text, f"enable does not say {one!r}: {text[-1500:]}")
    demand("tries it, once" not in text, text[-800:])
    trial.state(machine, "armed", False)
    demand(counted(machine) == 0, f"the counter is {counted(machine)}")


def claimed_boot(machine, number):
    machine.boot()
    trial.tried(machine)
    demand(counted(machine) == number, f"the counter is {counted(machine)}, wanted {number}")


def over(place):
    """Two boots that nobody confirms have claims; the third has none, and says why."""
    with place.machine(packages=False) as machine:
        for number in (1, 2):
            claimed_boot(machine, number)
            cut(machine)
        machine.boot()
        life.healthy(machine)
        not_claimed(machine, place)
        failed(machine, "not confirmed in 2 boots")
        demand("This boot claims nothing." in machine.must(f"cat {trial.NOTICE}"), "the notice")
        count(machine)
        machine.end("reboot")


def uncountable(place):
    """A store that is full by then: what can't be counted is not claimed. Once it can be, it
    is."""
    with place.machine(packages=False) as machine:
        claimed_boot(machine, 1)
        cut(machine)
        efistore.fill(machine.vars, "Fill", FILLED)
        machine.boot()
        life.healthy(machine)
        not_claimed(machine, place)
        failed(machine, "can't be written: .* claims nothing")
        machine.must(EMPTY)
        machine.end("reboot")


def confirmed(place):
    """The second of two boots is confirmed: nothing counts any more."""
    with place.machine(packages=False) as machine:
        claimed_boot(machine, 2)
        machine.must("ghost-boot confirm", 1800, "confirm")
        demand(counted(machine) is None and trial.said(machine) is None, "the trial is left")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        life.claimed(machine)
        demand("ghost.trial" not in machine.must("cat /proc/cmdline"), "it is still counted")
        taken_back(machine, place)
        machine.end("poweroff")


# ---- Secure Boot ---------------------------------------------------------------------------

SECURE_CODE = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
MICROSOFTS = Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
SIGNED = ("grub-install --target=x86_64-efi --efi-directory=/boot/efi --bootloader-id=debian "
          "--force-extra-removable && update-grub")


def guard(machine):
    """From the next boot on, firmware that knows signatures; with its keys, it asks for them."""
    machine.code = SECURE_CODE
    machine.more = ("-machine", "smm=on", "-global", "ICH9-LPC.disable_s3=1",
                       "-global", "driver=cfi.pflash01,property=secure,value=on")


def is_locked(machine):
    text = machine.must(f"od -An -tu1 {EFIVARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c; "
                        "cat /sys/kernel/security/lockdown")
    demand(text.split()[4] == "1" and "[integrity]" in text, f"no Secure Boot: {text}")


def signed(place):
    """Debian's shim and GRUB; a trial with the firmware's lock on."""
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        install(machine, "shim-signed", "grub-efi-amd64-signed")
        machine.must(SIGNED, 600)
        machine.end("poweroff")
        shutil.copy(MICROSOFTS, machine.vars)
        guard(machine)
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        machine.end("reboot")


def signed_trial(place):
    """Tried once, whatever happens; and kept, when somebody says so."""
    with place.machine(packages=False) as machine:
        guard(machine)
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        trial.tried(machine)
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        trial.armed(machine, place)
        machine.end("reboot")


def signed_kept(place):
    with place.machine(packages=False) as machine:
        guard(machine)
        machine.boot()
        trial.tried(machine)
        machine.must("ghost-boot confirm", 1800, "confirm")
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        is_locked(machine)
        life.claimed(machine)
        machine.end("poweroff")


GRUB_EFI = (
    Stage("installed", None, efi_installed),
    Stage("second-line", "installed", second_line),
    Stage("over", "second-line", over),
    Stage("uncountable", "over", uncountable),
    Stage("confirmed", "uncountable", confirmed),
    Stage("signed", None, signed),
    Stage("signed-trial", "signed", signed_trial),
    Stage("signed-kept", "signed-trial", signed_kept),
)


# ---- systemd-boot's variable ---------------------------------------------------------------

ENTRIES = "/boot/efi/loader/entries/*.conf"
CLOSED = "efi=noruntime"


def systemd_installed(place):
    with place.machine() as machine:
        machine.boot()
        life.healthy(machine)
        install(machine)
        machine.end("poweroff")


def store(place):
    """Locked by the firmware, read-only, not mounted, full: nothing is built for a boot that can't
    be asked for."""
    with place.machine(packages=False) as machine:
        plain = machine.folder / "plain"
        shutil.copy(machine.vars, plain)
        efistore.add(machine.vars, *ONE_SHOT, b"\0\0", efistore.LASTING | efistore.SIGNED)
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        before = every_file(machine)
        refused(machine, before, 1, "LoaderEntryOneShot", "can't be written",
                "Nothing was changed.", "the firmware refuses changes of its variables")
        machine.must(f"mount -o remount,ro {EFIVARS}")
        refused(machine, before, 1, "LoaderEntryOneShot", "Read-only file system",
                "Nothing was changed.", f"mount -o remount,rw {EFIVARS}")
        machine.must(f"umount {EFIVARS}")
        refused(machine, before, 3, NO_TRIAL, "variables can't be reached",
                "What helps: mount -t efivarfs", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails")
        machine.must(f"mount -t efivarfs efivarfs {EFIVARS}")
        fill(machine)
        refused(machine, before, 1, "LoaderEntryOneShot", "Nothing was changed.", "store is full",
                "dump-*")
        machine.must(f"sed -i '/^options/s/$/ {CLOSED}/' {ENTRIES}")
        machine.end("poweroff")
        shutil.copy(plain, machine.vars)


def no_runtime(place):
    """A kernel that leaves the firmware alone."""
    with place.machine(packages=False) as machine:
        machine.boot()
        life.healthy(machine)
        demand(machine.run(f"ls {EFIVARS}/*")[0] != 0, "there are variables")
        refused(machine, every_file(machine), 3, NO_TRIAL, "variables can't be reached",
                f"a boot without {CLOSED}", FOR_GOOD, RECOVERY,
                "no protection against a boot that fails")
        machine.must(f"sed -i 's/ {CLOSED}//' {ENTRIES}")
        machine.end("reboot")


def full(place):
    """The store fills up while a trial waits: it is tried once, all the same."""
    with place.machine(packages=False) as machine:
        crowd(machine)
        machine.boot()
        life.healthy(machine)
        trial.remember(machine, place)
        trial.armed(machine, place)
        fill(machine)
        machine.end("reboot")
        machine.boot()
        life.healthy(machine)
        trial.tried(machine)
        demand(machine.must(f"ls {EFIVARS} | grep -c {FILLED}") != "0", "the store was emptied")
        cut(machine)
        machine.boot()
        life.healthy(machine)
        failed(machine, "lost its power before it was confirmed")
        trial.old(machine, place)
        taken_back(machine, place)
        machine.end("poweroff")


SYSTEMD_BOOT = (
    Stage("installed", None, systemd_installed),
    Stage("store", "installed", store),
    Stage("no-runtime", "store", no_runtime),
    Stage("full", "no-runtime", full),
)

STAGES = {
    "debian13-grub-bios": GRUB_BIOS,
    "debian13-grub-efi": GRUB_EFI,
    "debian13-systemd-boot": SYSTEMD_BOOT,
}
