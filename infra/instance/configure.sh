#!/usr/bin/env bash
#
# Installs one hop of an upgrade on the builder and migrates the data to it.
#
#   configure.sh --version 1.4.14 --from 1.3.8 --run RUN
#
# It upgrades a machine whose docker-compose.yml has the version --from to the version --version. It sets the image of the
# Appwrite services, pulls, starts only the service `appwrite`, runs `migrate` in it with a deadline, and judges the
# migration by its output. The last line of its own output is the verdict, and the exit status says the same:
#
#   fleetwright-verdict: ok version=1.4.14                           0
#   fleetwright-verdict: failed version=1.4.14 reason=...            1
#   (none: an argument or a setting is wrong, and nothing changed)   2
#
# Safe to repeat. A hop of a run has one verdict. A second call waits for the first one, prints the same output, and does
# nothing else. A hop that was cut off has no verdict; the next call starts over from the original compose file.
#
# A new minor version may need other services, entry points or variables. Then the operator puts the whole compose file of
# that minor version into the golden image, as overlays/X.Y/docker-compose.yml next to docker-compose.yml. The overlay
# replaces docker-compose.yml without a merge, and the script sets only its Appwrite versions. Without an overlay, the
# script keeps the present file.
#
# At the end the script removes the containers, so that the image of this machine has files and no container. A clone
# creates its own containers when it boots and its share is mounted, by a systemd unit that the script installs.
#
# The script never runs its arguments as shell code. It reads .env only to mask its secrets in the output.

set -euo pipefail
export LC_ALL=C
umask 077

readonly appwrite_dir=${FLEETWRIGHT_APPWRITE_DIR:-/root/appwrite}
readonly state_dir=${FLEETWRIGHT_STATE_DIR:-/var/lib/fleetwright}
readonly share_dir=${FLEETWRIGHT_SHARE_DIR:-/home/share}
readonly unit_dir=${FLEETWRIGHT_UNIT_DIR:-/etc/systemd/system}
readonly systemd_dir=${FLEETWRIGHT_SYSTEMD_DIR:-/run/systemd/system} # it exists where systemd runs
readonly builder_mark=/run/fleetwright-builder                       # see builder.sh; /run is empty after a boot

# Deadlines in seconds. Together, with three attempts to pull, they are 9,780 s. A call that waits for another call waits
# longer than that, and Run Command stops neither call before its own 9,900 s.
readonly docker_deadline=${FLEETWRIGHT_DOCKER_DEADLINE:-120}
readonly pull_deadline=${FLEETWRIGHT_PULL_DEADLINE:-1200}
readonly start_deadline=${FLEETWRIGHT_START_DEADLINE:-300}
readonly health_deadline=${FLEETWRIGHT_HEALTH_DEADLINE:-600}
readonly migrate_deadline=${FLEETWRIGHT_MIGRATE_DEADLINE:-4500}
readonly lock_deadline=${FLEETWRIGHT_LOCK_DEADLINE:-9800}

# Run Command keeps 24,000 characters of the output. With 60 lines of 240 characters, the verdict fits too.
readonly tail_lines=60
readonly line_limit=240

# The messages of a failed `migrate`. In most versions its exit status is 0 all the same.
readonly failure='Failed to (update|migrate) project|Failed to update document|Fatal error:|SQLSTATE\[|^\[Error\]|Collection not found|No migration found'

version='' from='' run='' hop_dir='' log='' mounts_share=no

main() {
    parse_arguments "$@"
    check_settings
    hop_dir=$state_dir/$run/$version
    # A call that a signal or an unexpected error ends prints this verdict and records none.
    exec 3>&1
    trap 'print_verdict "failed version=$version reason=cut off before the end; call it again" >&3' EXIT
    mkdir -p "$hop_dir"
    take_lock
    if [[ -f $hop_dir/verdict ]]; then
        repeat_verdict
    fi
    open_log
    cd "$appwrite_dir"
    start_docker
    start_over
    set_version
    start_appwrite
    wait_for_version
    migrate
    leave_for_clones
    conclude ok
}

parse_arguments() {
    while (($# > 0)); do
        (($# >= 2)) || refuse "'$1' has no value"
        case $1 in
            --version) version=$2 ;;
            --from) from=$2 ;;
            --run) run=$2 ;;
            *) refuse "'$1' is not an option" ;;
        esac
        shift 2
    done
    local number='(0|[1-9][0-9]{0,4})'
    local shape="^$number\.$number\.$number\$"
    [[ $version =~ $shape ]] || refuse "--version '$version' is not a version such as 1.4.14"
    [[ $from =~ $shape ]] || refuse "--from '$from' is not a version such as 1.3.8"
    [[ $run =~ ^[A-Za-z0-9_-]{1,80}$ ]] || refuse "--run '$run' is not 1 to 80 letters, digits, '_' or '-'"
    (($(rank "$version") > $(rank "$from"))) || refuse "--version $version is not above --from $from; a downgrade is not possible"
}

check_settings() {
    local directory seconds
    for directory in "$appwrite_dir" "$state_dir" "$share_dir" "$unit_dir" "$systemd_dir"; do
        # The script writes them into systemd units, also as a part of a command.
        [[ $directory =~ ^(/[A-Za-z0-9_.-]+)+$ ]] || refuse "the directory '$directory' is not a plain absolute path"
    done
    for seconds in "$docker_deadline" "$pull_deadline" "$start_deadline" "$health_deadline" "$migrate_deadline" "$lock_deadline"; do
        [[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || refuse "the deadline '$seconds' is not a number of seconds"
    done
    [[ -f $appwrite_dir/docker-compose.yml ]] || refuse "there is no $appwrite_dir/docker-compose.yml"
}

# Reports what is wrong with the call, without control characters.
refuse() {
    printf 'configure.sh: %s\n' "$1" | tr -cd '\12\40-\176' | cut -c 1-"$line_limit" >&2
    printf 'usage: configure.sh --version X.Y.Z --from X.Y.Z --run RUN\n' >&2
    exit 2
}

# A number that orders versions.
rank() {
    local major minor patch
    IFS=. read -r major minor patch <<<"$1"
    printf '%s' $((major * 10000000000 + minor * 100000 + patch))
}

# Only one hop runs on this machine at a time. The processes that a killed call left behind hold the lock too, except
# `migrate`, which `start_over` stops by removing its container.
take_lock() {
    exec 9>"$state_dir/lock"
    flock --timeout "$lock_deadline" 9 || end_without_record "another hop is still running here after $lock_deadline s"
}

repeat_verdict() {
    trap - EXIT
    cat "$hop_dir/verdict"
    if [[ $(tail -n 1 "$hop_dir/verdict") == "fleetwright-verdict: ok version=$version" ]]; then
        exit 0
    fi
    exit 1
}

# One log for each attempt, so that the next attempt does not report the failures of one that was cut off.
open_log() {
    local attempt=1
    while [[ -e $hop_dir/attempt-$attempt.log ]]; do
        attempt=$((attempt + 1))
    done
    log=$hop_dir/attempt-$attempt.log
    exec >"$log" 2>&1 </dev/null
    say "hop from $from to $version, attempt $attempt, run $run"
}

say() {
    printf '%s fleetwright: %s\n' "$(date -u +%FT%TZ)" "$1"
}

# Starts Docker without the containers that it would start by itself. A clone of an image that was made by hand has all
# containers of the member, with restart policies. So builder.sh, the user data of a builder, keeps Docker from starting at
# boot, and this function removes the policies while Docker is stopped. Docker has no setting for that.
start_docker() {
    if [[ ! -d $systemd_dir ]]; then
        say "no systemd here: the script uses Docker as it is"
        return
    fi
    [[ -e $builder_mark ]] || say "there is no $builder_mark: the user data did not run, and all containers started at boot"
    # This unit would start all services, and retry whenever that fails.
    systemctl stop fleetwright-compose.service || true
    if systemctl is-active --quiet docker.service; then
        return
    fi
    disarm_containers "$(docker_root)"
    rm -f "$systemd_dir"/docker.{service,socket}.d/fleetwright-builder.conf
    systemctl daemon-reload
    timeout "$docker_deadline" systemctl start docker.service ||
        fail "systemd could not start Docker$(mountpoint -q "$share_dir" || printf ', and %s is not mounted' "$share_dir")"
    [[ -z $(docker ps --quiet) ]] || say "Docker started containers all the same"
}

# The data directory of Docker, from its configuration or its command line.
docker_root() {
    local root
    root=$({ cat /etc/docker/daemon.json; systemctl show --property=ExecStart docker.service; } 2>/dev/null |
        grep -oE '(data-root|graph)"?[[:space:]]*[:= ][[:space:]]*"?/[^" ]+' | head -n 1 | grep -oE '/.*$') || true
    printf '%s' "${root:-/var/lib/docker}"
}

# With user namespaces, the containers are one directory deeper.
disarm_containers() {
    local settings
    for settings in "$1"/containers/*/hostconfig.json "$1"/*.*/containers/*/hostconfig.json; do
        if [[ -f $settings ]]; then
            sed -i 's/"RestartPolicy":{[^}]*}/"RestartPolicy":{"Name":"no","MaximumRetryCount":0}/' "$settings"
        fi
    done
}

# Restores the compose file from before the hop, whatever an attempt that was cut off left.
start_over() {
    local before=$hop_dir/docker-compose.before.yml unknown
    if [[ -f $before ]]; then
        say "an earlier attempt was cut off: restoring the compose file from before it"
        replace_compose_file "$before"
    else
        cp -p docker-compose.yml "$before.new"
        sync "$before.new"
        mv "$before.new" "$before"
    fi
    check_images "$before" docker-compose.yml
    unknown=$(versions_in "$before" | grep -vxF "$from" | head -n 1) || true
    [[ -z $unknown ]] || fail "docker-compose.yml has version $unknown of Appwrite, not $from"
    # A clone may have started all services at boot. Workers and schedulers must not process the live data twice, and no
    # container may remain of a service that the next minor version drops.
    compose "$start_deadline" rm --stop --force || fail "the running services could not be removed"
}

# Writes the compose file of the new version and validates it. Docker Compose may read other files too, and fills in
# variables. So the script checks the result: it must have the version, and if it mounts the share, the share is mounted.
set_version() {
    local overlay=overlays/${version%.*}/docker-compose.yml source=docker-compose.yml config odd
    if [[ -f $overlay ]]; then
        source=$overlay
        say "the operator's overlay $overlay replaces docker-compose.yml"
        check_images "$source" "$overlay"
    fi
    sed -E "s~$image_line~\\1:$version\\4~" "$source" >"$hop_dir/docker-compose.after.yml"
    replace_compose_file "$hop_dir/docker-compose.after.yml"
    say "docker compose config"
    # The result has secrets in it, so it stays out of the log.
    config=$(timeout --foreground --kill-after=30 60 docker compose config 3>&-) ||
        fail "docker compose finds $source invalid"
    odd=$(grep -E '^[[:space:]]*image:.*appwrite/appwrite([^A-Za-z0-9._/-]|$)' <<<"$config" |
        grep -vE "appwrite/appwrite:$(quote_regex "$version")[\"']?\$" | head -n 1) || true
    [[ -z $odd ]] || fail "docker compose would run '$(trim "$odd")' all the same"
    if grep -qE "(^|[^A-Za-z0-9_./-])$(quote_regex "$share_dir")([^A-Za-z0-9_.-]|\$)" <<<"$config"; then
        mounts_share=yes
        mountpoint -q "$share_dir" || fail "$share_dir is not mounted, and $source mounts it into containers"
    fi
}

# A line with the image of Appwrite itself; appwrite/console, appwrite/assistant and the databases are other images.
readonly image_line='^([[:space:]]*image:[[:space:]]+["'\'']?((index\.)?docker\.io/)?appwrite/appwrite):[0-9]+\.[0-9]+\.[0-9]+(["'\'']?[[:space:]]*(#.*)?)$'

# Fails if a line has an image of Appwrite in another form, since the script would leave it on the old version.
check_images() {
    local odd
    odd=$(grep -E '^[^#]*image:.*appwrite/appwrite([^A-Za-z0-9._/-]|$)' "$1" | grep -vE "$image_line" | head -n 1) || true
    [[ -z $odd ]] || fail "$2 has '$(trim "$odd")' where 'image: appwrite/appwrite:X.Y.Z' is expected"
    grep -qE "$image_line" "$1" || fail "$2 has no 'image: appwrite/appwrite:X.Y.Z'"
}

versions_in() {
    grep -E "$image_line" "$1" | sed -E 's#^[^:]*:.*appwrite/appwrite:([0-9.]+).*$#\1#'
}

quote_regex() {
    printf '%s' "$1" | sed 's/[][\.*^$+?(){}|]/\\&/g'
}

trim() {
    local text=${1#"${1%%[![:space:]]*}"}
    printf '%s' "${text%"${text##*[![:space:]]}"}"
}

# Replaces the file atomically and keeps its mode and owner.
replace_compose_file() {
    cp -p docker-compose.yml docker-compose.yml.new
    cat "$1" >docker-compose.yml.new
    sync docker-compose.yml.new
    mv docker-compose.yml.new docker-compose.yml
}

compose() {
    local deadline=$1
    shift
    say "docker compose $*"
    timeout --foreground --kill-after=30 "$deadline" docker compose "$@" 3>&-
}

# Pulls every image, so that a clone starts without a pull, and starts only the service `appwrite`.
start_appwrite() {
    local attempt
    for attempt in 1 2 3; do
        if compose "$pull_deadline" pull --quiet; then
            break
        fi
        ((attempt < 3)) || fail "docker compose could not pull the images of $version"
    done
    compose "$start_deadline" up --detach --no-deps --force-recreate --remove-orphans appwrite ||
        fail "docker compose could not start appwrite $version"
}

# The probe runs inside the container. If the image has no client that works, it runs here with the container's address,
# since only the service `appwrite` runs and its port is rarely published. Appwrite answers to the host name localhost
# whatever its domain is.
readonly health='/v1/health/version'
readonly probe="wget -q -T 5 -O - --header 'Host: localhost' http://127.0.0.1$health ||
    curl -fsS -m 5 -H 'Host: localhost' http://127.0.0.1$health"

ask_version() {
    local address
    if timeout --foreground --kill-after=5 15 docker exec appwrite sh -c "$probe"; then
        return
    fi
    address=$(timeout --foreground --kill-after=5 15 docker inspect appwrite |
        sed -nE 's/^ *"IPAddress": "([0-9.]+)",?$/\1/p' | sort -u) || return
    curl -fsS -m 5 -H 'Host: localhost' "http://${address%%$'\n'*}$health"
}

wait_for_version() {
    local end=$((SECONDS + health_deadline)) answer
    say "waiting at most $health_deadline s for $health to say $version"
    while true; do
        answer=$(ask_version 2>&1) || true
        if [[ $answer =~ \"version\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" && ${BASH_REMATCH[1]} == "$version" ]]; then
            say "appwrite $version answers"
            return
        fi
        ((SECONDS < end)) || fail "appwrite does not say that it is $version after $health_deadline s; it says: $answer"
        sleep 1
    done
}

# Only the output tells whether the migration succeeded, see `failure`.
migrate() {
    local output=$hop_dir/migrate.out status=0 began=$SECONDS line
    say "docker exec appwrite migrate, for at most $migrate_deadline s"
    timeout --foreground --kill-after=30 "$migrate_deadline" docker exec appwrite migrate \
        >"$output" 2>&1 3>&- 9>&- || status=$?
    cat "$output"
    say "migrate ended after $((SECONDS - began)) s with exit status $status"
    line=$(plain <"$output" | grep -m 1 -E "$failure") || true
    [[ -z $line ]] || fail "migrate printed: $(trim "$line")"
    if ((status == 124 || (status == 137 && SECONDS - began >= migrate_deadline))); then
        # The deadline stops `docker exec`. Removing the container stops the process inside it.
        compose "$start_deadline" rm --stop --force appwrite || say "the container could not be removed"
        fail "migrate had not ended after $migrate_deadline s"
    fi
    plain <"$output" | grep -F "$(success_line)" >/dev/null || fail "migrate never printed '$(success_line)'"
}

# The last line of a successful `migrate`; its words changed with 1.7.
success_line() {
    if (($(rank "$version") < $(rank 1.7.0))); then
        printf 'Data Migration Completed'
    else
        printf 'Migration completed'
    fi
}

# Removes colours and everything else that is not text.
plain() {
    sed -E $'s/\x1b\\[[0-9;?]*[A-Za-z]//g' | tr -cd '\11\12\40-\176'
}

leave_for_clones() {
    compose "$start_deadline" rm --stop --force || fail "the services could not be stopped"
    # Otherwise every hop would use more disk space of every clone.
    docker image rm "appwrite/appwrite:$from" || say "the image of $from could not be removed"
    if [[ ! -d $systemd_dir ]]; then
        say "no systemd here: no unit starts the services at boot"
        return
    fi
    if [[ $mounts_share == yes ]]; then
        docker_drop_in | install_unit docker.service.d/fleetwright.conf
    else
        rm -f "$unit_dir/docker.service.d/fleetwright.conf"
    fi
    boot_unit | install_unit fleetwright-compose.service
    systemctl daemon-reload || fail "systemd could not reload its units"
    systemctl enable docker.service fleetwright-compose.service || fail "systemd could not enable the start at boot"
}

install_unit() {
    install -D -m 644 /dev/stdin "$unit_dir/$1.new"
    mv "$unit_dir/$1.new" "$unit_dir/$1"
}

# Without its share, a container would bind an empty directory and serve it. That must not happen at later starts either,
# when Docker starts the containers by itself. So Docker waits for the share and checks the mount point, because `mount`
# succeeds for a share with the option nofail in fstab.
docker_drop_in() {
    cat <<UNIT
[Unit]
After=remote-fs.target
StartLimitIntervalSec=0

[Service]
ExecStartPre=/usr/bin/env sh -c 'mountpoint -q $share_dir || mount $share_dir; mountpoint -q $share_dir'
Restart=on-failure
RestartSec=5
UNIT
}

# The unit has Wants= and not Requires= for Docker, because a required unit must start at the first attempt.
boot_unit() {
    cat <<UNIT
[Unit]
Description=Starts every service of $appwrite_dir/docker-compose.yml at boot
Wants=docker.service network-online.target
After=docker.service network-online.target
ConditionPathExists=!$builder_mark
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
WorkingDirectory=$appwrite_dir
ExecStart=/usr/bin/env docker compose up --detach --remove-orphans
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
UNIT
}

# A failure during a shutdown says nothing about the version, so the next call may try again.
fail() {
    say "failed: $1"
    if [[ $(systemctl is-system-running 2>/dev/null) == stopping ]]; then
        end_without_record "the machine is shutting down; call it again"
    fi
    conclude failed "$1"
}

# Ends without a recorded verdict, so the next call may try again.
end_without_record() {
    trap - EXIT
    print_verdict "failed version=$version reason=$1" >&3
    exit 1
}

# Records the output before it prints it, so that the next call prints the same.
conclude() {
    local verdict="$1 version=$version"
    [[ $1 == ok ]] || verdict+=" reason=$(printf '%s' "$2" | tr '\n' ' ' | plain | mask_secrets)"
    {
        tail -n "$tail_lines" "$log" | plain | mask_secrets | cut -c 1-"$line_limit"
        print_verdict "$verdict"
    } >"$hop_dir/verdict.new"
    sync "$hop_dir/verdict.new"
    mv "$hop_dir/verdict.new" "$hop_dir/verdict"
    exec >&3
    repeat_verdict
}

print_verdict() {
    printf 'fleetwright-verdict: %s\n' "$1" | cut -c 1-500
}

# Docker Compose prints lines of .env that it cannot parse, so the script masks the secrets in all output.
mask_secrets() {
    awk -v env="$appwrite_dir/.env" '
        BEGIN {
            while ((getline line < env) > 0) {
                at = index(line, "=")
                if (at == 0 || substr(line, 1, at - 1) !~ /PASS|SECRET|KEY|TOKEN|CONFIG|CONNECTIONS|DSN/) continue
                value = substr(line, at + 1)
                gsub(/^[ \t]+|[ \t\r]+$/, "", value)
                quote = substr(value, 1, 1)
                if (quote !~ /["\047]/) {
                    sub(/[ \t]+#.*$/, "", value)
                } else {
                    value = substr(value, 2)
                    if ((end = match(value, quote "([ \t]+#.*)?$")) > 0) value = substr(value, 1, end - 1)
                }
                if (length(value) >= 4) secrets[++count] = value
            }
        }
        {
            for (i = 1; i <= count; i++)
                while ((at = index($0, secrets[i])) > 0)
                    $0 = substr($0, 1, at - 1) "***" substr($0, at + length(secrets[i]))
            print
        }'
}

main "$@"
