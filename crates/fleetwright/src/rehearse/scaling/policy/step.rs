//! Step scaling, with the steps of AWS's own example: from 10 points above the target on 10 % more, from 20 on 30 % more; as
//! many fewer as far below it. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html>
//!
//! The alarms are those of target tracking, three points in a row and fifteen; AWS leaves them to the user.

use super::{Policy, View};

const HIGH_POINTS: usize = 3;
const LOW_POINTS: usize = 15;

pub(in super::super) struct Step;

impl Policy for Step {
    fn look(&mut self, view: &mut View<'_, '_>) {
        let (target, warm, size) = (view.target(), view.warm(), view.model_fleet.size());
        let Some(above) = view.settled().map(|percent| percent - target) else { return };
        let percent = match above.abs() {
            20.0.. => 30,
            10.0.. => 10,
            _ => return,
        };
        // A change below one is one; above, it is rounded down.
        let change = (size * percent / 100).max(1);
        if above > 0.0 && view.latest(HIGH_POINTS, |percent| percent >= target + 10.0) {
            // Members that warm up are part of what a further alarm asks for.
            view.resize(size.max(warm + change));
        } else if above < 0.0 && warm == size && view.latest(LOW_POINTS, |percent| percent <= target - 10.0) {
            view.resize(size.saturating_sub(change));
        }
    }
}
