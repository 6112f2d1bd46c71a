#!/usr/bin/env bash
#
# Installs one hop of an upgrade on the builder and migrates the data to it.
#
#   configure.sh --version 1.4.14 --from 1.3.8 --run RUN
#
# It takes a machine that has the version --from in docker-compose.yml to the version --version: sets the image of the
# Appwrite services, pulls, starts the service `appwrite` and no other, runs `migrate` in it under a deadline, and judges
# the migration by what it printed. Its last line is the verdict, its exit status says the same:
#
#   fleetwright-verdict: ok version=1.4.14                        0
#   fleetwright-verdict: failed version=1.4.14 reason=...         1
#   (none: an argument or a setting is wrong, nothing is changed) 2
#
# Safe to repeat. A run and a hop have one verdict: a second call waits for the first one, prints what that printed, and
# does nothing. A hop that was cut off has no verdict and starts over from the compose file as it was before.
#
# A new minor version may need other services, entry points or variables. Then the operator lays the whole compose file
# of that minor into overlays/X.Y/docker-compose.yml next to docker-compose.yml, in the golden image. It takes the place
# of docker-compose.yml, merged with nothing, and only its Appwrite versions are set. Without one the present file stays.
#
# The containers are removed at the end, so that the image made of this machine holds files and no container: a clone
# makes its own when it boots, through a unit of systemd that this installs, after its share is mounted.
#
# Nothing that is given is run as shell, and .env is read only to keep its secrets out of what is printed.

set -euo pipefail
export LC_ALL=C
umask 077

readonly appwrite_dir=${FLEETWRIGHT_APPWRITE_DIR:-/root/appwrite}
readonly state_dir=${FLEETWRIGHT_STATE_DIR:-/var/lib/fleetwright}
readonly share_dir=${FLEETWRIGHT_SHARE_DIR:-/home/share}
readonly unit_dir=${FLEETWRIGHT_UNIT_DIR:-/etc/systemd/system}
readonly systemd_dir=${FLEETWRIGHT_SYSTEMD_DIR:-/run/systemd/system} # it exists where systemd runs
readonly builder_mark=/run/fleetwright-builder                       # see builder.sh; gone when the machine is off

# Seconds. Together, with the pull tried three times, 9,780 s. A call that waits for another waits longer than that, and
# Run Command ends neither before its 9,900 s.
readonly docker_deadline=${FLEETWRIGHT_DOCKER_DEADLINE:-120}
readonly pull_deadline=${FLEETWRIGHT_PULL_DEADLINE:-1200}
readonly start_deadline=${FLEETWRIGHT_START_DEADLINE:-300}
readonly health_deadline=${FLEETWRIGHT_HEALTH_DEADLINE:-600}
readonly migrate_deadline=${FLEETWRIGHT_MIGRATE_DEADLINE:-4500}
readonly lock_deadline=${FLEETWRIGHT_LOCK_DEADLINE:-9800}

# Run Command keeps 24,000 characters of the output; 60 lines of 240 leave room for the verdict.
readonly tail_lines=60
readonly line_limit=240

# What `migrate` prints when it fails. Its exit status is 0 then in most versions.
readonly failure='Failed to (update|migrate) project|Failed to update document|Fatal error:|SQLSTATE\[|^\[Error\]|Collection not found|No migration found'

version='' from='' run='' hop_dir='' log='' mounts_share=no

main() {
    parse_arguments "$@"
    check_settings
    hop_dir=$state_dir/$run/$version
    # Whoever ends without a verdict, by a signal or by what nobody thought of, says so and records nothing.
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
    (($(rank "$version") > $(rank "$from"))) || refuse "--version $version is not above --from $from; there is no way down"
}

check_settings() {
    local directory seconds
    for directory in "$appwrite_dir" "$state_dir" "$share_dir" "$unit_dir" "$systemd_dir"; do
        # They go into units and into a command of one.
        [[ $directory =~ ^(/[A-Za-z0-9_.-]+)+$ ]] || refuse "the directory '$directory' is not a plain absolute path"
    done
    for seconds in "$docker_deadline" "$pull_deadline" "$start_deadline" "$health_deadline" "$migrate_deadline" "$lock_deadline"; do
        [[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || refuse "the deadline '$seconds' is not a number of seconds"
    done
    [[ -f $appwrite_dir/docker-compose.yml ]] || refuse "there is no $appwrite_dir/docker-compose.yml"
}

# What is wrong with the call. Control characters stay out of whatever shows this.
refuse() {
    printf 'configure.sh: %s\n' "$1" | tr -cd '\12\40-\176' | cut -c 1-"$line_limit" >&2
    printf 'usage: configure.sh --version X.Y.Z --from X.Y.Z --run RUN\n' >&2
    exit 2
}

# One number that orders versions.
rank() {
    local major minor patch
    IFS=. read -r major minor patch <<<"$1"
    printf '%s' $((major * 10000000000 + minor * 100000 + patch))
}

# One hop at a time on this machine. Whatever still runs of a call that was killed holds the lock as well, except for
# its `migrate`, which `start_over` ends by removing the container.
take_lock() {
    exec 9>"$state_dir/lock"
    flock --timeout "$lock_deadline" 9 || give_up "another hop is still at work here after $lock_deadline s"
}

repeat_verdict() {
    trap - EXIT
    cat "$hop_dir/verdict"
    if [[ $(tail -n 1 "$hop_dir/verdict") == "fleetwright-verdict: ok version=$version" ]]; then
        exit 0
    fi
    exit 1
}

# One log for each attempt, so that the failures of one that was cut off are not taken for those of the next.
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

# Docker, without the containers that it starts by itself. A clone of an image that was made by hand has everything that
# its member ran, with restart policies. So the user data of a builder, builder.sh, holds Docker back from the start of
# the machine, and the policies are taken away here while Docker does not run: it has no setting that would do.
start_docker() {
    if [[ ! -d $systemd_dir ]]; then
        say "no systemd here: Docker is taken as it is"
        return
    fi
    [[ -e $builder_mark ]] || say "there is no $builder_mark: its user data did not run, and everything has started at boot"
    # It would start everything, and again and again where that fails.
    systemctl stop fleetwright-compose.service || true
    if systemctl is-active --quiet docker.service; then
        return
    fi
    disarm_containers "$(docker_root)"
    rm -f "$systemd_dir"/docker.{service,socket}.d/fleetwright-builder.conf
    systemctl daemon-reload
    timeout "$docker_deadline" systemctl start docker.service ||
        fail "systemd could not start Docker$(mountpoint -q "$share_dir" || printf ', and %s is not mounted' "$share_dir")"
    [[ -z $(docker ps --quiet) ]] || say "Docker has started containers all the same"
}

# Where Docker keeps its data, as it is told in its configuration or on its command line.
docker_root() {
    local root
    root=$({ cat /etc/docker/daemon.json; systemctl show --property=ExecStart docker.service; } 2>/dev/null |
        grep -oE '(data-root|graph)"?[[:space:]]*[:= ][[:space:]]*"?/[^" ]+' | head -n 1 | grep -oE '/.*$') || true
    printf '%s' "${root:-/var/lib/docker}"
}

# With user namespaces the containers are one directory deeper.
disarm_containers() {
    local settings
    for settings in "$1"/containers/*/hostconfig.json "$1"/*.*/containers/*/hostconfig.json; do
        if [[ -f $settings ]]; then
            sed -i 's/"RestartPolicy":{[^}]*}/"RestartPolicy":{"Name":"no","MaximumRetryCount":0}/' "$settings"
        fi
    done
}

# The compose file as it was before the hop, whatever an attempt that was cut off has left.
start_over() {
    local before=$hop_dir/docker-compose.before.yml unknown
    if [[ -f $before ]]; then
        say "an attempt was cut off: back to the compose file before it"
        replace_compose_file "$before"
    else
        cp -p docker-compose.yml "$before.new"
        sync "$before.new"
        mv "$before.new" "$before"
    fi
    check_images "$before" docker-compose.yml
    unknown=$(versions_in "$before" | grep -vxF "$from" | head -n 1) || true
    [[ -z $unknown ]] || fail "docker-compose.yml has version $unknown of Appwrite, not $from"
    # A clone has started everything at boot. Workers and schedulers must not act twice on the live data, and a service
    # that the next minor drops must not stay behind as a container.
    compose "$start_deadline" rm --stop --force || fail "the running services could not be removed"
}

# The new compose file in place of the old one, and valid. Docker Compose may read more than that file, and fills in
# variables: what it makes of all of it must have the version and, where it mounts the share, find it mounted.
set_version() {
    local overlay=overlays/${version%.*}/docker-compose.yml source=docker-compose.yml config odd
    if [[ -f $overlay ]]; then
        source=$overlay
        say "the operator's overlay $overlay takes the place of docker-compose.yml"
        check_images "$source" "$overlay"
    fi
    sed -E "s~$image_line~\\1:$version\\4~" "$source" >"$hop_dir/docker-compose.after.yml"
    replace_compose_file "$hop_dir/docker-compose.after.yml"
    say "docker compose config"
    # It has secrets in it, and stays out of the log.
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

# An image of Appwrite itself: appwrite/console, appwrite/assistant and the databases are other images.
readonly image_line='^([[:space:]]*image:[[:space:]]+["'\'']?((index\.)?docker\.io/)?appwrite/appwrite):[0-9]+\.[0-9]+\.[0-9]+(["'\'']?[[:space:]]*(#.*)?)$'

# A line that is an image of Appwrite but is not written as expected would be left on the old version.
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

# In one move, with the mode and owner that the file has.
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

# Every image, so that a clone starts without pulling; of the services only `appwrite`.
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

# Asked inside the container, and where the image has no client that works, from here at the container's address: only
# the service `appwrite` runs, and its port is rarely published. The name is one that Appwrite answers to whatever its
# domain is.
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

# The output alone tells whether it went well, see `failure`.
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
        # The deadline ends `docker exec`; what it had started inside the container ends with the container.
        compose "$start_deadline" rm --stop --force appwrite || say "the container could not be removed"
        fail "migrate had not ended after $migrate_deadline s"
    fi
    plain <"$output" | grep -F "$(success_line)" >/dev/null || fail "migrate never printed '$(success_line)'"
}

# What `migrate` prints last when all is done; the words changed with 1.7.
success_line() {
    if (($(rank "$version") < $(rank 1.7.0))); then
        printf 'Data Migration Completed'
    else
        printf 'Migration completed'
    fi
}

# Without colours and whatever else is no text.
plain() {
    sed -E $'s/\x1b\\[[0-9;?]*[A-Za-z]//g' | tr -cd '\11\12\40-\176'
}

leave_for_clones() {
    compose "$start_deadline" rm --stop --force || fail "the services could not be stopped"
    # Every hop would make the disk of every clone fuller.
    docker image rm "appwrite/appwrite:$from" || say "the image of $from stays"
    if [[ ! -d $systemd_dir ]]; then
        say "no systemd here: nothing will start the services at boot"
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

# A container whose share is not mounted would bind an empty directory and serve from it. Not only the first start is to
# be kept from that: later on it is Docker that starts the containers, with itself. So Docker waits for the share, and
# looks for itself: 'mount' says that all is well of a share that fstab calls nofail.
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

# It wants Docker, but does not require it: what is required must be there at the first try.
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

# What fails because the machine goes down is not the version's fault, and is tried again.
fail() {
    say "failed: $1"
    if [[ $(systemctl is-system-running 2>/dev/null) == stopping ]]; then
        give_up "the machine goes down; call it again"
    fi
    conclude failed "$1"
}

# Without a record: the next call may try again.
give_up() {
    trap - EXIT
    print_verdict "failed version=$version reason=$1" >&3
    exit 1
}

# Records what is printed before it prints it, so that the next call prints the same.
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

# Docker Compose quotes .env where it cannot read it. What is secret in it is masked in whatever is printed.
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
