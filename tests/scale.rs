//! The workflows that change a fleet's size, on a simulated AWS: by a person's order and by the alarm's event, with what
//! goes wrong, and beside an upgrade.

use crate::fixture::Fixture;
use fleet::{Config, Outcome, Phase, Scaling, Span};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::faults::{Fault, WorldFault};
use simulator::invariants::Outcome as Settling;
use simulator::world::Work;
use std::time::Duration;

/// Lets the fleet scale from two members to eight.
pub(crate) fn scaling(config: &mut Config) {
    config.database.max_connections = 10_000;
    config.scaling = Some(Scaling {
        min: 2,
        max: 8,
        target_cpu: 60,
        largest_step: 3,
        cooldown_out: Span::minutes(1),
        cooldown_in: Span::minutes(5),
        warm_up: Span::minutes(1),
    });
}

/// So much to do from a minute on, in percent of one member's CPU.
fn work(points: &[(u64, f64)]) -> Vec<Work> {
    points.iter().map(|(minute, percent)| Work { from: Duration::from_secs(minute * 60), percent: *percent }).collect()
}

/// The event that EventBridge has of an alarm that rings, as documented.
fn event(alarm: &str) -> Value {
    json!({
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": "2026-01-04T03:00:00Z",
        "region": "eu-central-1",
        "resources": [format!("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:{alarm}")],
        "detail": {
            "alarmName": alarm,
            "state": {"value": "ALARM", "timestamp": "2026-01-04T03:00:00.000+0000"},
            "previousState": {"value": "OK", "timestamp": "2026-01-04T02:00:00.000+0000"},
        },
    })
}

impl Fixture {
    async fn out(&self, name: &str, input: Value) -> String {
        self.run_by(&self.scale_out, name, input).await
    }

    /// Takes members out, so that `left` are wanted from now on.
    async fn r#in(&self, name: &str, left: u32, input: Value) -> String {
        self.simulator.require(left);
        self.run_by(&self.scale_in, name, input).await
    }

    pub(crate) async fn in_service(&self) -> usize {
        let health = self.anyone().health_of_all(&self.config.load_balancer.target_group).await.unwrap();
        let ids: Vec<_> = health.registered().collect();
        ids.into_iter().filter(|id| *health.of(id) == fleet::Health::Healthy).count()
    }
}

#[test]
fn a_person_adds_members_and_takes_some_out() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, Vec::new()).await;
        assert_eq!(fixture.out("out-1", json!({"fleet": "appwrite", "by": 2})).await, "succeeded");
        assert_eq!(fixture.in_service().await, 5);
        let run = fixture.record("out-1").await;
        assert_eq!((run.phase, run.size, run.abandoned.len()), (Phase::Ended(Outcome::Scaled), 2, 0));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);
        assert_eq!(fixture.r#in("in-1", 2, json!({"fleet": "appwrite", "to": 2})).await, "succeeded");
        assert_eq!(fixture.in_service().await, 2);
        assert_eq!(fixture.record("in-1").await.phase, Phase::Ended(Outcome::Scaled));
        assert_eq!(fixture.violations("in-1", Settling::Scaled).await, []);
        assert_eq!(fixture.fleet().await.lock, None);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn the_alarm_makes_a_fleet_as_large_as_its_load_and_as_small_again() {
    in_virtual_time(async {
        // Two hundred percent are 67 % of three members; four are enough for the target of 60 %. Later two are.
        let fixture = Fixture::under(scaling, Vec::new(), work(&[(0, 100.0), (12, 235.0), (60, 90.0)])).await;
        tokio::time::sleep(Duration::from_secs(15 * 60)).await;
        assert_eq!(fixture.out("out-1", event("fleetwright-busy-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 4);
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        tokio::time::sleep(Duration::from_secs(75 * 60)).await;
        assert_eq!(fixture.r#in("in-1", 2, event("fleetwright-idle-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 2);
        assert_eq!(fixture.findings().await, [""; 0]);
        let decisions = fixture.anyone().ledger().decisions(&fixture.config.fleet.name).await.unwrap();
        let read: Vec<_> = decisions.iter().map(ToString::to_string).collect();
        assert!(read[0].starts_with("out from 3 to 4: the CPU is 78.3 % over 3 members"), "{read:#?}");
        assert!(read.iter().any(|one| one.starts_with("in from 4 to 2")), "{read:#?}");
    })
    .unwrap();
}

#[test]
fn an_alarm_that_rings_on_is_followed_until_it_is_calm() {
    in_virtual_time(async {
        // Three times what three members can do: more than one step, and the CPU cannot show how much more.
        let fixture = Fixture::under(scaling, Vec::new(), work(&[(0, 420.0)])).await;
        tokio::time::sleep(Duration::from_secs(4 * 60)).await;
        assert_eq!(fixture.out("out-1", event("fleetwright-busy-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 7);
        let runs = fixture.anyone().ledger().runs(&fixture.config.fleet.name).await.unwrap();
        assert!(runs.len() >= 2 && runs.iter().all(|run| run.phase == Phase::Ended(Outcome::Scaled)), "{runs:#?}");
        let second = runs.iter().find(|run| run.run.id.as_str() != "out-1").unwrap();
        assert_eq!(second.execution().as_str(), "out-1");
        assert_eq!(fixture.fleet().await.lock, None);
    })
    .unwrap();
}

#[test]
fn what_the_database_cannot_take_is_refused_and_what_is_enough_stays() {
    in_virtual_time(async {
        let tight = |config: &mut Config| {
            scaling(config);
            config.database.max_connections = 4 * config.database.connections_per_member;
        };
        let fixture = Fixture::with(tight, Vec::new()).await;
        let refused = fixture.out("out-1", json!({"fleet": "appwrite", "to": 6})).await;
        assert!(refused.starts_with("Refused") && refused.contains("database.max_connections"), "{refused}");
        let refused = fixture.out("out-2", json!({"fleet": "appwrite", "to": 9})).await;
        assert!(refused.starts_with("Refused") && refused.contains("scaling.max"), "{refused}");
        let refused = fixture.out("out-3", json!({"fleet": "appwrite", "by": -1})).await;
        assert!(refused.starts_with("Refused") && refused.contains("this is not a scale-out"), "{refused}");
        assert_eq!(fixture.out("out-4", json!({"fleet": "appwrite", "to": 3})).await, "succeeded");
        assert_eq!((fixture.in_service().await, fixture.fleet().await.lock), (3, None));
        let refused = fixture.r#in("in-1", 3, json!({"fleet": "appwrite", "to": 1})).await;
        assert!(refused.starts_with("Refused") && refused.contains("scaling.min"), "{refused}");
    })
    .unwrap();
}

#[test]
fn who_never_turns_healthy_is_replaced_and_then_given_up() {
    in_virtual_time(async {
        let ill = |nth| Fault::world(WorldFault::ImpairedInstance { nth });
        let two = json!({"fleet": "appwrite", "by": 2});
        let fixture = Fixture::with(scaling, vec![ill(1)]).await;
        assert_eq!(fixture.out("out-1", two.clone()).await, "succeeded");
        assert_eq!((fixture.in_service().await, fixture.record("out-1").await.abandoned.len()), (5, 1));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        // Who replaces it is ill too: it is given up, and the other stays.
        let fixture = Fixture::with(scaling, vec![ill(1), ill(3)]).await;
        let abandoned = fixture.out("out-1", two.clone()).await;
        assert!(abandoned.starts_with("Abandoned") && abandoned.contains("not healthy"), "{abandoned}");
        let run = fixture.record("out-1").await;
        assert_eq!((fixture.in_service().await, run.phase), (4, Phase::Ended(Outcome::Scaled)));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        let fixture = Fixture::with(scaling, (1..=4).map(ill).collect()).await;
        fixture.out("out-1", two).await;
        assert_eq!(fixture.record("out-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.violations("out-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn a_zone_that_runs_dry_is_made_up_for_and_what_can_be_had_is_taken() {
    in_virtual_time(async {
        let dry = |zone: Option<&str>| {
            Fault::world(WorldFault::NoCapacity { zone: zone.map(str::to_owned), instance_type: None })
        };
        let fixture = Fixture::with(scaling, vec![dry(Some("eu-central-1a"))]).await;
        assert_eq!(fixture.out("out-1", json!({"fleet": "appwrite", "by": 3})).await, "succeeded");
        assert_eq!(fixture.in_service().await, 6);
        let fixture = Fixture::with(scaling, vec![dry(None)]).await;
        let abandoned = fixture.out("out-1", json!({"fleet": "appwrite", "by": 3})).await;
        assert!(abandoned.starts_with("Abandoned") && abandoned.contains("could not be launched"), "{abandoned}");
        assert_eq!(fixture.record("out-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.violations("out-1", Settling::RolledBack).await, []);
    })
    .unwrap();
}

/// The case that hurt others: members that were added in the middle of an upgrade were lost at its end.
#[test]
fn two_scale_outs_in_the_middle_of_an_upgrade_are_replaced_with_the_rest() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, Vec::new()).await;
        let upgrade = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"}));
        let joins = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            let first = fixture.out("out-1", json!({"fleet": "appwrite", "by": 2})).await;
            let second = fixture.out("out-2", json!({"fleet": "appwrite", "by": 1})).await;
            (first, second, fixture.in_service().await)
        };
        let (upgraded, (first, second, meanwhile)) = futures_util::future::join(upgrade, joins).await;
        assert_eq!((first.as_str(), second.as_str(), meanwhile), ("succeeded", "succeeded", 6));
        assert_eq!(upgraded, "succeeded");
        let run = fixture.record("run-1").await;
        assert_eq!((run.size, run.joined.len(), fixture.in_service().await), (3, 2, 6));
        assert_eq!(fixture.violations("run-1", Settling::Upgraded).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn who_joined_an_upgrade_that_turns_back_stays() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, vec![Fault::world(WorldFault::ImageFails)]).await;
        let upgrade = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"}));
        let joins = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            fixture.out("out-1", json!({"fleet": "appwrite", "by": 2})).await
        };
        let (rolled_back, joined) = futures_util::future::join(upgrade, joins).await;
        assert!(rolled_back.starts_with("RolledBack") && joined == "succeeded", "{rolled_back} {joined}");
        assert_eq!(fixture.in_service().await, 5);
        assert_eq!(fixture.violations("run-1", Settling::RolledBack).await, []);
    })
    .unwrap();
}

#[test]
fn whoever_comes_too_late_to_join_and_whoever_takes_out_waits_for_the_upgrades_end() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, Vec::new()).await;
        let upgrade = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"}));
        let late = async {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                let run = fixture.anyone().ledger().run(&fixture.run_ref("run-1")).await.unwrap();
                if run.is_some_and(|run| run.record.joins_closed) {
                    break;
                }
            }
            let out = fixture.out("out-1", json!({"fleet": "appwrite", "by": 1}));
            let taken_out = fixture.run_by(&fixture.scale_in, "in-1", json!({"fleet": "appwrite", "by": -1}));
            futures_util::future::join(out, taken_out).await
        };
        let (upgraded, (out, taken_out)) = futures_util::future::join(upgrade, late).await;
        assert_eq!([upgraded, out, taken_out], ["succeeded"; 3]);
        let upgraded = fixture.record("run-1").await;
        for scaled in ["out-1", "in-1"] {
            assert!(fixture.record(scaled).await.started > upgraded.committed.unwrap(), "{scaled}");
        }
        assert_eq!(fixture.in_service().await, 3);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

/// What may start at the same instant: an alarm, the clock, a person.
#[test]
fn of_two_that_start_at_once_each_is_served_in_its_turn() {
    let alarm = |fixture: &Fixture| (fixture.scale_out.clone(), event("fleetwright-busy-appwrite"));
    let clock = |fixture: &Fixture| (fixture.machine.clone(), json!({"fleet": "appwrite", "to": "1.4.14"}));
    let person = |fixture: &Fixture| (fixture.scale_out.clone(), json!({"fleet": "appwrite", "by": 1}));
    type Start = fn(&Fixture) -> (asl::StateMachine, Value);
    let starts: [(&str, Start); 3] = [("alarm", alarm), ("clock", clock), ("person", person)];
    for (n, (first_name, first)) in starts.iter().enumerate() {
        for (second_name, second) in &starts[n..] {
            in_virtual_time(async {
                let what = format!("{first_name} and {second_name}");
                // Four are enough for it; it lasts longer than anything else here.
                let fixture = Fixture::under(scaling, Vec::new(), work(&[(0, 235.0)])).await;
                tokio::time::sleep(Duration::from_secs(4 * 60)).await;
                let ((machine, input), (other, other_input)) = (first(&fixture), second(&fixture));
                let first = fixture.run_by(&machine, "run-1", input);
                let second = fixture.run_by(&other, "run-2", other_input);
                let (first, second) = futures_util::future::join(first, second).await;
                let refused = [&first, &second].into_iter().filter(|ended| *ended != "succeeded").collect::<Vec<_>>();
                if (*first_name, *second_name) == ("clock", "clock") {
                    // Two upgrades: one is the only one.
                    assert!(refused.len() == 1 && refused[0].starts_with("Refused"), "{what}: {first}; {second}");
                } else {
                    assert!(refused.is_empty(), "{what}: {first}; {second}");
                }
                let wanted = match (*first_name, *second_name) {
                    ("alarm", "person") => 4..=5,
                    ("alarm", _) => 4..=4,
                    ("clock", "clock") => 3..=3,
                    ("clock", _) => 4..=4,
                    _ => 5..=5,
                };
                assert!(wanted.contains(&fixture.in_service().await), "{what}: {}", fixture.in_service().await);
                assert_eq!(fixture.fleet().await.lock, None, "{what}");
                assert_eq!(fixture.to_repair().await, [""; 0], "{what}");
                let report = fixture.simulator.report();
                assert_eq!((report.capacity.lowest, report.requests.failed), (3, 0), "{what}");
            })
            .unwrap();
        }
    }
}

#[test]
fn an_upgrade_does_not_begin_before_who_joined_the_one_before_is_over() {
    in_virtual_time(async {
        // The member that joins is ill, and takes its time to be replaced; the upgrade that it joins fails meanwhile.
        let ill = Fault::world(WorldFault::ImpairedInstance { nth: 2 });
        let failing = Fault::on("SendCommand").error("AccessDeniedException");
        let fixture = Fixture::with(scaling, vec![ill, failing]).await;
        let upgrades = async {
            let first = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"})).await;
            assert_eq!(fixture.fleet().await.joining.map(|run| run.to_string()), Some("out-1".to_owned()));
            (first, fixture.run("run-2", json!({"fleet": "appwrite", "to": "1.4.14"})).await)
        };
        let joins = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            fixture.out("out-1", json!({"fleet": "appwrite", "by": 1})).await
        };
        let ((first, second), joined) = futures_util::future::join(upgrades, joins).await;
        assert!(first.starts_with("RolledBack"), "{first}");
        assert_eq!((second.as_str(), joined.as_str()), ("succeeded", "succeeded"));
        assert!(fixture.record("run-2").await.started > fixture.record("out-1").await.ended.unwrap());
        assert_eq!((fixture.in_service().await, fixture.fleet().await.joining), (4, None));
        let mut violations = fixture.violations("run-2", Settling::Upgraded).await;
        violations.retain(|one| one.detail != "the runs out-1 and run-1 changed the fleet at the same time");
        assert_eq!(violations, [], "but for the one that it had joined");
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}
