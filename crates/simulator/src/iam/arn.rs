//! ARNs of what is in the world.

use crate::world::World;

impl World {
    /// The ARN of something in the account and region.
    pub(super) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    /// The ARN of something in the region that is of no account: images and snapshots are.
    pub(super) fn shared_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}::{resource}", self.partition(), self.region)
    }

    /// The ARN of something in the account that is of no region.
    pub(super) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account)
    }

    /// The domain of the partition's services.
    pub(super) fn url_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn partition(&self) -> &str {
        self.target_group.split(':').nth(1).unwrap_or("aws")
    }
}
