#cloud-boothook
#!/bin/sh
# The user data of a builder. It marks the machine, and keeps Docker from starting until configure.sh allows it. A builder is
# a clone of a member, and Docker starts the containers of the member when it starts itself: workers and schedulers would
# connect to the live data at once.
#
# cloud-init runs a boot hook at each boot before network-online.target, and docker.service starts after that target. A
# `bootcmd` would replace the image's own `bootcmd`, and a mask in /run would not hide a unit in /etc. Everything that this
# script writes is in /run, so the image of the builder does not contain it.
touch /run/fleetwright-builder
for unit in docker.service docker.socket; do
    mkdir -p "/run/systemd/system/$unit.d"
    printf '[Unit]\nConditionPathExists=!/run/fleetwright-builder\n' >"/run/systemd/system/$unit.d/fleetwright-builder.conf"
done
systemctl daemon-reload
