//! A rehearsal that replays a recording ends as one from the first instant.

use super::*;
use crate::rehearse::Goal;
use fleet::Config;

/// Everything that a rehearsal leaves, in a form that can be compared.
fn evidence(completed: Completed) -> impl PartialEq + std::fmt::Debug {
    let Completed { simulator, calls_before, report, finished, steps, ending, reason, verdict } = completed;
    let report = serde_json::to_value(report).unwrap();
    let steps = serde_json::to_value(steps.all).unwrap();
    let world =
        (simulator.trail(), simulator.items(), simulator.grants_used(), simulator.faults_struck(), calls_before);
    (world, report, format!("{finished:?}"), steps, ending, reason, verdict)
}

#[test]
fn a_rehearsal_from_a_start_point_equals_one_from_the_first_instant() {
    let config = Config::from_toml(include_str!("../../../../../samplconfig.toml")).unwrap();
    let upgrade = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
    for goal in [upgrade, Goal::Scale { to: 5 }, Goal::Scale { to: 2 }, Goal::GoldenImage] {
        let search = FaultSearch::new(&RehearsalSpec::new(config.clone(), goal), 0);
        let shared = Shared::new(&search.spec).unwrap();
        let survey = Survey::make(&search, &shared).unwrap();
        let pool = ClientPool::default();
        let recorded =
            survey.alone(&search.spec).into_iter().filter_map(|trial| Some((trial.start_point.clone()?, trial)));
        let recorded: Vec<_> = recorded.collect();
        let mut compared = 0;
        // Some faults at call sites, and the last two world faults.
        for (start_point, trial) in recorded.iter().step_by(251).chain(recorded.iter().rev().take(2)) {
            let run = |mode| evidence(search.rehearse(&shared, &pool, mode, trial.seed, &trial.faults).unwrap());
            assert_eq!(run(RecordingMode::Replay(start_point)), run(RecordingMode::Off), "{:?}", trial.faults);
            compared += 1;
        }
        assert!(compared > 3, "{compared} of {goal:?}");
    }
}
