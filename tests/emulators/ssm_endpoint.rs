//! An emulator of Systems Manager that runs the builder's real script.

use super::python::python;
use super::server::Server;
use super::{Scratch, file};
use fleet::Version;

/// What migrations do on the instances of an endpoint.
#[derive(Debug, Clone, Copy)]
pub enum Migration {
    /// They succeed.
    Succeeds,
    /// They fail, with exit status 0.
    Fails,
    /// The migration to this version fails, with exit status 0. Others succeed.
    FailsTo(Version),
    /// They never end.
    Hangs,
}

/// The emulator. Each instance is a directory with a compose file and a stub for `docker`.
pub struct SsmEndpoint {
    server: Server,
    instances: Scratch,
}

impl SsmEndpoint {
    /// Starts an endpoint with the script of the repository.
    pub fn start(migration: Migration) -> Self {
        Self::start_with(migration, &["--configure", file("infra/instance/configure.sh").to_str().unwrap()])
    }

    /// Starts an endpoint without its document, which a call of `CreateDocument` provides.
    pub fn start_without_document(migration: Migration) -> Self {
        Self::start_with(migration, &[])
    }

    fn start_with(migration: Migration, document: &[&str]) -> Self {
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

    /// The endpoint's address.
    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The current compose file of an instance.
    pub fn compose_file(&self, instance: &str) -> String {
        std::fs::read_to_string(self.instances.path().join(instance).join("appwrite/docker-compose.yml")).unwrap()
    }

    /// The process id of the migration that hangs on an instance, if one does.
    pub fn hanging(&self, instance: &str) -> Option<u32> {
        let path = self.instances.path().join(instance).join("docker/migrating");
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    }
}
