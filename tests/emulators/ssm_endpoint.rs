//! Systems Manager, which runs the real script of the builder.

use super::python::python;
use super::server::Server;
use super::{Scratch, file};
use fleet::Version;

/// How migrations go on the instances of an endpoint.
#[derive(Debug, Clone, Copy)]
pub enum Migration {
    /// They succeed.
    Succeeds,
    /// They fail, with exit status 0.
    Fails,
    /// That to this version fails, with exit status 0.
    FailsTo(Version),
    /// They never end.
    Hangs,
}

/// A stand-in for Systems Manager: each instance is a directory with a compose file and a stub for `docker`.
pub struct SsmEndpoint {
    server: Server,
    instances: Scratch,
}

impl SsmEndpoint {
    /// Starts one of its own for the caller, which has the script of the repository.
    pub fn start(migration: Migration) -> Self {
        Self::started(migration, &["--configure", file("infra/instance/configure.sh").to_str().unwrap()])
    }

    /// The same, which is yet to be given its document.
    pub fn start_without_document(migration: Migration) -> Self {
        Self::started(migration, &[])
    }

    fn started(migration: Migration, document: &[&str]) -> Self {
        let instances = Scratch::new();
        let mut command = python("emulators/ssm_endpoint.py");
        command.args(document);
        command.arg("--stub").arg(file("tests/emulators/docker-stub"));
        command.arg("--compose").arg(file("tests/emulators/docker-compose.yml"));
        command.arg("--work").arg(instances.path());
        command.arg("--migrate").arg(match migration {
            Migration::Succeeds => "succeeds".to_owned(),
            Migration::Fails => "fails".to_owned(),
            Migration::FailsTo(version) => format!("fails:{version}"),
            Migration::Hangs => "hangs".to_owned(),
        });
        Self { server: Server::start(command), instances }
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The compose file that an instance has now.
    pub fn compose_file(&self, instance: &str) -> String {
        std::fs::read_to_string(self.instances.path().join(instance).join("appwrite/docker-compose.yml")).unwrap()
    }

    /// The process of the migration that hangs on an instance, once it does.
    pub fn hanging(&self, instance: &str) -> Option<u32> {
        let path = self.instances.path().join(instance).join("docker/migrating");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    }
}
