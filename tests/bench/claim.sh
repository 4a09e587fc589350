#!/bin/sh
# What people write by hand into an init-top script: no checks, no records.
cd /sys/bus/pci || exit
for f in 0000:02:00.0 0000:02:00.1 0000:02:00.2 0000:02:00.3; do
	echo vfio-pci >devices/$f/driver_override
done
modprobe vfio-pci
modprobe vfio_iommu_type1
[ ! -e devices/0000:02:00.3/driver ] || echo 0000:02:00.3 >devices/0000:02:00.3/driver/unbind
for f in 0000:02:00.0 0000:02:00.1 0000:02:00.2 0000:02:00.3; do
	echo $f >drivers_probe
done
