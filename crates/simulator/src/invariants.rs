//! The invariants of every run, as far as the simulated AWS can check them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ec2::image::ImageState;
use crate::ec2::instance::Instance;
use crate::elb::OWN_GROUP;
use crate::state::State;

/// A run that has ended, as the run itself reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// How the run ended.
    pub outcome: SettledAs,
    /// The id of the run, as its calls carried it.
    pub run: String,
    /// The images that the fleet keeps after the run.
    pub kept: Vec<String>,
    /// The runs that joined this one and added members to the fleet.
    pub joined: Vec<String>,
}

/// How a run ended, as far as the invariants depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledAs {
    /// The fleet runs the new version.
    Upgraded,
    /// The fleet has more members, or fewer.
    Scaled,
    /// The fleet has an image of a member, and nothing else changed.
    ImageTaken,
    /// The fleet is as it was before the run.
    RolledBack,
    /// The run stopped midway and waits for an operator.
    Frozen,
    /// The run was refused before it changed anything.
    Refused,
    /// The run had nothing to do.
    Unchanged,
}

/// The invariants that were checked, and their violations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The invariants that were checked.
    pub checked: Vec<&'static str>,
    /// Every violation, in the order of the invariants.
    pub violated: Vec<Violation>,
}

/// One invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: &'static str,
    /// What was observed, with ids.
    pub detail: String,
}

impl State {
    /// Checks the invariants that a run must keep that ended this way.
    pub(crate) fn check(&self, settled: &Settled) -> Verdict {
        type Check = fn(&State, &Settled, &mut Vec<String>);
        let always: [(&'static str, Check); 4] = [
            ("capacity-and-requests", State::check_capacity),
            ("nothing-foreign-touched", State::check_foreign),
            ("one-run-at-a-time", State::check_one_run),
            ("golden-image-exists", State::check_golden_image),
        ];
        // A frozen run stays as it is for an operator, and reports by itself what is left.
        let by_outcome: &[(&'static str, Check)] = match settled.outcome {
            SettledAs::Frozen => &[],
            SettledAs::Upgraded | SettledAs::Scaled => &[("nothing-left-over", State::check_leftovers)],
            SettledAs::ImageTaken => {
                &[("nothing-left-over", State::check_leftovers), ("members-are-as-they-were", State::check_unchanged)]
            }
            SettledAs::RolledBack | SettledAs::Refused | SettledAs::Unchanged => &[
                ("nothing-left-over", State::check_leftovers),
                ("failed-run-leaves-fleet-as-it-was", State::check_unchanged),
            ],
        };
        let guarded: &[(&'static str, Check)] =
            if self.authorizer.is_enforced() { &[("within-permissions", State::check_permissions)] } else { &[] };
        let mut verdict = Verdict::default();
        for (invariant, check) in always.iter().chain(guarded).chain(by_outcome) {
            let mut details = Vec::new();
            check(self, settled, &mut details);
            verdict.checked.push(invariant);
            verdict.violated.extend(details.into_iter().map(|detail| Violation { invariant, detail }));
        }
        verdict
    }

    fn check_capacity(&self, _: &Settled, details: &mut Vec<String>) {
        if let Some((at, count)) = self.in_service.shortfall() {
            let floor = self.in_service.floor();
            details.push(format!("{count} of {floor} members were in service after {:.3} s", at.as_secs_f64()));
        }
        let lost = self.traffic.inexcusable();
        if lost > 0 {
            details.push(format!("{lost} of {} requests failed", self.traffic.requests().sent));
        }
    }

    /// No call was denied. A denial means that a step requires more than the policy allows, or makes a call that it
    /// must not make.
    fn check_permissions(&self, _: &Settled, details: &mut Vec<String>) {
        details.extend(self.journal.denied.iter().cloned());
    }

    fn check_foreign(&self, _: &Settled, details: &mut Vec<String>) {
        details.extend(self.journal.foreign_changes.iter().cloned());
    }

    fn check_one_run(&self, settled: &Settled, details: &mut Vec<String>) {
        let runs: Vec<_> = self.journal.changes.iter().collect();
        for (n, (run, (first, last))) in runs.iter().enumerate() {
            for (other, (other_first, other_last)) in &runs[n + 1..] {
                let joined = [run, other].into_iter().any(|one| settled.joined.contains(one));
                if first <= other_last && other_first <= last && !joined {
                    details.push(format!("the runs {run} and {other} changed the fleet at the same time"));
                }
            }
        }
    }

    /// The image of every member in service is available. So is the golden image of the start, unless the run replaced
    /// it.
    fn check_golden_image(&self, settled: &Settled, details: &mut Vec<String>) {
        details.extend(self.journal.lost_images.iter().cloned());
        let available =
            |id: &str| self.ec2.images.iter().any(|image| image.id == id && image.state == ImageState::Available);
        for (index, one) in self.ec2.instances.iter().enumerate() {
            if self.in_service.contains(index) && !available(&one.spec.image) {
                details.push(format!("{}, the image of {}, is not available", one.spec.image, one.id));
            }
        }
        let golden = &self.world.golden_image;
        if settled.outcome != SettledAs::Upgraded && !available(golden) {
            details.push(format!("the golden image {golden} is not available"));
        }
    }

    /// Everything that the run made is in service or gone. After an upgrade, everything that it replaced is gone.
    fn check_leftovers(&self, settled: &Settled, details: &mut Vec<String>) {
        let before = self.journal.before.get(&settled.run);
        let replaced = |id: &str| {
            settled.outcome == SettledAs::Upgraded && before.is_some_and(|before| before.instances.contains_key(id))
        };
        let made = |made_by: &str, tags: &BTreeMap<String, String>| {
            !settled.run.is_empty()
                && (made_by == settled.run || tags.get(&self.world.run_tag_key) == Some(&settled.run))
        };
        // A staying member that a world fault killed is not in service, but it is still a member.
        let died = |one: &Instance| {
            settled.outcome == SettledAs::Upgraded && one.dead && one.has_tag(&self.world.load_balancer_tag)
        };
        for (index, one) in self.ec2.instances.iter().enumerate().filter(|(_, one)| !one.foreign) {
            let joined = settled.outcome == SettledAs::Upgraded && settled.joined.contains(&one.spec.made_by);
            let concerned = made(&one.spec.made_by, &one.tags) || replaced(&one.id) || joined;
            if concerned && !one.state.gone() && !self.in_service.contains(index) && !died(one) {
                details.push(format!("{} is left over, {}", one.id, one.state.name()));
            }
        }
        for image in self.ec2.images.iter().filter(|image| image.registered() && made(&image.made_by, &image.tags)) {
            if !self.in_service_from(&image.id) && !settled.kept.contains(&image.id) {
                details.push(format!("{} is left over, {}", image.id, image.state.name()));
            }
        }
        for snapshot in self.ec2.snapshots.iter().filter(|one| one.exists() && made(&one.made_by, &one.tags)) {
            // A backup of the data has no image, and it stays.
            if snapshot.image.is_some_and(|image| !self.ec2.images[image].registered()) {
                details.push(format!("{} is left over without its image", snapshot.id));
            }
        }
        for (index, target) in &self.groups[OWN_GROUP].targets {
            let one = &self.ec2.instances[*index];
            if made(&one.spec.made_by, &one.tags) && !self.in_service.contains(*index) && !died(one) {
                details.push(format!("the target {} is left over, {:?}", one.id, target.health));
            }
        }
    }

    fn in_service_from(&self, image: &str) -> bool {
        self.ec2
            .instances
            .iter()
            .enumerate()
            .any(|(index, one)| one.spec.image == image && self.in_service.contains(index))
    }

    /// Everything that existed when the run began exists again, in the same state and with the same tags.
    fn check_unchanged(&self, settled: &Settled, details: &mut Vec<String>) {
        let Some(before) = self.journal.before.get(&settled.run) else { return };
        let after = self.inventory();
        for (id, (state, tags)) in &before.instances {
            match after.instances.get(id) {
                None => details.push(format!("{id} was {} and is gone", state.name())),
                Some((now, _)) if now != state => {
                    details.push(format!("{id} was {} and is {}", state.name(), now.name()));
                }
                Some((_, now)) if now != tags => {
                    details.push(format!("{id} had the tags {tags:?} and has {now:?}"));
                }
                Some(_) => {}
            }
        }
        details.extend(
            before.images.difference(&after.images).map(|id| format!("{id} was registered and is not any more")),
        );
        details.extend(
            before.targets.difference(&after.targets).map(|id| format!("{id} was a target and is not any more")),
        );
        let joined = |id: &&String| {
            let index = self.ec2.by_id.get(*id);
            index.is_some_and(|index| settled.joined.contains(&self.ec2.instances[*index].spec.made_by))
        };
        let new = after.targets.difference(&before.targets).filter(|id| !joined(id));
        details.extend(new.map(|id| format!("{id} was not a target and is one")));
    }
}
