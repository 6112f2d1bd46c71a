//! Scaling on the deployed stack: started by the alarm's event through EventBridge, by the command, and by tags.

use super::deployed::Stack;
use crate::emulators::{BuiltFleet, REGION, until};
use fleet::{Config, Scaling, Span};
use serde_json::{Value, json};

/// Sets the scaling section to these sizes.
fn between(min: u32, max: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        config.scaling = Some(Scaling {
            min,
            max,
            target_cpu: 60,
            largest_step: 2,
            cooldown_out: Span::minutes(1),
            cooldown_in: Span::minutes(5),
            warm_up: Span::minutes(1),
        });
    }
}

impl Stack {
    /// Sends an event to EventBridge, in the form of the service's own events.
    fn send(&self, source: &str, kind: &str, resources: &[String], detail: &Value) {
        let entry = json!({
            "Source": source, "DetailType": kind, "Resources": resources, "Detail": detail.to_string(),
        });
        let sent = self.root().call("events", "put_events", &json!({"Entries": [entry]}));
        assert_eq!(sent["FailedEntryCount"], 0, "{sent:#}");
    }

    /// Sends the alarm's state change as CloudWatch does.
    fn raise_alarm(&self, alarm: &str) {
        let detail = json!({
            "alarmName": alarm,
            "state": {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-01-04T03:00:00.000+0000"},
            "previousState": {"value": "OK", "timestamp": "2026-01-04T02:00:00.000+0000"},
            "configuration": {"metrics": []},
        });
        let arn = format!("arn:aws:cloudwatch:{REGION}:123456789012:alarm:{alarm}");
        self.send("aws.cloudwatch", "CloudWatch Alarm State Change", &[arn], &detail);
    }

    /// The instances in the fleet's target group, in order.
    fn targets(&self, fleet: &BuiltFleet) -> Vec<String> {
        let group = json!({"TargetGroupArn": fleet.id("target_group")});
        let health = self.console().call("elbv2", "describe_target_health", &group);
        let targets = health["TargetHealthDescriptions"].as_array().unwrap().iter();
        let registered = targets.filter(|one| one["TargetHealth"]["State"] != "draining");
        let mut registered: Vec<_> = registered.map(|one| one["Target"]["Id"].as_str().unwrap().to_owned()).collect();
        registered.sort();
        registered
    }
}

#[test]
fn the_alarms_event_adds_and_removes_members() {
    let stack = Stack::shared();
    // Three members are fewer than `scaling.min`, whatever the CPU.
    let fleet = stack.fleet_with("scaled", between(5, 8));
    let prefix = json!({"AlarmNamePrefix": "fleetwright-busy-scaled"});
    let put = stack.root().call("cloudwatch", "describe_alarms", &prefix);
    assert_eq!(put["MetricAlarms"][0]["Threshold"], 60.0, "{put:#}");
    stack.raise_alarm("fleetwright-busy-scaled");
    until("five members take traffic", || (stack.targets(&fleet).len() == 5).then_some(()));
    let operator = stack.operator();
    let scaled = |times: usize| {
        let over = || operator.fleetwright("history --fleet scaled").out.matches("  scaled").count() == times;
        until("the run is over", || over().then_some(()));
    };
    scaled(1);
    let status = operator.fleetwright("status --fleet scaled");
    assert!(status.out.contains("5 of 5 members in service"), "{status:?}");

    // Five members are more than `scaling.max`.
    let mut config = fleet.config();
    between(2, 4)(&mut config);
    let file = stack.work.path().join("scaled.toml");
    std::fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
    assert_eq!(operator.fleetwright(&format!("apply --config {}", file.display())).exit, 0);
    stack.raise_alarm("fleetwright-idle-scaled");
    until("four members take traffic", || (stack.targets(&fleet).len() == 4).then_some(()));
    scaled(2);
    let fine = operator.fleetwright("doctor --fleet scaled");
    assert_eq!(fine.exit, 0, "{fine:?}");
}

#[test]
fn the_command_scales_to_a_size_and_by_a_change() {
    let stack = Stack::shared();
    let fleet = stack.fleet("sized");
    let operator = stack.operator();
    let out = operator.fleetwright("scale --fleet sized --by 2");
    assert_eq!(out.exit, 0, "{out:?}");
    assert_eq!(stack.targets(&fleet).len(), 5);
    let same = operator.fleetwright("scale --fleet sized --to 5");
    assert!(same.exit == 0 && same.err.contains("nothing to do"), "{same:?}");
    let taken_out = operator.fleetwright("scale --fleet sized --to 3 --output json");
    assert_eq!(taken_out.exit, 0, "{taken_out:?}");
    let outcome: Value = serde_json::from_str(&taken_out.out).unwrap();
    assert_eq!((&outcome["outcome"], &outcome["size"]), (&json!("scaled"), &json!(2)), "{outcome:#}");
    assert_eq!(stack.targets(&fleet).len(), 3);
    let refused = operator.fleetwright("scale --fleet sized --by 500");
    assert!(refused.exit == 6 && refused.err.contains("scaling.max"), "{refused:?}");
    let bad = operator.fleetwright("scale --fleet sized --by 0");
    assert!(bad.exit == 2 && bad.err.contains("--by: 0 changes nothing"), "{bad:?}");
}

#[test]
fn a_fleet_without_a_golden_image_takes_one_of_a_member_and_scales_out_with_it() {
    let stack = Stack::shared();
    let (fleet, applied) = stack.apply("handmade", |config| config.fleet.golden_image = None);
    assert!(applied.contains("is recorded: 1.3.8 on no golden image, 3 in service"), "{applied}");
    let operator = stack.operator();
    for line in ["upgrade --fleet handmade --to 1.4.14", "scale --fleet handmade --by 1"] {
        let refused = operator.fleetwright(line);
        assert!(refused.exit == 6 && refused.err.contains("'fleetwright golden-image'"), "{refused:?}");
    }
    let status = operator.fleetwright("status --fleet handmade");
    assert!(
        status.out.contains("is on 1.3.8, 3 of 3 members") && status.out.contains("image     none yet"),
        "{status:?}"
    );
    let no_member = operator.fleetwright("golden-image --fleet handmade --member i-0123456789abcdef0");
    assert!(no_member.exit == 6 && no_member.err.contains("does not carry the load-balancer tag"), "{no_member:?}");

    let before = stack.targets(&fleet);
    let member = before[1].clone();
    let taken = operator.fleetwright(&format!("golden-image --fleet handmade --member {member} --output json"));
    assert_eq!(taken.exit, 0, "{taken:?}");
    assert!(
        taken.err.contains(&format!("the run stops {member} for a while; 2 other members stay in service")),
        "{taken:?}"
    );
    let outcome: Value = serde_json::from_str(&taken.out).unwrap();
    assert_eq!(outcome["outcome"], "image taken", "{outcome:#}");
    assert_eq!(stack.targets(&fleet), before);
    let console = stack.console();
    let image = outcome["image"].as_str().unwrap();
    let made = console.call("ec2", "describe_images", &json!({"ImageIds": [image]}));
    let tags = made["Images"][0]["Tags"].as_array().unwrap();
    for (key, value) in [("fleetwright:fleet", json!("handmade")), ("fleetwright:run", outcome["run"].clone())] {
        assert!(tags.contains(&json!({"Key": key, "Value": value})), "{made:#}");
    }
    let stopped = console.call("ec2", "describe_instances", &json!({"InstanceIds": [member]}));
    assert_eq!(stopped["Reservations"][0]["Instances"][0]["State"]["Name"], "running");
    let fine = operator.fleetwright("doctor --fleet handmade");
    assert_eq!(fine.exit, 0, "{fine:?}");

    let out = operator.fleetwright("scale --fleet handmade --by 1");
    assert_eq!(out.exit, 0, "{out:?}");
    let added = stack.targets(&fleet).into_iter().find(|id| !before.contains(id)).unwrap();
    let launched = console.call("ec2", "describe_instances", &json!({"InstanceIds": [added]}));
    assert_eq!(launched["Reservations"][0]["Instances"][0]["ImageId"], image);
}

#[test]
fn an_instance_that_loses_the_tag_leaves_the_load_balancer_and_one_that_gets_it_enters() {
    let stack = Stack::shared();
    let fleet = stack.fleet("tagged");
    let console = stack.console();
    let member = stack.targets(&fleet).remove(0);
    let tag = json!([{"Key": fleet.config().fleet.load_balancer_tag.key, "Value": "tagged"}]);
    let send_tag_event = |tags: Value, version: u32| {
        let detail = json!({
            "changed-tag-keys": [fleet.config().fleet.load_balancer_tag.key],
            "service": "ec2", "resource-type": "instance", "version": version, "tags": tags,
        });
        let arn = format!("arn:aws:ec2:{REGION}:123456789012:instance/{member}");
        stack.send("aws.tag", "Tag Change on Resource", &[arn], &detail);
    };
    console.call("ec2", "delete_tags", &json!({"Resources": [member], "Tags": tag}));
    send_tag_event(json!({"fleetwright:fleet": "tagged"}), 2);
    until("it has left", || (!stack.targets(&fleet).contains(&member)).then_some(()));
    console.call("ec2", "create_tags", &json!({"Resources": [member], "Tags": tag}));
    // A late event about an earlier state only triggers a check.
    send_tag_event(json!({"fleetwright:fleet": "tagged"}), 1);
    until("it is back", || stack.targets(&fleet).contains(&member).then_some(()));

    // The schedule covers events that never arrive.
    console.call("ec2", "delete_tags", &json!({"Resources": [member], "Tags": tag}));
    let synced = stack.root().invoke("fleetwright-sync-tags", &json!({})).unwrap();
    let of_fleet = synced["fleets"].as_array().unwrap().iter().find(|one| one["fleet"] == "tagged").unwrap();
    assert_eq!(of_fleet["deregistered"], json!([member]), "{synced:#}");
}
