//! Finds what is wrong with a fleet, and what corrects it.
//!
//! `fleetwright doctor` prints the findings. A rehearsal requires that there are none after a run.

use crate::{FleetRecord, Health, Inventory, Observed, Place, Tagged};
use serde::Serialize;

/// Something that is wrong with a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong, with the id of the resource.
    pub what: String,
    /// What corrects it.
    pub remedy: Remedy,
}

/// What corrects a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// `fleetwright repair` corrects it.
    Repair,
    /// An operator must do this.
    Person(String),
}

/// Finds what is wrong with a fleet that no run holds. `left_by` are the members that the last run left in service.
pub fn diagnose(record: &FleetRecord, observed: &Observed, left_by: &[crate::InstanceId]) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.about_the_whole(record, observed);
    for member in &observed.tagged {
        findings.about_tagged(record, member);
    }
    for target in &observed.untagged_targets {
        let known = observed.inventory.iter().flat_map(|inventory| &inventory.instances).any(|one| one.id == *target);
        if !known {
            findings.person(
                format!("{target} is registered with the target group but does not belong to the fleet"),
                "deregister it, or give it the fleet tag and the load-balancer tag",
            );
        }
    }
    for gone in left_by.iter().filter(|id| observed.tagged.iter().all(|member| member.id != **id)) {
        findings.person(
            format!("{gone} was a member when the last run ended, but no longer carries the load-balancer tag"),
            "if it is gone for good, replace it: an upgrade creates as many members as it finds",
        );
    }
    if let Some(inventory) = &observed.inventory {
        findings.about_the_rest(record, inventory);
    }
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn person(&mut self, what: String, remedy: &str) {
        self.0.push(Finding { what, remedy: Remedy::Person(remedy.to_owned()) });
    }

    fn repair(&mut self, what: String) {
        self.0.push(Finding { what, remedy: Remedy::Repair });
    }

    fn about_the_whole(&mut self, record: &FleetRecord, observed: &Observed) {
        if let Some(why) = &observed.out_of_scope {
            self.person(why.clone(), "update the stack's parameters with 'sam deploy --guided'");
        }
        match (&record.golden, &observed.image_problem) {
            (None, _) => self.person(
                "the fleet has no golden image to clone members from".to_owned(),
                "take one of a member with 'fleetwright golden-image'",
            ),
            (Some(golden), Some(problem)) => self.person(
                format!("the golden image {} {problem}", golden.image),
                "revert to a kept image with 'fleetwright revert', or take one of a member with 'fleetwright golden-image'",
            ),
            (Some(_), None) => {}
        }
        if let Some(alarm) = &observed.alarm {
            self.person(
                format!("alarm '{}' {}", alarm.name, alarm.problem),
                "an upgrade requires that the alarms of upgrade.alarms exist and are not raised",
            );
        }
        if observed.tagged.is_empty() {
            let tag = &record.config.fleet.load_balancer_tag;
            self.person(format!("no instance carries {tag}"), "tag the fleet's members");
        }
    }

    fn about_tagged(&mut self, record: &FleetRecord, member: &Tagged) {
        let id = &member.id;
        match &member.fleet {
            Some(fleet) if fleet == record.name().as_str() => {}
            owner => {
                let owner = owner.as_deref().map_or("no fleet".to_owned(), |owner| format!("fleet {owner}"));
                self.person(
                    format!("{id} carries the load-balancer tag but belongs to {owner}"),
                    "give every fleet a load-balancer tag of its own",
                );
                return;
            }
        }
        if !member.running {
            self.person(format!("member {id} is not running"), "start it, or terminate it");
            return;
        }
        match &member.health {
            Health::Healthy | Health::Initial => {}
            Health::Out | Health::Draining => {
                self.repair(format!("member {id} carries the load-balancer tag but receives no traffic"));
            }
            Health::Unhealthy(why) => self.person(format!("member {id} is unhealthy ({why})"), "inspect the instance"),
        }
        if record.golden.as_ref().is_some_and(|golden| !golden.has_member_of(&member.image)) {
            let quarantined = record.images.iter().find(|kept| kept.image == member.image);
            let why = quarantined.and_then(|kept| kept.quarantine.as_deref());
            let why = why.map(|why| format!(", which is in quarantine: {why}")).unwrap_or_default();
            self.person(
                format!("member {id} is a clone of {}, not of the golden image{why}", member.image),
                "replace it with an upgrade or a revert",
            );
        }
    }

    fn about_the_rest(&mut self, record: &FleetRecord, inventory: &Inventory) {
        for one in &inventory.instances {
            let id = &one.id;
            match one.place(record.golden.as_ref()) {
                Place::Member if one.tagged => {}
                Place::Member => self.repair(format!("{id} is a clone of the golden image but receives no traffic")),
                Place::LeftOver => {
                    let run = one.run.as_ref().map(ToString::to_string).unwrap_or_default();
                    let what = one.role.map_or("instance", crate::Role::as_str);
                    self.repair(format!("{what} {id} is a left-over of run {run}"));
                }
                // Already reported as a tagged instance.
                Place::Unclear if one.tagged => {}
                Place::Unclear => self.person(
                    format!("{id} carries the fleet tag but is neither a member nor a left-over of a run"),
                    "start it and give it the load-balancer tag, or remove its fleet tag",
                ),
            }
        }
        for image in inventory.left_over_images(record) {
            self.repair(format!("image {} is a left-over of run {}", image.id, image.run));
        }
        for snapshot in inventory.orphaned_snapshots() {
            self.person(
                format!(
                    "snapshot {} belongs to the image of run {}, which no longer exists",
                    snapshot.id, snapshot.run
                ),
                "delete it with 'aws ec2 delete-snapshot'",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, FleetInstance, MadeImage, MadeSnapshot, Role, Span};

    fn record() -> FleetRecord {
        FleetRecord::new(Config::from_toml(include_str!("../../../samplconfig.toml")).unwrap())
    }

    /// A fleet of two members, with nothing wrong.
    fn observed(record: &FleetRecord) -> Observed {
        let ids = ["i-00000001", "i-00000002"];
        let tagged = ids.map(|id| Tagged {
            id: id.parse().unwrap(),
            image: record.golden.as_ref().unwrap().image.clone(),
            zone: "eu-central-1a".parse().unwrap(),
            running: true,
            fleet: Some("appwrite".to_owned()),
            health: Health::Healthy,
            launched: None,
            run: None,
        });
        let instances = tagged.iter().map(|one| FleetInstance {
            id: one.id.clone(),
            image: one.image.clone(),
            zone: one.zone.clone(),
            running: true,
            tagged: true,
            health: Health::Healthy,
            role: None,
            run: None,
        });
        let inventory = Inventory { instances: instances.collect(), images: Vec::new(), snapshots: Vec::new() };
        Observed {
            tagged: tagged.to_vec(),
            untagged_targets: Vec::new(),
            alarm: None,
            out_of_scope: None,
            image_problem: None,
            drain: Span::seconds(300),
            inventory: Some(inventory),
        }
    }

    #[test]
    fn a_fleet_with_nothing_wrong_has_no_findings() {
        let record = record();
        let left_by = ["i-00000001".parse().unwrap()];
        assert_eq!(diagnose(&record, &observed(&record), &left_by), []);
    }

    #[test]
    fn each_deviation_is_found_with_its_id() {
        let record = record();
        type Edit = fn(&mut Observed);
        let cases: [(Edit, &str, bool); 10] = [
            (|o| o.tagged[1].health = Health::Out, "member i-00000002 carries the load-balancer tag", true),
            (|o| o.tagged[1].health = Health::Unhealthy("503".to_owned()), "i-00000002 is unhealthy (503)", false),
            (|o| o.tagged[0].running = false, "member i-00000001 is not running", false),
            (|o| o.tagged[0].fleet = None, "i-00000001 carries the load-balancer tag but belongs to no fleet", false),
            (|o| o.tagged[0].image = "ami-0000000f".parse().unwrap(), "clone of ami-0000000f", false),
            (|o| o.untagged_targets.push("i-0000000f".parse().unwrap()), "i-0000000f is registered", false),
            (|o| drop(o.tagged.remove(1)), "i-00000002 was a member when the last run ended", false),
            (
                |o| {
                    let one = &mut o.inventory.as_mut().unwrap().instances[1];
                    (one.role, one.tagged, one.run) = (Some(Role::Builder), false, Some("run-7".parse().unwrap()));
                },
                "builder i-00000002 is a left-over of run run-7",
                true,
            ),
            (
                |o| {
                    let image = MadeImage { id: "ami-0000000f".parse().unwrap(), run: "run-7".parse().unwrap() };
                    o.inventory.as_mut().unwrap().images.push(image);
                },
                "image ami-0000000f is a left-over of run run-7",
                true,
            ),
            (
                |o| {
                    let inventory = o.inventory.as_mut().unwrap();
                    let snapshot =
                        |id: &str, run: &str| MadeSnapshot { id: id.parse().unwrap(), run: run.parse().unwrap() };
                    inventory.snapshots = vec![snapshot("snap-0000000e", "run-6"), snapshot("snap-0000000f", "run-7")];
                    inventory
                        .images
                        .push(MadeImage { id: "ami-0000000e".parse().unwrap(), run: "run-6".parse().unwrap() });
                },
                "snapshot snap-0000000f belongs to the image of run run-7",
                false,
            ),
        ];
        for (edit, what, repaired) in cases {
            let mut observed = observed(&record);
            edit(&mut observed);
            let left_by = ["i-00000002".parse().unwrap()];
            let found = diagnose(&record, &observed, &left_by);
            let finding = found.iter().find(|finding| finding.what.contains(what));
            let finding = finding.unwrap_or_else(|| panic!("{what}: {found:?}"));
            assert_eq!(finding.remedy == Remedy::Repair, repaired, "{what}");
        }
    }
}
