//! Installs and migrates one hop on the builder (by hand: steps 3 to 5). Waits for the builder's SSM agent, sends the
//! command once, and judges the output of the command, because the exit status of `migrate` is unreliable.
//!
//! Not undone: the builder is deleted, and only a backup can undo the migration of the shared data. Repeating the step finds
//! the command that it sent.

use super::members::require_builder;
use super::wait::wait;
use crate::aws::{Aws, CommandState};
use crate::{AllowedPhase, StepError};
use fleet::{StateContext, Ticket, Verdict, Version, judge};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    run: Ticket,
    state: StateContext,
    hop: Version,
}

#[derive(Debug, Serialize)]
pub(crate) struct Output {}

pub(crate) async fn run(aws: &Aws, Input { run, state, hop }: Input) -> Result<Output, StepError> {
    let mut found = aws.ledger().hold(&run, AllowedPhase::Forward).await?;
    let run = &found.record;
    let limits = run.config.limits;
    let builder = require_builder(aws, run).await?.id;

    let Some(command) = aws.command(&builder, &run.run, hop).await? else {
        let agent_offline =
            || wait(aws, &state, limits.agent, format!("the SSM agent of builder {builder} is not online"));
        if !aws.agent_is_online(&builder).await? {
            return agent_offline();
        }
        if found.record.migrate_to(hop, aws.now()) {
            aws.ledger().write(&mut found).await?;
        }
        let run = &found.record;
        let document = &run.config.upgrade.configure_document;
        let before = version_before(&run.hops, hop, run.from());
        return match aws.send_command(document, &builder, &run.run, before, hop).await {
            Ok(()) => wait(aws, &state, limits.configure, format!("{hop} is being installed on builder {builder}")),
            Err(error) if error.is_agent_unknown() => agent_offline(),
            Err(error) => Err(error.into()),
        };
    };
    if command.state == CommandState::InProgress {
        let what = format!("command {} installs {hop} on builder {builder}", command.id);
        return wait(aws, &state, limits.configure, what);
    }
    let output = match aws.command_output(&builder, &command.id).await {
        Err(error) if error.is_not_visible_yet() => return wait(aws, &state, limits.configure, error),
        output => output?,
    };
    let failed = |why: String| {
        Err(StepError::Failed(format!("installing {hop} on builder {builder} failed (command {}): {why}", command.id)))
    };
    match (judge(hop, &output), command.state) {
        (Verdict::Failed(why), _) => failed(why),
        (Verdict::Migrated, CommandState::Failed(status)) => failed(format!("Run Command reports {status}")),
        (Verdict::Migrated, _) => Ok(Output {}),
    }
}

/// The version that is installed before `hop`.
fn version_before(hops: &[Version], hop: Version, first: Version) -> Version {
    hops.iter().copied().take_while(|earlier| *earlier < hop).last().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hop_starts_from_the_version_of_the_hop_before() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let hops = ["1.4.14", "1.5.11", "1.6.2"].map(version);
        assert_eq!(version_before(&hops, hops[0], version("1.3.8")), version("1.3.8"));
        assert_eq!(version_before(&hops, hops[2], version("1.3.8")), hops[1]);
    }
}
