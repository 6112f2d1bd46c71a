//! Systems Manager: agents and Run Command. <https://docs.aws.amazon.com/systems-manager/latest/APIReference/>.

pub(crate) mod command;

mod agents;
mod answers;
mod configure;
mod send;

use serde_json::Value;

use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::json::Fields;

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, fields: &mut Fields) -> Result<Value, ServiceError> {
    match operation {
        "CancelCommand" => send::cancel(state, fields),
        "DescribeInstanceInformation" => agents::describe(state, fields),
        "GetCommandInvocation" => answers::get_invocation(state, fields),
        "ListCommandInvocations" => answers::list_invocations(state, fields),
        "ListCommands" => answers::list_commands(state, fields),
        "SendCommand" => send::send(state, fields),
        other => Err(unsupported(format_args!("the operation {other} of Systems Manager"))),
    }
}

/// The page that a call asks for.
#[derive(Clone, Copy, Debug)]
struct Page {
    from: usize,
    most: usize,
}

impl Page {
    fn read(fields: &mut Fields, limits: std::ops::RangeInclusive<u64>, default: usize) -> Result<Page, ServiceError> {
        let most = match fields.number("MaxResults")? {
            None => default,
            Some(most) if limits.contains(&most) => usize::try_from(most).unwrap_or(default),
            Some(most) => {
                let message = format!(
                    "Value '{most}' at 'maxResults' failed to satisfy constraint: Member must be in {limits:?}"
                );
                return Err(refuse("ValidationException", message));
            }
        };
        let from = match fields.string("NextToken")? {
            None => 0,
            Some(token) => {
                token.parse().map_err(|_| refuse("InvalidNextToken", "The specified token is not valid."))?
            }
        };
        Ok(Page { from, most })
    }

    /// This page of all that is `admitted`, and the token of the next page.
    fn slice<T>(self, admitted: impl Iterator<Item = T>) -> (Vec<T>, Option<String>) {
        let mut rest = admitted.skip(self.from);
        let page: Vec<T> = rest.by_ref().take(self.most).collect();
        let next = rest.next().map(|_| (self.from + self.most).to_string());
        (page, next)
    }
}
