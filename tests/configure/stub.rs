//! A machine whose `docker` is a stub, and its compose file.

use super::hop::Hop;
use crate::emulators::{Scratch, file};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub(super) const SECRET: &str = "correct-horse-battery";

/// The machine of one test: directories, and programs that come first on PATH.
pub(super) struct Machine(Scratch);

impl Machine {
    pub(super) fn new() -> Self {
        let machine = Self(Scratch::new());
        for directory in ["appwrite", "bin", "docker", "share", "systemd", "units"] {
            fs::create_dir(machine.path(directory)).unwrap();
        }
        symlink(file("tests/emulators/docker-stub"), machine.path("bin/docker")).unwrap();
        symlink("/bin/true", machine.path("bin/systemctl")).unwrap();
        machine.write("appwrite/docker-compose.yml", &original());
        machine.write("appwrite/.env", &format!("_APP_ENV=production\n_APP_DB_PASS=\"{SECRET}\"\n"));
        machine
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn compose_file(&self) -> String {
        self.read("appwrite/docker-compose.yml")
    }

    /// Sets what the next migration does.
    pub(super) fn set_migration(&self, how: &str) {
        self.write("docker/migrate", how);
    }

    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var_os("PATH").unwrap().display());
        let mut command = Command::new(program);
        command.env_clear().env("PATH", path).env("HOME", self.0.path()).env("DOCKER_STUB", self.path("docker"));
        for (name, value) in [
            ("APPWRITE_DIR", "appwrite"),
            ("STATE_DIR", "state"),
            ("SHARE_DIR", "share"),
            ("UNIT_DIR", "units"),
            ("SYSTEMD_DIR", "systemd"),
        ] {
            command.env(format!("FLEETWRIGHT_{name}"), self.path(value));
        }
        command.env("FLEETWRIGHT_HEALTH_DEADLINE", "2").env("FLEETWRIGHT_LOCK_DEADLINE", "30");
        command.env("FLEETWRIGHT_MIGRATE_DEADLINE", "20");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn script(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(file("infra/instance/configure.sh"));
        command.args(arguments);
        command
    }

    pub(super) fn hop_command(&self, from: &str, to: &str) -> Command {
        self.script(&["--version", to, "--from", from, "--run", "run-1"])
    }

    pub(super) fn hop(&self, from: &str, to: &str) -> Hop {
        Hop::of(self.hop_command(from, to).output().unwrap())
    }
}

impl Drop for Machine {
    /// Kills a hanging migration, which would outlive a failed test.
    fn drop(&mut self) {
        if let Ok(migration) = self.read("docker/migrating").trim().parse::<u32>() {
            let _ = Command::new("kill").arg(migration.to_string()).stderr(Stdio::null()).status();
        }
    }
}

pub(super) fn original() -> String {
    fs::read_to_string(file("tests/emulators/docker-compose.yml")).unwrap()
}

/// The compose file with its Appwrite services on another version. Its comment keeps the old version.
pub(super) fn at_version(version: &str) -> String {
    original()
        .lines()
        .map(|line| match line.trim_start().starts_with("image:") {
            true => line.replace("appwrite/appwrite:1.3.8", &format!("appwrite/appwrite:{version}")) + "\n",
            false => format!("{line}\n"),
        })
        .collect()
}
