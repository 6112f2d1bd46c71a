//! Tests of the emulators themselves.

use super::{Migration, Moto, SsmEndpoint, build_fleet, inspect_fleet, sdk_config, until};
use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationOutput;
use aws_sdk_ssm::types::CommandInvocationStatus;
use fleet::{Verdict, Version, judge};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

const INSTANCE: &str = "i-0123456789abcdef0";
const HOP: Version = Version::new(1, 4, 14);

#[test]
fn moto_starts_and_ends_when_dropped() {
    let (one, other) = (Moto::start(), Moto::start());
    assert_ne!(one.endpoint(), other.endpoint());
    assert_eq!(inspect_fleet(&one)["instances"], json!([]));
    let (process, address) = (one.id(), one.endpoint().replace("http://", ""));
    drop(one);
    assert!(!Path::new(&format!("/proc/{process}")).exists());
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(inspect_fleet(&other)["instances"], json!([]));
}

#[test]
fn the_fleet_is_built_as_the_sample_configuration_describes_it() {
    let moto = Moto::start();
    let built = build_fleet(&moto);
    let seen = inspect_fleet(&moto);
    let of = |list: &str, id: &Value| {
        seen[list].as_array().unwrap().iter().find(|found| found["id"] == *id).cloned().unwrap_or_default()
    };

    let config = fleet::Config::from_toml(include_str!("../../samplconfig.toml")).unwrap();
    let (members, bystanders) = (built["members"].as_array().unwrap(), built["bystanders"].as_array().unwrap());
    assert_eq!(members.len(), config.fleet.size as usize);
    for ((member, subnet), wanted) in
        members.iter().zip(built["subnets"].as_array().unwrap()).zip(&config.fleet.subnets)
    {
        assert_eq!(
            of("instances", member),
            json!({
                "id": member, "state": "running", "image": built["image"], "type": config.fleet.instance_type,
                "subnet": subnet["id"], "zone": wanted.zone, "profile": config.fleet.instance_profile,
                "tags": {"fleetwright:fleet": "appwrite", "high-availability": "appwrite"},
            })
        );
    }
    assert!(bystanders.iter().all(|id| of("instances", id)["tags"] == json!({"service": "billing"})));
    let server = of("instances", &built["data_server"]);
    assert_eq!(server["tags"], json!({"fleetwright:data-of": "appwrite"}));
    let volumes = seen["volumes"].as_object().unwrap();
    assert_eq!(volumes.values().filter(|to| **to == server["id"]).count(), 2);

    let image = of("images", &built["image"]);
    assert_eq!(image["tags"], json!({"fleetwright:fleet": "appwrite", "fleetwright:version": config.fleet.version}));
    assert_eq!(seen["snapshots"].as_array().unwrap().len(), 1);
    assert_eq!(of("snapshots", &image["snapshots"][0])["tags"], json!({"fleetwright:fleet": "appwrite"}));

    let healthy = |ids: &[Value]| ids.iter().map(|id| (id.as_str().unwrap().to_owned(), json!("healthy"))).collect();
    let mut targets = serde_json::Map::new();
    targets.insert(built["target_group"].as_str().unwrap().to_owned(), Value::Object(healthy(members)));
    targets.insert(
        built["bystanders_target_group"].as_str().unwrap().to_owned(),
        Value::Object(healthy(&bystanders[..1])),
    );
    assert_eq!(seen["targets"], Value::Object(targets));
    assert_eq!(seen["items"], json!([]));
}

/// The protocols are query, JSON and CBOR.
#[tokio::test]
async fn the_sdk_reads_the_answers_of_moto_in_each_protocol() {
    let moto = Moto::start();
    let built = build_fleet(&moto);
    let config = sdk_config(&moto.endpoint());
    let alarms =
        aws_sdk_cloudwatch::Client::new(&config).describe_alarms().alarm_names("appwrite-5xx").send().await.unwrap();
    let alarm = &alarms.metric_alarms()[0];
    assert_eq!(alarm.state_value().unwrap().as_str(), "OK");
    assert!(alarm.state_updated_timestamp().unwrap().secs() > 1_700_000_000);
    let group = built["target_group"].as_str().unwrap();
    let attributes = aws_sdk_elasticloadbalancingv2::Client::new(&config)
        .describe_target_group_attributes()
        .target_group_arn(group)
        .send()
        .await
        .unwrap();
    let delay = attributes.attributes().iter().find(|a| a.key() == Some("deregistration_delay.timeout_seconds"));
    assert_eq!(delay.unwrap().value(), Some("300"));
    let table = aws_sdk_dynamodb::Client::new(&config).describe_table().table_name("fleetwright").send().await.unwrap();
    assert_eq!(table.table().unwrap().key_schema().len(), 2);
    let images = aws_sdk_ec2::Client::new(&config).describe_images().owners("self").send().await.unwrap();
    assert_eq!(images.images()[0].image_id(), built["image"].as_str());
}

async fn send(ssm: &Client, version: &str, from: &str) -> String {
    let sent = ssm
        .send_command()
        .document_name("fleetwright-configure")
        .instance_ids(INSTANCE)
        .comment("fleetwright test")
        .parameters("Version", vec![version.to_owned()])
        .parameters("From", vec![from.to_owned()])
        .parameters("Run", vec!["run-1".to_owned()])
        .send()
        .await
        .unwrap();
    sent.command().unwrap().command_id().unwrap().to_owned()
}

async fn ended(ssm: &Client, command: &str) -> GetCommandInvocationOutput {
    let polls = async {
        loop {
            let seen = ssm.get_command_invocation().command_id(command).instance_id(INSTANCE).send().await.unwrap();
            match seen.status().unwrap() {
                CommandInvocationStatus::Pending
                | CommandInvocationStatus::InProgress
                | CommandInvocationStatus::Cancelling => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => return seen,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), polls).await.expect("a hop on the stub ends within a minute")
}

#[tokio::test]
async fn run_command_runs_the_script_and_returns_its_verdict() {
    let endpoint = SsmEndpoint::start(Migration::Succeeds);
    let ssm = Client::new(&sdk_config(&endpoint.endpoint()));
    let first = send(&ssm, "1.4.14", "1.3.8").await;
    let seen = ended(&ssm, &first).await;
    assert_eq!((seen.status(), seen.response_code()), (Some(&CommandInvocationStatus::Success), 0));
    assert_eq!(judge(HOP, seen.standard_output_content().unwrap()), Verdict::Migrated);
    assert!(endpoint.compose_file(INSTANCE).contains("image: appwrite/appwrite:1.4.14"));

    // The script itself rejects a hop from a version that the machine does not have.
    let wrong = ended(&ssm, &send(&ssm, "1.6.2", "1.5.11").await).await;
    assert_eq!((wrong.status(), wrong.response_code()), (Some(&CommandInvocationStatus::Failed), 1));
    let listed = ssm.list_commands().instance_id(INSTANCE).send().await.unwrap();
    assert_eq!(listed.commands().iter().filter(|c| c.comment() == Some("fleetwright test")).count(), 2);
    let invocations = ssm.list_command_invocations().command_id(&first).details(true).send().await.unwrap();
    assert_eq!(invocations.command_invocations()[0].command_plugins()[0].response_code(), 0);
}

#[tokio::test]
async fn a_migration_that_fails_with_exit_status_0_is_a_failed_command() {
    let endpoint = SsmEndpoint::start(Migration::Fails);
    let ssm = Client::new(&sdk_config(&endpoint.endpoint()));
    let seen = ended(&ssm, &send(&ssm, "1.4.14", "1.3.8").await).await;
    assert_eq!((seen.status(), seen.response_code()), (Some(&CommandInvocationStatus::Failed), 1));
    let Verdict::Failed(why) = judge(HOP, seen.standard_output_content().unwrap()) else {
        panic!("the failed migration was judged a success")
    };
    assert!(why.contains("Failed to migrate project"), "{why}");
}

#[tokio::test]
async fn a_command_is_cancelled_with_its_child_processes() {
    let endpoint = SsmEndpoint::start(Migration::Hangs);
    let ssm = Client::new(&sdk_config(&endpoint.endpoint()));
    let command = send(&ssm, "1.4.14", "1.3.8").await;
    let migration = until("the migration hangs", || endpoint.hanging(INSTANCE));
    ssm.cancel_command().command_id(&command).send().await.unwrap();
    assert_eq!(ended(&ssm, &command).await.status(), Some(&CommandInvocationStatus::Cancelled));
    until("the migration has ended", || (!Path::new(&format!("/proc/{migration}")).exists()).then_some(()));
}

#[tokio::test]
async fn the_endpoint_rejects_unknown_calls() {
    let endpoint = SsmEndpoint::start(Migration::Succeeds);
    let ssm = Client::new(&sdk_config(&endpoint.endpoint()));
    let online = ssm.describe_instance_information().filters(
        aws_sdk_ssm::types::InstanceInformationStringFilter::builder()
            .key("InstanceIds")
            .values(INSTANCE)
            .build()
            .unwrap(),
    );
    assert_eq!(online.send().await.unwrap().instance_information_list().len(), 1);
    let unknown = ssm.describe_parameters().send().await.unwrap_err().into_service_error();
    assert_eq!(unknown.meta().code(), Some("UnknownOperationException"));
    let document = ssm.send_command().document_name("AWS-RunShellScript").instance_ids(INSTANCE).send().await;
    assert!(document.unwrap_err().into_service_error().is_invalid_document());
    let invocation = ssm.get_command_invocation().command_id("c").instance_id(INSTANCE).send().await;
    assert!(invocation.unwrap_err().into_service_error().is_invocation_does_not_exist());
}
