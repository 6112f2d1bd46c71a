//! AWS target tracking, as an Auto Scaling group performs it.
//!
//! AWS documents this: An alarm above the target adds capacity in proportion to the distance of the metric from the target. An
//! alarm below the target removes capacity, more slowly. Instances that warm up count as capacity but not for the metric, and
//! nothing is removed while any instance warms up. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html>,
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html>
//!
//! AWS does not document the rest. The alarms that AWS creates show three one-minute points in a row above the target, or
//! fifteen below a share of it. The model assumes that removal is proportional as well. Where the group could be slower, the
//! model is fast: it acts at once, each minute, with the fleet's own `warm_up`, and launches while other members drain. Where
//! points of a fleet of another size could mislead the group, the model waits for a point of the current size.

use super::{Policy, View};

const HIGH_POINTS: usize = 3;
const LOW_POINTS: usize = 15;
/// Alarms for ECS services and older ones for EC2 have 90 % of the target. Newer ones for EC2 have 70 %.
const LOW_SHARE: f64 = 0.9;

pub(in super::super) struct TargetTracking;

impl Policy for TargetTracking {
    fn evaluate(&mut self, view: &mut View<'_, '_>) {
        let (target, warm, size) = (view.target(), view.warm(), view.model_fleet.size());
        let Some(latest) = view.settled() else { return };
        // The number of members that would have had the metric at the target.
        let wanted = (f64::from(warm) * latest / target).ceil() as u32;
        if view.latest(HIGH_POINTS, |percent| percent > target) {
            view.resize(wanted.max(size));
        } else if warm == size && view.latest(LOW_POINTS, |percent| percent < LOW_SHARE * target) {
            view.resize(wanted.min(size));
        }
    }
}
