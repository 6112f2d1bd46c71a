//! Decides which members of a scale-out are abandoned, and takes them out of service.

use crate::aws::Aws;
use crate::steps::members::{Members, ids};
use crate::{StepError, Versioned};
use fleet::{Health, Phase, Run, StayingMembers};

/// Takes the unhealthy members of a scale-out out of service. The first attempt decides which members that are, and records
/// them before any of them leaves. If `members` are the staying members, the scale-out rolls back, and its healthy members
/// stay as its result.
pub(super) async fn abandon_unhealthy(aws: &Aws, run: &mut Versioned<Run>, members: Members) -> Result<(), StepError> {
    let group = run.record.config.load_balancer.target_group.clone();
    let rolls_back = members == Members::Staying;
    let decided = if rolls_back {
        run.record.phase == Phase::RollingBack && aws.ledger().members_of(&run.record.run).await?.is_some()
    } else {
        !run.record.abandoned.is_empty()
    };
    if !decided {
        let found = Members::Staying.find(aws, &run.record).await?;
        let health = aws.target_health(&group, &ids(&found)).await?;
        let (healthy, unhealthy): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| *health.of(&one.id) == Health::Healthy);
        run.record.abandoned.extend(unhealthy.into_iter().map(|one| one.id));
        if rolls_back {
            run.record.roll_back(aws.now())?;
        }
        aws.ledger().write(run).await?;
        if rolls_back {
            let kept = StayingMembers { ids: healthy.into_iter().map(|one| one.id).collect() };
            aws.ledger().record_staying_members(&run.record, &kept).await?;
        }
    }
    let leaving = Members::Abandoned.find(aws, &run.record).await?;
    let health = aws.target_health(&group, &ids(&leaving)).await?;
    let registered: Vec<_> = ids(&leaving).into_iter().filter(|id| health.is_registered(id)).collect();
    aws.untag(&ids(&leaving), &run.record.config.fleet.load_balancer_tag).await?;
    aws.deregister(&group, &registered).await?;
    Ok(())
}
