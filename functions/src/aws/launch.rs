//! Launches instances: one call for each zone, with a client token, and with tags in the call that creates the instances.

use super::instances::ec2_tag;
use super::{Aws, CallError, Named};
use aws_sdk_ec2::types::{
    HttpTokensState, IamInstanceProfileSpecification, InstanceMetadataOptionsRequest, InstanceType as Ec2Type,
    ResourceType, RunInstancesMonitoringEnabled, TagSpecification,
};
use aws_smithy_types::base64;
use fleet::{FLEET_TAG, ImageId, InstanceType, ROLE_TAG, RUN_TAG, Role, Run, SubnetId, client_token, instance_name};

/// The user data of a builder. It marks the machine and keeps Docker from starting until configure.sh allows it, since a clone
/// of a member would start all its services.
const BUILDER: &str = include_str!("../../../infra/instance/builder.sh");

/// One launch in one zone.
#[derive(Debug, Clone, Copy)]
pub struct LaunchOrder<'a> {
    /// The role of the instances.
    pub role: Role,
    /// The image to launch from.
    pub image: &'a ImageId,
    /// The instance type.
    pub instance_type: &'a InstanceType,
    /// The subnet, which is in one zone.
    pub subnet: &'a SubnetId,
    /// The round of the launch, a part of its client token.
    pub round: u32,
    /// The largest number of instances. EC2 launches as many as it has capacity for, at least one.
    pub count: u32,
}

impl Aws {
    /// Launches up to `order.count` instances for `run`. Returns how many. Repeating the call finds the same instances by the
    /// client token and launches none.
    ///
    /// # Errors
    /// Any error of EC2; [`CallError::is_no_capacity`] when there is no capacity for even one.
    pub async fn launch(&self, run: &Run, order: LaunchOrder<'_>) -> Result<u32, CallError> {
        let fleet = &run.config.fleet;
        let count = i32::try_from(order.count).unwrap_or(i32::MAX);
        let name = instance_name(&run.run.fleet, order.role, run.to);
        let tags = [
            (FLEET_TAG, run.run.fleet.as_str()),
            (RUN_TAG, run.run.id.as_str()),
            (ROLE_TAG, order.role.as_str()),
            ("Name", &name),
        ];
        let tagged = |resource: ResourceType| {
            let tags = tags.iter().map(|(key, value)| ec2_tag(key, value)).collect();
            TagSpecification::builder().resource_type(resource).set_tags(Some(tags)).build()
        };
        let answer = self
            .ec2
            .run_instances()
            .image_id(order.image.as_str())
            .instance_type(Ec2Type::from(order.instance_type.as_str()))
            .subnet_id(order.subnet.as_str())
            .min_count(1)
            .max_count(count)
            .client_token(client_token(&run.run, order.role, order.subnet, order.round))
            .set_security_group_ids(Some(fleet.security_groups.iter().map(ToString::to_string).collect()))
            .iam_instance_profile(IamInstanceProfileSpecification::builder().name(&fleet.instance_profile).build())
            .metadata_options(InstanceMetadataOptionsRequest::builder().http_tokens(HttpTokensState::Required).build())
            .set_monitoring(
                // A decision on the size needs one point a minute.
                (order.role == Role::Member && run.config.scaling.is_some())
                    .then(|| RunInstancesMonitoringEnabled::builder().enabled(true).build()),
            )
            .set_user_data((order.role == Role::Builder).then(|| base64::encode(BUILDER)))
            .tag_specifications(tagged(ResourceType::Instance))
            .tag_specifications(tagged(ResourceType::Volume))
            .send()
            .await
            .of("RunInstances")?;
        Ok(u32::try_from(answer.instances().len()).unwrap_or(u32::MAX))
    }
}
