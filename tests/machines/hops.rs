//! The builder's script with real Docker Compose, on booted machines.

use crate::hop::Hop;
use crate::host::Host;
use crate::until::until;
use std::fs;
use std::process::{Command, Stdio};

/// Every test of this file, by name.
pub const TESTS: &[(&str, fn())] = &[
    (
        "a_builder_starts_nothing_by_itself_and_its_clones_start_everything",
        a_builder_starts_nothing_by_itself_and_its_clones_start_everything,
    ),
    ("two_hops_start_only_appwrite", two_hops_start_only_appwrite),
    (
        "a_builder_whose_user_data_did_not_run_is_cleared_before_its_hop",
        a_builder_whose_user_data_did_not_run_is_cleared_before_its_hop,
    ),
    (
        "a_builder_with_another_docker_data_root_starts_nothing_by_itself",
        a_builder_with_another_docker_data_root_starts_nothing_by_itself,
    ),
    (
        "a_migration_that_fails_with_exit_status_0_fails_the_hop",
        a_migration_that_fails_with_exit_status_0_fails_the_hop,
    ),
    (
        "a_migration_that_hangs_is_ended_at_its_deadline_inside_the_container_too",
        a_migration_that_hangs_is_ended_at_its_deadline_inside_the_container_too,
    ),
    ("a_hop_interrupted_during_its_migration_starts_over", a_hop_interrupted_during_its_migration_starts_over),
    (
        "a_member_without_its_share_at_boot_starts_nothing_until_it_is_mounted",
        a_member_without_its_share_at_boot_starts_nothing_until_it_is_mounted,
    ),
];

/// The services that use the live data when a machine starts everything.
fn all_services(version: &str) -> Vec<String> {
    let services = ["appwrite", "realtime", "schedule", "worker-functions"];
    services.map(|service| format!("{service} {version}")).to_vec()
}

/// What uses the live data in one successful hop.
fn hop_to(version: &str) -> Vec<String> {
    vec![format!("appwrite {version}"), format!("migrate {version}")]
}

fn wait_until_all_run(host: &Host, version: &str) {
    let image = format!("appwrite/appwrite:{version}");
    let services = ["appwrite", "appwrite-realtime", "appwrite-schedule", "appwrite-worker-functions"];
    let mut wanted = services.map(|service| format!("{service} {image}")).to_vec();
    wanted.extend(["redis redis:7.0.4-alpine".to_owned(), "traefik traefik:2.9".to_owned()]);
    until("every service runs", || (host.is_active("docker.service") && host.running() == wanted).then_some(()));
}

fn assert_all_start(host: &Host, version: &str) {
    wait_until_all_run(host, version);
    let mut users = Vec::new();
    until("every service uses the data", || {
        users.extend(host.data_users());
        (users.len() >= all_services(version).len()).then_some(())
    });
    users.sort();
    assert_eq!(users, all_services(version));
}

fn compose_file(version: &str) -> String {
    include_str!("../configure/docker-compose.yml")
        .replace("appwrite/appwrite:1.3.8", &format!("appwrite/appwrite:{version}"))
}

fn a_builder_starts_nothing_by_itself_and_its_clones_start_everything() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    assert!(!host.is_active("docker.service"), "Docker would start the containers");

    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.4.14"));
    assert_eq!(host.started(), ["appwrite"]);
    assert_eq!(host.data_users(), hop_to("1.4.14"));
    assert_eq!(host.run("docker", &["ps", "--all", "--quiet"]), "");

    host.boot_as_member();
    assert_all_start(&host, "1.4.14");
    // At the next boot Docker itself starts the services.
    host.boot_as_member();
    assert_all_start(&host, "1.4.14");

    // The builder of the next upgrade is a clone of the image that the script left.
    host.boot_as_builder();
    assert!(!host.is_active("docker.service"));
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.data_users(), hop_to("1.5.11"));
}

fn two_hops_start_only_appwrite() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.5.11"));
    assert_eq!(host.started(), ["appwrite", "appwrite"]);
    assert_eq!(host.data_users(), ["appwrite 1.4.14", "appwrite 1.5.11", "migrate 1.4.14", "migrate 1.5.11"]);
    // The script deletes container images of versions that no clone will run again.
    let images = host.run("docker", &["images", "--format", "{{.Repository}}:{{.Tag}}", "appwrite/appwrite"]);
    assert_eq!(images, "appwrite/appwrite:1.5.11\n");
    host.boot_as_member();
    assert_all_start(&host, "1.5.11");
}

fn a_builder_whose_user_data_did_not_run_is_cleared_before_its_hop() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_member();
    assert_all_start(&host, "1.3.8");
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.data_users(), hop_to("1.4.14"));
    assert!(host.read("var/lib/fleetwright/run-1/1.4.14/attempt-1.log").contains("the user data did not run"));
}

fn a_builder_with_another_docker_data_root_starts_nothing_by_itself() {
    let mut host = Host::clone_of_golden_image();
    fs::rename(host.path("var/lib/docker"), host.path("srv/docker")).unwrap();
    let settings = host.read("etc/docker/daemon.json").replace('{', r#"{"data-root": "/srv/docker", "#);
    fs::write(host.path("etc/docker/daemon.json"), settings).unwrap();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.started(), ["appwrite"]);
    assert_eq!(host.data_users(), hop_to("1.4.14"));
}

fn a_migration_that_fails_with_exit_status_0_fails_the_hop() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.set_migration("fails");
    let hop = host.hop("1.3.8", "1.4.14");
    hop.assert_failed("1.4.14", "migrate printed: [Error] Timeout");
    assert!(hop.output.contains("with exit status 0"), "{}", hop.output);
    assert_eq!(host.data_users(), hop_to("1.4.14"));
    // The verdict of a hop is final.
    host.set_migration("succeeds");
    assert_eq!(host.hop("1.3.8", "1.4.14"), hop);
    assert_eq!(host.data_users(), [""; 0]);
}

fn a_migration_that_hangs_is_ended_at_its_deadline_inside_the_container_too() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.set_migration("hangs");
    let hop = host.hop_command("1.3.8", "1.4.14", &["FLEETWRIGHT_MIGRATE_DEADLINE=2"]).output().unwrap();
    Hop::of(hop).assert_failed("1.4.14", "migrate had not ended after 2 s");
    assert_eq!(host.running(), [""; 0]);
    assert_eq!(host.data_users(), hop_to("1.4.14"));
}

fn a_hop_interrupted_during_its_migration_starts_over() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.set_migration("hangs");
    let mut interrupted = host.hop_command("1.3.8", "1.4.14", &[]).stdout(Stdio::null()).spawn().unwrap();
    let mut users = Vec::new();
    until("the migration has begun", || {
        users.extend(host.data_users());
        users.contains(&"migrate 1.4.14".to_owned()).then_some(())
    });
    let killed = Command::new("kill").args(["-KILL", "--", &format!("-{}", interrupted.id())]).status().unwrap();
    assert!(killed.success() && !interrupted.wait().unwrap().success());
    let hop = host.path("var/lib/fleetwright/run-1/1.4.14");
    assert!(hop.join("docker-compose.before.yml").exists() && !hop.join("verdict").exists());

    host.set_migration("succeeds");
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    assert_eq!(host.started(), ["appwrite", "appwrite"]);
    assert_eq!(host.data_users(), hop_to("1.4.14"));
    assert_eq!(host.read("root/appwrite/docker-compose.yml"), compose_file("1.4.14"));
    // The same when the machine itself is powered off.
    host.boot_as_builder();
    host.set_migration("hangs");
    let mut interrupted = host.hop_command("1.4.14", "1.5.11", &[]).stdout(Stdio::null()).spawn().unwrap();
    until("the migration has begun", || host.data_users().contains(&"migrate 1.5.11".to_owned()).then_some(()));
    host.boot_as_builder();
    let _ = interrupted.wait().unwrap();
    assert!(!host.is_active("docker.service"));
    host.set_migration("succeeds");
    host.hop("1.4.14", "1.5.11").assert_ok("1.5.11");
    assert_eq!(host.data_users(), hop_to("1.5.11"));
}

fn a_member_without_its_share_at_boot_starts_nothing_until_it_is_mounted() {
    let mut host = Host::clone_of_golden_image();
    host.boot_as_builder();
    host.hop("1.3.8", "1.4.14").assert_ok("1.4.14");
    host.boot_as_member();
    wait_until_all_run(&host, "1.4.14");
    // At boot Docker would start every other service, and the unit would create this one.
    host.run("docker", &["rm", "--force", "appwrite"]);
    host.boot_without_share();
    assert!(!host.is_active("docker.service"));
    assert!(!host.path("home/share/config").exists(), "an empty directory was mounted as the share");
    host.run("mount", &["-o", "remount,rw", "/srv"]);
    host.run("mkdir", &["-p", "/srv/share/config"]);
    wait_until_all_run(&host, "1.4.14");
}
