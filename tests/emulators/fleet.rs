//! Fleets, made and looked at by a client that the product does not use.

use super::Moto;
use super::python::python;
use fleet::{Config, DataSource, Span};
use serde_json::Value;
use std::process::Stdio;

/// Where an account's services are: values of `AWS_ENDPOINT_URL` and its siblings for single services.
pub type Endpoints = Vec<(&'static str, String)>;

/// A fleet that was built, and what was there then.
pub struct BuiltFleet {
    /// The ids of all that was made.
    pub ids: Value,
    pub(super) before: Value,
    endpoints: Endpoints,
}

impl BuiltFleet {
    /// Makes what `samplconfig.toml` describes for a fleet of this name, with bystanders, beside what there is.
    pub fn new(name: &str, endpoints: Endpoints) -> Self {
        let ids = call(&endpoints, &["build", name]);
        let before = call(&endpoints, &["inspect"]);
        Self { ids, before, endpoints }
    }

    /// The same, all of it on moto.
    pub fn on(moto: &Moto, name: &str) -> Self {
        Self::new(name, endpoint(moto))
    }

    /// Makes an RDS instance with the fleet's data; its identifier.
    pub fn database(&self) -> String {
        let made = call(&self.endpoints, &["database", self.id("fleet")]);
        made["db_instance"].as_str().unwrap().to_owned()
    }

    /// Everything that is there now, also of other fleets.
    pub fn inspect(&self) -> Value {
        call(&self.endpoints, &["inspect"])
    }

    /// An id, or the name of something.
    pub fn id(&self, what: &str) -> &str {
        self.ids[what].as_str().unwrap_or_else(|| panic!("{what} in {}", self.ids))
    }

    /// The fleet's configuration, with no time to bake.
    pub fn config(&self) -> Config {
        let mut config = configuration(&self.ids);
        config.upgrade.bake = Span::seconds(0);
        config.upgrade.canary_bake = Span::seconds(0);
        config
    }
}

/// Makes in an empty account what `samplconfig.toml` describes, with bystanders; says the ids.
pub fn build_fleet(moto: &Moto) -> Value {
    call(&endpoint(moto), &["build", "appwrite"])
}

/// Everything that is in the account now.
pub fn inspect_fleet(moto: &Moto) -> Value {
    call(&endpoint(moto), &["inspect"])
}

/// The sample configuration, with the names and ids of a fleet that was built.
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
