#!/bin/sh
# The program in every container image of these tests. The name by which it is called selects what it does. On the
# share, which is mounted at /storage/share, it uses two files:
#   data-users   the starts and migrations that have used the live data, with their versions, one per line
#   migrate      what the next migration does: succeeds (if the file is missing), fails or hangs
name=${0##*/}

record_data_user() {
    [ ! -d /storage/share ] || printf '%s %s\n' "$1" "$VERSION" >>/storage/share/data-users
}

case $name in
    http)
        record_data_user appwrite
        mkdir -p /www/v1/health
        printf '{"version":"%s"}' "$VERSION" >/www/v1/health/version
        # Some versions have no HTTP client, so that the script has to check their version from outside the container.
        case $VERSION in 1.5.*) rm /bin/wget ;; esac
        exec httpd -f -p 80 -h /www
        ;;
    migrate)
        record_data_user migrate
        printf 'Starting Data Migration to version %s\n' "$VERSION"
        case $(cat /storage/share/migrate 2>/dev/null) in
            fails)
                printf '[Error] Timeout\n'
                exit 0
                ;;
            hangs) exec sleep 100000 ;;
        esac
        printf 'Data Migration Completed\n'
        ;;
    *)
        record_data_user "$name"
        exec sleep 100000
        ;;
esac
