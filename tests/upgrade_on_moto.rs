//! The upgrade against moto, an emulator that we did not write: the deployed state machine and steps, and the real
//! script on the builder. Afterwards an independent client inspects the whole account.

use crate::emulators::{BuiltFleet, Migration, Moto, SsmEndpoint, sdk_config};
use asl::{Execution, Failure, Finished, Limits, Outcome, StateMachine};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use fleet::{Config, DataSource, FleetRecord};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use functions::Aws;
use serde_json::json;
use std::time::Duration;

const TABLE: &str = "fleetwright";

struct Fixture {
    moto: Moto,
    ssm: SsmEndpoint,
    fleet: BuiltFleet,
}

/// Sends calls of Systems Manager to another endpoint, as `AWS_ENDPOINT_URL_SSM` does.
#[derive(Debug)]
struct SsmAt(String);

impl LoadServiceConfig for SsmAt {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == "SSM" && key.profile() == "endpoint_url").then(|| self.0.clone())
    }
}

impl Fixture {
    fn new(migration: Migration) -> Self {
        let moto = Moto::start();
        let fleet = BuiltFleet::on(&moto, "appwrite");
        Self { moto, ssm: SsmEndpoint::start(migration), fleet }
    }

    fn sdk_config(&self) -> SdkConfig {
        let config = sdk_config(&self.moto.endpoint());
        config.to_builder().service_config(SsmAt(self.ssm.endpoint())).build()
    }

    fn upgrade(&self, to: &str) -> Finished {
        self.upgrade_by(self.fleet.config(), to)
    }

    fn upgrade_by(&self, config: Config, to: &str) -> Finished {
        let sdk_config = self.sdk_config();
        let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
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
            assert!(aws.ledger().create_fleet(&FleetRecord::new(config)).await.unwrap());
            let functions = Functions::new(|_| aws.clone(), Duration::ZERO);
            asl::run(&machine, execution, &functions, &mut |_| {}).await
        })
    }
}

#[test]
fn an_upgrade_replaces_the_members_and_nothing_else() {
    let fixture = Fixture::new(Migration::Succeeds);
    let finished = fixture.upgrade("1.4.14");
    let Outcome::Succeeded(output) = &finished.outcome else { panic!("{finished:?}") };
    assert_eq!(output["outcome"], "upgraded");
    let builder = fixture.fleet.assert_upgraded("run-1", &["1.4.14"], false);
    let compose = fixture.ssm.compose_file(&builder);
    assert_eq!(compose.matches("appwrite/appwrite:1.4.14").count(), 3, "{compose}");
}

#[test]
fn a_migration_that_fails_with_exit_status_0_leaves_the_fleet_as_it_was() {
    let fixture = Fixture::new(Migration::Fails);
    let finished = fixture.upgrade("1.4.14");
    let Outcome::Failed(Failure { error, cause }) = &finished.outcome else { panic!("{finished:?}") };
    assert_eq!(error, "RolledBack", "{cause}");
    assert!(cause.contains("installing 1.4.14 on builder"), "{cause}");
    let steps = [("Create the builder", "done"), ("Back up the data", "done"), ("Install and migrate", "failed")];
    fixture.fleet.assert_rolled_back("run-1", &steps);
}

#[test]
fn data_on_rds_is_backed_up_as_an_rds_snapshot() {
    let fixture = Fixture::new(Migration::Succeeds);
    let db = fixture.fleet.database();
    let mut config = fixture.fleet.config();
    config.backup = Some(DataSource::DbInstance(db.parse().unwrap()));
    let finished = fixture.upgrade_by(config, "1.4.14");
    let Outcome::Succeeded(output) = &finished.outcome else { panic!("{finished:?}") };
    assert_eq!(output["outcome"], "upgraded");
    fixture.fleet.assert_db_backed_up("run-1", &db);
}
