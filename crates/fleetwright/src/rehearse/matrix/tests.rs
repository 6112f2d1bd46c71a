//! Leaving a recording is as good as playing all of it.

use super::*;
use crate::rehearse::Goal;
use fleet::Config;

/// Everything about a rehearsal that anybody could ask for.
fn evidence(played: Played) -> impl PartialEq + std::fmt::Debug {
    let Played { simulator, calls_before, report, finished, steps, ending, reason, verdict } = played;
    let report = serde_json::to_value(report).unwrap();
    let steps = serde_json::to_value(steps.all).unwrap();
    let world =
        (simulator.trail(), simulator.items(), simulator.grants_used(), simulator.faults_struck(), calls_before);
    (world, report, format!("{finished:?}"), steps, ending, reason, verdict)
}

#[test]
fn what_leaves_a_tape_comes_out_as_from_the_very_beginning() {
    let config = Config::from_toml(include_str!("../../../../../samplconfig.toml")).unwrap();
    let upgrade = Goal::Upgrade { to: "1.4.14".parse().unwrap() };
    for goal in [upgrade, Goal::Scale { to: 5 }, Goal::Scale { to: 2 }, Goal::GoldenImage] {
        let search = Search::new(&RehearsalSpec { config: config.clone(), goal, faults: Vec::new() }, 0);
        let scenery = search.scenery().unwrap();
        let survey = Survey::make(&search, &scenery).unwrap();
        let pool = Pool::default();
        let taped =
            survey.alone(&search.plan).into_iter().filter_map(|trial| Some((trial.start_point.clone()?, trial)));
        let taped: Vec<_> = taped.collect();
        let mut compared = 0;
        // Of faults of calls some, and the last two of the world.
        for (start_point, trial) in taped.iter().step_by(251).chain(taped.iter().rev().take(2)) {
            let play = |beginning| {
                evidence(search.play(&scenery, &pool, &unbroken, beginning, trial.seed, &trial.fault_specs).unwrap())
            };
            assert_eq!(play(Beginning::Replayed(start_point)), play(Beginning::Own), "{:?}", trial.fault_specs);
            compared += 1;
        }
        assert!(compared > 3, "{compared} of {goal:?}");
    }
}
