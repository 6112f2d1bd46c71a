//! What an instance is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Time;
use crate::world::Subnet;

/// An instance, from its launch to an hour after its end and beyond, for the report.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: String,
    pub(crate) volume: String,
    pub(crate) spec: Arc<Spec>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Whether it is someone else's.
    pub(crate) foreign: bool,
    pub(crate) launched: Time,
    /// When describes begin to know it.
    pub(crate) visible: Time,
    pub(crate) state: InstanceState,
    /// What describes still say that it is, and until when: what calls answer does not lag, and what is described may.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    pub(crate) stale: Option<(InstanceState, Time)>,
    /// When it entered its phase.
    pub(crate) since: Time,
    /// Counts its changes, so that what was due before one is void after it.
    pub(crate) epoch: u32,
    /// When it last came up, by launch, start or reboot.
    pub(crate) up_since: Time,
    /// How often it came up.
    pub(crate) boots: u32,
    /// Since when its application answers.
    pub(crate) serving: Option<Time>,
    /// When its agent is, or will be, online.
    pub(crate) agent: Option<Time>,
    /// Whether its agent was ever online before it last went down.
    pub(crate) agent_registered: bool,
    /// Whether anyone waited for the agent since it last came up.
    pub(crate) agent_seen: bool,
    /// When its status checks pass.
    pub(crate) checked: Option<Time>,
    /// Whether anyone waited for the status checks since it last came up.
    pub(crate) checks_seen: bool,
    /// Whether it came up broken.
    pub(crate) impaired: bool,
    /// Whether a fault of the world killed it.
    pub(crate) dead: bool,
    pub(crate) installed: Installed,
    /// How long it has run, up to its last stop.
    pub(crate) ran: Duration,
}

/// What a launch asked for; its instances share it.
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
    /// The run that launched it; empty for what was there before.
    pub(crate) made_by: String,
}

/// What is installed on a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    pub(crate) version: Option<String>,
    /// Whether the application would answer: a version whose migration failed does not.
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

    /// The code that goes with the name in every answer.
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

    /// Whether it is on its way out, or out.
    pub(crate) fn gone(self) -> bool {
        matches!(self, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// How long a terminated instance can still be described.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html>
const VISIBLE_AFTER_TERMINATION: Duration = Duration::from_secs(3_600);

impl Instance {
    /// Whether calls can still name it.
    pub(crate) fn exists(&self, now: Time) -> bool {
        self.state != InstanceState::Terminated || now < self.since + VISIBLE_AFTER_TERMINATION
    }

    /// Its phase as describes have it.
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

/// The vCPUs of an instance type, by its size. <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
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
    fn a_type_has_the_vcpus_of_its_size() {
        assert_eq!(vcpus("t3.medium"), Some(2));
        assert_eq!(vcpus("m7i.xlarge"), Some(4));
        assert_eq!(vcpus("c7i.8xlarge"), Some(32));
        assert_eq!(vcpus("c7i.huge"), None);
        assert_eq!(vcpus("large"), None);
    }
}
