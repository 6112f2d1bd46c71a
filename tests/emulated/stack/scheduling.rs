//! Scheduled upgrades on the deployed stack: in the quiet window, and whenever a window opens.

use super::deployed::Stack;
use crate::emulators::{BuiltFleet, REGION, until};
use fleet::Config;
use serde_json::{Value, json};

#[expect(clippy::disallowed_methods, reason = "emulators go by the wall clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Three weeks of request counts, one point an hour: 100 each, except on Sundays from three to five.
fn requests(now: jiff::Timestamp) -> Vec<Value> {
    let hour = |back: i64| now - jiff::SignedDuration::from_hours(back);
    let at = |back: i64| hour(back).to_zoned(jiff::tz::TimeZone::UTC);
    let points = (1..21 * 24).map(|back| {
        let at = at(back);
        let quiet = at.weekday() == jiff::civil::Weekday::Sunday && (3..5).contains(&at.hour());
        let start = at.with().minute(0).second(0).subsec_nanosecond(0).build().unwrap().timestamp();
        json!({"Timestamp": start.to_string(), "Value": if quiet { 2.0 } else { 100.0 }})
    });
    points.collect()
}

impl Stack {
    /// Puts a load balancer before the fleet, with its request counts.
    fn add_load_balancer(&self, fleet: &BuiltFleet) {
        let console = self.console();
        let subnets = fleet.ids["subnets"].as_array().unwrap().iter().map(|subnet| &subnet["id"]).collect::<Vec<_>>();
        let made = console.call("elbv2", "create_load_balancer", &json!({"Name": "quiet", "Subnets": subnets}));
        let balancer = made["LoadBalancers"][0]["LoadBalancerArn"].as_str().unwrap();
        let group = fleet.id("target_group");
        let listener = json!({
            "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80,
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
        });
        console.call("elbv2", "create_listener", &listener);
        let dimensions = json!([
            {"Name": "TargetGroup", "Value": group.rsplit(':').next().unwrap()},
            {"Name": "LoadBalancer", "Value": balancer.split_once("loadbalancer/").unwrap().1},
        ]);
        let counted = requests(now()).into_iter().map(|point| {
            let mut datum = json!({"MetricName": "RequestCount", "Dimensions": dimensions, "Unit": "Count"});
            datum.as_object_mut().unwrap().extend(point.as_object().unwrap().clone());
            datum
        });
        let counted = counted.collect::<Vec<_>>();
        console.call(
            "cloudwatch",
            "put_metric_data",
            &json!({"Namespace": "AWS/ApplicationELB", "MetricData": counted}),
        );
    }

    fn schedule(&self, name: &str) -> Value {
        self.root().call("scheduler", "get_schedule", &json!({"GroupName": "fleetwright", "Name": name}))
    }
}

#[test]
fn an_upgrade_starts_in_the_quiet_window_and_its_schedule_is_deleted_afterwards() {
    let stack = Stack::shared();
    let fleet = stack.fleet("quiet");
    stack.add_load_balancer(&fleet);
    let operator = stack.operator();
    let scheduled = operator.fleetwright("upgrade --fleet quiet --to 1.4.14 --when quiet --output json");
    assert_eq!(scheduled.exit, 0, "{scheduled:?}");
    let scheduled: Value = serde_json::from_str(&scheduled.out).unwrap();
    let starts: jiff::Timestamp = scheduled["starts"].as_str().unwrap().parse().unwrap();
    let starts = starts.to_zoned(jiff::tz::TimeZone::UTC);
    assert_eq!((starts.weekday(), starts.hour()), (jiff::civil::Weekday::Sunday, 3), "{scheduled:#}");
    assert!(scheduled["because"].as_str().unwrap().contains("Sunday 03:"), "{scheduled:#}");

    let name = scheduled["schedule"].as_str().unwrap();
    let mut schedule = stack.schedule(name);
    assert_eq!(schedule["ActionAfterCompletion"], "DELETE", "{schedule:#}");
    let expected = format!("at({})", starts.strftime("%Y-%m-%dT%H:%M:%S"));
    assert_eq!(schedule["ScheduleExpression"], expected.as_str());
    // The test does not wait for Sunday.
    let soon = now() + jiff::SignedDuration::from_secs(1);
    schedule["ScheduleExpression"] = format!("at({})", soon.strftime("%Y-%m-%dT%H:%M:%S")).into();
    for answered in ["Arn", "CreationDate", "LastModificationDate"] {
        schedule.as_object_mut().unwrap().remove(answered);
    }
    stack.root().call("scheduler", "update_schedule", &schedule);
    until("the run is over", || {
        operator.fleetwright("history --fleet quiet").out.contains("1.3.8 -> 1.4.14  upgraded").then_some(())
    });
    let left = stack.root().try_call("scheduler", "get_schedule", &json!({"GroupName": "fleetwright", "Name": name}));
    assert_eq!(left.unwrap_err().code, "ResourceNotFoundException");
}

#[test]
fn the_windows_start_upgrades_to_a_wanted_version() {
    let stack = Stack::shared();
    let with_wanted_version = |config: &mut Config| {
        let window = json!([{"days": ["sat", "sun"], "from": "02:00", "to": "06:30", "time_zone": "Europe/Berlin"}]);
        config.upgrade.windows = serde_json::from_value(window).unwrap();
        config.upgrade.wanted = Some("1.4.14".parse().unwrap());
    };
    let (fleet, notes) = stack.apply("wanting", with_wanted_version);
    assert!(notes.contains("starts an upgrade to 1.4.14"), "{notes}");
    let schedule = stack.schedule("wanting.window-0");
    assert_eq!(schedule["ScheduleExpression"], "cron(0 2 ? * SAT,SUN *)");
    assert_eq!(schedule["ScheduleExpressionTimezone"], "Europe/Berlin");
    let target = &schedule["Target"];
    let machine = format!("arn:aws:states:{REGION}:123456789012:stateMachine:fleetwright-upgrade");
    assert_eq!(target["Arn"], machine.as_str());
    let input: Value = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
    assert_eq!((&input["fleet"], &input["to"]), (&json!("wanting"), &json!("1.4.14")));
    assert!(input["takes_seconds"].as_u64().is_some_and(|seconds| seconds > 300), "{input:#}");

    let file = stack.work.path().join("wanting.toml");
    std::fs::write(&file, toml::to_string(&fleet.config()).unwrap()).unwrap();
    assert_eq!(stack.operator().fleetwright(&format!("apply --config {}", file.display())).exit, 0);
    let gone = json!({"GroupName": "fleetwright", "Name": "wanting.window-0"});
    let left = stack.root().try_call("scheduler", "get_schedule", &gone);
    assert_eq!(left.unwrap_err().code, "ResourceNotFoundException", "nothing is wanted any more");
}
