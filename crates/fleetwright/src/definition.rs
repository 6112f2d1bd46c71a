//! The definitions of the state machines, exactly as they are deployed.

use fleet::{Machine, Workflow};

/// A state machine and its definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The state machine's name.
    pub machine: &'static str,
    /// The definition in the Amazon States Language.
    pub text: &'static str,
}

impl Definition {
    /// Upgrades a fleet, reverts it to a kept image, or restores it after changes by hand.
    pub const UPGRADE: Self =
        Self { machine: Machine::Upgrade.name(), text: include_str!("../../../workflow/upgrade.asl.json") };
    /// Adds members to a fleet.
    pub const SCALE_OUT: Self =
        Self { machine: Machine::ScaleOut.name(), text: include_str!("../../../workflow/scale-out.asl.json") };
    /// Removes members from a fleet.
    pub const SCALE_IN: Self =
        Self { machine: Machine::ScaleIn.name(), text: include_str!("../../../workflow/scale-in.asl.json") };
    /// Takes a golden image of a member.
    pub const GOLDEN_IMAGE: Self =
        Self { machine: Machine::GoldenImage.name(), text: include_str!("../../../workflow/golden-image.asl.json") };
    /// Every definition.
    pub const ALL: [Self; 4] = [Self::UPGRADE, Self::SCALE_OUT, Self::SCALE_IN, Self::GOLDEN_IMAGE];

    /// The definition of the state machine that executes a workflow.
    pub fn of(workflow: Workflow) -> Self {
        match workflow.machine() {
            Machine::Upgrade => Self::UPGRADE,
            Machine::ScaleOut => Self::SCALE_OUT,
            Machine::ScaleIn => Self::SCALE_IN,
            Machine::GoldenImage => Self::GOLDEN_IMAGE,
        }
    }
}
