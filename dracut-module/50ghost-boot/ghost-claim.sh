#!/bin/sh
# Sourced by dracut's init before any driver is forced: a child, return, never exit.
# With systemd in the image the unit was first, and its record says so.

[ -e /run/ghost-boot/claim.json ] || /usr/sbin/ghost-claim --verify </dev/null >/dev/null || :
