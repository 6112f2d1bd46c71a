//! Two random faults in an upgrade that two scale-outs join. No member is lost, all members are clones of one image
//! afterwards, and every run ends.

use crate::fixture::Fixture;
use crate::scale::scaling;
use fleet::{Config, Outcome, Phase, Span};
use fleetwright::rehearse::{CallKind, FaultSpec, Processes, Site, in_virtual_time};
use serde_json::{Value, json};
use simulator::invariants::SettledAs as Settling;
use std::collections::BTreeSet;
use std::time::Duration;

fn short_waits(config: &mut Config) {
    scaling(config);
    config.upgrade.bake = Span::seconds(30);
    config.upgrade.canary_bake = Span::seconds(30);
    config.limits.healthy = Span::minutes(3);
    config.rehearsal.health_check_interval = Span::seconds(5);
    config.rehearsal.deregistration_delay = Span::seconds(90);
}

/// Runs an execution. Faults can kill the processes of its functions and the execution itself.
async fn run(fixture: &Fixture, machine: &asl::StateMachine, run: &str, name: &str, input: Value) {
    let processes = Processes::new(Box::new(fixture.functions(run)), &fixture.simulator);
    tokio::select! {
        _ = fixture.execute_by(machine, name, input, &processes) => {}
        () = processes.forgotten() => {}
    }
}

/// Runs an upgrade and two scale-outs that start while it is running, `after` so many seconds.
async fn upgrade_and_scale_outs(fixture: &Fixture, after: [u64; 2]) {
    let upgrade = run(fixture, &fixture.machine, "run-1", "run-1", json!({"fleet": "appwrite", "to": "1.4.14"}));
    let scale_out = async |name: &str, by: u32, after: u64| {
        tokio::time::sleep(Duration::from_secs(after)).await;
        run(fixture, &fixture.scale_out, name, name, json!({"fleet": "appwrite", "by": by})).await;
    };
    futures_util::future::join3(upgrade, scale_out("out-1", 2, after[0]), scale_out("out-2", 1, after[1])).await;
}

/// Resumes the runs that could not continue, as an operator does, and returns what is wrong with the fleet afterwards.
async fn wrong(fixture: &Fixture) -> Vec<String> {
    fixture.simulator.disarm_call_faults();
    let mut wrong = Vec::new();
    // The run with the lock first, then the scale-outs that joined it.
    for n in 0..3 {
        let fleet = fixture.fleet().await;
        let Some(held) = fleet.held_by() else { break };
        let record = fixture.record(held.as_str()).await;
        let machine = if record.workflow == fleet::Workflow::ScaleOut { &fixture.scale_out } else { &fixture.machine };
        let dead = json!({"execution": record.execution(), "how": "is dead"});
        let input = json!({"fleet": "appwrite", "repair": held, "dead": dead});
        run(fixture, machine, held.as_str(), &format!("repair-{n}"), input).await;
    }
    if let Some(run) = fixture.fleet().await.held_by() {
        wrong.push(format!("{run} still holds the fleet"));
    }
    let ended = fixture.reader().ledger().run(&fixture.run_ref("run-1")).await.unwrap().map(|run| run.record.phase);
    let settling = match &ended {
        None => Settling::Refused,
        Some(Phase::Ended(Outcome::Upgraded)) => Settling::Upgraded,
        Some(Phase::Ended(Outcome::RolledBack)) => Settling::RolledBack,
        Some(phase) => {
            wrong.push(format!("the upgrade is {}", phase.as_str()));
            Settling::Frozen
        }
    };
    if ended.is_some() {
        let violated = fixture.violations("run-1", settling).await.into_iter();
        // A scale-out that starts after the upgrade began to roll back does not join it. It adds members nevertheless.
        let violated = violated.filter(|violation| !violation.detail.ends_with("was not a target and is one"));
        wrong.extend(violated.map(|violation| format!("{}: {}", violation.invariant, violation.detail)));
    }
    let mut members = fixture.reader().instances_of_fleet(&fixture.config.fleet.name).await.unwrap();
    members.retain(|one| one.carries(&fixture.config.fleet.load_balancer_tag));
    let images: BTreeSet<_> = members.iter().map(|member| member.image.to_string()).collect();
    if images.len() > 1 {
        wrong.push(format!("members are clones of {images:?}"));
    }
    wrong.extend(fixture.repairable_findings().await);
    wrong
}

#[test]
fn no_two_faults_in_a_joined_upgrade_lose_a_member() {
    let sites: Vec<Site> = in_virtual_time(async {
        let fixture = Fixture::with(short_waits, Vec::new()).await;
        upgrade_and_scale_outs(&fixture, [30, 200]).await;
        let trail = fixture.simulator.trail();
        let undisturbed = wrong(&fixture).await;
        assert_eq!((undisturbed, fixture.in_service().await), (Vec::new(), 6));
        let sites = trail.iter().map(|passed| (passed.place.to_string(), passed.operation.to_string()));
        let sites: BTreeSet<_> = sites.collect();
        sites.into_iter().map(|(state, operation)| Site { state, operation, nth: 1 }).collect()
    })
    .unwrap();
    assert!(sites.len() > 80, "{} sites", sites.len());
    let with_two_faults = |seed: u64| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut fault_spec = || {
            let site = &sites[random.usize(..sites.len())];
            FaultSpec::at(
                Site { nth: random.u32(1..=3), ..site.clone() },
                CallKind::ALL[random.usize(..CallKind::ALL.len())],
            )
        };
        let fault_specs = [fault_spec(), fault_spec()];
        let after = [random.u64(10..300), random.u64(10..400)];
        let faults = fault_specs.iter().filter_map(FaultSpec::strikes).collect();
        let wrong = in_virtual_time(async {
            let fixture = Fixture::with(
                |config| {
                    short_waits(config);
                    config.rehearsal.seed = seed;
                },
                faults,
            )
            .await;
            upgrade_and_scale_outs(&fixture, after).await;
            wrong(&fixture).await
        });
        let wrong = wrong.unwrap();
        let what = fault_specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        (!wrong.is_empty()).then(|| format!("seed {seed}, {what}, after {after:?}: {}", wrong.join("; ")))
    };
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let handle = scope.spawn(|| (0..40).filter_map(with_two_faults).collect::<Vec<_>>());
        let mut wrong: Vec<_> = (40..80).filter_map(with_two_faults).collect();
        wrong.extend(handle.join().unwrap());
        wrong
    });
    assert!(wrong.is_empty(), "{}\n{} in all", wrong[..wrong.len().min(12)].join("\n"), wrong.len());
}
