//! The ways back: to a kept image, out of a failure by rollback or by freezing, and what of the data is kept for it.

use crate::fixture::Fixture;
use asl::{Failure, Resources, Task};
use fleet::{Abort, Backup, DataSource, Golden, OnFailure, Outcome, Phase, Version};
use fleetwright::lambda::Functions;
use fleetwright::permissions::OPERATOR;
use fleetwright::rehearse::in_virtual_time;
use functions::Step;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use simulator::faults::{Fault, Which, WorldFault};
use simulator::invariants::Outcome as Settling;
use std::time::Duration;

fn to(version: &str) -> Value {
    json!({"fleet": "appwrite", "to": version})
}

fn rollback(image: &str) -> Value {
    json!({"fleet": "appwrite", "revert": image})
}

fn resumed(run: &str) -> Value {
    json!({"fleet": "appwrite", "repair": run, "dead": {"execution": run, "how": "is dead"}})
}

fn unhealthy() -> Vec<Fault> {
    vec![Fault::world(WorldFault::TargetNeverHealthy(Which::First))]
}

#[test]
fn a_finished_upgrade_is_taken_back_without_a_bake_and_its_image_is_used_no_more_unless_it_is_named() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        let (first, upgraded) = (fixture.first_image(), fixture.fleet().await.golden.unwrap());

        assert_eq!(fixture.run("run-2", rollback("last-good")).await, "succeeded");
        let (fleet, run) = (fixture.fleet().await, fixture.record("run-2").await);
        assert_eq!(run.phase, Phase::Ended(Outcome::Reverted));
        assert_eq!(fleet.golden, Some(Golden::new(first, "1.3.8".parse().unwrap())));
        assert_eq!(fleet.lock, None);
        assert_eq!(fleet.images.len(), 1);
        assert_eq!(fleet.images[0].image, upgraded.image);
        assert_eq!(fleet.images[0].quarantine.as_deref(), Some("run run-2 reverted from it"));
        // Two launches' time and a drain of five minutes: nothing baked for six minutes more.
        let took = run.ended.unwrap().duration_since(run.started).as_secs();
        assert!((300..480).contains(&took), "{took} s");
        assert_eq!(fixture.violations("run-2", Settling::Upgraded).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);

        let refused = fixture.run("run-3", rollback("last-good")).await;
        assert!(refused.starts_with("Refused") && refused.contains("known to be good"), "{refused}");
        assert_eq!(fixture.run("run-4", rollback(upgraded.image.as_str())).await, "succeeded");
        assert_eq!(fixture.fleet().await.golden, Some(upgraded));
        let unknown = fixture.run("run-5", rollback("ami-0000000f")).await;
        assert!(unknown.starts_with("Refused") && unknown.contains("ami-0000000f is not an image"), "{unknown}");
    })
    .unwrap();
}

#[test]
fn neither_ill_members_nor_a_ringing_alarm_keep_a_fleet_from_going_back() {
    in_virtual_time(async {
        let at = Duration::from_secs(3_600);
        let faults = vec![Fault::world(WorldFault::AlarmRings { at }), Fault::world(WorldFault::MemberDies { at })];
        let fixture = Fixture::with(|_| {}, faults).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        tokio::time::sleep(at).await;
        let refused = fixture.run("run-2", to("1.5.11")).await;
        assert!(refused.starts_with("Refused"), "{refused}");
        assert_eq!(fixture.run("run-3", rollback("last-good")).await, "succeeded");
        assert_eq!(fixture.record("run-3").await.phase, Phase::Ended(Outcome::Reverted));
    })
    .unwrap();
}

#[test]
fn the_outcome_names_the_migration_that_has_run_and_the_backup_and_the_image_that_failed_is_in_quarantine() {
    in_virtual_time(async {
        let fixture = Fixture::with(|_| {}, unhealthy()).await;
        let finished = fixture.run("run-1", to("1.5.11")).await;
        assert!(finished.starts_with("RolledBack"), "{finished}");
        let (run, fleet) = (fixture.record("run-1").await, fixture.fleet().await);
        assert_eq!(run.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(run.migrations(), ["1.4.14", "1.5.11"].map(|version| version.parse::<Version>().unwrap()));
        let backup = run.backup.clone().unwrap();
        assert_eq!(Some(&backup.of), fixture.config.backup.as_ref());
        assert!(matches!(&backup.made, Some(Backup::Snapshots(ids)) if ids.len() == 2), "{backup:?}");
        assert!(run.migration_asked.unwrap() > backup.asked, "the backup is from before the migration");

        assert_eq!(fleet.images.len(), 1);
        assert_eq!(Some(&fleet.images[0].image), run.image.as_ref());
        assert_eq!(fleet.images[0].quarantine, run.image_failure);
        assert!(run.image_failure.unwrap().contains("not healthy"));
        assert!(fixture.anyone().image(&fleet.images[0].image).await.unwrap().is_some(), "it is kept");
        assert_eq!(fixture.violations("run-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
        let refused = fixture.run("run-2", rollback("last-good")).await;
        assert!(refused.contains("known to be good"), "{refused}");
    })
    .unwrap();
}

#[test]
fn a_failure_that_is_not_the_images_condemns_none() {
    in_virtual_time(async {
        let no_capacity = WorldFault::NoCapacity { zone: None, instance_type: Some("c6i.large".to_owned()) };
        let fixture = Fixture::with(|_| {}, vec![Fault::world(no_capacity)]).await;
        let finished = fixture.run("run-1", to("1.4.14")).await;
        assert!(finished.starts_with("RolledBack"), "{finished}");
        assert_eq!((fixture.record("run-1").await.image_failure, fixture.fleet().await.images), (None, Vec::new()));
        assert_eq!(fixture.violations("run-1", Settling::RolledBack).await, []);
    })
    .unwrap();
}

#[test]
fn a_run_that_is_to_freeze_on_failure_stays_until_it_is_repaired_but_an_abort_turns_it_back() {
    in_virtual_time(async {
        let freezes = |config: &mut fleet::Config| config.upgrade.on_failure = OnFailure::Freeze;
        let fixture = Fixture::with(freezes, unhealthy()).await;
        let finished = fixture.run("run-1", to("1.4.14")).await;
        assert!(finished.starts_with("Frozen"), "{finished}");
        assert_eq!(fixture.record("run-1").await.phase, Phase::Ended(Outcome::Frozen));
        assert!(fixture.fleet().await.lock.is_some());
        let repaired = fixture.run("repair-1", resumed("run-1")).await;
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
        assert_eq!(fixture.violations("run-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.fleet().await.images.len(), 1, "the image is image_failure all the same");

        let fixture = Fixture::with(freezes, Vec::new()).await;
        let finished = fixture.execute("run-1", to("1.4.14"), &Aborts(&fixture, fixture.functions("run-1"))).await;
        assert!(matches!(&finished.outcome, asl::Outcome::Failed(Failure { error, .. }) if error == "RolledBack"));
        assert_eq!(fixture.record("run-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.fleet().await.images, [], "nobody found fault with the image");
    })
    .unwrap();
}

/// A person wants the run to turn back when it bakes.
struct Aborts<'a>(&'a Fixture, Functions<'a>);

impl Resources for Aborts<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            if task.state == "Bake" {
                let aws = self.0.aws(OPERATOR);
                let mut run = aws.ledger().run(&self.0.run_ref("run-1")).await.unwrap().unwrap();
                run.record.abort.get_or_insert(Abort { by: "a test".to_owned(), at: aws.now() });
                aws.ledger().write(&mut run).await.unwrap();
            }
            self.1.call(task).await
        })
    }
}

#[test]
fn an_rds_instance_is_backed_up_once_however_often_its_answer_is_lost() {
    in_virtual_time(async {
        let on_rds = |config: &mut fleet::Config| {
            config.backup = Some(DataSource::DbInstance("appwrite-db".parse().unwrap()));
        };
        let fixture = Fixture::with(on_rds, vec![Fault::on("CreateDBSnapshot").answer_lost()]).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        let backup = fixture.record("run-1").await.backup.unwrap();
        assert!(matches!(&backup.made, Some(Backup::DbSnapshot(id)) if id.as_str().starts_with("fleetwright-")));
        assert_eq!(fixture.simulator.calls()["CreateDBSnapshot"], 1);
        assert_eq!(fixture.violations("run-1", Settling::Upgraded).await, []);
    })
    .unwrap();
}

#[test]
fn without_a_word_about_the_data_nothing_is_backed_up() {
    in_virtual_time(async {
        let fixture = Fixture::with(|config| config.backup = None, Vec::new()).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        assert_eq!(fixture.record("run-1").await.backup, None);
        assert!(!fixture.simulator.calls().contains_key("CreateSnapshots"));
    })
    .unwrap();
}

#[test]
fn as_many_images_are_kept_as_the_configuration_says_and_none_is_deleted_that_no_run_made() {
    in_virtual_time(async {
        let fixture = Fixture::with(|config| config.upgrade.keep_images = 1, Vec::new()).await;
        let mut made = Vec::new();
        for (run, version) in [("run-1", "1.4.14"), ("run-2", "1.5.11"), ("run-3", "1.6.2")] {
            assert_eq!(fixture.run(run, to(version)).await, "succeeded");
            assert_eq!(fixture.violations(run, Settling::Upgraded).await, []);
            made.push(fixture.record(run).await.image.unwrap());
        }
        let fleet = fixture.fleet().await;
        let kept: Vec<_> = fleet.images.iter().map(|kept| &kept.image).collect();
        assert_eq!(kept, [&made[1], &fixture.first_image()]);
        let aws = fixture.anyone();
        assert!(aws.image(&made[0]).await.unwrap().is_none());
        assert!(aws.image(&made[1]).await.unwrap().is_some());
        assert!(aws.image(&fixture.first_image()).await.unwrap().is_some());
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_step_of_an_execution_whose_run_was_taken_up_does_nothing() {
    in_virtual_time(async {
        let freezes = |config: &mut fleet::Config| config.upgrade.on_failure = OnFailure::Freeze;
        let fixture = Fixture::with(freezes, unhealthy()).await;
        fixture.run("run-1", to("1.4.14")).await;
        let late = fixture.record("run-1").await.ticket();
        fixture.run("repair-1", resumed("run-1")).await;
        assert_eq!(fixture.record("run-1").await.fence, late.fence.unwrap() + 1);

        let state = json!({"Name": "Leaving back in", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0});
        let inputs = [
            ("retag", json!({"run": late, "state": state, "members": "old", "service": "in"})),
            ("delete", json!({"run": late, "state": state, "what": "made-by-run"})),
            ("finish", json!({"run": late, "state": state, "outcome": "frozen", "failure": null})),
        ];
        for (step, input) in inputs {
            let before = fixture.simulator.calls();
            let error = Step::named(step).unwrap().invoke(&fixture.aws(step), input).await.unwrap_err();
            assert!(
                error.to_string().contains("goes on in the execution repair-1 under the fencing number"),
                "{error}"
            );
            let calls = fixture.simulator.calls();
            let others = |calls: &std::collections::BTreeMap<String, u64>| {
                calls
                    .iter()
                    .filter(|(name, _)| !["GetItem", "PutItem"].contains(&name.as_str()))
                    .map(|(_, n)| n)
                    .sum::<u64>()
            };
            assert_eq!(others(&calls), others(&before), "{step}");
        }
    })
    .unwrap();
}

#[test]
fn within_its_lease_a_run_is_taken_up_only_from_an_execution_that_is_known_to_be_dead() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
        let (run, operator) = (fixture.run_ref("run-1"), fixture.aws(OPERATOR));
        // An execution that began, and of which nothing was heard since.
        let state = json!({"Name": "Begin", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0});
        let begin = json!({"run": "run-1", "state": state, "request": to("1.4.14")});
        Step::named("begin").unwrap().invoke(&fixture.aws("begin"), begin).await.unwrap();
        let lease = fixture.fleet().await.lock.unwrap().lease.unwrap();

        let unsaid = json!({"fleet": "appwrite", "repair": "run-1"});
        let refused = fixture.run("repair-1", unsaid.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("may be going on"), "{refused}");
        assert_eq!(operator.ledger().run(&run).await.unwrap().unwrap().record.resumed_by, None);

        let rest = lease.duration_since(operator.now());
        tokio::time::sleep(rest.unsigned_abs()).await;
        let repaired = fixture.run("repair-2", unsaid).await;
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
    })
    .unwrap();
}

#[test]
fn windows_permit_upgrades_and_keep_nobody_from_going_back() {
    in_virtual_time(async {
        let sundays = |config: &mut fleet::Config| {
            // Rehearsals begin on a Sunday at 03:00 UTC.
            let window = json!([{"days": ["sun"], "from": "02:00", "to": "04:00", "time_zone": "UTC"}]);
            config.upgrade.windows = serde_json::from_value(window).unwrap();
        };
        let fixture = Fixture::with(sundays, Vec::new()).await;
        let takes = |version: &str, seconds: u32| json!({"fleet": "appwrite", "to": version, "takes_seconds": seconds});
        let unknown = fixture.run("run-0", to("1.4.14")).await;
        assert!(
            unknown.starts_with("Refused") && unknown.contains("the length of this upgrade is not known"),
            "{unknown}"
        );
        let long = fixture.run("run-1", takes("1.4.14", 3_700)).await;
        assert!(long.starts_with("Refused") && long.contains("would end after its window closes"), "{long}");
        assert_eq!(fixture.fleet().await.lock, None, "a refusal changes nothing");
        assert_eq!(fixture.run("run-2", takes("1.4.14", 1_800)).await, "succeeded");
        // By its own past now, and too late.
        tokio::time::sleep(Duration::from_secs(3_000)).await;
        let late = fixture.run("run-3", to("1.5.11")).await;
        assert!(late.starts_with("Refused") && late.contains("no window is open"), "{late}");
        assert_eq!(fixture.run("run-4", rollback("last-good")).await, "succeeded");
    })
    .unwrap();
}

#[test]
fn a_rollback_from_ill_members_that_fails_itself_waits_for_those_alone_that_served() {
    in_virtual_time(async {
        let at = Duration::from_secs(3_600);
        // The first upgrade's three members are the second to fourth launch, the rollback's the fifth on.
        let faults =
            vec![Fault::world(WorldFault::MemberDies { at }), Fault::world(WorldFault::ImpairedInstance { nth: 5 })];
        let fixture = Fixture::with(|_| {}, faults).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        tokio::time::sleep(at).await;
        let back = fixture.run("run-2", rollback("last-good")).await;
        assert!(back.starts_with("RolledBack"), "{back}");
        let fleet = fixture.fleet().await;
        assert_eq!((fleet.lock.clone(), fleet.version().to_string()), (None, "1.4.14".to_owned()));
        assert!(fleet.images[0].quarantine.is_some(), "whose members failed");
    })
    .unwrap();
}

#[test]
fn a_function_that_is_under_way_when_its_run_is_taken_up_undoes_nothing_of_the_repair() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
        stop_where_the_old_leave(&fixture).await;
        let ticket = fixture.record("run-1").await.ticket();
        let state = json!({"Name": "Leaving out", "EnteredTime": fixture.aws("retag").now(), "RetryCount": 0});
        let input = json!({"run": ticket, "state": state, "members": "old", "service": "out"});
        let clients = fixture.aws("retag");
        let mut late = Box::pin(Step::named("retag").unwrap().invoke(&clients, input));
        // It has looked, and found everyone healthy, and is about to take the old ones out.
        let paused = tokio::time::timeout(Duration::from_millis(700), &mut late).await;
        assert!(paused.is_err(), "it is under way");
        let wakes = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            late.await
        };
        let (repaired, woke) = futures_util::future::join(fixture.run("repair-1", resumed("run-1")), wakes).await;
        woke.unwrap();
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
        assert_eq!(fixture.findings().await, [""; 0]);
        let served = fixture.simulator.report();
        assert_eq!((served.capacity.lowest, served.requests.failed), (3, 0));
    })
    .unwrap();
}

/// Runs an upgrade up to the moment at which the old members leave, where its execution is stopped.
async fn stop_where_the_old_leave(fixture: &Fixture) {
    let stops = Stops(fixture.functions("run-1"), tokio::sync::Notify::new());
    tokio::select! {
        finished = fixture.execute("run-1", to("1.4.14"), &stops) => panic!("{finished:?}"),
        () = stops.1.notified() => {}
    }
}

/// Stops where the old members leave.
struct Stops<'a>(Functions<'a>, tokio::sync::Notify);

impl Resources for Stops<'_> {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        if task.state != "Leaving out" {
            return self.0.call(task);
        }
        self.1.notify_one();
        Box::pin(std::future::pending())
    }
}

#[test]
fn who_takes_a_run_up_must_know_of_the_execution_that_it_goes_on_in() {
    in_virtual_time(async {
        let fixture = Fixture::set().await;
        stop_where_the_old_leave(&fixture).await;
        let repair = json!({"fleet": "appwrite", "repair": "run-1", "dead": {"execution": "run-0", "how": "is dead"}});
        let refused = fixture.run("repair-1", repair).await;
        assert!(refused.starts_with("Refused") && refused.contains("goes on in the execution run-1, not in run-0"));
        assert!(fixture.run("repair-2", resumed("run-1")).await.starts_with("RolledBack"));
    })
    .unwrap();
}

#[test]
fn no_window_tries_again_what_was_rolled_back() {
    in_virtual_time(async {
        let fixture = Fixture::with(|_| {}, vec![Fault::world(WorldFault::ImageFails)]).await;
        assert!(fixture.run("run-1", to("1.4.14")).await.starts_with("RolledBack"));
        let mut by_window = to("1.4.14");
        by_window["window"] = true.into();
        let refused = fixture.run("run-2", by_window.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("no window tries it again"), "{refused}");
        by_window["to"] = "1.4.13".into();
        assert!(
            !fixture.run("run-3", by_window).await.contains("no window tries"),
            "another version is another upgrade"
        );
    })
    .unwrap();
}
