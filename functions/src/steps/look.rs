//! Looking at a fleet as it stands on AWS. Only reads.

use crate::StepError;
use crate::aws::{Aws, ImageState, InstanceState};
use fleet::{FLEET_TAG, FleetRecord, Observed, Tagged};

/// The fleet of `record` as it stands: who carries its tag and how their targets are, who else takes its traffic,
/// whether its alarms are quiet and its golden image is there to be cloned.
pub(crate) async fn look(aws: &Aws, record: &FleetRecord) -> Result<Observed, StepError> {
    let config = &record.config;
    let tag = &config.fleet.load_balancer_tag;
    let group = &config.load_balancer.target_group;
    let mut tagged = aws.instances_tagged(&[(&tag.key, &tag.value)]).await?;
    tagged.retain(|instance| instance.is_alive());
    let health = aws.health_of_all(group).await?;
    let is_tagged = |id| tagged.binary_search_by_key(&id, |instance| &instance.id).is_ok();
    let strangers = health.registered().filter(|id| !is_tagged(id)).cloned().collect();
    let alarm = aws.first_alarming(&config.upgrade.alarms).await?;
    let golden_problem = match aws.image(&record.golden.image).await? {
        None => Some("does not exist".to_owned()),
        Some(image) if image.state != ImageState::Available => Some(format!("is not available ({:?})", image.state)),
        Some(_) => None,
    };
    let drain = aws.deregistration_delay(group).await?;
    let tagged = tagged.iter().map(|instance| Tagged {
        id: instance.id.clone(),
        image: instance.image.clone(),
        zone: instance.zone.clone(),
        running: instance.state == InstanceState::Running,
        fleet: instance.tag(FLEET_TAG).map(str::to_owned),
        health: health.of(&instance.id).clone(),
    });
    let out_of_reach = aws.reach().and_then(|reach| reach.refuses(config));
    Ok(Observed { tagged: tagged.collect(), strangers, alarm, out_of_reach, golden_problem, drain })
}
