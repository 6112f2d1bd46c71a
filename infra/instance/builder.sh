#cloud-boothook
#!/bin/sh
# The user data of a builder: marks the machine, and holds Docker back until configure.sh lets it start. A builder is a
# clone of a member, whose containers Docker starts with itself: workers and schedulers would join the live data at once.
#
# cloud-init runs a boot hook at each boot before network-online.target, after which docker.service starts. A `bootcmd`
# would take the place of the image's own, and a mask in /run would hide no unit that somebody has put into /etc. All
# this lies in /run, and so not in the image that is made of the builder.
touch /run/fleetwright-builder
for unit in docker.service docker.socket; do
    mkdir -p "/run/systemd/system/$unit.d"
    printf '[Unit]\nConditionPathExists=!/run/fleetwright-builder\n' >"/run/systemd/system/$unit.d/fleetwright-builder.conf"
done
systemctl daemon-reload
