//! The report of a rehearsal: what happened in the simulated AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::ec2;
use crate::state::State;

/// What has happened in a rehearsal so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How many times each operation was called, refused calls included.
    pub calls: BTreeMap<String, u64>,
    /// The requests that the fleet's clients sent and lost.
    pub requests: Requests,
    /// How many members were in service, over time.
    pub capacity: Capacity,
    /// Every drawn latency that took effect, in the order of their ends.
    pub spans: Vec<Span>,
    /// The instances that carry the load-balancer tag, without those that are terminated or shutting down.
    pub members: Vec<Member>,
    /// Every instance except the foreign ones.
    pub instances: Vec<Instance>,
    /// Every image except the foreign ones.
    pub images: Vec<Image>,
    /// The requests that the simulator does not support.
    pub unsupported: Vec<String>,
    /// How many seconds instances ran since the start, by type. Foreign instances do not count.
    pub instance_seconds: BTreeMap<String, f64>,
}

/// The requests of the fleet's clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// How many were sent.
    pub sent: u64,
    /// How many got no good answer.
    pub failed: u64,
}

/// How many members were in service.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capacity {
    /// How many were in service at the start.
    pub floor: u32,
    /// The smallest number at any time.
    pub lowest: u32,
    /// Seconds since the start, and the number in service from then on.
    pub series: Vec<(f64, u32)>,
}

/// A latency that took effect on a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// What took the time, for example `launch` or `drain`.
    pub kind: &'static str,
    /// The resource's id.
    pub resource: String,
    /// When it began, since the start.
    #[serde(serialize_with = "as_seconds")]
    pub start: Duration,
    /// When it ended, since the start.
    #[serde(serialize_with = "as_seconds")]
    pub end: Duration,
}

/// A member of the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// `i-…`
    pub id: String,
    /// The image it was launched from.
    pub image: String,
    /// The version installed on it.
    pub version: Option<String>,
    /// The availability zone it is in.
    pub zone: String,
    /// Whether it carries the load-balancer tag, has a healthy target, and answers HTTP.
    pub in_service: bool,
}

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Instance {
    /// `i-…`
    pub id: String,
    /// Its state in AWS's words, for example `running`.
    pub state: &'static str,
    /// The image it was launched from.
    pub image: String,
    /// The version installed on it.
    pub version: Option<String>,
    /// Its instance type, for example `t3.large`.
    pub instance_type: String,
    /// Its tags, value by key.
    pub tags: BTreeMap<String, String>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    /// `ami-…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state in AWS's words, for example `available`.
    pub state: &'static str,
    /// The version installed on it.
    pub version: Option<String>,
    /// Its tags, value by key.
    pub tags: BTreeMap<String, String>,
}

fn as_seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl State {
    /// What has happened by now.
    pub(crate) fn report(&self) -> Report {
        let own = || self.ec2.instances.iter().enumerate().filter(|(_, one)| !one.foreign);
        let mut instance_seconds = BTreeMap::new();
        for (_, one) in own() {
            *instance_seconds.entry(one.spec.instance_type.clone()).or_default() +=
                one.ran_until(self.now).as_secs_f64();
        }
        let tagged = own().filter(|(_, one)| one.has_tag(&self.world.load_balancer_tag) && !one.state.gone());
        Report {
            calls: self.journal.calls(),
            requests: self.traffic.requests(),
            capacity: self.in_service.capacity(),
            spans: self.spans.clone(),
            members: tagged.map(|(index, one)| member(one, self.in_service.contains(index))).collect(),
            instances: own().map(|(_, one)| instance(one)).collect(),
            images: self.ec2.images.iter().filter(|image| !image.foreign).map(image).collect(),
            unsupported: self.journal.unsupported.iter().cloned().collect(),
            instance_seconds,
        }
    }
}

fn member(one: &ec2::instance::Instance, in_service: bool) -> Member {
    Member {
        id: one.id.clone(),
        image: one.spec.image.clone(),
        version: one.installed.version.clone(),
        zone: one.spec.subnet.zone.clone(),
        in_service,
    }
}

fn instance(one: &ec2::instance::Instance) -> Instance {
    Instance {
        id: one.id.clone(),
        state: one.state.name(),
        image: one.spec.image.clone(),
        version: one.installed.version.clone(),
        instance_type: one.spec.instance_type.clone(),
        tags: one.tags.clone(),
    }
}

fn image(image: &ec2::image::Image) -> Image {
    Image {
        id: image.id.clone(),
        name: image.name.clone(),
        state: image.state.name(),
        version: image.installed.version.clone(),
        tags: image.tags.clone(),
    }
}

/// The greatest total length of a chain of spans, each of which begins at or after the end of the one before. This is
/// weighted interval scheduling over the spans in the order of their ends.
pub(crate) fn heaviest_chain<'a>(spans: impl IntoIterator<Item = &'a Span>) -> Duration {
    let mut spans: Vec<(Duration, Duration)> = spans.into_iter().map(|span| (span.end, span.start)).collect();
    spans.sort_unstable();
    // `best[n]` is the result for the first n spans.
    let mut best = vec![Duration::ZERO];
    for (n, (end, start)) in spans.iter().enumerate() {
        let before = spans[..n].partition_point(|(earlier_end, _)| earlier_end <= start);
        let with = best[before] + end.saturating_sub(*start);
        best.push(with.max(best[n]));
    }
    best.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: u64, end: u64) -> Span {
        Span { kind: "test", resource: String::new(), start: Duration::from_secs(start), end: Duration::from_secs(end) }
    }

    #[test]
    fn the_limit_is_the_longest_chain_of_spans() {
        let heaviest = |spans: &[Span]| heaviest_chain(spans).as_secs();
        assert_eq!(heaviest(&[]), 0);
        assert_eq!(heaviest(&[span(0, 10), span(10, 15)]), 15, "a span may begin when the other ends");
        assert_eq!(heaviest(&[span(0, 10), span(9, 15)]), 10, "overlapping spans do not add up");
        assert_eq!(heaviest(&[span(0, 4), span(3, 8), span(8, 9), span(4, 8)]), 9);
        assert_eq!(heaviest(&[span(5, 6), span(0, 100), span(7, 99)]), 100, "one long span outweighs many");
    }
}
