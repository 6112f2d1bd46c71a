//! The services, and the one shape in which each of them refuses.

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Ec2,
    LoadBalancing,
    Rds,
    SystemsManager,
    CloudWatch,
    DynamoDb,
}

impl Service {
    /// How the service says that it was called too often.
    pub(crate) fn throttled(self) -> ServiceError {
        match self {
            Service::Ec2 => ServiceError { status: 503, ..refuse("RequestLimitExceeded", "Request limit exceeded.") },
            Service::LoadBalancing | Service::SystemsManager | Service::CloudWatch => {
                refuse("ThrottlingException", "Rate exceeded")
            }
            Service::Rds => refuse("Throttling", "Rate exceeded"),
            Service::DynamoDb => refuse(
                "ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded.",
            ),
        }
    }
}

/// What a service answers instead of doing what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The code under which the simulator refuses what it does not imitate.
pub(crate) const UNSUPPORTED: &str = "Simulator.Unsupported";

/// A refusal with status 400.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> ServiceError {
    ServiceError { status: 400, code: code.to_owned(), message: message.into() }
}

/// A refusal to imitate `what`: a rehearsal that went on as if it were not there would prove nothing.
pub(crate) fn unsupported(what: impl std::fmt::Display) -> ServiceError {
    refuse(UNSUPPORTED, format!("the simulator does not know {what}"))
}

/// A refusal that a fault asked for, with the status that AWS sends with the code.
pub(crate) fn injected(code: &str) -> ServiceError {
    let status = match code {
        "InternalError" | "InternalFailure" | "InternalServerError" | "InternalServiceFault" => 500,
        "InsufficientInstanceCapacity" | "ServerInternal" => 500,
        "RequestLimitExceeded" | "ServiceUnavailable" | "Unavailable" => 503,
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => 403,
        _ => 400,
    };
    ServiceError { status, ..refuse(code, format!("{code}, as this rehearsal asked for.")) }
}
