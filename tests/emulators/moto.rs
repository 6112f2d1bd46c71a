//! EC2, load balancing, CloudWatch, RDS, IAM and DynamoDB, by moto.

use super::python::python;
use super::server::Server;

/// A moto server with an empty account.
pub struct Moto(Server);

impl Moto {
    /// Starts one of its own for the caller.
    pub fn start() -> Self {
        Self(Server::start(python("emulators/moto_server.py")))
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}
