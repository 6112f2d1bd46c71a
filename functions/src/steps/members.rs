//! Who is who in a run: the builder, the new members with the canary first, and the old ones.
//!
//! A repair makes nobody: what ended runs left behind is in the place of the new members. Of a scale-in those who leave are
//! the old ones, those who stay the new. Who joined an upgrade is old.

use super::observation::of_fleet;
use crate::StepError;
use crate::aws::{Aws, Instance};
use crate::ledger::Read;
use fleet::{AnyTag, Health, InstanceId, Place, Role, Run, RunRef, Workflow};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Which members a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Members {
    /// The first of the new.
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
    /// The one that a golden image is taken of; it is one of the old.
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

    /// Their ids as the ledger has them, in order, whatever has become of them.
    pub(crate) async fn recorded(self, aws: &Aws, run: &Run) -> Result<Vec<InstanceId>, StepError> {
        if self == Self::Leaving {
            let before = aws.ledger().before(&run.run).await?;
            let there = before.members.into_iter().map(|member| member.id);
            return Ok(there.chain(joined_members(aws, run).await?).collect());
        }
        if self == Self::Source {
            return Ok(run.source.iter().map(|member| member.id.clone()).collect());
        }
        if self == Self::Abandoned || run.workflow == Workflow::ScaleOut {
            // Until a scale-out is over it is who stands that counts.
            let standing = made(aws, run, self == Self::Abandoned).await?;
            return Ok(standing.into_iter().map(|instance| instance.id).collect());
        }
        let mut new = aws.ledger().staying_members(&run.run).await?.ids;
        if self == Self::Canary {
            new.truncate(run.config.upgrade.canary as usize);
        }
        Ok(new)
    }

    /// Those of them that keep the fleet in service while their counterpart leaves: of the old ones not those that were ill
    /// when the run began.
    pub(crate) async fn serving(self, aws: &Aws, run: &Run) -> Result<Vec<InstanceId>, StepError> {
        if self != Self::Leaving {
            return self.recorded(aws, run).await;
        }
        let before = aws.ledger().before(&run.run).await?;
        let served = before.members.into_iter().filter(|member| member.serves).map(|member| member.id);
        Ok(served.chain(joined_members(aws, run).await?).collect())
    }

    /// How many of them are unhealthy and why, if any is. A member that is gone is not registered, so it is not healthy.
    pub(crate) async fn unhealthy(self, aws: &Aws, run: &Run) -> Result<Option<String>, StepError> {
        let serving = self.serving(aws, run).await?;
        let ids: Vec<_> = serving.iter().collect();
        let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
        let first = health.first_not_healthy(&ids);
        Ok(first
            .map(|(id, health, count)| format!("{count} of the {} {self} not healthy ({id} is {health})", ids.len())))
    }

    /// Those of them that are not on their way out for good, in order of id.
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

/// The members that the run made and that stand, either those that it has given up or the others.
async fn made(aws: &Aws, run: &Run, abandoned: bool) -> Result<Vec<Instance>, StepError> {
    let mut found = aws.instances_of_run(&run.run).await?;
    found.retain(|one| one.is_for(Role::Member) && run.abandoned.contains(&one.id) == abandoned);
    Ok(found)
}

/// Who joined the run and came into service: the members of scale-outs that are over.
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
    run: &mut Read<Run>,
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

/// What ended runs left behind, as far as it stands: not the members that a repair found.
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

/// The ids of those instances that carry the tag, or do not.
pub(crate) fn carrying<'a>(instances: &'a [Instance], tag: &AnyTag, carries: bool) -> Vec<&'a InstanceId> {
    instances.iter().filter(|instance| instance.carries(tag) == carries).map(|instance| &instance.id).collect()
}

/// The run's builder, if it stands and can be seen.
pub(crate) async fn builder(aws: &Aws, run: &Run) -> Result<Option<Instance>, StepError> {
    let found = aws.instances_of_run(&run.run).await?;
    Ok(found.into_iter().find(|instance| instance.is_for(Role::Builder)))
}

/// Who of them still takes traffic, or drains, if anybody does.
pub(crate) async fn first_in_traffic(
    aws: &Aws,
    run: &Run,
    instances: &[Instance],
) -> Result<Option<String>, StepError> {
    let ids = ids(instances);
    let health = aws.target_health(&run.config.load_balancer.target_group, &ids).await?;
    let tagged = carrying(instances, &run.config.fleet.load_balancer_tag, true);
    if let Some(serving) = ids.iter().find(|id| health.is_in(id) || tagged.contains(id)) {
        return Ok(Some(format!("{serving} still takes traffic ({})", health.of(serving))));
    }
    let draining = ids.iter().find(|id| *health.of(id) == Health::Draining);
    Ok(draining.map(|draining| format!("{draining} is draining")))
}

/// The run's builder, which an earlier step has seen running.
pub(crate) async fn standing_builder(aws: &Aws, run: &Run) -> Result<Instance, StepError> {
    builder(aws, run).await?.ok_or_else(|| StepError::Failed(format!("the builder of {} is gone", run.run)))
}
