//! The requirements of the tests that boot machines.

use std::path::Path;
use std::process::{Command, Output};

/// The static program in the tests' container images.
pub const BUSYBOX: &str = "/bin/busybox";

/// The first requirement that this computer lacks, if it lacks any.
pub fn missing() -> Option<String> {
    let succeeds = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output: Output| output.status.success())
    };
    let exists = |program: &&str| succeeds("sh", &["-c", &format!("command -v {program}")]);
    let programs =
        ["containerd", "curl", "docker", "dockerd", "ip", "iptables", "nsenter", "python3", "setpriv", "unshare"];
    if let Some(program) = programs.into_iter().find(|program| !exists(program)) {
        return Some(format!("this machine has no {program}"));
    }
    if !Path::new("/lib/systemd/systemd").exists() || !Path::new("/bin").is_symlink() {
        return Some("this machine has no systemd, or not all its programs in /usr".to_owned());
    }
    if !has_compose_plugin() && !exists(&"docker-compose") {
        return Some("this machine has no Docker Compose".to_owned());
    }
    if !succeeds(BUSYBOX, &["true"]) || succeeds("ldd", &[BUSYBOX]) {
        return Some(format!("{BUSYBOX} is not a static busybox (on Debian: apt-get install busybox-static)"));
    }
    let namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "true"];
    if !succeeds("sh", &["-c", "test $(id -u) = 0"]) || !succeeds("unshare", &namespaces) {
        return Some("only root can start a machine".to_owned());
    }
    None
}

/// Whether Docker Compose is installed as a plugin in /usr, where a machine finds it too.
pub fn has_compose_plugin() -> bool {
    let output = Command::new("docker").args(["compose", "version"]).env("HOME", "/none").output();
    output.is_ok_and(|output| output.status.success())
}
