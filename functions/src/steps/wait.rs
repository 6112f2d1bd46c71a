//! Waiting: a step that is not done yet answers so at once; the state machine asks again, until the deadline.

use crate::{Aws, StepError};
use fleet::{Deadline, Span, StateContext};
use jiff::SignedDuration;

/// So long a function may be under way that looked at the run before something changed: its time-out, in
/// infra/template.yaml. The state machines ask `take-up` again a second after that.
pub(crate) const UNDER_WAY: SignedDuration = SignedDuration::from_secs(60);

/// How long a start waits for its turn until whoever holds the fleet has ended.
pub(crate) const PATIENCE: Span = Span::minutes(60);

/// The answer of a step that sees `what` and waits for more: `NotYet`, or `Failed` when `limit` has passed since the
/// state was entered. Both say what, on which id, and until when.
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
