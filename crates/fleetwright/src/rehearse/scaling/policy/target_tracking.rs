//! AWS target tracking, as an Auto Scaling group does it.
//!
//! What AWS documents: an alarm above the target adds capacity, in proportion to how far the metric is above it; an alarm
//! below it removes capacity, more slowly; instances that warm up count as capacity, not for the metric, and nothing is
//! removed while any warms up. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html>
//!
//! What AWS does not document is read off the alarms that it makes: three one-minute points in a row above the target, or
//! fifteen below a share of it. How much is removed is taken to be in proportion as well. Where the group could be slower,
//! the model lets it be fast: it acts at once, each minute, with the fleet's own `warm_up`, and can launch while others
//! drain. Where it could be misled, by points of a fleet of another size, it waits for one of the fleet as it is.

use super::{Policy, View};

const HIGH_POINTS: usize = 3;
const LOW_POINTS: usize = 15;
/// Alarms on services of ECS, and older ones on EC2, have 90 % of the target; newer ones on EC2 have 70 %.
const LOW_SHARE: f64 = 0.9;

pub(in super::super) struct TargetTracking;

impl Policy for TargetTracking {
    fn look(&mut self, view: &mut View<'_, '_>) {
        let (target, warm, size) = (view.target(), view.warm(), view.model_fleet.size());
        let Some(latest) = view.settled() else { return };
        // As many as would have brought the metric to the target.
        let wanted = (f64::from(warm) * latest / target).ceil() as u32;
        if view.latest(HIGH_POINTS, |percent| percent > target) {
            view.resize(wanted.max(size));
        } else if warm == size && view.latest(LOW_POINTS, |percent| percent < LOW_SHARE * target) {
            view.resize(wanted.min(size));
        }
    }
}
