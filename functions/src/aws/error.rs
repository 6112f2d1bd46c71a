//! The error codes of AWS as named sets, in one place: what each means for a step.

use crate::StepError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::error::Error;
use std::fmt::Display;

/// AWS throttled the call; the call itself is fine.
const THROTTLED: [&str; 8] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// AWS failed: the call may have taken effect or not.
const INTERRUPTED: [&str; 9] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "TransactionConflictException",
    "TransactionInProgressException",
    "Unavailable",
];

/// The zone has no capacity for this instance type; another zone may have it.
const NO_CAPACITY: [&str; 5] = [
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientReservedInstanceCapacity",
    "Unsupported",
];

/// Another operation, such as a daily backup, is using the resource; a later call can succeed.
const BUSY: [&str; 3] =
    ["ConcurrentSnapshotLimitExceeded", "InvalidDBInstanceState", "SnapshotCreationPerVolumeRateExceeded"];

/// AWS does not describe a new resource everywhere yet.
const NOT_VISIBLE_YET: [&str; 3] = ["InvalidAMIID.NotFound", "InvalidInstanceID.NotFound", "InvocationDoesNotExist"];

/// A call to AWS that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {text}")]
pub struct CallError {
    operation: &'static str,
    kind: Kind,
    code: String,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Throttled,
    Interrupted,
    Refused,
}

impl CallError {
    /// The error for a failed part of an answer that is successful as a whole, with the `code` of AWS.
    pub(super) fn refused(operation: &'static str, code: &str, text: impl Display) -> Self {
        Self { operation, kind: Kind::Refused, code: code.to_owned(), text: format!("{code}: {text}") }
    }

    /// The caller's policy does not allow the call.
    pub fn is_denied(&self) -> bool {
        self.code == "UnauthorizedOperation"
    }

    /// The zone has no capacity for this instance type.
    pub fn is_no_capacity(&self) -> bool {
        NO_CAPACITY.contains(&self.code.as_str())
    }

    /// The account has reached its quota of instances.
    pub fn is_quota(&self) -> bool {
        matches!(self.code.as_str(), "VcpuLimitExceeded" | "InstanceLimitExceeded")
    }

    /// AWS does not describe a new resource everywhere yet.
    pub fn is_not_visible_yet(&self) -> bool {
        NOT_VISIBLE_YET.contains(&self.code.as_str())
    }

    /// The instance is in a state in which it cannot be started or stopped.
    pub fn is_wrong_state(&self) -> bool {
        self.code == "IncorrectInstanceState"
    }

    /// The image does not exist any more.
    pub fn is_image_gone(&self) -> bool {
        matches!(self.code.as_str(), "InvalidAMIID.NotFound" | "InvalidAMIID.Unavailable")
    }

    /// An image with this name exists. If the name derives from the run, it is the run's own image.
    pub fn is_duplicate_image_name(&self) -> bool {
        self.code == "InvalidAMIName.Duplicate"
    }

    /// Another operation is using the resource; a later call can succeed.
    pub fn is_busy(&self) -> bool {
        BUSY.contains(&self.code.as_str())
    }

    /// The RDS snapshot does not exist.
    pub fn is_db_snapshot_missing(&self) -> bool {
        matches!(self.code.as_str(), "DBSnapshotNotFound" | "DBSnapshotNotFoundFault")
    }

    /// An RDS snapshot with this name exists. If the name derives from the run, it is the run's own snapshot.
    pub fn is_duplicate_db_snapshot(&self) -> bool {
        self.code == "DBSnapshotAlreadyExists"
    }

    /// Systems Manager does not know the instance, or not yet.
    pub fn is_agent_unknown(&self) -> bool {
        self.code == "InvalidInstanceId"
    }

    /// The DynamoDB table does not exist.
    pub fn is_table_missing(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }

    /// The CloudWatch alarm does not exist.
    pub fn is_alarm_missing(&self) -> bool {
        matches!(self.code.as_str(), "ResourceNotFound" | "ResourceNotFoundException")
    }

    /// The condition on the item, or on an item of the transaction, was not met.
    pub fn is_condition_failed(&self) -> bool {
        self.code == "ConditionalCheckFailedException"
            || (self.code == "TransactionCanceledException" && self.text.contains("ConditionalCheckFailed"))
    }
}

impl From<CallError> for StepError {
    fn from(error: CallError) -> Self {
        match error.kind {
            Kind::Throttled => Self::Throttled(error.to_string()),
            Kind::Interrupted => Self::Interrupted(error.to_string()),
            Kind::Refused => Self::Failed(error.to_string()),
        }
    }
}

/// Names the operation of a call, logs it with the request id that AWS Support needs, and classifies its error.
pub trait Named<T> {
    /// The answer of `operation`, or its error.
    fn of(self, operation: &'static str) -> Result<T, CallError>;
}

impl<T: RequestId, E: ProvideErrorMetadata + Error + 'static> Named<T> for Result<T, SdkError<E, HttpResponse>> {
    fn of(self, operation: &'static str) -> Result<T, CallError> {
        match self {
            Ok(answer) => {
                tracing::info!(operation, aws_request = answer.request_id(), "answered");
                Ok(answer)
            }
            Err(error) => {
                let classified = classify(operation, &error);
                tracing::warn!(operation, aws_request = error.request_id(), error = classified.text);
                Err(classified)
            }
        }
    }
}

/// Classifies the error of an operation by its code and its HTTP status.
fn classify<E: ProvideErrorMetadata + Error + 'static>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> CallError {
    let Some(answer) = error.as_service_error() else {
        let kind = match error {
            SdkError::ConstructionFailure(_) => Kind::Refused,
            _ => Kind::Interrupted,
        };
        return CallError { operation, kind, code: String::new(), text: chain(error) };
    };
    let code = answer.code().unwrap_or_default();
    let server_failed = error.raw_response().is_some_and(|response| response.status().as_u16() >= 500);
    let text = format!("{code}: {}", answer.message().unwrap_or("no message"));
    let kind = match code {
        "TransactionCanceledException" if text.contains("TransactionConflict") => Kind::Interrupted,
        code if THROTTLED.contains(&code) => Kind::Throttled,
        code if INTERRUPTED.contains(&code) || server_failed => Kind::Interrupted,
        _ => Kind::Refused,
    };
    CallError { operation, kind, code: code.to_owned(), text }
}

/// An error and all its causes, in one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
