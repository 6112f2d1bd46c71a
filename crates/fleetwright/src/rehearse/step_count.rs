//! How many steps a run enters in which nothing goes wrong: the length of the progress bar.

use super::{Goal, RehearsalSpec, START, in_virtual_time};
use asl::{Event, EventKind, Execution, Failure, Limits, Resources, StateMachine, StateType, Task};
use fleet::hop_path;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

/// The number of Task states that the definition enters for this goal and configuration when each step succeeds at once.
/// None if the definition cannot be loaded, which the rehearsal itself reports.
pub(super) fn smooth(spec: &RehearsalSpec) -> Option<u64> {
    let definition = spec.goal.definition(&spec.config);
    let machine = StateMachine::parse(definition.text).ok()?;
    let name = |kind: &str| format!("arn:aws:states:us-east-1:123456789012:{kind}:{}", definition.machine);
    let execution = Execution {
        name: "count".to_owned(),
        id: name("execution"),
        role: "arn:aws:iam::123456789012:role/count".to_owned(),
        state_machine: definition.machine.to_owned(),
        state_machine_id: name("stateMachine"),
        input: spec.goal.input(&spec.config),
        started: START,
        limits: Limits::default(),
    };
    let answers = Succeeds(answer(spec));
    let mut entered = 0;
    let mut count = |event: &Event| {
        entered += u64::from(matches!(event.kind, EventKind::StateEntered { state_type: StateType::Task, .. }));
    };
    in_virtual_time(asl::run(&machine, execution, &answers, &mut count)).ok()?;
    Some(entered)
}

/// Everything that the Choice states and the paths of any definition read from a step's answer.
fn answer(spec: &RehearsalSpec) -> Value {
    let config = &spec.config;
    let (hops, work) = match spec.goal {
        // Without a path the run is refused in its first step.
        Goal::Upgrade { to } => match hop_path(config.fleet.version, to, &config.upgrade.hops) {
            Ok(hops) if !hops.is_empty() => (hops, "upgrade"),
            Ok(hops) => (hops, "nothing"),
            Err(_) => (Vec::new(), "nothing"),
        },
        Goal::Scale { .. } => (Vec::new(), "scale"),
        Goal::GoldenImage => (Vec::new(), "golden-image"),
    };
    json!({
        "StatusCode": 200,
        "Payload": {
            "run": {}, "work": work, "hops": hops, "approval": config.upgrade.approval, "approval_seconds": 60,
            "on_failure": "roll-back", "failure": null, "later": null,
            "begun": true, "decision": {}, "again": false, "seconds": 1,
            "outcome": "done", "image": null,
        },
    })
}

/// Answers every task with the same success.
struct Succeeds(Value);

impl Resources for Succeeds {
    fn call<'a>(&'a self, _: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::rehearse;
    use fleet::Config;

    #[test]
    fn the_count_is_the_number_of_steps_of_a_rehearsal_without_faults() {
        let to = |version: &str| Goal::Upgrade { to: version.parse().unwrap() };
        let goals =
            [to("1.4.14"), to("1.6.2"), to("1.3.8"), Goal::Scale { to: 5 }, Goal::Scale { to: 2 }, Goal::GoldenImage];
        for goal in goals {
            for approval in [false, true] {
                let mut config = Config::from_toml(include_str!("../../../../samplconfig.toml")).unwrap();
                config.upgrade.approval = approval;
                let spec = RehearsalSpec::new(config, goal);
                let steps = rehearse(&spec, &mut |_| {}).unwrap().steps.len();
                assert_eq!(smooth(&spec), Some(steps as u64), "{goal:?}, approval {approval}");
            }
        }
    }
}
