//! The stack scope: the fleets and target groups that a deployed stack may change, from its parameters.
//!
//! The stack's IAM roles enforce the scope. The check here refuses a fleet outside the scope before a run begins.

use crate::{Config, FleetName};

/// The fleets and target groups of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackScope {
    fleets: Vec<String>,
    target_groups: Vec<String>,
}

impl StackScope {
    /// The scope from the stack's parameters, each of which is a list separated by commas.
    pub fn new(fleets: &str, target_groups: &str) -> Self {
        let list = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect();
        Self { fleets: list(fleets), target_groups: list(target_groups) }
    }

    /// The stack's fleets.
    pub fn fleets(&self) -> Vec<FleetName> {
        self.fleets.iter().filter_map(|fleet| fleet.parse().ok()).collect()
    }

    /// Why the fleet is outside the scope, or `None` if it is inside.
    pub fn refuses(&self, config: &Config) -> Option<String> {
        let (name, group) = (config.fleet.name.as_str(), config.load_balancer.target_group.as_str());
        if !self.fleets.iter().any(|fleet| fleet == name) {
            return Some(format!(
                "fleet.name: {name} is not among the stack's FleetNames ({})",
                self.fleets.join(", ")
            ));
        }
        let within = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => group.starts_with(prefix),
            None => group == pattern,
        };
        (!self.target_groups.iter().any(within)).then(|| {
            format!(
                "load_balancer.target_group: {group} is not among the stack's TargetGroups ({})",
                self.target_groups.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_or_target_group_outside_the_scope_is_refused_with_its_field() {
        let config = Config::from_toml(include_str!("../../../samplconfig.toml")).unwrap();
        let group = config.load_balancer.target_group.as_str();
        let any = &format!("{}*", &group[..group.rfind('/').unwrap() + 1]);
        assert_eq!(StackScope::new("other,appwrite", group).refuses(&config), None);
        assert_eq!(StackScope::new("appwrite", any).refuses(&config), None);
        assert!(StackScope::new("other", group).refuses(&config).unwrap().starts_with("fleet.name"));
        let other = any.replace("/appwrite/", "/appwrite-2/");
        assert!(
            StackScope::new("appwrite", &other).refuses(&config).unwrap().starts_with("load_balancer.target_group")
        );
    }
}
