#!/bin/sh
# The program of every image in these tests, by the name that it is called. The share is at /storage.
#   joined    who has come to act on the live data: each start and each migration, with its version, one a line
#   migrate   what the next migration does: succeeds (if the file is missing), fails or hangs
name=${0##*/}

joined() {
    [ ! -d /storage/share ] || printf '%s %s\n' "$1" "$VERSION" >>/storage/share/joined
}

case $name in
    http)
        joined appwrite
        mkdir -p /www/v1/health
        printf '{"version":"%s"}' "$VERSION" >/www/v1/health/version
        # A version without a client of its own must be asked from outside.
        case $VERSION in 1.5.*) rm /bin/wget ;; esac
        exec httpd -f -p 80 -h /www
        ;;
    migrate)
        joined migrate
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
        joined "$name"
        exec sleep 100000
        ;;
esac
