//! Scale-outs and scale-ins on the simulated AWS: by an operator's order and by an alarm's event, with faults, and
//! during an upgrade.

use crate::fixture::Fixture;
use fleet::{Config, Outcome, Phase, Scaling, Span};
use fleetwright::rehearse::in_virtual_time;
use serde_json::{Value, json};
use simulator::faults::{Fault, WorldFault};
use simulator::invariants::SettledAs as Settling;
use simulator::world::Work;
use std::time::Duration;

/// Allows the fleet two to eight members.
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

/// The load of the fleet from each minute on, in percent of one member's CPU.
fn work(points: &[(u64, f64)]) -> Vec<Work> {
    points.iter().map(|(minute, percent)| Work { from: Duration::from_secs(minute * 60), percent: *percent }).collect()
}

/// The event that EventBridge sends when an alarm goes to the `ALARM` state, in its documented form.
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

    /// Runs a scale-in. From now on the invariants require `left` members in service.
    async fn r#in(&self, name: &str, left: u32, input: Value) -> String {
        self.simulator.require_in_service(left);
        self.run_by(&self.scale_in, name, input).await
    }

    pub(crate) async fn in_service(&self) -> usize {
        let health = self.reader().health_of_all(&self.config.load_balancer.target_group).await.unwrap();
        let ids: Vec<_> = health.registered().collect();
        ids.into_iter().filter(|id| *health.of(id) == fleet::Health::Healthy).count()
    }
}

#[test]
fn an_operator_scales_out_and_in() {
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
fn alarms_scale_a_fleet_out_and_in_with_its_load() {
    in_virtual_time(async {
        // From minute 12 the load is 235 %: 78 % of each of three members. Four members meet the target of 60 %. Later
        // two do.
        let fixture = Fixture::with_work(scaling, Vec::new(), work(&[(0, 100.0), (12, 235.0), (60, 90.0)])).await;
        tokio::time::sleep(Duration::from_secs(15 * 60)).await;
        assert_eq!(fixture.out("out-1", event("fleetwright-busy-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 4);
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        tokio::time::sleep(Duration::from_secs(75 * 60)).await;
        assert_eq!(fixture.r#in("in-1", 2, event("fleetwright-idle-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 2);
        assert_eq!(fixture.findings().await, [""; 0]);
        let decisions = fixture.reader().ledger().decisions(&fixture.config.fleet.name).await.unwrap();
        let read: Vec<_> = decisions.iter().map(ToString::to_string).collect();
        assert!(read[0].starts_with("out from 3 to 4: the CPU is 78.3 % on 3 members"), "{read:#?}");
        assert!(read.iter().any(|one| one.starts_with("in from 4 to 2")), "{read:#?}");
    })
    .unwrap();
}

#[test]
fn a_scale_out_repeats_while_its_alarm_stays_raised() {
    in_virtual_time(async {
        // More than three members can do. One scale-out is not enough, and a CPU at 100 % does not show how many are.
        let fixture = Fixture::with_work(scaling, Vec::new(), work(&[(0, 420.0)])).await;
        tokio::time::sleep(Duration::from_secs(4 * 60)).await;
        assert_eq!(fixture.out("out-1", event("fleetwright-busy-appwrite")).await, "succeeded");
        assert_eq!(fixture.in_service().await, 7);
        let runs = fixture.reader().ledger().runs(&fixture.config.fleet.name).await.unwrap();
        assert!(runs.len() >= 2 && runs.iter().all(|run| run.phase == Phase::Ended(Outcome::Scaled)), "{runs:#?}");
        let second = runs.iter().find(|run| run.run.id.as_str() != "out-1").unwrap();
        assert_eq!(second.execution().as_str(), "out-1");
        assert_eq!(fixture.fleet().await.lock, None);
    })
    .unwrap();
}

#[test]
fn a_size_beyond_the_limits_of_database_or_scaling_is_refused() {
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
fn an_unhealthy_member_is_replaced_once_then_abandoned() {
    in_virtual_time(async {
        let impaired = |nth| Fault::world(WorldFault::ImpairedInstance { nth });
        let two = json!({"fleet": "appwrite", "by": 2});
        let fixture = Fixture::with(scaling, vec![impaired(1)]).await;
        assert_eq!(fixture.out("out-1", two.clone()).await, "succeeded");
        assert_eq!((fixture.in_service().await, fixture.record("out-1").await.abandoned.len()), (5, 1));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        // Its replacement does not become healthy either and is abandoned. The other new member stays.
        let fixture = Fixture::with(scaling, vec![impaired(1), impaired(3)]).await;
        let abandoned = fixture.out("out-1", two.clone()).await;
        assert!(abandoned.starts_with("RolledBack") && abandoned.contains("not healthy"), "{abandoned}");
        let run = fixture.record("out-1").await;
        assert_eq!((fixture.in_service().await, run.phase), (4, Phase::Ended(Outcome::Scaled)));
        assert_eq!(fixture.violations("out-1", Settling::Scaled).await, []);

        let fixture = Fixture::with(scaling, (1..=4).map(impaired).collect()).await;
        fixture.out("out-1", two).await;
        assert_eq!(fixture.record("out-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.violations("out-1", Settling::RolledBack).await, []);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

#[test]
fn other_zones_replace_a_zone_without_capacity_and_without_any_capacity_the_run_rolls_back() {
    in_virtual_time(async {
        let no_capacity = |zone: Option<&str>| {
            Fault::world(WorldFault::NoCapacity { zone: zone.map(str::to_owned), instance_type: None })
        };
        let fixture = Fixture::with(scaling, vec![no_capacity(Some("eu-central-1a"))]).await;
        assert_eq!(fixture.out("out-1", json!({"fleet": "appwrite", "by": 3})).await, "succeeded");
        assert_eq!(fixture.in_service().await, 6);
        let fixture = Fixture::with(scaling, vec![no_capacity(None)]).await;
        let abandoned = fixture.out("out-1", json!({"fleet": "appwrite", "by": 3})).await;
        assert!(abandoned.starts_with("RolledBack") && abandoned.contains("could not be launched"), "{abandoned}");
        assert_eq!(fixture.record("out-1").await.phase, Phase::Ended(Outcome::RolledBack));
        assert_eq!(fixture.violations("out-1", Settling::RolledBack).await, []);
    })
    .unwrap();
}

/// A known defect of other tools: members that join during an upgrade are lost when it ends.
#[test]
fn an_upgrade_replaces_the_members_of_two_scale_outs_that_joined_it() {
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
fn members_of_a_joined_scale_out_stay_when_the_upgrade_rolls_back() {
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
fn a_scale_out_too_late_to_join_and_a_scale_in_wait_for_the_end_of_the_upgrade() {
    in_virtual_time(async {
        let fixture = Fixture::with(scaling, Vec::new()).await;
        let upgrade = fixture.run("run-1", json!({"fleet": "appwrite", "to": "1.4.14"}));
        let late = async {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                let run = fixture.reader().ledger().run(&fixture.run_ref("run-1")).await.unwrap();
                if run.is_some_and(|run| run.record.joins_closed) {
                    break;
                }
            }
            let out = fixture.out("out-1", json!({"fleet": "appwrite", "by": 1}));
            let scaled_in = fixture.run_by(&fixture.scale_in, "in-1", json!({"fleet": "appwrite", "by": -1}));
            futures_util::future::join(out, scaled_in).await
        };
        let (upgraded, (out, scaled_in)) = futures_util::future::join(upgrade, late).await;
        assert_eq!([upgraded, out, scaled_in], ["succeeded"; 3]);
        let upgraded = fixture.record("run-1").await;
        for scaled in ["out-1", "in-1"] {
            assert!(fixture.record(scaled).await.started > upgraded.committed.unwrap(), "{scaled}");
        }
        assert_eq!(fixture.in_service().await, 3);
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}

/// An alarm, a schedule and an operator can start runs at the same instant.
#[test]
fn of_two_starts_at_the_same_instant_one_waits_for_the_other() {
    let alarm = |fixture: &Fixture| (fixture.scale_out.clone(), event("fleetwright-busy-appwrite"));
    let schedule = |fixture: &Fixture| (fixture.machine.clone(), json!({"fleet": "appwrite", "to": "1.4.14"}));
    let operator = |fixture: &Fixture| (fixture.scale_out.clone(), json!({"fleet": "appwrite", "by": 1}));
    type Start = fn(&Fixture) -> (asl::StateMachine, Value);
    let starts: [(&str, Start); 3] = [("alarm", alarm), ("schedule", schedule), ("operator", operator)];
    for (n, (first_name, first)) in starts.iter().enumerate() {
        for (second_name, second) in &starts[n..] {
            in_virtual_time(async {
                let what = format!("{first_name} and {second_name}");
                // Four members are enough for this load, which lasts longer than both runs.
                let fixture = Fixture::with_work(scaling, Vec::new(), work(&[(0, 235.0)])).await;
                tokio::time::sleep(Duration::from_secs(4 * 60)).await;
                let ((machine, input), (other, other_input)) = (first(&fixture), second(&fixture));
                let first = fixture.run_by(&machine, "run-1", input);
                let second = fixture.run_by(&other, "run-2", other_input);
                let (first, second) = futures_util::future::join(first, second).await;
                let refused = [&first, &second].into_iter().filter(|ended| *ended != "succeeded").collect::<Vec<_>>();
                if (*first_name, *second_name) == ("schedule", "schedule") {
                    // Two upgrades: one is refused.
                    assert!(refused.len() == 1 && refused[0].starts_with("Refused"), "{what}: {first}; {second}");
                } else {
                    assert!(refused.is_empty(), "{what}: {first}; {second}");
                }
                let wanted = match (*first_name, *second_name) {
                    ("alarm", "operator") => 4..=5,
                    ("alarm", _) => 4..=4,
                    ("schedule", "schedule") => 3..=3,
                    ("schedule", _) => 4..=4,
                    _ => 5..=5,
                };
                assert!(wanted.contains(&fixture.in_service().await), "{what}: {}", fixture.in_service().await);
                assert_eq!(fixture.fleet().await.lock, None, "{what}");
                assert_eq!(fixture.repairable_findings().await, [""; 0], "{what}");
                let report = fixture.simulator.report();
                assert_eq!((report.capacity.lowest, report.requests.failed), (3, 0), "{what}");
            })
            .unwrap();
        }
    }
}

#[test]
fn an_upgrade_waits_for_a_scale_out_that_joined_the_upgrade_before_it() {
    in_virtual_time(async {
        // The member of the joined scale-out does not become healthy. The upgrade fails before the scale-out has
        // replaced it.
        let impaired = Fault::world(WorldFault::ImpairedInstance { nth: 2 });
        let failing = Fault::on("SendCommand").error("AccessDeniedException");
        let fixture = Fixture::with(scaling, vec![impaired, failing]).await;
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
        assert_eq!(violations, [], "only the upgrade that the scale-out joined may run at the same time");
        assert_eq!(fixture.findings().await, [""; 0]);
    })
    .unwrap();
}
