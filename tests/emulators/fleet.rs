//! Builds and inspects fleets with boto3, a client that the product does not use.

use super::Moto;
use super::python::python;
use fleet::{Config, DataSource, Span};
use serde_json::Value;
use std::process::Stdio;

/// The addresses of an account's services: variables such as `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_SSM`, and their
/// values.
pub type Endpoints = Vec<(&'static str, String)>;

/// A fleet, and the state of the account right after it was built.
pub struct BuiltFleet {
    /// The ids of the fleet's resources.
    pub ids: Value,
    pub(super) before: Value,
    endpoints: Endpoints,
}

impl BuiltFleet {
    /// Builds the fleet of `samplconfig.toml` under this name, and resources of others, in an account that may have
    /// other fleets.
    pub fn new(name: &str, endpoints: Endpoints) -> Self {
        let ids = call(&endpoints, &["build", name]);
        let before = call(&endpoints, &["inspect"]);
        Self { ids, before, endpoints }
    }

    /// Like [`BuiltFleet::new`], with all services on moto.
    pub fn on(moto: &Moto, name: &str) -> Self {
        Self::new(name, endpoint(moto))
    }

    /// Creates an RDS instance with the fleet's data. Returns its identifier.
    pub fn database(&self) -> String {
        let made = call(&self.endpoints, &["database", self.id("fleet")]);
        made["db_instance"].as_str().unwrap().to_owned()
    }

    /// The current state of the whole account.
    pub fn inspect(&self) -> Value {
        call(&self.endpoints, &["inspect"])
    }

    /// The id or the name of one of the fleet's resources, such as `target_group`.
    pub fn id(&self, what: &str) -> &str {
        self.ids[what].as_str().unwrap_or_else(|| panic!("{what} in {}", self.ids))
    }

    /// The fleet's configuration, with bakes of zero seconds.
    pub fn config(&self) -> Config {
        let mut config = configuration(&self.ids);
        config.upgrade.bake = Span::seconds(0);
        config.upgrade.canary_bake = Span::seconds(0);
        config
    }
}

/// Builds the fleet of `samplconfig.toml`, and resources of others, in an empty account. Returns the ids.
pub fn build_fleet(moto: &Moto) -> Value {
    call(&endpoint(moto), &["build", "appwrite"])
}

/// The current state of the account.
pub fn inspect_fleet(moto: &Moto) -> Value {
    call(&endpoint(moto), &["inspect"])
}

/// The sample configuration, with the names and ids of a built fleet.
pub fn configuration(built: &Value) -> Config {
    let mut config = Config::from_toml(include_str!("../../samplconfig.toml")).unwrap();
    let text = |field: &str| built[field].as_str().unwrap();
    config.fleet.name = text("fleet").parse().unwrap();
    config.fleet.golden_image = Some(text("image").parse().unwrap());
    config.fleet.instance_profile = text("instance_profile").to_owned();
    config.fleet.load_balancer_tag.value = text("fleet").to_owned();
    config.fleet.security_groups = vec![text("security_group").parse().unwrap()];
    config.fleet.subnets = serde_json::from_value(built["subnets"].clone()).unwrap();
    config.load_balancer.target_group = text("target_group").parse().unwrap();
    config.backup = Some(DataSource::DataServer(text("data_server").parse().unwrap()));
    config.upgrade.alarms = vec![text("alarm").to_owned()];
    config
}

fn endpoint(moto: &Moto) -> Endpoints {
    vec![("AWS_ENDPOINT_URL", moto.endpoint())]
}

fn call(endpoints: &Endpoints, arguments: &[&str]) -> Value {
    let mut command = python("emulators/fleet.py");
    command.envs(endpoints.iter().map(|(name, address)| (name, address))).args(arguments);
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "fleet.py {arguments:?}: {}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}
