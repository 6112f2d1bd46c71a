//! The builder's script with real Docker Compose, on machines that boot.

use crate::hop::Hop;
use crate::host::Host;
use crate::until::until;
use std::fs;
use std::process::{Command, Stdio};

/// Every test of this file, by name.
pub const TESTS: &[(&str, fn())] = &[
    (
        "a_good_hop_on_a_builder_that_starts_nothing_of_its_own_and_its_clones_start_everything",
        a_good_hop_on_a_builder_that_starts_nothing_of_its_own_and_its_clones_start_everything,
    ),
    ("two_hops_in_turn_start_nothing_but_appwrite", two_hops_in_turn_start_nothing_but_appwrite),
    (
        "a_builder_that_nobody_marked_has_started_everything_and_is_cleared_before_its_hop",
        a_builder_that_nobody_marked_has_started_everything_and_is_cleared_before_its_hop,
    ),
    (
        "a_builder_whose_docker_keeps_its_data_elsewhere_starts_nothing_either",
        a_builder_whose_docker_keeps_its_data_elsewhere_starts_nothing_either,
    ),
    (
        "a_migration_that_fails_with_exit_status_0_fails_the_hop",
        a_migration_that_fails_with_exit_status_0_fails_the_hop,
    ),
    (
        "a_migration_that_hangs_is_ended_at_its_deadline_and_does_not_go_on_in_the_container",
        a_migration_that_hangs_is_ended_at_its_deadline_and_does_not_go_on_in_the_container,
    ),
    (
        "a_hop_that_was_cut_off_in_the_middle_of_migrate_starts_over",
        a_hop_that_was_cut_off_in_the_middle_of_migrate_starts_over,
    ),
    (
        "a_member_whose_share_is_missing_at_boot_starts_nothing_until_it_is_there",
        a_member_whose_share_is_missing_at_boot_starts_nothing_until_it_is_there,
    ),
];

/// What joins the live data when a machine starts everything.
fn everyone(version: &str) -> Vec<String> {
    let services = ["appwrite", "realtime", "schedule", "worker-functions"];
    services.map(|service| format!("{service} {version}")).to_vec()
}

/// What joins the live data in one good hop.
fn hop_to(version: &str) -> Vec<String> {
    vec![format!("appwrite {version}"), format!("migrate {version}")]
}

fn all_run(host: &Host, version: &str) {
    let image = format!("appwrite/appwrite:{version}");
    let services = ["appwrite", "appwrite-realtime", "appwrite-schedule", "appwrite-worker-functions"];
    let mut wanted = services.map(|service| format!("{service} {image}")).to_vec();
    wanted.extend(["redis redis:7.0.4-alpine".to_owned(), "traefik traefik:2.9".to_owned()]);
    until("every service runs", || (host.is_active("docker.service") && host.running() == wanted).then_some(()));
}

fn all_start(host: &Host, version: &str) {
    all_run(host, version);
    let mut joined = Vec::new();
    until("every service joins", || {
        joined.extend(host.joined());
        (joined.len() >= everyone(version).len()).then_some(())
    });
    joined.sort();
    assert_eq!(joined, everyone(version));
}

fn compose_file(version: &str) -> String {
    include_str!("../configure/docker-compose.yml")
        .replace("appwrite/appwrite:1.3.8", &format!("appwrite/appwrite:{version}"))
}

fn a_good_hop_on_a_builder_that_starts_nothing_of_its_own_and_its_clones_start_everything() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    assert!(!host.is_active("docker.service"), "its containers would start with it");

    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.4.14"));
    assert_eq!(host.started(), ["appwrite"]);
    assert_eq!(host.joined(), hop_to("1.4.14"));
    assert_eq!(host.run("docker", &["ps", "--all", "--quiet"]), "");

    host.boot_as_member();
    all_start(&host, "1.4.14");
    // The next time it is Docker that starts them.
    host.boot_as_member();
    all_start(&host, "1.4.14");

    // The builder of the next upgrade, whose image the script has left.
    host.boot_as_builder();
    assert!(!host.is_active("docker.service"));
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.joined(), hop_to("1.5.11"));
}

fn two_hops_in_turn_start_nothing_but_appwrite() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.5.11"));
    assert_eq!(host.started(), ["appwrite", "appwrite"]);
    assert_eq!(host.joined(), ["appwrite 1.4.14", "appwrite 1.5.11", "migrate 1.4.14", "migrate 1.5.11"]);
    // A clone has no image of a version that it will never run again.
    let images = host.run("docker", &["images", "--format", "{{.Repository}}:{{.Tag}}", "appwrite/appwrite"]);
    assert_eq!(images, "appwrite/appwrite:1.5.11\n");
    host.boot_as_member();
    all_start(&host, "1.5.11");
}

fn a_builder_that_nobody_marked_has_started_everything_and_is_cleared_before_its_hop() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_member();
    all_start(&host, "1.3.8");
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.joined(), hop_to("1.4.14"));
    assert!(host.read("var/lib/fleetwright/run-1/1.4.14/attempt-1.log").contains("its user data did not run"));
}

fn a_builder_whose_docker_keeps_its_data_elsewhere_starts_nothing_either() {
    let mut host = Host::clone_of_golden_image();
    fs::rename(host.path("var/lib/docker"), host.path("srv/docker")).unwrap();
    let settings = host.read("etc/docker/daemon.json").replace('{', r#"{"data-root": "/srv/docker", "#);
    fs::write(host.path("etc/docker/daemon.json"), settings).unwrap();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.started(), ["appwrite"]);
    assert_eq!(host.joined(), hop_to("1.4.14"));
}

fn a_migration_that_fails_with_exit_status_0_fails_the_hop() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.migrations("fails");
    let hop = host.hop("1.3.8", "1.4.14");
    hop.assert_failed("1.4.14", "migrate printed: [Error] Timeout");
    assert!(hop.output.contains("with exit status 0"), "{}", hop.output);
    assert_eq!(host.joined(), hop_to("1.4.14"));
    // What was decided is decided.
    host.migrations("succeeds");
    assert_eq!(host.hop("1.3.8", "1.4.14"), hop);
    assert_eq!(host.joined(), [""; 0]);
}

fn a_migration_that_hangs_is_ended_at_its_deadline_and_does_not_go_on_in_the_container() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.migrations("hangs");
    let hop = host.hop_command("1.3.8", "1.4.14", &["FLEETWRIGHT_MIGRATE_DEADLINE=2"]).output().unwrap();
    Hop::of(hop).assert_failed("1.4.14", "migrate had not ended after 2 s");
    assert_eq!(host.running(), [""; 0]);
    assert_eq!(host.joined(), hop_to("1.4.14"));
}

fn a_hop_that_was_cut_off_in_the_middle_of_migrate_starts_over() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.migrations("hangs");
    let mut cut = host.hop_command("1.3.8", "1.4.14", &[]).stdout(Stdio::null()).spawn().unwrap();
    let mut joined = Vec::new();
    until("the migration has begun", || {
        joined.extend(host.joined());
        joined.contains(&"migrate 1.4.14".to_owned()).then_some(())
    });
    let killed = Command::new("kill").args(["-KILL", "--", &format!("-{}", cut.id())]).status().unwrap();
    assert!(killed.success() && !cut.wait().unwrap().success());
    let hop = host.path("var/lib/fleetwright/run-1/1.4.14");
    assert!(hop.join("docker-compose.before.yml").exists() && !hop.join("verdict").exists());

    host.migrations("succeeds");
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.started(), ["appwrite", "appwrite"]);
    assert_eq!(host.joined(), hop_to("1.4.14"));
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.4.14"));
    // And cut off by the machine itself.
    host.boot_as_builder();
    host.migrations("hangs");
    let mut cut = host.hop_command("1.4.14", "1.5.11", &[]).stdout(Stdio::null()).spawn().unwrap();
    until("the migration has begun", || host.joined().contains(&"migrate 1.5.11".to_owned()).then_some(()));
    host.boot_as_builder();
    let _ = cut.wait().unwrap();
    assert!(!host.is_active("docker.service"));
    host.migrations("succeeds");
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.joined(), hop_to("1.5.11"));
}

fn a_member_whose_share_is_missing_at_boot_starts_nothing_until_it_is_there() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    host.boot_as_member();
    all_run(&host, "1.4.14");
    // Docker would start all but one, and the unit would make that.
    host.run("docker", &["rm", "--force", "appwrite"]);
    host.boot_without_share();
    assert!(!host.is_active("docker.service"));
    assert!(!host.path("home/share/config").exists(), "an empty directory was bound");
    host.run("mount", &["-o", "remount,rw", "/srv"]);
    host.run("mkdir", &["-p", "/srv/share/config"]);
    all_run(&host, "1.4.14");
}
