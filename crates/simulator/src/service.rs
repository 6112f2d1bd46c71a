//! The services, and the error that each of them answers with.

/// An AWS service.
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
    /// The service's error for a caller that exceeds a rate.
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

/// An error that a service answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The error code for requests that the simulator does not support.
pub(crate) const UNSUPPORTED: &str = "Simulator.Unsupported";

/// An error with HTTP status 400.
pub(crate) fn refuse(code: &str, message: impl Into<String>) -> ServiceError {
    ServiceError { status: 400, code: code.to_owned(), message: message.into() }
}

/// The error for a request that the simulator does not support. A rehearsal that ignored such a request would prove
/// nothing.
pub(crate) fn unsupported(what: impl std::fmt::Display) -> ServiceError {
    refuse(UNSUPPORTED, format!("the simulator does not support {what}"))
}

/// The error that a fault asks for, with the HTTP status that AWS sends with the code.
pub(crate) fn injected(code: &str) -> ServiceError {
    let status = match code {
        "InternalError" | "InternalFailure" | "InternalServerError" | "InternalServiceFault" => 500,
        "InsufficientInstanceCapacity" | "ServerInternal" => 500,
        "RequestLimitExceeded" | "ServiceUnavailable" | "Unavailable" => 503,
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => 403,
        _ => 400,
    };
    ServiceError { status, ..refuse(code, format!("{code}, injected by a fault of this rehearsal.")) }
}
