//! A release ends a dead run in the ledger: the fleet is free for other runs, and nothing resumes the released run.

use crate::fixture::Fixture;
use crate::scale::scaling;
use asl::StateMachine;
use fleet::{Outcome, Phase, Release};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use std::time::Duration;

const OPERATOR: &str = "arn:aws:iam::123456789012:user/operator";

impl Fixture {
    /// Runs an execution that dies after some time.
    async fn run_until_death(&self, machine: &StateMachine, name: &str, input: Value, after: Duration) {
        tokio::select! {
            ended = self.run_by(machine, name, input) => panic!("{name}: {ended}"),
            () = tokio::time::sleep(after) => {}
        }
    }

    /// Releases a run with the operator's permissions, as the command does.
    async fn release(&self, run: &str) {
        let aws = self.aws("operator");
        let mut fleet = aws.ledger().fleet(&self.config.fleet.name).await.unwrap().unwrap();
        let mut run = aws.ledger().run(&self.run_ref(run)).await.unwrap().unwrap();
        let release = Release { by: OPERATOR.to_owned(), at: aws.now() };
        fleet.record.release(&mut run.record, release).unwrap();
        aws.ledger().write_both(&run, &fleet).await.unwrap();
    }
}

fn upgrade() -> Value {
    json!({"fleet": "appwrite", "to": "1.4.14"})
}

#[test]
fn another_run_begins_after_a_release_and_nothing_resumes_the_released_run() {
    in_virtual_time(async {
        let fixture = Fixture::new().await;
        fixture.run_until_death(&fixture.machine, "run-1", upgrade(), Duration::from_secs(60)).await;
        let locked = fixture.run("run-2", upgrade()).await;
        assert!(locked.starts_with("Refused") && locked.contains("run-1"), "{locked}");
        fixture.release("run-1").await;
        assert_eq!(fixture.fleet().await.lock, None);
        let released = fixture.record("run-1").await;
        assert_eq!(released.phase, Phase::Ended(Outcome::Frozen));
        assert_eq!(released.released.unwrap().by, OPERATOR);

        let dead = json!({"execution": "run-1", "how": "is dead"});
        let repaired = fixture.run("repair-1", json!({"fleet": "appwrite", "repair": "run-1", "dead": dead})).await;
        assert!(repaired.starts_with("Refused") && repaired.contains("nothing to repair"), "{repaired}");
        let again = fixture.run("run-1", upgrade()).await;
        assert!(again.starts_with("Refused") && again.contains("is over"), "{again}");

        assert_eq!(fixture.run("run-3", upgrade()).await, "succeeded");
        assert_eq!(fixture.fleet().await.version().to_string(), "1.4.14");
        let left = fixture.repairable_findings().await;
        assert!(left.iter().any(|finding| finding.contains("builder") && finding.contains("run-1")), "{left:?}");
    })
    .unwrap();
}

#[test]
fn an_upgrade_does_not_wait_for_a_scale_out_that_joined_it_and_was_released() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, Vec::new()).await;
        let scale_out = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            let by_two = json!({"fleet": "appwrite", "by": 2});
            fixture.run_until_death(&fixture.scale_out, "out-1", by_two, Duration::from_secs(20)).await;
            assert_eq!(fixture.fleet().await.joining.as_ref().map(|run| run.as_str()), Some("out-1"));
            fixture.release("out-1").await;
            let fleet = fixture.fleet().await;
            assert_eq!((fleet.joining, fleet.lock.unwrap().run.as_str()), (None, "run-1"));
        };
        let (ended, ()) = futures_util::future::join(fixture.run("run-1", upgrade()), scale_out).await;
        assert_eq!(ended, "succeeded");
        assert_eq!(fixture.fleet().await.held_by(), None);
        let dead = json!({"execution": "out-1", "how": "is dead"});
        let repair = json!({"fleet": "appwrite", "repair": "out-1", "dead": dead});
        let repaired = fixture.run_by(&fixture.scale_out, "repair-1", repair).await;
        assert!(repaired.starts_with("Refused") && repaired.contains("nothing to repair"), "{repaired}");
    })
    .unwrap();
}
