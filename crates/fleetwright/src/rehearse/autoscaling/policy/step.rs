//! AWS step scaling with the steps of AWS's own example: 10 % more members from 10 points above the target on, 30 % more from
//! 20 points on, and as many fewer at the same distances below it. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html>
//!
//! AWS leaves the alarms to the user. Here they are those of target tracking: three points in a row, and fifteen.

use super::{Policy, View};

const HIGH_POINTS: usize = 3;
const LOW_POINTS: usize = 15;

pub(in super::super) struct Step;

impl Policy for Step {
    fn evaluate(&mut self, view: &mut View<'_, '_>) {
        let (target, warm, size) = (view.target(), view.warm(), view.model_fleet.size());
        let Some(above) = view.settled().map(|percent| percent - target) else { return };
        let percent = match above.abs() {
            20.0.. => 30,
            10.0.. => 10,
            _ => return,
        };
        // A change of less than one member is one member. Other changes are rounded down.
        let change = (size * percent / 100).max(1);
        if above > 0.0 && view.latest(HIGH_POINTS, |percent| percent >= target + 10.0) {
            // A further alarm counts the members that warm up as part of its change.
            view.resize(size.max(warm + change));
        } else if above < 0.0 && warm == size && view.latest(LOW_POINTS, |percent| percent <= target - 10.0) {
            view.resize(size.saturating_sub(change));
        }
    }
}
