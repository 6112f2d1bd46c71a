//! Observes a fleet on AWS. It only reads.

use crate::StepError;
use crate::aws::{Aws, ImageState, Instance, InstanceState, TargetHealth};
use fleet::{
    Config, FLEET_TAG, FleetInstance, FleetRecord, ImageId, Inventory, MadeImage, Observed, ROLE_TAG, RUN_TAG, Role,
    Tagged,
};

/// The health of all targets of the fleet, read once, before [`observe`] and [`inventory`] read the instances.
pub(crate) async fn health(aws: &Aws, record: &FleetRecord) -> Result<TargetHealth, StepError> {
    Ok(aws.health_of_all(&record.config.load_balancer.target_group).await?)
}

/// Observes the fleet of `record`: the instances with the load-balancer tag and the health of their targets, untagged
/// targets, the first watched alarm that is raised, and whether `image`, if the run needs one, can be cloned.
pub(crate) async fn observe(
    aws: &Aws,
    record: &FleetRecord,
    health: &TargetHealth,
    image: Option<&ImageId>,
) -> Result<Observed, StepError> {
    let config = &record.config;
    let tag = &config.fleet.load_balancer_tag;
    let group = &config.load_balancer.target_group;
    let tagged = aws.instances_tagged(&[(&tag.key, &tag.value)]).await?;
    let is_tagged = |id| tagged.binary_search_by_key(&id, |instance| &instance.id).is_ok();
    let untagged_targets = health.registered().filter(|id| !is_tagged(id)).cloned().collect();
    let alarm = aws.first_raised_alarm(&config.upgrade.alarms).await?;
    let image_problem = match image {
        None => None,
        Some(image) => match aws.image(image).await?.map(|image| image.state) {
            None => Some("does not exist".to_owned()),
            Some(ImageState::Available) => None,
            Some(state) => Some(format!("is not available ({state:?})")),
        },
    };
    let drain = aws.deregistration_delay(group).await?;
    let tagged = tagged.iter().map(|instance| Tagged {
        id: instance.id.clone(),
        image: instance.image.clone(),
        zone: instance.zone.clone(),
        running: instance.state == InstanceState::Running,
        fleet: instance.tag(FLEET_TAG).map(str::to_owned),
        health: health.of(&instance.id).clone(),
        launched: instance.launched,
        run: instance.tag(RUN_TAG).and_then(|run| run.parse().ok()),
    });
    let out_of_scope = aws.scope().and_then(|scope| scope.refuses(config));
    Ok(Observed {
        tagged: tagged.collect(),
        untagged_targets,
        alarm,
        out_of_scope,
        image_problem,
        drain,
        inventory: None,
    })
}

/// Everything that carries the fleet tag: more than a run needs, and all that a repair can change.
pub(crate) async fn inventory(aws: &Aws, record: &FleetRecord, health: &TargetHealth) -> Result<Inventory, StepError> {
    let config = &record.config;
    let instances = aws.instances_of_fleet(record.name()).await?;
    let instances = instances.iter().map(|instance| of_fleet(instance, config, health));
    let images = aws.images_of_fleet(record.name()).await?.into_iter();
    let images = images.filter_map(|image| Some(MadeImage { run: image.made_by()?, id: image.id }));
    Ok(Inventory { instances: instances.collect(), images: images.collect(), snapshots: Vec::new() })
}

/// An instance as the fleet of `config` sees it.
pub(super) fn of_fleet(instance: &Instance, config: &Config, health: &TargetHealth) -> FleetInstance {
    FleetInstance {
        id: instance.id.clone(),
        image: instance.image.clone(),
        zone: instance.zone.clone(),
        running: instance.state == InstanceState::Running,
        tagged: instance.carries(&config.fleet.load_balancer_tag),
        health: health.of(&instance.id).clone(),
        role: instance.tag(ROLE_TAG).and_then(Role::named),
        run: instance.tag(RUN_TAG).and_then(|run| run.parse().ok()),
    }
}
