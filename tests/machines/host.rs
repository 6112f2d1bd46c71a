//! Machines for tests. Each has systemd, a Docker daemon, Docker Compose and a registry to pull from. They run on the
//! kernel of this computer and with its programs, and do not touch its own Docker.

use crate::hop::Hop;
use crate::requirements::{BUSYBOX, has_compose_plugin};
use crate::scratch::{Scratch, file};
use crate::until::until;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FIXTURES: [&str; 4] = ["machine.sh", "registry.py", "appwrite.sh", "docker-compose.yml"];

/// A machine: its disk, the server of its share and, while it is on, its processes.
pub struct Host {
    disk: Scratch,
    running: Option<Running>,
    /// The number of lines in the file of data users that earlier calls have returned.
    data_users_returned: Cell<usize>,
    /// Machines run one at a time, because one keeps this computer busy.
    _exclusive: MutexGuard<'static, ()>,
}

impl Host {
    /// A clone, not yet booted, of a golden image with version 1.3.8 that was made by hand.
    pub fn clone_of_golden_image() -> Self {
        static EXCLUSIVE: Mutex<()> = Mutex::new(());
        let exclusive = EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let host =
            Self { disk: Scratch::new(), running: None, data_users_returned: Cell::new(0), _exclusive: exclusive };
        copy(&golden_image(), &host.path(""));
        fs::create_dir_all(host.share("")).unwrap();
        host
    }

    /// A path on its disk.
    pub fn path(&self, path: &str) -> PathBuf {
        self.disk.path().join("root").join(path)
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn share(&self, path: &str) -> PathBuf {
        self.disk.path().join("share/config").join(path)
    }

    /// Sets what the next migration does.
    pub fn set_migration(&self, how: &str) {
        fs::write(self.share("migrate"), how).unwrap();
    }

    /// The starts and migrations that have used the live data since the last call, sorted.
    pub fn data_users(&self) -> Vec<String> {
        let all = fs::read_to_string(self.share("data-users")).unwrap_or_default();
        let mut users: Vec<String> = all.lines().skip(self.data_users_returned.get()).map(str::to_owned).collect();
        self.data_users_returned.set(self.data_users_returned.get() + users.len());
        users.sort();
        users
    }

    /// Boots as a member, without Fleetwright's user data.
    pub fn boot_as_member(&mut self) {
        let _ = fs::remove_file(self.path("user-data"));
        self.boot(&self.disk.path().join("share"));
    }

    /// Boots as a builder.
    pub fn boot_as_builder(&mut self) {
        fs::copy(file("infra/instance/builder.sh"), self.path("user-data")).unwrap();
        self.boot(&self.disk.path().join("share"));
    }

    fn boot(&mut self, share: &Path) {
        self.power_off();
        let running = Running::boot(&self.path(""), share);
        running.wait_until_booted();
        self.running = Some(running);
    }

    /// Boots as a member without a server for the share. Returns once systemd has retried the start of Docker.
    pub fn boot_without_share(&mut self) {
        self.power_off();
        self.running = Some(Running::boot(&self.path(""), &self.disk.path().join("none")));
        let restarts = ["show", "--property=NRestarts", "--value", "docker.service"];
        until("systemd starts Docker again", || (self.run("systemctl", &restarts).trim() != "0").then_some(()));
    }

    /// Shuts the machine down in order. Docker stops the containers and remembers that they ran.
    pub fn power_off(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let _ = running.command("systemctl").arg("poweroff").output().unwrap();
        until("the machine is off", || running.machine.try_wait().unwrap());
    }

    /// Runs a program on the machine and returns its standard output.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {stderr}{}", self.journal());
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn is_active(&self, unit: &str) -> bool {
        self.command("systemctl").args(["is-active", "--quiet", unit]).status().unwrap().success()
    }

    /// The running services with their images, sorted.
    pub fn running(&self) -> Vec<String> {
        self.services(&["ps", "--format", r#"{{.Label "com.docker.compose.service"}} {{.Image}}"#])
    }

    /// The services that were started since Docker itself started, sorted.
    pub fn started(&self) -> Vec<String> {
        let now = self.run("date", &["+%s"]);
        let filters = ["--filter", "type=container", "--filter", "event=start"];
        let format = ["--format", r#"{{index .Actor.Attributes "com.docker.compose.service"}}"#];
        self.services(&[&["events", "--since", "1", "--until", now.trim()], &filters[..], &format].concat())
    }

    fn services(&self, arguments: &[&str]) -> Vec<String> {
        let mut services: Vec<String> = self.run("docker", arguments).lines().map(str::to_owned).collect();
        services.sort();
        services
    }

    /// A call of the script as Run Command makes it: with a minimal environment and in its own process group.
    pub fn hop_command(&self, from: &str, to: &str, settings: &[&str]) -> Command {
        fs::copy(file("infra/instance/configure.sh"), self.path("root/configure.sh")).unwrap();
        let mut command = self.command("env");
        command.args(settings).args(["/root/configure.sh", "--version", to, "--from", from, "--run", "run-1"]);
        command.process_group(0);
        command
    }

    pub fn hop(&self, from: &str, to: &str) -> Hop {
        Hop::of(self.hop_command(from, to, &[]).output().unwrap())
    }

    fn command(&self, program: &str) -> Command {
        self.running.as_ref().unwrap().command(program)
    }

    fn journal(&self) -> String {
        let output = self.command("journalctl").args(["--no-pager", "--lines", "100"]).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The processes of a machine.
struct Running {
    /// Ends when the machine is off. Killing it kills all processes of the machine.
    machine: Child,
    registry: Child,
    /// The id of the machine's first process on this computer.
    init: u32,
}

impl Running {
    /// Starts the machine. Returns once its systemd answers.
    fn boot(root: &Path, share: &Path) -> Self {
        // If the tests are killed, their machines end too.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(fixture("machine.sh")).arg("boot").arg(root).arg(share);
        let machine = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", machine.id());
        let init = until("the machine has processes", || {
            let child: u32 = fs::read_to_string(&children).ok()?.trim().parse().ok()?;
            let name = fs::read_to_string(format!("/proc/{child}/comm")).ok()?;
            (name == "systemd\n").then_some(child)
        });
        let running = Self { registry: start_registry(init), machine, init };
        until("systemd answers", || {
            running.command("systemctl").arg("show").output().unwrap().status.success().then_some(())
        });
        running
    }

    /// Waits until all units have started or failed.
    fn wait_until_booted(&self) {
        until("the machine has booted", || {
            let state = self.command("systemctl").arg("is-system-running").output().unwrap().stdout;
            matches!(state.as_slice(), b"running\n" | b"degraded\n").then_some(())
        });
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--all", "--target", &self.init.to_string(), "env", "--ignore-environment"]);
        command.args(["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", program]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.machine.kill();
        let _ = self.machine.wait();
        drop(self.registry.stdin.take());
        let _ = self.registry.wait();
        // The kernel ends the processes in the cgroup a little later.
        let cgroup = format!("fleetwright-{}", self.machine.id());
        for parent in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
            let cgroup = Path::new(parent).join(&cgroup);
            if cgroup.exists() {
                until("the machine has left nothing behind", || {
                    let _ = Command::new("find").arg(&cgroup).args(["-depth", "-type", "d", "-delete"]).output();
                    (!cgroup.exists()).then_some(())
                });
            }
        }
    }
}

/// Starts a registry in the machine's network, in place of Docker Hub.
fn start_registry(init: u32) -> Child {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/proc/{init}/ns/net")).arg("python3").arg(fixture("registry.py"));
    command.arg(BUSYBOX).arg(fixture("appwrite.sh")).arg("5000");
    let mut registry = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(registry.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "listening\n");
    registry
}

/// The disk of a member on which everything was set up and started by hand, and which was then powered off. It is made
/// once, and again when the fixtures or the version of Docker change.
fn golden_image() -> PathBuf {
    let mut key = Sha256::new();
    for fixture in FIXTURES.map(fixture) {
        key.update(fs::read(fixture).unwrap());
    }
    for version in [vec!["docker", "version"], vec!["docker", "compose", "version"], vec!["docker-compose", "version"]]
    {
        key.update(
            Command::new(version[0]).args(&version[1..]).output().map(|output| output.stdout).unwrap_or_default(),
        );
    }
    let key: String = key.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let images = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("golden-images");
    fs::create_dir_all(&images).unwrap();
    let lock = fs::File::create(images.join(format!("{key}.lock"))).unwrap();
    lock.lock().unwrap();

    let (image, unfinished) = (images.join(&key), images.join(format!("{key}.unfinished")));
    if !image.exists() {
        let _ = fs::remove_dir_all(&unfinished);
        make_golden_image(&unfinished);
        fs::rename(&unfinished, &image).unwrap();
    }
    image
}

fn make_golden_image(root: &Path) {
    assert!(Command::new(fixture("machine.sh")).arg("make").arg(root).status().unwrap().success());
    fs::create_dir_all(root.join("root/appwrite")).unwrap();
    fs::copy(fixture("docker-compose.yml"), root.join("root/appwrite/docker-compose.yml")).unwrap();
    if !has_compose_plugin() {
        let plugins = root.join("root/.docker/cli-plugins");
        fs::create_dir_all(&plugins).unwrap();
        fs::write(plugins.join("docker-compose"), COMPOSE_PLUGIN).unwrap();
        fs::set_permissions(plugins.join("docker-compose"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let share = Scratch::new();
    fs::create_dir(share.path().join("config")).unwrap();
    let mut running = Running::boot(root, share.path());
    running.wait_until_booted();
    let up = running
        .command("sh")
        .args(["-c", "cd /root/appwrite && HOME=/root docker compose up --detach"])
        .output()
        .unwrap();
    assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
    let _ = running.command("systemctl").arg("poweroff").output().unwrap();
    until("the machine is off", || running.machine.try_wait().unwrap());
}

/// A plugin for `docker compose` that calls the program of version 1, for computers without version 2.
const COMPOSE_PLUGIN: &str = r#"#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
    printf '{"SchemaVersion": "0.1.0", "Vendor": "Docker", "Version": "1"}\n'
    exit
fi
shift
exec docker-compose "$@"
"#;

fn fixture(name: &str) -> PathBuf {
    file("tests/configure").join(name)
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").args(["--archive", "--reflink=auto"]).arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}
