//! AWS's error codes as named sets, in one place: what each means for a step.

use crate::StepError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use std::error::Error;
use std::fmt::Display;

/// Slow down: the rate is the problem, not the call.
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

/// AWS stumbled: the call may have taken effect or not.
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

/// The zone has no machine of this type, or no room for one; another may.
const NO_CAPACITY: [&str; 5] = [
    "InsufficientFreeAddressesInSubnet",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientReservedInstanceCapacity",
    "Unsupported",
];

/// Something else is being done with it, such as its daily backup; later it can be.
const BUSY: [&str; 3] =
    ["ConcurrentSnapshotLimitExceeded", "InvalidDBInstanceState", "SnapshotCreationPerVolumeRateExceeded"];

/// What was just made cannot be described everywhere yet.
const NOT_VISIBLE_YET: [&str; 3] = ["InvalidAMIID.NotFound", "InvalidInstanceID.NotFound", "InvocationDoesNotExist"];

/// A call to AWS that did not work.
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
    /// What an answer says that is good as a whole: in `text`, under AWS's own `code`.
    pub(super) fn refused(operation: &'static str, code: &str, text: impl Display) -> Self {
        Self { operation, kind: Kind::Refused, code: code.to_owned(), text: format!("{code}: {text}") }
    }

    /// The caller's policy does not let it.
    pub fn is_denied(&self) -> bool {
        self.code == "UnauthorizedOperation"
    }

    /// The zone has no machine of this type left.
    pub fn is_no_capacity(&self) -> bool {
        NO_CAPACITY.contains(&self.code.as_str())
    }

    /// The account may have no more machines at a time.
    pub fn is_quota(&self) -> bool {
        matches!(self.code.as_str(), "VcpuLimitExceeded" | "InstanceLimitExceeded")
    }

    /// What was just made cannot be described everywhere yet.
    pub fn is_not_visible_yet(&self) -> bool {
        NOT_VISIBLE_YET.contains(&self.code.as_str())
    }

    /// The instance is in a state of its life in which it cannot be started or stopped.
    pub fn is_wrong_state(&self) -> bool {
        self.code == "IncorrectInstanceState"
    }

    /// The image is gone already.
    pub fn is_image_gone(&self) -> bool {
        matches!(self.code.as_str(), "InvalidAMIID.NotFound" | "InvalidAMIID.Unavailable")
    }

    /// The image's name is taken: by this run's own image if the name derives from the run.
    pub fn is_duplicate_image_name(&self) -> bool {
        self.code == "InvalidAMIName.Duplicate"
    }

    /// Something else is being done with what was named; later the call may work.
    pub fn is_busy(&self) -> bool {
        BUSY.contains(&self.code.as_str())
    }

    /// There is no such snapshot of an RDS instance.
    pub fn is_db_snapshot_missing(&self) -> bool {
        matches!(self.code.as_str(), "DBSnapshotNotFound" | "DBSnapshotNotFoundFault")
    }

    /// The RDS snapshot's name is taken: by this run's own if the name derives from the run.
    pub fn is_duplicate_db_snapshot(&self) -> bool {
        self.code == "DBSnapshotAlreadyExists"
    }

    /// The instance is not, or not yet, known to Systems Manager.
    pub fn is_agent_unknown(&self) -> bool {
        self.code == "InvalidInstanceId"
    }

    /// DynamoDB has no such table.
    pub fn is_table_missing(&self) -> bool {
        self.code == "ResourceNotFoundException"
    }

    /// CloudWatch has no such alarm.
    pub fn is_alarm_missing(&self) -> bool {
        matches!(self.code.as_str(), "ResourceNotFound" | "ResourceNotFoundException")
    }

    /// The item, or one of the transaction's, was not as the condition wanted it.
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

/// Names the operation of a call, logs it with the id by which AWS's support finds it, and sorts its error into what it
/// means for a step.
pub trait Named<T> {
    /// The answer, or the error of `operation`.
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
                let sorted = sort(operation, &error);
                tracing::warn!(operation, aws_request = error.request_id(), error = sorted.text);
                Err(sorted)
            }
        }
    }
}

fn sort<E: ProvideErrorMetadata + Error + 'static>(
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
    let stumbled = error.raw_response().is_some_and(|response| response.status().as_u16() >= 500);
    let text = format!("{code}: {}", answer.message().unwrap_or("no message"));
    let kind = match code {
        "TransactionCanceledException" if text.contains("TransactionConflict") => Kind::Interrupted,
        code if THROTTLED.contains(&code) => Kind::Throttled,
        code if INTERRUPTED.contains(&code) || stumbled => Kind::Interrupted,
        _ => Kind::Refused,
    };
    CallError { operation, kind, code: code.to_owned(), text }
}

/// An error and everything that caused it, in one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
