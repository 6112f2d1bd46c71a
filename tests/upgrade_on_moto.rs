//! The upgrade against an AWS that others wrote: the deployed definition and the very steps, on moto, with a real
//! script on the builder; afterwards an independent client looks at everything that is there.

use crate::emulators::{Migration, Moto, SsmEndpoint, build_fleet, inspect_fleet, sdk_config};
use asl::{Execution, Failure, Finished, Limits, Outcome, StateMachine};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use fleet::{Config, FleetRecord, Span};
use fleetwright::UPGRADE;
use fleetwright::lambda::Functions;
use functions::Aws;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const TABLE: &str = "fleetwright";

struct Stage {
    moto: Moto,
    ssm: SsmEndpoint,
    built: Value,
    before: Value,
}

/// Systems Manager answers elsewhere, as `AWS_ENDPOINT_URL_SSM` says it.
#[derive(Debug)]
struct SsmElsewhere(String);

impl LoadServiceConfig for SsmElsewhere {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == "SSM" && key.profile() == "endpoint_url").then(|| self.0.clone())
    }
}

impl Stage {
    fn set(migration: Migration) -> Self {
        let moto = Moto::start();
        let built = build_fleet(&moto);
        let before = inspect_fleet(&moto);
        Self { moto, ssm: SsmEndpoint::start(migration), built, before }
    }

    /// The sample configuration, with the ids that moto gave out and no time to bake.
    fn config(&self) -> Config {
        let mut config = Config::from_toml(include_str!("../samplconfig.toml")).unwrap();
        let id = |field: &str| self.built[field].as_str().unwrap();
        config.fleet.golden_image = id("image").parse().unwrap();
        config.fleet.security_groups = vec![id("security_group").parse().unwrap()];
        config.fleet.subnets = serde_json::from_value(self.built["subnets"].clone()).unwrap();
        config.load_balancer.target_group = id("target_group").parse().unwrap();
        config.upgrade.bake = Span::seconds(0);
        config.upgrade.canary_bake = Span::seconds(0);
        config
    }

    fn sdk_config(&self) -> SdkConfig {
        let config = sdk_config(&self.moto.endpoint());
        config.to_builder().service_config(SsmElsewhere(self.ssm.endpoint())).build()
    }

    fn upgrade(&self, to: &str) -> Finished {
        let sdk_config = self.sdk_config();
        let machine = StateMachine::parse(UPGRADE).unwrap();
        let execution = Execution {
            name: "run-1".to_owned(),
            id: "arn:aws:states:eu-central-1:123456789012:execution:fleetwright-upgrade:run-1".to_owned(),
            role: "arn:aws:iam::123456789012:role/fleetwright-upgrade".to_owned(),
            state_machine: "fleetwright-upgrade".to_owned(),
            state_machine_id: "arn:aws:states:eu-central-1:123456789012:stateMachine:fleetwright-upgrade".to_owned(),
            input: json!({"fleet": "appwrite", "to": to}),
            started: Aws::new(&sdk_config, TABLE).now(),
            limits: Limits::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let aws = Aws::new(&sdk_config, TABLE);
            assert!(aws.ledger().create_fleet(&FleetRecord::new(self.config())).await.unwrap());
            let functions = Functions::new(|_| aws.clone(), Duration::ZERO);
            asl::run(&machine, execution, &functions, &mut |_| {}).await
        })
    }

    fn builders(&self, after: &Value) -> Vec<Value> {
        let made = after["instances"].as_array().unwrap().iter();
        made.filter(|instance| instance["tags"]["fleetwright:role"] == "builder").cloned().collect()
    }
}

fn with(list: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<&Value> {
    list.as_array().unwrap().iter().filter(|entry| wanted(entry)).collect()
}

fn ids(list: &[&Value]) -> BTreeSet<String> {
    list.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

fn set(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn item<'a>(state: &'a Value, sk: &str) -> &'a Value {
    with(&state["items"], |item| item["sk"] == sk).first().copied().unwrap_or(&Value::Null)
}

#[test]
fn an_upgrade_replaces_the_members_and_nothing_else() {
    let stage = Stage::set(Migration::Succeeds);
    let finished = stage.upgrade("1.4.14");
    let Outcome::Succeeded(output) = &finished.outcome else { panic!("{finished:?}") };
    assert_eq!(output["outcome"], "upgraded");
    let image = output["image"].as_str().unwrap();
    let after = inspect_fleet(&stage.moto);

    let live = with(&after["instances"], |i| i["state"] != "terminated" && i["state"] != "shutting-down");
    let members: Vec<_> = live.iter().copied().filter(|i| i["tags"]["high-availability"] == "appwrite").collect();
    assert_eq!(members.len(), 3);
    for member in &members {
        assert_eq!(member["state"], "running");
        assert_eq!(member["image"], image);
        assert_eq!(member["type"], "c6i.large");
        assert_eq!(member["profile"], "appwrite-member");
        assert_eq!(member["tags"]["fleetwright:fleet"], "appwrite");
        assert_eq!(member["tags"]["fleetwright:run"], "run-1");
        assert_eq!(member["tags"]["fleetwright:role"], "member");
    }
    let zones: BTreeSet<_> = members.iter().map(|member| member["zone"].as_str().unwrap()).collect();
    assert_eq!(zones, BTreeSet::from(["eu-central-1a", "eu-central-1b", "eu-central-1c"]));

    let group = stage.built["target_group"].as_str().unwrap();
    let targets: BTreeSet<_> = after["targets"][group].as_object().unwrap().keys().cloned().collect();
    assert_eq!(targets, ids(&members));

    let terminated = with(&after["instances"], |i| i["state"] == "terminated");
    let builders = stage.builders(&after);
    assert_eq!(builders.len(), 1);
    assert_eq!(builders[0]["type"], "c6i.2xlarge");
    assert_eq!(builders[0]["tags"]["high-availability"], Value::Null);
    for gone in set(&stage.built["members"]).iter().chain([&builders[0]["id"].as_str().unwrap().to_owned()]) {
        assert!(ids(&terminated).contains(gone), "{gone} is not terminated");
    }

    let images = with(&after["images"], |found| found["tags"]["fleetwright:fleet"] == "appwrite");
    assert_eq!(ids(&images), BTreeSet::from([image.to_owned(), stage.built["image"].as_str().unwrap().to_owned()]));
    let made = images.iter().find(|found| found["id"] == image).unwrap();
    assert_eq!(made["tags"]["fleetwright:version"], "1.4.14");
    assert_eq!(made["state"], "available");

    others_are_untouched(&stage, &after);
    let compose = stage.ssm.compose_file(builders[0]["id"].as_str().unwrap());
    assert_eq!(compose.matches("appwrite/appwrite:1.4.14").count(), 3, "{compose}");

    let fleet = item(&after, "fleet");
    assert_eq!(fleet["golden"], json!({"image": image, "version": "1.4.14"}));
    assert_eq!(fleet["previous"], json!({"image": stage.built["image"], "version": "1.3.8"}));
    assert_eq!(fleet["lock"], Value::Null);
    let run = item(&after, "run/run-1");
    assert_eq!(run["phase"], json!({"ended": "upgraded"}));
    let before = item(&after, "before/run-1");
    let members: Value = serde_json::from_str(before["members"].as_str().unwrap()).unwrap();
    assert_eq!(ids(&with(&members, |_| true)), set(&stage.built["members"]));
    let steps: BTreeSet<_> = with(&after["items"], |item| item["step"].is_string())
        .iter()
        .map(|step| (step["step"].as_str().unwrap().to_owned(), step["result"].as_str().unwrap().to_owned()))
        .collect();
    let done = ["configure", "create-from-snapshot", "delete", "finish", "retag", "snapshot", "stop", "verify"];
    assert_eq!(steps, done.iter().map(|step| ((*step).to_owned(), "done".to_owned())).collect());
}

#[test]
fn a_migration_that_fails_with_exit_status_0_leaves_the_fleet_as_it_was() {
    let stage = Stage::set(Migration::Fails);
    let finished = stage.upgrade("1.4.14");
    let Outcome::Failed(Failure { error, cause }) = &finished.outcome else { panic!("{finished:?}") };
    assert_eq!(error, "RolledBack", "{cause}");
    assert!(cause.contains("installing 1.4.14 on builder"), "{cause}");

    let after = inspect_fleet(&stage.moto);
    let alive = |state: &Value| {
        let live = with(&state["instances"], |i| i["state"] != "terminated");
        live.into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(alive(&after), alive(&stage.before));
    for what in ["images", "snapshots", "targets"] {
        assert_eq!(after[what], stage.before[what], "{what}");
    }
    assert_eq!(stage.builders(&after)[0]["state"], "terminated");
    assert_eq!(item(&after, "fleet")["lock"], Value::Null);
    assert_eq!(item(&after, "fleet")["golden"]["image"], stage.built["image"]);
    assert_eq!(item(&after, "run/run-1")["phase"], json!({"ended": "rolled-back"}));
}

fn others_are_untouched(stage: &Stage, after: &Value) {
    let others = |state: &Value| {
        let others = with(&state["instances"], |i| i["tags"]["service"] == "billing");
        others.into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(after).len(), 2);
    assert_eq!(others(after), others(&stage.before));
    let group = stage.built["bystanders_target_group"].as_str().unwrap();
    assert_eq!(after["targets"][group], stage.before["targets"][group]);
}
