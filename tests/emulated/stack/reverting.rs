//! Reverting and restoring a fleet on the deployed stack, as an operator does it.

use super::UNTIL_APPROVAL;
use super::client::{Caller, Ran};
use super::deployed::Stack;
use crate::emulators::BuiltFleet;
use serde_json::{Value, json};

#[test]
fn an_upgrade_is_reverted_once_and_its_image_goes_into_quarantine() {
    let stack = Stack::shared();
    let fleet = stack.fleet("reverted");
    let operator = stack.operator();
    let upgrade = run_of(&operator.fleetwright("upgrade --fleet reverted --to 1.4.14 --output json"), "upgraded");
    let made = fleet.current_state()["fleet"]["golden"]["image"].as_str().unwrap().to_owned();
    let first = fleet.id("image");
    let images = operator.images("reverted");
    assert_eq!(images["golden"], json!({"image": made, "version": "1.4.14"}));
    assert_eq!(images["kept"], json!([{"image": first, "version": "1.3.8"}]));
    assert_eq!(images["last_good"], first);

    let back = operator.fleetwright("revert --fleet reverted --output json");
    let run = run_of(&back, "reverted");
    assert!(back.err.contains(&format!("reverts from 1.4.14 ({made}) to 1.3.8 ({first})")), "{back:?}");
    assert!(back.err.contains("the data stays as it is: it was migrated to 1.4.14"), "{back:?}");
    assert!(back.err.contains(&format!("of data server {}", fleet.id("data_server"))), "{back:?}");
    fleet.assert_reverted(&run, &upgrade);
    operator.assert_no_findings("reverted");
    let images = operator.fleetwright("images --fleet reverted");
    let kept = format!("{first}  1.3.8  golden\n{made}  1.4.14  in quarantine: run {run} reverted from it\n");
    assert_eq!((images.exit, images.out), (0, kept));

    let before = fleet.current_state();
    let again = operator.fleetwright("revert --fleet reverted");
    assert_eq!(again.exit, 6, "{again:?}");
    assert!(again.err.contains("revert: fleet reverted keeps no image that is known to be good"), "{again:?}");
    let already_on_it = operator.fleetwright(&format!("rollback --fleet reverted --image {first}"));
    assert!(already_on_it.exit == 0 && already_on_it.err.contains("nothing to do"), "{already_on_it:?}");
    assert_eq!(fleet.current_state(), before);
}

#[test]
fn an_image_whose_members_raised_an_alarm_is_quarantined() {
    let stack = Stack::shared();
    let fleet = stack.fleet("quarantined");
    let operator = stack.operator();
    let run = operator.upgrade_until_approval("quarantined");
    let alarm = |state: &str| {
        let set = json!({"AlarmName": fleet.id("alarm"), "StateValue": state, "StateReason": "a test"});
        stack.console().call("cloudwatch", "set_alarm_state", &set);
    };
    alarm("ALARM");
    assert_eq!(operator.fleetwright("approve --fleet quarantined").exit, 0);
    let watched = operator.fleetwright(&format!("watch {run} --fleet quarantined"));
    assert_eq!(watched.exit, 3, "{watched:?}");
    let passed: Vec<_> = UNTIL_APPROVAL.into_iter().chain([("Commit", "failed")]).collect();
    let why = fleet.assert_rolled_back(&run, &passed);
    assert!(why.contains("alarm 'quarantined-5xx' is in ALARM"), "{why}");

    let raised = json!([{
        "what": "alarm 'quarantined-5xx' is in ALARM",
        "remedy": {"person": "an upgrade requires that the alarms of upgrade.alarms exist and are not raised"},
    }]);
    assert_eq!(operator.findings("quarantined"), raised);
    alarm("OK");
    operator.assert_no_findings("quarantined");
    let images = operator.images("quarantined");
    let [kept] = &images["kept"].as_array().unwrap()[..] else { panic!("{images:#}") };
    assert_eq!(kept["quarantine"], "alarm 'quarantined-5xx' is in ALARM");
    assert_eq!(images["last_good"], Value::Null);
}

#[test]
fn changes_by_hand_are_found_shown_and_repaired_by_the_command() {
    let stack = Stack::shared();
    let fleet = stack.fleet("edited");
    let operator = stack.operator();
    let upgrade = run_of(&operator.fleetwright("upgrade --fleet edited --to 1.4.14 --output json"), "upgraded");
    operator.assert_no_findings("edited");
    let untouched = operator.fleetwright("repair --fleet edited --yes");
    assert!(untouched.exit == 0 && untouched.err.contains("nothing to repair"), "{untouched:?}");

    let as_declared = fleet.current_state();
    let member = fleet.living()[0].clone();
    take_out(&stack.console(), &fleet, &member);
    let builder = leave_builder(&stack.console(), &fleet, &upgrade);
    let snapshot = leave_snapshot(&stack.console(), &fleet);
    let wanted = json!([
        {
            "what": format!("{member} was a member when the last run ended, but no longer carries the load-balancer tag"),
            "remedy": {"person": "if it is gone for good, replace it: an upgrade creates as many members as it finds"},
        },
        {"what": format!("{member} is a clone of the golden image but receives no traffic"), "remedy": "repair"},
        {"what": format!("builder {builder} is a left-over of run {upgrade}"), "remedy": "repair"},
        {
            "what": format!("snapshot {snapshot} belongs to the image of run run-0, which no longer exists"),
            "remedy": {"person": "delete it with 'aws ec2 delete-snapshot'"},
        },
    ]);
    let findings = operator.findings("edited");
    let sorted = |findings: &Value| {
        let mut findings: Vec<_> = findings.as_array().unwrap().iter().map(ToString::to_string).collect();
        findings.sort();
        findings
    };
    assert_eq!(sorted(&findings), sorted(&wanted), "{findings:#}");
    let outcome_json = operator.fleetwright("doctor --fleet edited");
    assert!(outcome_json.exit == 1 && outcome_json.out.contains("'fleetwright repair' fixes it"), "{outcome_json:?}");

    let edited = fleet.current_state();
    let shown = operator.fleetwright("repair --fleet edited");
    assert_eq!(shown.exit, 0, "{shown:?}");
    for words in [
        format!("A restore tags and registers {member}; it waits until all 3 members are healthy"),
        format!("drains and terminates {builder}, left over from ended runs"),
        "nothing is changed yet: 'fleetwright repair --yes' does it".to_owned(),
    ] {
        assert!(shown.err.contains(&words), "'{words}' is not in: {shown:?}");
    }
    assert_eq!(fleet.current_state(), edited);

    let run = run_of(&operator.fleetwright("repair --fleet edited --yes --output json"), "restored");
    stack.console().call("ec2", "delete_snapshot", &json!({"SnapshotId": snapshot}));
    fleet.assert_restored(&run, &upgrade, &as_declared);
    operator.assert_no_findings("edited");
}

/// Takes a member out of the load balancer at the console.
fn take_out(console: &Caller, fleet: &BuiltFleet, member: &str) {
    let tags = [json!({"Key": "high-availability", "Value": fleet.id("fleet")})];
    console.call("ec2", "delete_tags", &json!({"Resources": [member], "Tags": tags}));
    let targets = json!({"TargetGroupArn": fleet.id("target_group"), "Targets": [{"Id": member}]});
    console.call("elbv2", "deregister_targets", &targets);
}

/// Leaves the builder of a run that died.
fn leave_builder(console: &Caller, fleet: &BuiltFleet, run: &str) -> String {
    let tags = [("fleetwright:fleet", fleet.id("fleet")), ("fleetwright:run", run), ("fleetwright:role", "builder")];
    let tags = tags.map(|(key, value)| json!({"Key": key, "Value": value}));
    let launch = json!({
        "ImageId": fleet.id("image"), "InstanceType": "c6i.2xlarge", "SubnetId": fleet.ids["subnets"][0]["id"],
        "MinCount": 1, "MaxCount": 1, "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
    });
    let launched = console.call("ec2", "run_instances", &launch);
    launched["Instances"][0]["InstanceId"].as_str().unwrap().to_owned()
}

/// Leaves the snapshot of an image that EC2 deregistered without the permission to delete the snapshot.
fn leave_snapshot(console: &Caller, fleet: &BuiltFleet) -> String {
    let tags =
        [("fleetwright:fleet", fleet.id("fleet")), ("fleetwright:run", "run-0"), ("fleetwright:version", "1.3.8")];
    let tags = tags.map(|(key, value)| json!({"Key": key, "Value": value}));
    let disk = json!({"AvailabilityZone": fleet.ids["subnets"][0]["zone"], "Size": 8});
    let disk = console.call("ec2", "create_volume", &disk)["VolumeId"].clone();
    let tags = json!([{"ResourceType": "snapshot", "Tags": tags}]);
    let taken = console.call("ec2", "create_snapshot", &json!({"VolumeId": disk, "TagSpecifications": tags}));
    taken["SnapshotId"].as_str().unwrap().to_owned()
}

/// The run that a command brought to this outcome.
#[track_caller]
fn run_of(ran: &Ran, outcome: &str) -> String {
    assert_eq!(ran.exit, 0, "{ran:?}");
    let outcome_json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(outcome_json["outcome"], outcome, "{outcome_json:#}");
    outcome_json["run"].as_str().unwrap().to_owned()
}

impl Caller {
    fn images(&self, fleet: &str) -> Value {
        let ran = self.fleetwright(&format!("images --fleet {fleet} --output json"));
        assert_eq!(ran.exit, 0, "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    /// What `doctor` finds; it must find something.
    fn findings(&self, fleet: &str) -> Value {
        let ran = self.fleetwright(&format!("doctor --fleet {fleet} --output json"));
        assert_eq!(ran.exit, 1, "{ran:?}");
        let found: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((&found["schema_version"], &found["fleet"]), (&json!(1), &json!(fleet)));
        found["findings"].clone()
    }

    #[track_caller]
    fn assert_no_findings(&self, fleet: &str) {
        let ran = self.fleetwright(&format!("doctor --fleet {fleet}"));
        assert_eq!((ran.exit, ran.out.as_str()), (0, &*format!("fleet {fleet} is as it should be\n")), "{}", ran.err);
    }
}
