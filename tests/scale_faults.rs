//! Every fault at every call of the workflows that change a fleet's size: whatever strikes, nobody is lost, nothing is left
//! over, and who died is brought to an end.

use crate::scale::scaling;
use crate::stage::Stage;
use fleet::{Config, OnFailure, Outcome, Phase, Span};
use fleetwright::rehearse::{CallKind, Mishap, Processes, Site, in_virtual_time};
use serde_json::{Value, json};
use simulator::faults::{Fault, WorldFault};
use simulator::invariants::Outcome as Settling;
use std::collections::{BTreeMap, BTreeSet};

const RUN: &str = "run-1";

/// A way that a scaling can go.
#[derive(Clone, Copy)]
struct Journey {
    name: &'static str,
    out: bool,
    /// The launched instances that come up ill.
    ill: &'static [u32],
    /// Whether it may not take anybody out, and so turns back.
    held: bool,
    /// How many are in service at its end, if nothing else goes wrong.
    left: usize,
}

const JOURNEYS: [Journey; 5] = [
    Journey { name: "out", out: true, ill: &[], held: false, left: 5 },
    Journey { name: "out, one replaced", out: true, ill: &[1], held: false, left: 5 },
    Journey { name: "out, one given up", out: true, ill: &[1, 3], held: false, left: 4 },
    Journey { name: "in", out: false, ill: &[], held: false, left: 2 },
    Journey { name: "in, and back", out: false, ill: &[], held: true, left: 3 },
];

fn brisk(config: &mut Config) {
    scaling(config);
    config.upgrade.on_failure = OnFailure::Rollback;
    config.limits.healthy = Span::minutes(3);
    config.rehearsal.health_check_interval = Span::seconds(5);
    config.rehearsal.deregistration_delay = Span::seconds(20);
}

/// What a journey came to.
struct Ended {
    in_service: usize,
    sites: Vec<Site>,
    /// What does not hold.
    wrong: Vec<String>,
}

impl Journey {
    fn play(self, struck: Option<&Mishap>) -> Ended {
        in_virtual_time(async {
            let mut faults: Vec<_> =
                self.ill.iter().map(|nth| Fault::world(WorldFault::ImpairedInstance { nth: *nth })).collect();
            if self.held {
                faults.push(Fault::on("DeregisterTargets").at("the-leaving-out").always().error("AccessDenied"));
            }
            faults.extend(struck.and_then(|mishap| mishap.strikes()));
            let stage = Stage::with(brisk, faults).await;
            if !self.out {
                stage.simulator.require(2);
            }
            self.run(&stage, RUN, json!({"fleet": "appwrite", "by": if self.out { 2 } else { -1 }})).await;
            let trail = stage.simulator.trail();
            // Whatever else was to go wrong is over when a person comes.
            stage.simulator.heal();
            let record = stage.anyone().ledger().run(&stage.run_ref(RUN)).await.unwrap();
            let over = |phase: &Phase| matches!(phase, Phase::Ended(outcome) if *outcome != Outcome::Frozen);
            if record.is_some_and(|run| !over(&run.record.phase)) {
                let dead = json!({"execution": RUN, "how": "is dead"});
                self.run(&stage, "repair-1", json!({"fleet": "appwrite", "repair": RUN, "dead": dead})).await;
            }
            Ended { in_service: stage.in_service().await, sites: sites(&trail), wrong: wrong(&stage).await }
        })
        .unwrap()
    }

    async fn run(self, stage: &Stage, name: &str, input: Value) {
        let machine = if self.out { &stage.scale_out } else { &stage.scale_in };
        let processes = Processes::new(Box::new(stage.functions(RUN)), &stage.simulator);
        tokio::select! {
            _ = stage.execute_by(machine, name, input, &processes) => {}
            () = processes.forgotten() => {}
        }
    }
}

/// The first and the last call of each operation in each state.
fn sites(trail: &[simulator::process::Passed]) -> Vec<Site> {
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for passed in trail {
        *counts.entry((passed.place.to_string(), passed.operation.clone())).or_default() += 1;
    }
    let ends = counts.into_iter().flat_map(|((state, operation), count)| {
        let ends = BTreeSet::from([1, count]);
        ends.into_iter().map(move |nth| Site { state: state.clone(), operation: operation.clone(), nth })
    });
    ends.collect()
}

async fn wrong(stage: &Stage) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(lock) = stage.fleet().await.lock {
        wrong.push(format!("{} still holds the fleet", lock.run));
    }
    let settling = match stage.anyone().ledger().run(&stage.run_ref(RUN)).await.unwrap().map(|run| run.record.phase) {
        None => Settling::Refused,
        Some(Phase::Ended(Outcome::RolledBack)) => Settling::RolledBack,
        Some(Phase::Ended(Outcome::Scaled)) => Settling::Scaled,
        Some(phase) => {
            wrong.push(format!("it is {}", phase.as_str()));
            Settling::Frozen
        }
    };
    let violated = stage.violations(RUN, settling).await.into_iter();
    wrong.extend(violated.map(|violation| format!("{}: {}", violation.invariant, violation.detail)));
    wrong.extend(stage.to_repair().await);
    wrong
}

#[test]
fn no_fault_at_any_call_of_a_scaling_loses_a_member_or_leaves_one_over() {
    let mut trials = Vec::new();
    for journey in JOURNEYS {
        let smooth = journey.play(None);
        assert_eq!((smooth.in_service, smooth.wrong), (journey.left, Vec::new()), "{}", journey.name);
        assert!(smooth.sites.len() > 20, "{}: {} sites", journey.name, smooth.sites.len());
        let all = smooth.sites.into_iter().flat_map(|site| CallKind::ALL.map(|kind| Mishap::at(site.clone(), kind)));
        trials.extend(all.map(|mishap| (journey, mishap)));
    }
    // A sample, since without optimisation one takes a quarter of a second: of each kind some, as eight and five have no
    // divisor in common.
    let trials: Vec<_> = trials.into_iter().step_by(5).collect();
    let check = |(journey, mishap): &(Journey, Mishap)| {
        let ended = journey.play(Some(mishap));
        let mut wrong = ended.wrong;
        let fits = match (mishap.passes(), journey.out) {
            (true, _) => ended.in_service == journey.left,
            (false, true) => (3..=5).contains(&ended.in_service),
            (false, false) => (2..=3).contains(&ended.in_service),
        };
        if !fits {
            wrong.push(format!("{} are in service", ended.in_service));
        }
        (!wrong.is_empty()).then(|| format!("{}, {mishap}: {}", journey.name, wrong.join("; ")))
    };
    let (some, others) = trials.split_at(trials.len() / 2);
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let handle = scope.spawn(|| some.iter().filter_map(check).collect::<Vec<_>>());
        let mut wrong: Vec<_> = others.iter().filter_map(check).collect();
        wrong.extend(handle.join().unwrap());
        wrong
    });
    assert!(wrong.is_empty(), "{}\n{} in all", wrong[..wrong.len().min(12)].join("\n"), wrong.len());
}
