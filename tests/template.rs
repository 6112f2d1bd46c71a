//! `infra/template.yaml` matches its sources: the list of steps, the definitions and the builder's script.

use crate::emulators::file;
use fleet::Limits;
use fleetwright::Definition;
use functions::STEPS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const TEMPLATE: &str = include_str!("../infra/template.yaml");
const SCRIPT: &str = include_str!("../infra/instance/configure.sh");
const DOCUMENT: &str = include_str!("../infra/instance/configure.document.yaml");

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn of_type<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let of_type = resources.filter(|(_, resource)| resource["Type"] == kind);
    of_type.map(|(id, resource)| (id.as_str(), &resource["Properties"])).collect()
}

fn attribute(resource: &str, name: &str) -> Value {
    json!({"Fn::GetAtt": [resource, name]})
}

/// How often `wanted` occurs in `value`, at any depth.
fn count(value: &Value, wanted: &Value) -> usize {
    let inside = match value {
        Value::Array(items) => items.iter().map(|item| count(item, wanted)).sum(),
        Value::Object(fields) => fields.values().map(|field| count(field, wanted)).sum(),
        _ => 0,
    };
    inside + usize::from(value == wanted)
}

#[test]
fn every_step_is_one_function_and_every_function_is_a_step() {
    let template = yaml(TEMPLATE);
    let functions = of_type(&template, "AWS::Serverless::Function");
    let mut handlers: Vec<_> = functions.values().map(|function| function["Handler"].as_str().unwrap()).collect();
    handlers.sort_unstable();
    assert_eq!(handlers, STEPS.iter().map(|step| step.name).collect::<Vec<_>>());
    for (id, function) in functions {
        let step = function["Handler"].as_str().unwrap();
        assert_eq!(function["FunctionName"], format!("fleetwright-{step}"), "{id}");
        let metadata = &template["Resources"][id]["Metadata"];
        assert_eq!(
            metadata["BuildProperties"],
            json!({"Binary": "bootstrap"}),
            "{id}: SAM builds once only if all functions have the same build properties"
        );
    }
    assert_eq!(TEMPLATE.matches("CodeUri: ..").count(), 1);
    assert_eq!(template["Globals"]["Function"]["CodeUri"], "..");
}

#[test]
fn every_function_has_a_role_and_a_log_of_its_own_and_one_policy_writes_the_logs() {
    let template = yaml(TEMPLATE);
    let (roles, logs) = (of_type(&template, "AWS::IAM::Role"), of_type(&template, "AWS::Logs::LogGroup"));
    let functions = of_type(&template, "AWS::Serverless::Function");
    for (id, function) in &functions {
        let (role, log) = (format!("{id}Role"), format!("{id}Log"));
        assert_eq!(function["Role"], attribute(&role, "Arn"), "{id}");
        assert_eq!(count(&template, &attribute(&role, "Arn")), 1, "{role} is shared");
        assert_eq!(
            logs[log.as_str()]["LogGroupName"],
            format!("/aws/lambda/{}", function["FunctionName"].as_str().unwrap())
        );
        assert_eq!(count(&template, &attribute(&log, "Arn")), 1, "{log} is named by the policy of the logs alone");

        let role = roles[role.as_str()];
        assert_eq!(role["ManagedPolicyArns"], json!([{"Ref": "FunctionLogsPolicy"}]), "{id}");
        let policies = role["Policies"].as_array().unwrap();
        assert_eq!(policies.len(), 1, "{id}: one policy says what its step calls");
    }
    let policy = of_type(&template, "AWS::IAM::ManagedPolicy")["FunctionLogsPolicy"];
    let [write] = &policy["PolicyDocument"]["Statement"].as_array().unwrap()[..] else { panic!("{policy:#}") };
    let own_logs: Vec<_> = functions.keys().map(|id| attribute(&format!("{id}Log"), "Arn")).collect();
    assert_eq!(write["Resource"], json!(own_logs), "the logs of the functions and no others");
    assert_eq!(write["Action"], json!(["logs:CreateLogStream", "logs:PutLogEvents"]));
}

#[test]
fn each_state_machine_deploys_its_file_and_may_invoke_only_its_own_steps() {
    let template = yaml(TEMPLATE);
    let machines = Definition::ALL.into_iter().zip(["Upgrade", "ScaleOut", "ScaleIn", "GoldenImage"]);
    for (definition, id) in machines {
        check_machine(&template, id, definition);
    }
    assert_eq!(of_type(&template, "AWS::Serverless::StateMachine").len(), Definition::ALL.len());
}

#[track_caller]
fn check_machine(template: &Value, id: &str, definition: Definition) {
    let machine = of_type(template, "AWS::Serverless::StateMachine")[id];
    let file = file("infra").join(machine["DefinitionUri"].as_str().unwrap());
    assert_eq!(fs::read_to_string(file).unwrap(), definition.text);
    assert_eq!(machine["Name"], definition.machine);
    assert_eq!(machine["DefinitionSubstitutions"], Value::Null, "the deployed definition is the file, byte for byte");
    assert_eq!(machine["Type"], "STANDARD");

    let role = of_type(template, "AWS::IAM::Role")[format!("{id}Role").as_str()];
    assert_eq!(role["ManagedPolicyArns"], json!([{"Ref": "StateMachineTelemetryPolicy"}]), "{id}");
    let mut statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().iter();
    let call = statements.find(|one| one["Action"] == "lambda:InvokeFunction").unwrap();
    let functions = of_type(template, "AWS::Serverless::Function");
    let may_call: BTreeSet<_> = call["Resource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| functions[function["Fn::GetAtt"][0].as_str().unwrap()]["FunctionName"].as_str().unwrap())
        .collect();
    let machine = asl::StateMachine::parse(definition.text).unwrap();
    let calls: BTreeSet<_> =
        machine.tasks().map(|task| task.parameters.unwrap()["FunctionName"].as_str().unwrap()).collect();
    assert_eq!(may_call, calls);
}

#[test]
fn every_state_machine_has_its_alarms_and_is_on_the_dashboard() {
    let template = yaml(TEMPLATE);
    let machines: BTreeSet<_> = of_type(&template, "AWS::Serverless::StateMachine").into_keys().collect();
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    let dashboard = of_type(&template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"].clone();
    let dashboard = dashboard.as_str().unwrap();
    for (alarm, metric) in
        [("RunFailed", "ExecutionsFailed"), ("RunAborted", "ExecutionsAborted"), ("RunTimedOut", "ExecutionsTimedOut")]
    {
        let metrics = alarms[alarm]["Metrics"].as_array().unwrap().iter();
        let metrics: Vec<_> = metrics.filter_map(|one| one["MetricStat"].get("Metric")).collect();
        assert!(metrics.iter().all(|one| one["MetricName"] == metric), "{alarm}");
        let watched = metrics.iter().map(|one| one["Dimensions"][0]["Value"]["Ref"].as_str().unwrap());
        assert_eq!(watched.collect::<BTreeSet<_>>(), machines, "{alarm}");
        for machine in &machines {
            let shown = format!(r#"["AWS/States", "{metric}", "StateMachineArn", "${{{machine}}}""#);
            assert!(dashboard.contains(&shown), "the dashboard lacks {shown}");
        }
    }
}

/// Otherwise a function could still change AWS resources after its state has failed with a time-out.
#[test]
fn a_function_times_out_before_its_state_does() {
    let template = yaml(TEMPLATE);
    let function = template["Globals"]["Function"]["Timeout"].as_u64().unwrap();
    let lines = Definition::ALL.into_iter().flat_map(|definition| definition.text.lines());
    let timeouts = lines.filter_map(|line| line.trim().strip_prefix("\"TimeoutSeconds\": "));
    let timeouts: BTreeSet<u64> = timeouts.map(|seconds| seconds.trim_end_matches(',').parse().unwrap()).collect();
    assert!(timeouts.first().is_some_and(|least| function < *least), "{function} s, states: {timeouts:?}");
}

#[test]
fn the_table_has_the_keys_and_the_expiry_attribute_of_the_ledger() {
    let template = yaml(TEMPLATE);
    let table = of_type(&template, "AWS::DynamoDB::Table")["Ledger"];
    let keys: Vec<_> = table["KeySchema"].as_array().unwrap().iter().map(|key| &key["AttributeName"]).collect();
    assert_eq!(keys, ["pk", "sk"]);
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
}

#[test]
fn the_document_contains_the_script_and_passes_only_arguments_that_it_accepts() {
    let document = yaml(DOCUMENT);
    let inputs = &document["mainSteps"][0]["inputs"];
    let [shell, arguments, script] = &inputs["runCommand"].as_array().unwrap()[..] else { panic!("{inputs:#}") };
    assert_eq!(shell, "#!/usr/bin/env bash");
    assert_eq!(arguments, "set -- --version '{{ Version }}' --from '{{ From }}' --run '{{ Run }}'");
    assert!(script == SCRIPT, "run infra/instance/make-document.sh");

    let parameters = document["parameters"].as_object().unwrap();
    let names: BTreeSet<_> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["From", "Run", "Version"]), "what functions/src/aws/commands.rs sends");
    let number = "(0|[1-9][0-9]{0,4})";
    let version = format!(r"^{number}\.{number}\.{number}$");
    let run = "^[A-Za-z0-9_-]{1,80}$";
    assert!(
        SCRIPT.contains(&format!("number='{number}'")) && SCRIPT.contains(run),
        "the script checks its arguments differently"
    );
    for (name, pattern) in [("Version", version.as_str()), ("From", &version), ("Run", run)] {
        assert_eq!(parameters[name]["allowedPattern"], pattern, "{name}");
    }

    let seconds: u32 = inputs["timeoutSeconds"].as_str().unwrap().parse().unwrap();
    let limits = Limits::default();
    assert!(limits.agent.as_secs() + seconds <= limits.configure.as_secs(), "{seconds} s");
}
