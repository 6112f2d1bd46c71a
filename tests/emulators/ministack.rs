//! ministack emulates CloudFormation, Lambda, Step Functions, DynamoDB, IAM and the other services of a stack.

use super::python::python;
use super::server::Server;
use super::{Moto, SsmEndpoint};

/// A ministack server with an empty account. It enforces the policies of callers, and skips the waits of Step
/// Functions.
pub struct Ministack(Server);

impl Ministack {
    /// Starts a server. Its functions call moto and the endpoint of Systems Manager for the services there.
    pub fn start(moto: &Moto, ssm: &SsmEndpoint) -> Self {
        let mut command = python("emulators/ministack_server.py");
        for service in ["CLOUDWATCH", "EC2", "ELASTIC_LOAD_BALANCING_V2"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), moto.endpoint());
        }
        command.env("AWS_ENDPOINT_URL_SSM", ssm.endpoint());
        Self(Server::start(command))
    }

    /// The server's address.
    pub fn endpoint(&self) -> String {
        self.0.endpoint()
    }
}
