//! moto emulates EC2, load balancing, CloudWatch, RDS, IAM and DynamoDB.

use super::python::python;
use super::server::Server;

/// A moto server with an empty account.
pub struct Moto(Server);

impl Moto {
    /// Starts a server.
    pub fn start() -> Self {
        Self(Server::start(python("emulators/moto_server.py")))
    }

    /// The server's address.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// The server's process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}
