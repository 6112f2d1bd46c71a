//! Reverts to a kept image, rollbacks and freezes after a failure, backups of the data, and repairs.

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
use simulator::invariants::SettledAs as Settling;
use std::time::Duration;

fn to(version: &str) -> Value {
    json!({"fleet": "appwrite", "to": version})
}

fn revert(image: &str) -> Value {
    json!({"fleet": "appwrite", "revert": image})
}

fn resumed(run: &str) -> Value {
    json!({"fleet": "appwrite", "repair": run, "dead": {"execution": run, "how": "is dead"}})
}

fn unhealthy() -> Vec<Fault> {
    vec![Fault::world(WorldFault::TargetNeverHealthy(Which::First))]
}

#[test]
fn a_revert_skips_the_bake_and_quarantines_the_image_that_it_replaces() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        let (first, upgraded) = (fixture.first_image(), fixture.fleet().await.golden.unwrap());

        assert_eq!(fixture.run("run-2", revert("last-good")).await, "succeeded");
        let (fleet, run) = (fixture.fleet().await, fixture.record("run-2").await);
        assert_eq!(run.phase, Phase::Ended(Outcome::Reverted));
        assert_eq!(fleet.golden, Some(Golden::new(first, "1.3.8".parse().unwrap())));
        assert_eq!(fleet.lock, None);
        assert_eq!(fleet.images.len(), 1);
        assert_eq!(fleet.images[0].image, upgraded.image);
        assert_eq!(fleet.images[0].quarantine.as_deref(), Some("run run-2 reverted from it"));
        // The time of two launches and of a drain of five minutes, without the six minutes of the two bakes.
        let took = run.ended.unwrap().duration_since(run.started).as_secs();
        assert!((300..480).contains(&took), "{took} s");
        assert_eq!(fixture.violations("run-2", Settling::Upgraded).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);

        let refused = fixture.run("run-3", revert("last-good")).await;
        assert!(refused.starts_with("Refused") && refused.contains("known to be good"), "{refused}");
        assert_eq!(fixture.run("run-4", revert(upgraded.image.as_str())).await, "succeeded");
        assert_eq!(fixture.fleet().await.golden, Some(upgraded));
        let unknown = fixture.run("run-5", revert("ami-0000000f")).await;
        assert!(unknown.starts_with("Refused") && unknown.contains("ami-0000000f is not an image"), "{unknown}");
    })
    .unwrap();
}

#[test]
fn unhealthy_members_and_a_raised_alarm_do_not_block_a_revert() {
    in_virtual_time(async {
        let at = Duration::from_secs(3_600);
        let faults = vec![Fault::world(WorldFault::AlarmRaised { at }), Fault::world(WorldFault::MemberDies { at })];
        let fixture = Fixture::with(|_| {}, faults).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        tokio::time::sleep(at).await;
        let refused = fixture.run("run-2", to("1.5.11")).await;
        assert!(refused.starts_with("Refused"), "{refused}");
        assert_eq!(fixture.run("run-3", revert("last-good")).await, "succeeded");
        assert_eq!(fixture.record("run-3").await.phase, Phase::Ended(Outcome::Reverted));
    })
    .unwrap();
}

#[test]
fn a_rolled_back_run_records_its_migrations_and_backup_and_quarantines_its_image() {
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
        assert!(fixture.reader().image(&fleet.images[0].image).await.unwrap().is_some(), "the image is kept");
        assert_eq!(fixture.violations("run-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
        let refused = fixture.run("run-2", revert("last-good")).await;
        assert!(refused.contains("known to be good"), "{refused}");
    })
    .unwrap();
}

#[test]
fn a_failure_that_the_image_did_not_cause_quarantines_nothing() {
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
fn with_on_failure_freeze_a_failure_freezes_the_run_and_an_abort_rolls_it_back() {
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
        assert_eq!(fixture.fleet().await.images.len(), 1, "the image is in quarantine after a freeze too");

        let fixture = Fixture::with(freezes, Vec::new()).await;
        let finished = fixture.execute("run-1", to("1.4.14"), &Aborts(&fixture, fixture.functions("run-1"))).await;
        assert!(matches!(&finished.outcome, asl::Outcome::Failed(Failure { error, .. }) if error == "RolledBack"));
        assert_eq!(fixture.record("run-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.fleet().await.images, [], "no member of the image failed");
    })
    .unwrap();
}

/// Aborts the run while it bakes.
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
fn an_rds_instance_is_backed_up_once_even_if_an_answer_is_lost() {
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
fn without_a_backup_section_nothing_is_backed_up() {
    in_virtual_time(async {
        let fixture = Fixture::with(|config| config.backup = None, Vec::new()).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        assert_eq!(fixture.record("run-1").await.backup, None);
        assert!(!fixture.simulator.calls().contains_key("CreateSnapshots"));
    })
    .unwrap();
}

#[test]
fn images_beyond_the_kept_count_are_deleted_and_an_image_that_no_run_made_is_not() {
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
        let aws = fixture.reader();
        assert!(aws.image(&made[0]).await.unwrap().is_none());
        assert!(aws.image(&made[1]).await.unwrap().is_some());
        assert!(aws.image(&fixture.first_image()).await.unwrap().is_some());
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_step_with_an_older_fencing_number_does_nothing() {
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
                error.to_string().contains("continues in the execution repair-1 under the fencing number"),
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
fn within_its_lease_a_run_is_resumed_only_if_its_execution_is_known_to_be_dead() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        let (run, operator) = (fixture.run_ref("run-1"), fixture.aws(OPERATOR));
        // An execution that began its run and then stopped without a trace.
        let state = json!({"Name": "Begin", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0});
        let begin = json!({"run": "run-1", "state": state, "request": to("1.4.14")});
        Step::named("begin").unwrap().invoke(&fixture.aws("begin"), begin).await.unwrap();
        let lease = fixture.fleet().await.lock.unwrap().lease.unwrap();

        let unsaid = json!({"fleet": "appwrite", "repair": "run-1"});
        let refused = fixture.run("repair-1", unsaid.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("may be running"), "{refused}");
        assert_eq!(operator.ledger().run(&run).await.unwrap().unwrap().record.resumed_by, None);

        let rest = lease.duration_since(operator.now());
        tokio::time::sleep(rest.unsigned_abs()).await;
        let repaired = fixture.run("repair-2", unsaid).await;
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
    })
    .unwrap();
}

#[test]
fn windows_restrict_upgrades_and_not_reverts() {
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
        // The ledger now knows how long an upgrade takes, but the window has closed.
        tokio::time::sleep(Duration::from_secs(3_000)).await;
        let late = fixture.run("run-3", to("1.5.11")).await;
        assert!(late.starts_with("Refused") && late.contains("no window is open"), "{late}");
        assert_eq!(fixture.run("run-4", revert("last-good")).await, "succeeded");
    })
    .unwrap();
}

#[test]
fn a_failed_revert_waits_only_for_the_members_that_were_in_service_before_it() {
    in_virtual_time(async {
        let at = Duration::from_secs(3_600);
        // The upgrade's members are the second to fourth launch. Those of the revert begin with the fifth.
        let faults =
            vec![Fault::world(WorldFault::MemberDies { at }), Fault::world(WorldFault::ImpairedInstance { nth: 5 })];
        let fixture = Fixture::with(|_| {}, faults).await;
        assert_eq!(fixture.run("run-1", to("1.4.14")).await, "succeeded");
        tokio::time::sleep(at).await;
        let reverted = fixture.run("run-2", revert("last-good")).await;
        assert!(reverted.starts_with("RolledBack"), "{reverted}");
        let fleet = fixture.fleet().await;
        assert_eq!((fleet.lock.clone(), fleet.version().to_string()), (None, "1.4.14".to_owned()));
        assert!(fleet.images[0].quarantine.is_some(), "the members of this image failed");
    })
    .unwrap();
}

#[test]
fn a_function_that_still_runs_when_its_run_is_resumed_undoes_nothing_of_the_repair() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        stop_before_members_leave(&fixture).await;
        let ticket = fixture.record("run-1").await.ticket();
        let state = json!({"Name": "Leaving out", "EnteredTime": fixture.aws("retag").now(), "RetryCount": 0});
        let input = json!({"run": ticket, "state": state, "members": "old", "service": "out"});
        let clients = fixture.aws("retag");
        let mut late = Box::pin(Step::named("retag").unwrap().invoke(&clients, input));
        // It has found all staying members healthy and is about to take the leaving members out of service.
        let paused = tokio::time::timeout(Duration::from_millis(700), &mut late).await;
        assert!(paused.is_err(), "the function is still running");
        let continues = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            late.await
        };
        let (repaired, continued) =
            futures_util::future::join(fixture.run("repair-1", resumed("run-1")), continues).await;
        continued.unwrap();
        assert!(repaired.starts_with("RolledBack"), "{repaired}");
        assert_eq!(fixture.findings().await, [""; 0]);
        let served = fixture.simulator.report();
        assert_eq!((served.capacity.lowest, served.requests.failed), (3, 0));
    })
    .unwrap();
}

/// Runs an upgrade and stops its execution before the leaving members leave service.
async fn stop_before_members_leave(fixture: &Fixture) {
    let stops = Stops(fixture.functions("run-1"), tokio::sync::Notify::new());
    tokio::select! {
        finished = fixture.execute("run-1", to("1.4.14"), &stops) => panic!("{finished:?}"),
        () = stops.1.notified() => {}
    }
}

/// Stops the execution in the state that takes the leaving members out of service.
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
fn a_repair_must_name_the_execution_that_the_run_continues_in() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        stop_before_members_leave(&fixture).await;
        let repair = json!({"fleet": "appwrite", "repair": "run-1", "dead": {"execution": "run-0", "how": "is dead"}});
        let refused = fixture.run("repair-1", repair).await;
        assert!(refused.starts_with("Refused") && refused.contains("continues in the execution run-1, not in run-0"));
        assert!(fixture.run("repair-2", resumed("run-1")).await.starts_with("RolledBack"));
    })
    .unwrap();
}

#[test]
fn a_window_does_not_retry_a_rolled_back_upgrade() {
    in_virtual_time(async {
        let fixture = Fixture::with(|_| {}, vec![Fault::world(WorldFault::ImageFails)]).await;
        assert!(fixture.run("run-1", to("1.4.14")).await.starts_with("RolledBack"));
        let mut by_window = to("1.4.14");
        by_window["window"] = true.into();
        let refused = fixture.run("run-2", by_window.clone()).await;
        assert!(refused.starts_with("Refused") && refused.contains("no window repeats it"), "{refused}");
        by_window["to"] = "1.4.13".into();
        assert!(
            !fixture.run("run-3", by_window).await.contains("no window repeats"),
            "an upgrade to another version is not a retry"
        );
    })
    .unwrap();
}
