//! `DescribeSubnets`.

use super::filter::Filter;
use super::page::Page;
use crate::service::{ServiceError, refuse};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// The subnets of the world, by id or by zone.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let ids = form.list("SubnetId");
    let filters = Filter::read_all(form, &["availability-zone", "subnet-id"])?;
    let page = Page::read(form, 5..=1_000)?;
    form.finish()?;
    let subnets = &state.world.subnets;
    if let Some(missing) = ids.iter().find(|id| !subnets.iter().any(|subnet| subnet.id == **id)) {
        return Err(refuse("InvalidSubnetID.NotFound", format!("The subnet ID '{missing}' does not exist")));
    }
    let admitted = (0..subnets.len()).filter(|index| {
        let subnet = &subnets[*index];
        (ids.is_empty() || ids.contains(&subnet.id))
            && filters.iter().all(|filter| match filter.name.as_str() {
                "availability-zone" => filter.admits(&subnet.zone),
                "subnet-id" => filter.admits(&subnet.id),
                // The world's subnets carry no tags.
                _ => false,
            })
    });
    let (page, next) = page.cut(admitted);
    Ok(Xml::ec2("DescribeSubnets", |xml| {
        xml.list("subnetSet", "item", page, |xml, index| {
            let subnet = &subnets[index];
            xml.text("subnetId", &subnet.id).text("availabilityZone", &subnet.zone).text("state", "available");
        });
        xml.optional("nextToken", next);
    }))
}
