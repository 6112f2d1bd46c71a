//! The state machines' definitions, exactly as they are deployed.

use fleet::{Machine, Workflow};

/// One state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// What it is called.
    pub machine: &'static str,
    /// Its definition in the Amazon States Language.
    pub text: &'static str,
}

impl Definition {
    /// Upgrades a fleet; goes back to a kept image, and restores what was edited by hand.
    pub const UPGRADE: Self =
        Self { machine: Machine::Upgrade.name(), text: include_str!("../../../workflow/upgrade.asl.json") };
    /// Adds members.
    pub const SCALE_OUT: Self =
        Self { machine: Machine::ScaleOut.name(), text: include_str!("../../../workflow/scale-out.asl.json") };
    /// Takes members out.
    pub const SCALE_IN: Self =
        Self { machine: Machine::ScaleIn.name(), text: include_str!("../../../workflow/scale-in.asl.json") };
    /// Takes a golden image of a member.
    pub const GOLDEN_IMAGE: Self =
        Self { machine: Machine::GoldenImage.name(), text: include_str!("../../../workflow/golden-image.asl.json") };
    /// All of them.
    pub const ALL: [Self; 4] = [Self::UPGRADE, Self::SCALE_OUT, Self::SCALE_IN, Self::GOLDEN_IMAGE];

    /// The one whose executions perform this workflow.
    pub fn of(workflow: Workflow) -> Self {
        match workflow.machine() {
            Machine::Upgrade => Self::UPGRADE,
            Machine::ScaleOut => Self::SCALE_OUT,
            Machine::ScaleIn => Self::SCALE_IN,
            Machine::GoldenImage => Self::GOLDEN_IMAGE,
        }
    }
}
