//! The instances of a run: the builder, the leaving members, and the staying members, of which the first are the canary.
//!
//! A restore creates no members, so its staying members are the left-overs of ended runs. The members of scale-outs that
//! joined an upgrade are leaving members.

use super::observation::of_fleet;
use crate::aws::{Aws, Instance};
use crate::{StepError, Versioned};
use fleet::{AnyTag, Health, InstanceId, Place, Role, Run, RunRef, Workflow};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Which members a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Members {
    /// The first of the staying members.
    Canary,
    /// Those that keep the fleet in service after the run commits. Definitions of earlier releases say `new`.
    #[serde(alias = "new")]
    Staying,
    /// Those that keep the fleet in service until the run commits. Definitions of earlier releases say `old`.
    #[serde(alias = "old")]
    Leaving,
    /// Those of a scale-out that did not become healthy in time. Definitions of earlier releases say `given-up`.
    #[serde(alias = "given-up")]
    Abandoned,
    /// The member that a golden-image run stops; it is one of the leaving members.
    Source,
}

impl Members {
    /// Those that keep the fleet in service while these leave it.
    pub(crate) fn counterpart(self) -> Self {
        match self {
            Self::Leaving => Self::Staying,
            Self::Canary | Self::Staying | Self::Abandoned | Self::Source => Self::Leaving,
        }
    }

    /// Their ids in the ledger, in the recorded order, whether the instances still exist or not.
    pub(crate) async fn recorded(self, aws: &Aws, run: &Run) -> Result<Vec<InstanceId>, StepError> {
        if self == Self::Leaving {
            let before = aws.ledger().before(&run.run).await?;
            let ids = before.members.into_iter().map(|member| member.id);
            return Ok(ids.chain(joined_members(aws, run).await?).collect());
        }
        if self == Self::Source {
            return Ok(run.source.iter().map(|member| member.id.clone()).collect());
        }
        if self == Self::Abandoned || run.workflow == Workflow::ScaleOut {
            // Until a scale-out is over, the instances that exist decide, not a record.
            let found = made(aws, run, self == Self::Abandoned).await?;
            return Ok(found.into_iter().map(|instance| instance.id).collect());
        }
        let mut staying = aws.ledger().staying_members(&run.run).await?.ids;
        if self == Self::Canary {
            staying.truncate(run.config.upgrade.canary as usize);
        }
        Ok(staying)
    }

    /// Those of them that keep the fleet in service while their counterpart leaves. Leaving members that were unhealthy when
    /// the run began are not among them.
    pub(crate) async fn serving(self, aws: &Aws, run: &Run) -> Result<Vec<InstanceId>, StepError> {
        if self != Self::Leaving {
            return self.recorded(aws, run).await;
        }
        let before = aws.ledger().before(&run.run).await?;
        let served = before.members.into_iter().filter(|member| member.serves).map(|member| member.id);
        Ok(served.chain(joined_members(aws, run).await?).collect())
    }

    /// How many of them are unhealthy and why, if any is. A terminated member is not registered, so it is not healthy.
    pub(crate) async fn unhealthy(self, aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
        let serving = self.serving(aws, run).await?;
        let ids: Vec<_> = serving.iter().collect();
        let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
        let first = health.first_not_healthy(&ids);
        Ok(first
            .map(|(id, health, count)| format!("{count} of the {} {self} not healthy ({id} is {health})", ids.len())))
    }

    /// Those of them that EC2 is not terminating, in order of id.
    pub(crate) async fn find(self, aws: &Aws, run: &Run) -> Result<Vec<Instance>, StepError> {
        match (self, run.workflow) {
            (Self::Leaving | Self::Source, _) | (Self::Staying, Workflow::ScaleIn) => {
                let ids: BTreeSet<_> = self.recorded(aws, run).await?.into_iter().collect();
                let mut found = aws.instances_of_fleet(&run.run.fleet).await?;
                found.retain(|instance| ids.contains(&instance.id));
                Ok(found)
            }
            (Self::Canary | Self::Staying, Workflow::Restore) => left_over(aws, run).await,
            (Self::Staying, _) => made(aws, run, false).await,
            (Self::Abandoned, _) => made(aws, run, true).await,
            (Self::Canary, _) => {
                let canary = self.recorded(aws, run).await?;
                let mut found = made(aws, run, false).await?;
                found.retain(|instance| canary.contains(&instance.id));
                Ok(found)
            }
        }
    }
}

/// The members that the run made and that exist: only the abandoned ones, or only the others.
async fn made(aws: &Aws, run: &Run, abandoned: bool) -> Result<Vec<Instance>, StepError> {
    let mut found = aws.instances_of_run(&run.run).await?;
    found.retain(|one| one.is_for(Role::Member) && run.abandoned.contains(&one.id) == abandoned);
    Ok(found)
}

/// The members that scale-outs added that joined the run and are over.
async fn joined_members(aws: &Aws, run: &Run) -> Result<Vec<InstanceId>, StepError> {
    let mut ids = Vec::new();
    for scale_out in &run.joined {
        let scale_out = RunRef { fleet: run.run.fleet.clone(), id: scale_out.clone() };
        ids.extend(aws.ledger().members_of(&scale_out).await?.into_iter().flat_map(|members| members.ids));
    }
    Ok(ids)
}

/// Records that the run's image failed its checks, so that the image goes into quarantine. A run that makes no image, or
/// whose leaving members are unhealthy, records nothing.
pub(crate) async fn record_image_failure(
    aws: &Aws,
    run: &mut Versioned<Run>,
    members: Members,
    problem: &str,
) -> Result<(), StepError> {
    if members == Members::Leaving || !run.record.workflow.validates_image() {
        return Ok(());
    }
    run.record.image_failure = Some(problem.to_owned());
    aws.ledger().write(run).await
}

impl std::fmt::Display for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Canary => "canary",
            Self::Staying => "staying members",
            Self::Leaving => "leaving members",
            Self::Abandoned => "abandoned members",
            Self::Source => "source member",
        })
    }
}

/// The instances that ended runs left behind; not the members that a restore keeps.
async fn left_over(aws: &Aws, run: &Run) -> Result<Vec<Instance>, StepError> {
    let members = Members::Leaving.recorded(aws, run).await?;
    let mut found = aws.instances_of_fleet(&run.run.fleet).await?;
    let health = aws.health_of_all(&run.config.load_balancer.target_group).await?;
    let left_over = |one: &Instance| of_fleet(one, &run.config, &health).place(run.golden.as_ref()) == Place::LeftOver;
    found.retain(|one| !members.contains(&one.id) && left_over(one));
    Ok(found)
}

/// The ids of instances.
pub(crate) fn ids(instances: &[Instance]) -> Vec<&InstanceId> {
    instances.iter().map(|instance| &instance.id).collect()
}

/// The ids of the instances that carry the tag, or of those that do not.
pub(crate) fn carrying<'a>(instances: &'a [Instance], tag: &AnyTag, carries: bool) -> Vec<&'a InstanceId> {
    instances.iter().filter(|instance| instance.carries(tag) == carries).map(|instance| &instance.id).collect()
}

/// The run's builder, if it exists and EC2 describes it.
pub(crate) async fn builder(aws: &Aws, run: &Run) -> Result<Option<Instance>, StepError> {
    let found = aws.instances_of_run(&run.run).await?;
    Ok(found.into_iter().find(|instance| instance.is_for(Role::Builder)))
}

/// Says which of the instances still takes traffic or drains, if one does.
pub(crate) async fn still_in_traffic(
    aws: &Aws,
    run: &Run,
    instances: &[Instance],
) -> Result<Option<String>, StepError> {
    let ids = ids(instances);
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    let tagged = carrying(instances, &run.config.fleet.load_balancer_tag, true);
    if let Some(serving) = ids.iter().find(|id| health.is_registered(id) || tagged.contains(id)) {
        return Ok(Some(format!("{serving} still takes traffic ({})", health.of(serving))));
    }
    let draining = ids.iter().find(|id| *health.of(id) == Health::Draining);
    Ok(draining.map(|draining| format!("{draining} is draining")))
}

/// The run's builder, which an earlier step saw running.
///
/// # Errors
/// [`StepError::Failed`] when it is gone.
pub(crate) async fn require_builder(aws: &Aws, run: &Run) -> Result<Instance, StepError> {
    builder(aws, run).await?.ok_or_else(|| StepError::Failed(format!("the builder of {} is gone", run.run)))
}
