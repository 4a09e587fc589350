#!/bin/bash
# Puts the boot claim into a dracut image. No policy here: ghost-claim decides.
# shellcheck disable=SC2154 # dracut's own variables

check() {
    # A crash kernel must touch as little as possible.
    [[ ${IN_KDUMP-} || " ${add_dracutmodules-} " == *" kdump"* ]] && return 1
    [[ ${outfile-} == */kdump/* || ${outfile-} == *kdump*.img ]] && return 1
    require_binaries /usr/sbin/ghost-claim || return 1
}

depends() {
    return 0
}

installkernel() {
    local modules
    modules=$("${dracutsysrootdir-}/usr/sbin/ghost-claim" --modules --root "${dracutsysrootdir:-/}") ||
        modules='vfio_pci vfio_iommu_type1'
    # No device on the building machine need be on vfio-pci for the next boot to need it.
    # shellcheck disable=SC2086 # one word a module
    hostonly='' instmods $modules
    # Where a trial's boots are counted; and for ghost-diag --save onto a stick.
    hostonly='' instmods efivarfs vfat nls_cp437
}

install() {
    local claims=/etc/ghost-boot/claims unit=$systemdsystemunitdir/ghost-claim.service
    local standing=/var/lib/ghost-boot/standing-claims

    inst_binary /usr/sbin/ghost-claim
    # One program under three names.
    ln -sf ghost-claim "$initdir/usr/sbin/ghost-verify"
    ln -sf ghost-claim "$initdir/usr/sbin/ghost-diag"
    # Not -H: what is marked as the host's own is deleted at boot by rd.hostonly=0.
    # While a trial of other claims waits, those that stand go into every image but the trial's own.
    [[ -z ${GHOST_BOOT_TRIAL-} && -e ${dracutsysrootdir-}$standing ]] && claims=$standing
    [[ -e ${dracutsysrootdir-}$claims ]] &&
        inst_simple "$claims" /etc/ghost-boot/claims
    inst_rules 60-ghost-boot.rules

    # With systemd, modules-load and udevd start unordered against dracut's hooks: only a unit of
    # our own that comes before both is first. Without, cmdline 00 comes before rd.driver.pre
    # (cmdline 01) and udevd. The hook goes into both: it stands in where the unit was masked.
    if dracut_module_included "systemd"; then
        inst_simple "$moddir/ghost-claim.service" "$unit"
        mkdir -p "$initdir$systemdsystemunitdir/sysinit.target.wants"
        ln_r "$unit" "$systemdsystemunitdir/sysinit.target.wants/ghost-claim.service"
    fi
    inst_hook cmdline 00 "$moddir/ghost-claim.sh"
    # The last word before dracut's own: what scrolls is read last.
    inst_hook emergency 99 "$moddir/ghost-diag.sh"
}
