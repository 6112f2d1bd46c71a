//! The deployed stack answers bad input with a clear message, and changes nothing.

use super::client::Caller;
use super::deployed::Stack;
use crate::emulators::file;
use functions::STEPS;
use serde_json::{Value, json};

#[test]
fn an_unknown_fleet_is_refused_by_name() {
    let stack = Stack::shared();
    let ended = stack.root().upgrade("nobody-1", &json!({"fleet": "nobody", "to": "1.4.14"}));
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Refused")), "{ended:#}");
    assert!(ended["cause"].as_str().unwrap().contains("nobody"), "{ended:#}");
    for line in ["plan --fleet nobody --to 1.4.14", "upgrade --fleet nobody --to 1.4.14", "status --fleet nobody"] {
        let ran = stack.operator().fleetwright(line);
        assert_eq!(ran.exit, 6, "{ran:?}");
        assert!(ran.err.contains("nobody"), "{ran:?}");
    }
}

#[test]
fn a_fleet_does_not_revert_to_an_image_that_it_does_not_keep() {
    let stack = Stack::shared();
    let fleet = stack.fleet("imageless");
    let before = fleet.current_state();
    let operator = stack.operator();
    let refused = [
        ("revert --fleet imageless", "revert: fleet imageless keeps no image that is known to be good"),
        (
            "revert --fleet imageless --image ami-0123456789abcdef0",
            "revert: ami-0123456789abcdef0 is not an image that fleet imageless keeps",
        ),
    ];
    for (line, says) in refused {
        let ran = operator.fleetwright(line);
        assert_eq!(ran.exit, 6, "{ran:?}");
        assert!(ran.err.contains(says) && ran.err.contains("'fleetwright images'"), "{ran:?}");
    }
    // The run itself refuses a start without the command.
    for (run, image, says) in [
        ("imageless-1", "ami-0123456789abcdef0", "is not an image that fleet imageless keeps"),
        ("imageless-2", "last-good", "keeps no image"),
        ("imageless-3", "ami-xyz", "'ami-xyz' is not an image id"),
    ] {
        let ended = stack.root().upgrade(run, &json!({"fleet": "imageless", "revert": image}));
        assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Refused")), "{ended:#}");
        assert!(ended["cause"].as_str().unwrap().contains(says), "{ended:#}");
    }
    assert_eq!(fleet.current_state(), before);
}

/// The caller is unknown to AWS, so any AWS call would fail with another error.
#[test]
fn mistakes_are_reported_before_any_call() {
    let stack = Stack::shared();
    let unknown = stack.caller("AKIAIOSFODNN7EXAMPLE", "unknown");
    let ran = unknown.fleetwright("rollback --fleet plain --image ami-xyz");
    assert_eq!(ran.exit, 2, "{ran:?}");
    assert!(ran.err.contains("'ami-xyz' for '--image <AMI>'") && ran.err.contains("expected 'ami-'"), "{ran:?}");

    let sample = std::fs::read_to_string(file("samplconfig.toml")).unwrap();
    let path = stack.work.path().join("mistyped.toml");
    for (from, to, says) in [
        ("[backup]", "[backup]\ndb_instance = \"appwrite-db\"", "backup: expected one of data_server"),
        ("i-0ccccccccccccccc1", "vol-1", "'vol-1' is not an instance id"),
        ("keep_images = 3", "keep_images = 0", "upgrade.keep_images: expected 1 to 100"),
        ("on_failure = \"rollback\"", "on_failure = \"stop\"", "expected `rollback` or `freeze`"),
    ] {
        assert!(sample.contains(from), "the sample configuration has no '{from}'");
        std::fs::write(&path, sample.replacen(from, to, 1)).unwrap();
        let ran = unknown.fleetwright(&format!("apply --config {}", path.display()));
        assert_eq!(ran.exit, 2, "{ran:?}");
        assert!(ran.err.contains("mistyped.toml") && ran.err.contains(says), "{ran:?}");
    }
}

#[test]
fn an_event_of_the_wrong_shape_is_refused_by_every_function() {
    let stack = Stack::shared();
    for step in STEPS {
        let (error, message) =
            stack.root().invoke(&format!("fleetwright-{}", step.name), &json!({"run": 7})).unwrap_err();
        assert_eq!(error, "Refused", "{}: {message}", step.name);
        assert!(message.starts_with("the step's input: "), "{}: {message}", step.name);
    }
    let ended = stack.root().upgrade("shapeless-1", &json!({"fleet": "plain", "to": "latest"}));
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Refused")), "{ended:#}");
    assert!(ended["cause"].as_str().unwrap().contains("latest"), "{ended:#}");
}

#[test]
fn a_missing_permission_is_named() {
    let stack = Stack::shared();
    stack.fleet("unreadable");
    let unprivileged = stack.user("unprivileged", None);
    denied(&unprivileged, "status --fleet unreadable", "dynamodb:GetItem");
    denied(&unprivileged, "upgrade --fleet unreadable --to 1.4.14", "dynamodb:GetItem");
    let reader = stack.user("reader", Some(&stack.policy("reader", "dynamodb:GetItem")));
    denied(&reader, "upgrade --fleet unreadable --to 1.4.14", "states:StartExecution");
    denied(&reader, "status --fleet unreadable", "lambda:InvokeFunction");
    denied(&reader, "history --fleet unreadable", "dynamodb:Query");

    let event = json!({"fleet": "unreadable"});
    stack.copy_of_observe("powerless", "fleetwright", "sts:GetCallerIdentity");
    let (error, message) = stack.root().invoke("powerless", &event).unwrap_err();
    assert_eq!(error, "Failed", "{message}");
    assert!(message.contains("not authorized to perform: dynamodb:GetItem"), "{message}");
}

fn denied(caller: &Caller, line: &str, action: &str) {
    let ran = caller.fleetwright(line);
    assert_eq!(ran.exit, 1, "{line}: {ran:?}");
    assert!(ran.err.contains(&format!("not authorized to perform: {action}")), "{line}: {ran:?}");
}

#[test]
fn a_missing_table_is_named() {
    let stack = Stack::shared();
    let ran = stack.root().in_region("eu-west-1").fleetwright("status --fleet plain");
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.err.contains("there is no table 'fleetwright' in this account and region"), "{ran:?}");

    stack.copy_of_observe("misled", "nowhere", "*");
    let (error, message) = stack.root().invoke("misled", &json!({"fleet": "plain"})).unwrap_err();
    assert_eq!(error, "Failed", "{message}");
    assert!(message.contains("there is no table 'nowhere'"), "{message}");
}

#[test]
fn keys_that_aws_does_not_know_are_an_error_that_says_so() {
    let stack = Stack::shared();
    let ran = stack.caller("AKIAIOSFODNN7EXAMPLE", "unknown").fleetwright("status --fleet plain");
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.err.contains("The security token included in the request is invalid"), "{ran:?}");
}

impl Stack {
    /// Creates a function with the code of `observe` and another table, whose role allows one action.
    fn copy_of_observe(&self, name: &str, table: &str, action: &str) {
        let root = self.root();
        let request = json!({"StackName": "fleetwright", "TemplateStage": "Processed"});
        let template: Value = match &root.call("cloudformation", "get_template", &request)["TemplateBody"] {
            Value::String(text) => serde_json::from_str(text).unwrap(),
            template => template.clone(),
        };
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
        });
        let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
        let role = root.call("iam", "create_role", &role)["Role"]["Arn"].clone();
        let policy = self.policy(name, action);
        root.call("iam", "attach_role_policy", &json!({"RoleName": name, "PolicyArn": policy}));
        let function = json!({
            "FunctionName": name, "Runtime": "provided.al2023", "Handler": "observe", "Role": role,
            "Code": template["Resources"]["Observe"]["Properties"]["Code"],
            "Environment": {"Variables": {"TABLE": table, "FLEETS": "appwrite", "TARGET_GROUPS": "*"}},
        });
        root.call("lambda", "create_function", &function);
    }
}
