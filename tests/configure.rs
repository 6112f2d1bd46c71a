//! The builder's script, `infra/instance/configure.sh`, with a stub in the place of `docker`. The test binary `machines` runs it
//! with Docker.

mod hop;
mod stub;

use crate::emulators::{file, until};
use hop::Hop;
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use stub::{Machine, SECRET, at_version, original};

#[test]
fn a_successful_hop_changes_only_appwrite_images_and_starts_only_the_appwrite_service() {
    let machine = Machine::new();
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(machine.compose_file(), at_version("1.4.14"));
    assert_eq!(machine.compose_file().matches("appwrite/appwrite:1.4.14").count(), 3);
    assert_eq!(machine.read("docker/started"), "appwrite appwrite/appwrite:1.4.14\n");
    assert_eq!(machine.read("state/run-1/1.4.14/docker-compose.before.yml"), original());
}

#[test]
fn two_hops_have_a_verdict_each_and_a_clone_starts_everything_at_boot() {
    let machine = Machine::new();
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    machine.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(machine.compose_file(), at_version("1.5.11"));

    // Runs the unit's command in the unit's directory, as systemd does.
    let unit = machine.read("units/fleetwright-compose.service");
    let entry = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("{unit}"));
    let mut words = entry("ExecStart=").split(' ');
    let mut boot = machine.command(words.next().unwrap());
    assert!(boot.args(words).current_dir(entry("WorkingDirectory=")).status().unwrap().success());
    let started = machine.read("docker/started");
    for service in
        ["mariadb mariadb:10.7", "redis redis:7.0.4-alpine", "appwrite-schedule docker.io/appwrite/appwrite:1.5.11"]
    {
        assert!(started.contains(service), "{started}");
    }
    assert!(!machine.path("units/docker.service.d").exists(), "the compose file mounts no share");
}

#[test]
fn each_range_of_versions_has_its_own_success_message() {
    for (from, to) in [("1.5.11", "1.6.2"), ("1.6.2", "1.7.5"), ("1.8.1", "1.9.0")] {
        let machine = Machine::new();
        machine.write("appwrite/docker-compose.yml", &at_version(from));
        machine.hop(from, to).assert_ok(to);

        let machine = Machine::new();
        machine.write("appwrite/docker-compose.yml", &at_version(from));
        machine.set_migration("other-words");
        machine.hop(from, to).assert_failed(to, "migrate never printed");
    }
}

#[test]
fn a_migration_that_fails_with_exit_status_0_fails_the_hop() {
    let machine = Machine::new();
    machine.set_migration("fails");
    let hop = machine.hop("1.3.8", "1.4.14");
    hop.assert_failed("1.4.14", "[Error] Failed to migrate project \"console\"");
    assert!(hop.output.contains("with exit status 0"), "{}", hop.output);
    assert_eq!(hop.output.lines().count(), 61, "the last 60 lines of the log, and the verdict");
    assert!(machine.read("state/run-1/1.4.14/attempt-1.log").contains("Trace line 1\n"), "the log is whole");
    assert!(!machine.path("units/fleetwright-compose.service").exists());
}

#[test]
fn an_error_overrides_the_success_message() {
    for error in [
        "Failed to update project \"console\"",
        "Failed to migrate project \"console\"",
        "Failed to update document \"a\"",
        "PHP Fatal error: out of memory",
        "SQLSTATE[HY000] [1040] Too many connections",
        "[Error] Timeout",
        "Collection not found",
        "No migration found for version 1.4.14",
    ] {
        let machine = Machine::new();
        machine.set_migration(&format!("says {error}"));
        machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", error);
    }
    let machine = Machine::new();
    machine.set_migration("says Migrated 1/2 projects...");
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
}

#[test]
fn nothing_is_migrated_before_the_new_version_answers() {
    let machine = Machine::new();
    machine.write("docker/version", "1.3.8");
    let reason = "appwrite does not say that it is 1.4.14 after 2 s; it says: {\"version\":\"1.3.8\"}";
    machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", reason);
    assert!(!machine.read("docker/calls").contains("migrate"));
}

#[test]
fn a_migration_that_hangs_is_ended_at_its_deadline() {
    let machine = Machine::new();
    machine.set_migration("hangs");
    let output = machine.hop_command("1.3.8", "1.4.14").env("FLEETWRIGHT_MIGRATE_DEADLINE", "1").output().unwrap();
    Hop::of(output).assert_failed("1.4.14", "migrate had not ended after 1 s");
    assert!(!machine.path("docker/running/appwrite").exists(), "the migration would continue inside the container");
}

#[test]
fn a_hop_with_a_verdict_is_not_repeated() {
    let machine = Machine::new();
    for (how, exit_status) in [("succeeds", 0), ("fails", 1)] {
        machine.set_migration(how);
        let (from, to) = if exit_status == 0 { ("1.3.8", "1.4.14") } else { ("1.4.14", "1.5.11") };
        let first = machine.hop(from, to);
        let calls = machine.read("docker/calls");
        machine.set_migration("hangs");
        assert_eq!(machine.hop(from, to), first);
        assert_eq!(first.exit_status, Some(exit_status));
        assert_eq!(machine.read("docker/calls"), calls);
    }
}

#[test]
fn an_interrupted_hop_starts_over() {
    let machine = Machine::new();
    machine.set_migration("hangs");
    let mut interrupted = machine.hop_command("1.3.8", "1.4.14").stdout(Stdio::null()).spawn().unwrap();
    let migration: u32 = until("the migration hangs", || machine.read("docker/migrating").trim().parse().ok());
    interrupted.kill().unwrap();
    assert!(!interrupted.wait().unwrap().success());
    assert!(!machine.path("state/run-1/1.4.14/verdict").exists());

    // The worst that an interruption can leave is a half-written compose file.
    machine.write("appwrite/docker-compose.yml", "services:\n");
    machine.set_migration("succeeds");
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(machine.compose_file(), at_version("1.4.14"));
    until("the interrupted migration has ended", || {
        (!PathBuf::from(format!("/proc/{migration}")).exists()).then_some(())
    });
}

#[test]
fn a_second_call_waits_for_the_first_and_prints_the_same() {
    let machine = Machine::new();
    machine.set_migration("hangs");
    let first = machine.hop_command("1.3.8", "1.4.14").env("FLEETWRIGHT_MIGRATE_DEADLINE", "3").spawn().unwrap();
    until("the migration hangs", || machine.path("docker/migrating").exists().then_some(()));
    let second = machine.hop("1.3.8", "1.4.14");
    second.assert_failed("1.4.14", "migrate had not ended after 3 s");
    assert_eq!(Hop::of(first.wait_with_output().unwrap()), second);
    assert_eq!(machine.read("docker/calls").matches("exec appwrite migrate").count(), 1);
}

#[test]
fn invalid_arguments_are_rejected_and_nothing_is_changed_or_run() {
    let machine = Machine::new();
    let touched = machine.path("touched");
    let inject = [format!("1.4.14; touch {}", touched.display()), format!("$(touch {})", touched.display())];
    let hop = |version: &str, from: &str, run: &str| {
        ["--version", version, "--from", from, "--run", run].map(str::to_owned).to_vec()
    };
    let long = "r".repeat(81);
    let calls = [
        vec![],
        hop("1.4.14", "1.3.8", "run-1")[..4].to_vec(),
        hop("1.4.14", "1.3.8", "run-1")[..5].to_vec(),
        hop("1.4.14", "1.3.8", "run-1").into_iter().chain(["--force".to_owned(), "yes".to_owned()]).collect(),
        hop(&inject[0], "1.3.8", "run-1"),
        hop("1.4.14", &inject[1], "run-1"),
        hop("1.4.14", "1.3.8", &inject[1]),
        hop("1.4.14\n1.4.15", "1.3.8", "run-1"),
        hop("1.4", "1.3.8", "run-1"),
        hop("1.04.14", "1.3.8", "run-1"),
        hop("", "1.3.8", "run-1"),
        hop("1.3.8", "1.3.8", "run-1"),
        hop("1.3.8", "1.4.14", "run-1"),
        hop("1.4.14", "1.3.8", "../run"),
        hop("1.4.14", "1.3.8", ""),
        hop("1.4.14", "1.3.8", &long),
    ];
    for call in calls {
        let arguments: Vec<&str> = call.iter().map(String::as_str).collect();
        let output = machine.script(&arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{call:?}: {stderr}");
        assert!(stderr.starts_with("configure.sh: ") && stderr.contains("usage: "), "{call:?}: {stderr}");
        assert_eq!(output.stdout, b"");
    }
    assert!(!touched.exists() && !machine.path("state").exists() && !machine.path("docker/calls").exists());
    assert_eq!(machine.compose_file(), original());
}

#[test]
fn a_directory_that_could_inject_shell_commands_or_unit_settings_is_rejected() {
    for odd in
        ["/home/share; reboot", "/home/$(reboot)", "/home/share\nExecStart=/bin/true", "home/share", "/home/100%"]
    {
        let machine = Machine::new();
        let output = machine.hop_command("1.3.8", "1.4.14").env("FLEETWRIGHT_SHARE_DIR", odd).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{odd}");
        assert!(!machine.path("docker/calls").exists() && machine.compose_file() == original());
    }
}

/// A waiting call waits longer than a working call can take. Otherwise it would report a running hop as failed. Run
/// Command waits longer than both, so that it ends no call before its verdict.
#[test]
fn each_deadline_fits_into_the_next_longer_one() {
    let number = |text: &str, after: &str| -> u32 {
        let (_, rest) = text.split_once(after).unwrap_or_else(|| panic!("{after}"));
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let script = fs::read_to_string(file("infra/instance/configure.sh")).unwrap();
    let deadline = |name: &str| number(&script, &format!("FLEETWRIGHT_{name}_DEADLINE:-"));
    let work = deadline("DOCKER")
        + 60
        + 3 * deadline("PULL")
        + 3 * deadline("START")
        + deadline("HEALTH")
        + deadline("MIGRATE");
    let document = fs::read_to_string(file("infra/instance/configure.document.yaml")).unwrap();
    assert!(work < deadline("LOCK"), "{work}");
    assert!(deadline("LOCK") < number(&document, "timeoutSeconds: \""));
}

#[test]
fn a_machine_on_another_version_fails_before_anything_is_stopped() {
    let machine = Machine::new();
    machine.hop("1.4.14", "1.5.11").assert_failed("1.5.11", "has version 1.3.8 of Appwrite, not 1.4.14");
    assert!(!machine.path("docker/calls").exists());
    assert_eq!(machine.compose_file(), original());
}

#[test]
fn an_image_line_that_would_keep_the_old_version_fails_the_hop() {
    for odd in ["image: appwrite/appwrite:${VERSION}", "image: appwrite/appwrite", "{image: appwrite/appwrite:1.3.8}"] {
        let machine = Machine::new();
        machine.write("appwrite/docker-compose.yml", &format!("{}  odd:\n    {odd}\n", original()));
        machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", odd);
        assert!(!machine.path("docker/calls").exists());
    }
}

#[test]
fn an_overlay_replaces_the_compose_file_from_its_minor_version() {
    let machine = Machine::new();
    let overlay = "services:\n  appwrite:\n    image: appwrite/appwrite:1.5.0\n  appwrite-worker-messaging:\n    image: appwrite/appwrite:1.5.0\n";
    machine.write("appwrite/overlays/1.5/docker-compose.yml", overlay);
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(machine.compose_file(), at_version("1.4.14"));
    machine.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(machine.compose_file(), overlay.replace("1.5.0", "1.5.11"));
    machine.hop("1.5.11", "1.6.2").assert_ok("1.6.2");
    assert_eq!(machine.compose_file(), overlay.replace("1.5.0", "1.6.2"));
    assert_eq!(machine.read("appwrite/overlays/1.5/docker-compose.yml"), overlay);
}

#[test]
fn a_share_that_the_compose_file_mounts_must_be_mounted() {
    let mounting = |share: &str| format!("{}    volumes:\n      - {share}/uploads:/storage/uploads:rw\n", original());
    let machine = Machine::new();
    machine.write("appwrite/docker-compose.yml", &mounting(&machine.path("share").display().to_string()));
    machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", "share is not mounted");
    assert!(!machine.path("docker/started").exists());

    // A directory whose name only begins like the share's is not the share. /proc stands for a share that is mounted.
    let machine = Machine::new();
    machine.write("appwrite/docker-compose.yml", &mounting(&format!("{}-2", machine.path("share").display())));
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    let machine = Machine::new();
    machine.write("appwrite/docker-compose.yml", &mounting("/proc"));
    let output = machine.hop_command("1.3.8", "1.4.14").env("FLEETWRIGHT_SHARE_DIR", "/proc").output().unwrap();
    Hop::of(output).assert_ok("1.4.14");
    let drop_in = machine.read("units/docker.service.d/fleetwright.conf");
    assert!(drop_in.contains("mountpoint -q /proc || mount /proc; mountpoint -q /proc'"), "{drop_in}");

    // Every file that Docker Compose reads counts.
    let machine = Machine::new();
    machine.write("appwrite/docker-compose.override.yml", &mounting(&machine.path("share").display().to_string()));
    machine.write(
        "appwrite/docker-compose.override.yml",
        &machine.read("appwrite/docker-compose.override.yml").replace("1.3.8", "1.4.14"),
    );
    machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", "share is not mounted");
}

#[test]
fn an_override_file_must_not_keep_the_old_version() {
    let machine = Machine::new();
    let more = "services:\n  appwrite-worker-mails:\n    image: appwrite/appwrite:1.3.8\n";
    machine.write("appwrite/docker-compose.override.yml", more);
    let reason = "docker compose would run 'image: appwrite/appwrite:1.3.8' all the same";
    machine.hop("1.3.8", "1.4.14").assert_failed("1.4.14", reason);
    assert!(!machine.path("docker/started").exists());
}

#[test]
fn an_invalid_compose_file_fails_the_hop_and_no_secret_is_printed() {
    let machine = Machine::new();
    machine.write("appwrite/docker-compose.yml", &format!("{}# INVALID\n", original()));
    let hop = machine.hop("1.3.8", "1.4.14");
    hop.assert_failed("1.4.14", "docker compose finds docker-compose.yml invalid");
    assert!(!hop.output.contains(SECRET) && hop.output.contains("_APP_DB_PASS=\"***\""), "{}", hop.output);
    assert!(!machine.path("docker/started").exists());
}

#[test]
fn a_secret_is_masked_in_every_syntax_of_the_env_file() {
    for (line, secret) in [
        ("_APP_SMTP_PASSWORD=of#a#staple # of the relay", "of#a#staple"),
        ("export _APP_OPENSSL_KEY_V1=with-a-comma\r", "with-a-comma"),
        ("  _APP_EXECUTOR_SECRET = 'and \"quoted\"'  # twice", "and \"quoted\""),
        ("_APP_DB_PASS=\"a # b\"", "a # b"),
    ] {
        let machine = Machine::new();
        machine.write("appwrite/.env", &format!("{line}\n"));
        machine.set_migration(&format!("says SQLSTATE[1045] with <{secret}>"));
        let hop = machine.hop("1.3.8", "1.4.14");
        hop.assert_failed("1.4.14", "migrate printed: SQLSTATE[1045] with <***>");
        assert!(!hop.output.contains(secret), "{}", hop.output);
    }
}

#[test]
fn without_systemd_no_unit_is_installed() {
    let machine = Machine::new();
    fs::remove_dir(machine.path("systemd")).unwrap();
    machine.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(fs::read_dir(machine.path("units")).unwrap().count(), 0);
}
