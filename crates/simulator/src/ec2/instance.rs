//! Instances and their states.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Time;
use crate::world::Subnet;

/// An instance. It stays for the report after EC2 has forgotten it.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) volume: String,
    pub(crate) spec: Arc<Spec>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether it is a foreign instance.
    pub(crate) foreign: bool,
    pub(crate) launched: Time,
    /// From when on Describe calls show the instance.
    pub(crate) visible: Time,
    pub(crate) state: InstanceState,
    /// The stale state that Describe calls return, and until when. The answers of other calls are not stale.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    pub(crate) stale: Option<(InstanceState, Time)>,
    /// When it entered its state.
    pub(crate) since: Time,
    /// Grows with each change of the instance. An event that was scheduled in an earlier epoch is void.
    pub(crate) epoch: u32,
    /// When it last came up, by launch, start or reboot.
    pub(crate) up_since: Time,
    /// How many times it came up.
    pub(crate) boots: u32,
    /// Since when its application answers HTTP.
    pub(crate) serving: Option<Time>,
    /// When its agent comes online.
    pub(crate) agent: Option<Time>,
    /// Whether its agent was online before the instance last went down.
    pub(crate) agent_registered: bool,
    /// Whether a caller has seen the agent online since the instance last came up.
    pub(crate) agent_seen: bool,
    /// When its status checks pass.
    pub(crate) checked: Option<Time>,
    /// Whether a caller has seen the status checks pass since the instance last came up.
    pub(crate) checks_seen: bool,
    /// Whether it came up impaired.
    pub(crate) impaired: bool,
    /// Whether a world fault killed it.
    pub(crate) dead: bool,
    pub(crate) installed: Installed,
    /// How long it ran, up to its last change of state.
    pub(crate) ran: Duration,
}

/// The parameters of a launch. The instances of the launch share them.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) reservation: String,
    pub(crate) image: String,
    pub(crate) instance_type: String,
    pub(crate) subnet: Subnet,
    pub(crate) security_groups: Vec<String>,
    pub(crate) instance_profile: Option<String>,
    pub(crate) key_name: Option<String>,
    pub(crate) client_token: Option<String>,
    pub(crate) detailed_monitoring: bool,
    pub(crate) http_tokens: String,
    /// The run that launched it. It is empty for instances that existed at the start.
    pub(crate) made_by: String,
}

/// What is installed on a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    pub(crate) version: Option<String>,
    /// Whether the application can answer HTTP. A version whose migration failed does not answer.
    pub(crate) sound: bool,
}

/// The states of an instance. <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum InstanceState {
    Pending,
    Running,
    Stopping,
    Stopped,
    ShuttingDown,
    Terminated,
}

impl InstanceState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            InstanceState::Pending => "pending",
            InstanceState::Running => "running",
            InstanceState::Stopping => "stopping",
            InstanceState::Stopped => "stopped",
            InstanceState::ShuttingDown => "shutting-down",
            InstanceState::Terminated => "terminated",
        }
    }

    /// The number of the state in AWS's answers.
    pub(crate) fn code(self) -> u8 {
        match self {
            InstanceState::Pending => 0,
            InstanceState::Running => 16,
            InstanceState::ShuttingDown => 32,
            InstanceState::Terminated => 48,
            InstanceState::Stopping => 64,
            InstanceState::Stopped => 80,
        }
    }

    /// Whether the instance is terminated or shutting down.
    pub(crate) fn gone(self) -> bool {
        matches!(self, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// How long Describe calls show a terminated instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html>
const VISIBLE_AFTER_TERMINATION: Duration = Duration::from_secs(3_600);

impl Instance {
    /// Whether calls can still name the instance.
    pub(crate) fn exists(&self, now: Time) -> bool {
        self.state != InstanceState::Terminated || now < self.since + VISIBLE_AFTER_TERMINATION
    }

    /// Its state as Describe calls return it.
    pub(crate) fn described(&self, now: Time) -> InstanceState {
        self.stale.filter(|(_, until)| now < *until).map_or(self.state, |(state, _)| state)
    }

    pub(crate) fn agent_online(&self, now: Time) -> bool {
        self.state == InstanceState::Running && !self.dead && self.agent.is_some_and(|online| online <= now)
    }

    pub(crate) fn checks_passed(&self, now: Time) -> bool {
        self.state == InstanceState::Running && !self.dead && self.checked.is_some_and(|passed| passed <= now)
    }

    /// How long it has run until now.
    pub(crate) fn ran_until(&self, now: Time) -> Duration {
        match self.state {
            InstanceState::Running => self.ran + now.saturating_sub(self.up_since.max(self.since)),
            _ => self.ran,
        }
    }

    pub(crate) fn has_tag(&self, tag: &crate::world::Tag) -> bool {
        self.tags.get(&tag.key) == Some(&tag.value)
    }
}

/// The vCPUs of an instance type, from its size.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
pub(crate) fn vcpus(instance_type: &str) -> Option<u32> {
    let (family, size) = instance_type.split_once('.')?;
    if family.is_empty() {
        return None;
    }
    match size {
        "nano" | "micro" | "small" | "medium" | "large" => Some(2),
        "xlarge" => Some(4),
        "metal" => Some(96),
        _ => {
            let multiple: u32 = size.strip_suffix("xlarge")?.parse().ok()?;
            (2..=48).contains(&multiple).then_some(multiple * 4)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_type_has_the_vcpus_of_its_size() {
        assert_eq!(vcpus("t3.medium"), Some(2));
        assert_eq!(vcpus("m7i.xlarge"), Some(4));
        assert_eq!(vcpus("c7i.8xlarge"), Some(32));
        assert_eq!(vcpus("c7i.huge"), None);
        assert_eq!(vcpus("large"), None);
    }
}
