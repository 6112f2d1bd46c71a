//! `images`: a fleet's golden image and its kept images.

use super::stack::Stack;
use super::stop::Stop;
use super::{FleetArgs, show};
use crate::{Exit, Streams};
use fleet::{FleetName, Golden, ImageId, KeptImage};
use serde::Serialize;

#[derive(Serialize)]
struct Images {
    schema_version: u32,
    fleet: FleetName,
    golden: Option<Golden>,
    /// The latest first.
    kept: Vec<KeptImage>,
    /// The image that `fleetwright revert` returns to by default.
    last_good: Option<ImageId>,
}

pub(crate) async fn run(args: &FleetArgs, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
    let stack = &Stack::connect().await?;
    let record = stack.fleet(&args.fleet).await?.record;
    let last_good = record.last_good().map(|kept| kept.image.clone());
    let images =
        Images { schema_version: 1, fleet: args.fleet.clone(), golden: record.golden, kept: record.images, last_good };
    show(streams, args.output, &images, text)?;
    Ok(Exit::Done)
}

fn text(images: &Images) -> String {
    let mut lines = vec![match &images.golden {
        Some(golden) => format!("{}  {}  golden", golden.image, golden.version),
        None => "no golden image yet: 'fleetwright golden-image' takes one of a member".to_owned(),
    }];
    lines.extend(images.kept.iter().map(|kept| {
        let what = match &kept.quarantine {
            Some(why) => format!("in quarantine: {why}"),
            None if images.last_good.as_ref() == Some(&kept.image) => "last good".to_owned(),
            None => "kept".to_owned(),
        };
        format!("{}  {}  {what}", kept.image, kept.version)
    }));
    lines.join("\n")
}
