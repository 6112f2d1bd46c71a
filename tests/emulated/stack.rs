//! The deployed stack: the real template through a real `sam deploy`, the real bootstrap behind every function, and the
//! command as an operator runs it. Afterwards boto3, which the product does not use, inspects the account.
//! ministack emulates CloudFormation, Lambda, Step Functions, DynamoDB and IAM. It checks the calls of functions and operators
//! against their policies. moto emulates EC2 and load balancing, and checks no policies. Run Command runs the deployed document.

mod bad_input;
mod client;
mod deployed;
mod releasing;
mod reverting;
mod scaling;
mod scheduling;

use deployed::Stack;
use fleetwright::Definition;
use serde_json::{Value, json};

/// The states that a run has passed when it asks for approval.
const UNTIL_APPROVAL: [(&str, &str); 16] = [
    ("Staying healthy", "done"),
    ("Match joined members", "done"),
    ("Ask for approval", "done"),
    ("Back up the data", "done"),
    ("Bake", "done"),
    ("Canary bakes", "done"),
    ("Canary healthy", "done"),
    ("Canary in", "done"),
    ("Create the builder", "done"),
    ("Create the members", "done"),
    ("Delete the builder", "done"),
    ("Install and migrate", "done"),
    ("Leaving out", "done"),
    ("Stop the builder", "done"),
    ("Take the snapshot", "done"),
    ("Rest in", "done"),
];

#[test]
fn an_upgrade_started_through_step_functions_replaces_the_members_and_publishes_its_outcome() {
    let stack = Stack::shared();
    let fleet = stack.fleet("plain");
    let root = stack.root();
    let queue = stack.listen_to_outcomes();

    let ended = root.upgrade("plain-1", &json!({"fleet": "plain", "to": "1.4.14"}));
    assert_eq!((&ended["status"], &ended["output"]["outcome"]), (&json!("SUCCEEDED"), &json!("upgraded")), "{ended:#}");
    assert_eq!(ended["definition"], Definition::UPGRADE.text);
    println!("upgraded in {} s from start to end, waits skipped, by {} attempts", ended["seconds"], ended["attempts"]);
    let builder = fleet.assert_upgraded("plain-1", &["1.4.14"], false);
    let compose = stack.ssm.compose_file(&builder);
    assert_eq!(compose.matches("appwrite/appwrite:1.4.14").count(), 3, "{compose}");

    let message = stack.outcome_of("plain-1", &queue);
    assert_eq!(message["what"], "Fleetwright: run plain-1 has SUCCEEDED", "{message:#}");
    assert_eq!(message["asked"], json!({"fleet": "plain", "to": "1.4.14"}).to_string());
}

#[test]
fn an_upgrade_is_planned_started_and_watched_by_the_command() {
    let stack = Stack::shared();
    let fleet = stack.fleet("operated");
    let operator = stack.operator();
    let file = stack.work.path().join("operated.plan");
    let file = file.display();

    let planned = operator.fleetwright(&format!("plan --fleet operated --to 1.4.14 --out {file}"));
    assert_eq!(planned.exit, 0, "{planned:?}");
    let upgraded = operator.fleetwright(&format!("upgrade --plan {file} --output json"));
    assert_eq!(upgraded.exit, 0, "{upgraded:?}");
    let outcome: Value = serde_json::from_str(&upgraded.out).unwrap();
    assert_eq!((&outcome["outcome"], &outcome["to"]), (&json!("upgraded"), &json!("1.4.14")), "{outcome:#}");
    assert!(upgraded.err.contains("Create the members"), "{upgraded:?}");
    let run = outcome["run"].as_str().unwrap();
    fleet.assert_upgraded(run, &["1.4.14"], false);

    let again = operator.fleetwright(&format!("upgrade --plan {file}"));
    assert_eq!(again.exit, 0, "{again:?}");
    assert!(again.err.contains("nothing to do"), "{again:?}");
    let watched = operator.fleetwright(&format!("watch {run} --fleet operated"));
    assert_eq!(watched.exit, 0, "{watched:?}");
    let status = operator.fleetwright("status --fleet operated");
    assert!(status.out.contains("fleet operated is on 1.4.14, 3 of 3 members in service"), "{status:?}");
    let history = operator.fleetwright("history --fleet operated");
    assert!(history.out.contains(run) && history.out.contains("1.3.8 -> 1.4.14  upgraded"), "{history:?}");
}

#[test]
fn a_migration_that_fails_with_exit_status_0_leaves_the_fleet_as_it_was() {
    let stack = Stack::shared();
    let fleet = stack.fleet("broken");
    let upgrade = stack.operator().fleetwright("upgrade --fleet broken --to 1.5.11 --output json");
    assert_eq!(upgrade.exit, 3, "{upgrade:?}");
    let outcome: Value = serde_json::from_str(&upgrade.out).unwrap();
    assert_eq!(outcome["outcome"], "rolled back");
    let hops = ["done", "failed"].map(|result| ("Install and migrate", result));
    let passed: Vec<_> =
        ["Create the builder", "Back up the data"].map(|state| (state, "done")).into_iter().chain(hops).collect();
    let why = fleet.assert_rolled_back(outcome["run"].as_str().unwrap(), &passed);
    assert!(why.contains("installing 1.5.11 on builder") && why.contains("Failed to migrate project"), "{why}");
    assert_eq!(outcome["failure"], why);
}

#[test]
fn a_run_that_awaits_approval_is_the_only_one_and_continues_when_it_is_approved() {
    let stack = Stack::shared();
    let fleet = stack.fleet("approved");
    let operator = stack.operator();
    let run = operator.upgrade_until_approval("approved");

    let second = operator.fleetwright("upgrade --fleet approved --to 1.5.11");
    assert_eq!(second.exit, 6, "{second:?}");
    assert!(second.err.contains(&run), "{second:?}");
    // The run itself refuses a start without the command.
    let second = stack.root().upgrade("approved-2", &json!({"fleet": "approved", "to": "1.5.11"}));
    assert_eq!((&second["status"], &second["error"]), (&json!("FAILED"), &json!("Refused")), "{second:#}");
    assert!(second["cause"].as_str().unwrap().contains(&run), "{second:#}");

    for line in ["revert", "repair", "repair --yes"] {
        let ran = operator.fleetwright(&format!("{line} --fleet approved"));
        assert_eq!(ran.exit, 6, "{ran:?}");
        assert!(ran.err.contains(&run), "{ran:?}");
    }
    let fine = operator.fleetwright("doctor --fleet approved");
    assert_eq!(fine.exit, 0, "the changes of a running run are no findings: {fine:?}");

    let approved = operator.fleetwright("approve --fleet approved");
    assert_eq!(approved.exit, 0, "{approved:?}");
    let watched = operator.fleetwright(&format!("watch {run} --fleet approved"));
    assert_eq!(watched.exit, 0, "{watched:?}");
    fleet.assert_upgraded(&run, &["1.4.14"], true);
}

#[test]
fn a_run_that_is_aborted_instead_of_approved_rolls_back() {
    let stack = Stack::shared();
    let fleet = stack.fleet("aborted");
    let operator = stack.operator();
    let run = operator.upgrade_until_approval("aborted");
    let aborted = operator.fleetwright("abort --fleet aborted");
    assert_eq!(aborted.exit, 0, "{aborted:?}");
    let why = fleet.assert_rolled_back(&run, &UNTIL_APPROVAL);
    assert!(why.contains("aborted by arn:aws:iam::123456789012:user/operator"), "{why}");
    let watched = operator.fleetwright(&format!("watch {run} --fleet aborted"));
    assert_eq!(watched.exit, 3, "{watched:?}");
}

#[test]
fn a_run_without_an_answer_rolls_back_and_takes_no_answer_afterwards() {
    let stack = Stack::shared();
    let fleet = stack.fleet_with("silent", |config| config.limits.approval = fleet::Span::seconds(60));
    let operator = stack.operator();
    let upgrade = operator.fleetwright("upgrade --fleet silent --to 1.4.14 --approval true --output json");
    assert_eq!(upgrade.exit, 3, "{upgrade:?}");
    let outcome: Value = serde_json::from_str(&upgrade.out).unwrap();
    let run = outcome["run"].as_str().unwrap();
    let why = fleet.assert_rolled_back(run, &UNTIL_APPROVAL);
    assert!(why.contains("States.Timeout"), "{why}");

    let late = operator.fleetwright(&format!("approve {run} --fleet silent"));
    assert_eq!(late.exit, 6, "{late:?}");
    assert!(late.err.contains("rolled back, not awaiting approval"), "{late:?}");
    // A token for which no task waits any more.
    let key = json!({"pk": {"S": "fleet/silent"}, "sk": {"S": format!("run/{run}")}});
    let item = stack.root().call("dynamodb", "get_item", &json!({"TableName": "fleetwright", "Key": key}));
    let mut record: Value = serde_json::from_str(item["Item"]["record"]["S"].as_str().unwrap()).unwrap();
    record["phase"] = json!({"awaiting-approval": {"token": "gone"}});
    let update = json!({
        "TableName": "fleetwright", "Key": key, "UpdateExpression": "SET #r = :r",
        "ExpressionAttributeNames": {"#r": "record"},
        "ExpressionAttributeValues": {":r": {"S": record.to_string()}},
    });
    stack.root().call("dynamodb", "update_item", &update);
    let late = operator.fleetwright(&format!("approve {run} --fleet silent"));
    assert_eq!(late.exit, 6, "{late:?}");
    assert!(late.err.contains("no longer waits for this approval"), "{late:?}");
}

#[test]
fn a_run_whose_execution_was_stopped_is_repaired_by_the_command() {
    let stack = Stack::shared();
    let fleet = stack.fleet("stopped");
    let operator = stack.operator();
    let run = operator.upgrade_until_approval("stopped");
    let running = operator.fleetwright("repair --fleet stopped --yes");
    assert_eq!(running.exit, 6, "{running:?}");

    let execution = format!("arn:aws:states:eu-central-1:123456789012:execution:fleetwright-upgrade:{run}");
    stack.root().call("stepfunctions", "stop_execution", &json!({"executionArn": execution}));
    for command in ["watch", "abort"] {
        let dead = operator.fleetwright(&format!("{command} --fleet stopped"));
        assert_eq!(dead.exit, 4, "{command}: {dead:?}");
        assert!(dead.err.contains("fleetwright repair"), "{command}: {dead:?}");
    }
    let status = operator.fleetwright("status --fleet stopped");
    assert!(status.out.contains("problem") && status.out.contains("fleetwright repair"), "{status:?}");

    let shown = operator.fleetwright("repair --fleet stopped");
    assert_eq!(shown.exit, 0, "{shown:?}");
    assert!(shown.err.contains("It rolls back: ") && shown.err.contains("nothing is changed yet"), "{shown:?}");
    let repaired = operator.fleetwright("repair --fleet stopped --yes");
    assert_eq!(repaired.exit, 0, "{repaired:?}");
    let why = fleet.assert_rolled_back(&run, &UNTIL_APPROVAL);
    assert!(why.contains("resumed by stopped-repair-"), "{why}");
    assert!(why.contains(&format!("({run} ended with ABORTED)")), "{why}");
    let again = operator.fleetwright("repair --fleet stopped");
    assert!(again.exit == 0 && again.err.contains("nothing to repair"), "{again:?}");
}
