#!/usr/bin/env bash
#
# A machine for a test, on the kernel of this computer: systemd, Docker and an isolated network.
#
#   machine.sh make ROOT          makes the machine's disk
#   machine.sh boot ROOT SHARE    boots it in the foreground, until it is powered off or killed
#
# The machine has a read-only /usr, with the programs of this computer, and nothing else of it. SHARE is the directory
# that serves its share. If it does not exist, the machine finds no share to mount. ROOT/user-data runs at boot, at the
# time when cloud-init would run it. Requires root.

set -euo pipefail

make() {
    local root=$1 directory link unit units=$1/etc/systemd/system
    mkdir -p "$root"/{dev,etc/docker,home/share,proc,root,run,srv,sys,tmp,usr,var/lib,var/log,var/tmp}
    mkdir -p "$units/multi-user.target.wants"
    for link in bin lib lib64 sbin; do
        [[ ! -L /$link ]] || ln -s "$(readlink "/$link")" "$root/$link"
    done
    ln -s /run "$root/var/run"
    for directory in alternatives group ld.so.cache nsswitch.conf passwd; do
        [[ ! -e /etc/$directory ]] || cp -a "/etc/$directory" "$root/etc/"
    done
    printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    printf '/srv/share /home/share none bind,nofail,_netdev 0 0\n' >"$root/etc/fstab"
    printf '{"registry-mirrors": ["http://127.0.0.1:5000"]}\n' >"$root/etc/docker/daemon.json"

    # Disables units that would change this computer's kernel, and units that the machine does not need.
    for unit in console-getty.service getty.target systemd-logind.service systemd-modules-load.service \
        systemd-remount-fs.service systemd-sysctl.service systemd-udevd.service dev-hugepages.mount \
        sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount; do
        ln -s /dev/null "$units/$unit"
    done
    ln -s /lib/systemd/system/{docker.service,remote-fs.target} "$units/multi-user.target.wants/"
    cat >"$units/user-data.service" <<'UNIT'
[Unit]
Description=Replaces cloud-init.service, at the same point of the boot
ConditionPathExists=/user-data
DefaultDependencies=no
After=local-fs.target
Before=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh /user-data
UNIT
    ln -s ../user-data.service "$units/multi-user.target.wants/"
}

boot() {
    local root=$1 cgroups=/sys/fs/cgroup
    [[ ! -d $cgroups/unified ]] || cgroups+=/unified
    # The machine gets its own cgroup, so that its systemd sees no other.
    mkdir "$cgroups/fleetwright-$$"
    printf '%s' $$ >"$cgroups/fleetwright-$$/cgroup.procs"
    exec unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child -- "$0" inside "$root" "$2"
}

inside() {
    local root=$1 device
    mount --make-rprivate /
    mount --bind "$root" "$root"
    mount --bind /usr "$root/usr"
    mount -o remount,bind,ro "$root/usr"
    mount -t proc proc "$root/proc"
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    for device in full null random tty urandom zero; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    if [[ -d $2 ]]; then
        mkdir -p "$root/srv/share"
        mount --bind "$2" "$root/srv/share"
    else
        # A read-only directory keeps systemd from creating the missing one.
        mount -t tmpfs -o ro tmpfs "$root/srv"
    fi
    ip link set lo up
    hostname machine
    mkdir -p "$root/old"
    cd "$root"
    pivot_root . old
    umount --lazy /old
    exec env --ignore-environment container=fleetwright PATH=/usr/sbin:/usr/bin \
        /lib/systemd/systemd --unit=multi-user.target --log-target=journal
}

"$@"
