//! How a step waits: an attempt that finds the wanted condition not yet met answers at once, and the state machine invokes
//! the step again until the deadline.

use crate::{Aws, StepError};
use fleet::{Deadline, Span, StateContext};
use jiff::SignedDuration;

/// The time-out of a function, from infra/template.yaml. A function that read the run before a change can act for this
/// long after the change. The state machines retry `resume` one second later than that.
pub(crate) const FUNCTION_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// How long a start waits for the lock while another run holds it.
pub(crate) const LOCK_WAIT_LIMIT: Span = Span::minutes(60);

/// The answer of a step that waits. `what` says what it found, and on which id.
///
/// # Errors
/// Always: `NotYet` until `limit` has passed since the state was entered, and `Failed` from then on. Both name the deadline.
pub(crate) fn wait<T>(
    aws: &Aws,
    state: &StateContext,
    limit: Span,
    what: impl std::fmt::Display,
) -> Result<T, StepError> {
    let deadline = Deadline::after(state.entered_time, limit);
    if deadline.passed(aws.now()) {
        return Err(StepError::Failed(format!("{what}, and the deadline of {deadline} has passed")));
    }
    Err(StepError::NotYet(format!("{what}; waiting until {deadline}")))
}
