//! Asserts that a run left exactly the members, images, tags, targets and records that it should.

use super::BuiltFleet;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The states of an upgrade that leave a record, without those of the hops.
const FORWARD: [&str; 18] = [
    "Staying healthy",
    "Match joined members",
    "Back up the data",
    "Bake",
    "Canary bakes",
    "Canary healthy",
    "Canary in",
    "Create the builder",
    "Create the members",
    "Delete outdated images",
    "Delete the builder",
    "Delete the leaving members",
    "Finish",
    "Commit",
    "Leaving out",
    "Stop the builder",
    "Take the snapshot",
    "Rest in",
];
/// The states of a rollback that leave a record.
const ROLLBACK: [&str; 5] =
    ["Delete what the run made", "Finish as rolled back", "Staying out", "Leaving healthy", "Leaving back in"];

/// The states that verify the staying members.
const VERIFYING: [&str; 5] = ["Staying healthy", "Bake", "Canary bakes", "Canary healthy", "Commit"];
/// The states of a revert that leave a record.
const REVERT: [&str; 10] = [
    "Staying healthy",
    "Match joined members",
    "Bake",
    "Create members from the kept image",
    "Delete outdated images",
    "Delete the leaving members",
    "Finish",
    "Commit",
    "Leaving out",
    "Rest in",
];

impl BuiltFleet {
    /// Asserts that the account is as an upgrade in these hops leaves it. Returns the id of the terminated builder.
    pub fn assert_upgraded(&self, run: &str, hops: &[&str], approved: bool) -> String {
        let after = self.inspect();
        let version = hops[hops.len() - 1];
        let fleet = self.item(&after, "fleet");
        let image = fleet["golden"]["image"].as_str().unwrap_or_else(|| panic!("no golden image in {fleet}"));
        assert_ne!(image, self.id("image"));
        let members = self.assert_members(&after, run, image, version);

        let terminated = self.of_this_fleet(&after["instances"], |i| !alive(i));
        let builders: Vec<_> =
            terminated.iter().copied().filter(|i| i["tags"]["fleetwright:role"] == "builder").collect();
        assert_eq!(builders.len(), 1, "{builders:#?}");
        let expected: BTreeSet<_> = strings(&self.ids["members"]).into_iter().chain(ids(&builders)).collect();
        assert_eq!(ids(&terminated), expected);
        assert_eq!(builders[0]["type"], "c6i.2xlarge");
        assert_eq!(builders[0]["tags"]["high-availability"], Value::Null);

        self.assert_made_image(&after, image, version);
        self.assert_backed_up(&after, run);
        self.assert_snapshots(&after, &[run]);
        self.assert_others_untouched(&after);

        assert_eq!(fleet["golden"], json!({"image": image, "version": version}));
        assert_eq!(fleet["images"], json!([{"image": self.id("image"), "version": "1.3.8"}]));
        assert_eq!(fleet["lock"], Value::Null);
        let record = self.item(&after, &format!("run/{run}"));
        assert_eq!((&record["phase"], &record["failure"]), (&json!({"ended": "upgraded"}), &Value::Null));
        assert_eq!(record["hops"], json!(hops));
        let before = self.item(&after, &format!("before/{run}"));
        let listed = before["members"].as_array().unwrap();
        assert_eq!(ids(&listed.iter().collect::<Vec<_>>()), strings(&self.ids["members"]));
        assert_eq!(strings(&self.item(&after, &format!("new/{run}"))["ids"]), members);
        let hops = hops.iter().map(|_| "Install and migrate");
        let steps = FORWARD.into_iter().chain(hops).chain(approved.then_some("Ask for approval"));
        self.assert_steps(&after, run, steps.map(|state| (state, "done")).collect());
        self.assert_records(&after, &[(run, &["before", "new"])]);
        ids(&builders).pop_first().unwrap()
    }

    /// Asserts that the account is as it was before a run that rolled back. `steps` are the recorded states of its
    /// forward path and their results. The backup of the data stays, and so does an image that failed its verification.
    /// Returns the recorded cause of the failure.
    pub fn assert_rolled_back(&self, run: &str, steps: &[(&str, &str)]) -> String {
        let after = self.inspect();
        assert_eq!(
            self.of_this_fleet(&after["instances"], alive),
            self.of_this_fleet(&self.before["instances"], alive)
        );
        let group = self.id("target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        let made = self.of_this_fleet(&after["instances"], |i| i["tags"]["fleetwright:run"] == run);
        let done = |state: &str| steps.contains(&(state, "done"));
        let members_were_made = done("Create the members");
        let expected = usize::from(done("Create the builder")) + if members_were_made { 3 } else { 0 };
        assert_eq!(made.len(), expected, "{made:#?}");
        self.assert_others_untouched(&after);

        let fleet = self.item(&after, "fleet");
        let record = self.item(&after, &format!("run/{run}"));
        let failed_verification = VERIFYING.iter().any(|state| steps.contains(&(state, "failed")));
        assert_eq!(record["image_failure"].is_string(), failed_verification, "{record:#}");
        if !failed_verification {
            assert_eq!(
                self.of_this_fleet(&after["images"], |_| true),
                self.of_this_fleet(&self.before["images"], |_| true)
            );
            assert_eq!(fleet["images"], json!([]));
        } else {
            let (image, why) = (record["image"].as_str().unwrap(), &record["image_failure"]);
            self.assert_made_image(&after, image, record["to"].as_str().unwrap());
            assert_eq!(fleet["images"], json!([{"image": image, "version": record["to"], "quarantine": why}]));
        }
        let backed_up = done("Back up the data");
        if backed_up {
            self.assert_backed_up(&after, run);
        }
        self.assert_snapshots(&after, &[run][..usize::from(backed_up)]);
        assert_eq!(fleet["golden"], json!({"image": self.id("image"), "version": "1.3.8"}));
        assert_eq!(fleet["lock"], Value::Null);
        assert_eq!(record["phase"], json!({"ended": "rolled-back"}));
        self.assert_steps(&after, run, steps.iter().copied().chain(ROLLBACK.map(|state| (state, "done"))).collect());
        let parts: &[&str] = if members_were_made { &["before", "new"] } else { &["before"] };
        self.assert_records(&after, &[(run, parts)]);
        record["failure"].as_str().unwrap().to_owned()
    }

    /// Asserts that the account is as the revert `run` leaves it after the run `upgrade`.
    pub fn assert_reverted(&self, run: &str, upgrade: &str) {
        let after = self.inspect();
        let (image, version) = (self.id("image"), "1.3.8");
        self.assert_members(&after, run, image, version);
        let upgraded = self.item(&after, &format!("run/{upgrade}"));
        let (from, to) = (upgraded["image"].as_str().unwrap(), upgraded["to"].as_str().unwrap());
        self.assert_made_image(&after, from, to);
        self.assert_backed_up(&after, upgrade);
        self.assert_snapshots(&after, &[upgrade]);
        self.assert_others_untouched(&after);

        let fleet = self.item(&after, "fleet");
        assert_eq!(fleet["golden"], json!({"image": image, "version": version}));
        let why = format!("run {run} reverted from it");
        assert_eq!(fleet["images"], json!([{"image": from, "version": to, "quarantine": why}]));
        assert_eq!(fleet["lock"], Value::Null);
        let record = self.item(&after, &format!("run/{run}"));
        assert_eq!((&record["phase"], &record["failure"]), (&json!({"ended": "reverted"}), &Value::Null));
        self.assert_steps(&after, run, REVERT.map(|state| (state, "done")).into());
        self.assert_records(&after, &[(upgrade, &["before", "new"]), (run, &["before", "new"])]);
    }

    /// Asserts that the restore `run` reversed the changes by hand: the fleet's resources are those in `before`, and
    /// the run `by` created its members.
    pub fn assert_restored(&self, run: &str, by: &str, before: &Value) {
        let after = self.inspect();
        let golden = &self.item(&after, "fleet")["golden"];
        self.assert_members(&after, by, golden["image"].as_str().unwrap(), golden["version"].as_str().unwrap());
        self.assert_others_untouched(&after);
        let mut current_state = self.current_state();
        // The restore itself increases these two.
        for field in ["fence", "writing"] {
            current_state["fleet"][field] = before["fleet"][field].clone();
        }
        assert_eq!(current_state, *before);
        assert_eq!(self.item(&after, &format!("run/{run}"))["phase"], json!({"ended": "restored"}));
        self.assert_steps(&after, run, ROLLBACK.map(|state| (state, "done")).into());
    }

    /// All that belongs to the fleet now: its instances that are not terminated, images, snapshots, targets, and its
    /// record.
    pub fn current_state(&self) -> Value {
        let now = self.inspect();
        json!({
            "fleet": self.item(&now, "fleet"), "images": self.of_this_fleet(&now["images"], |_| true),
            "instances": self.of_this_fleet(&now["instances"], alive),
            "snapshots": self.of_this_fleet(&now["snapshots"], |_| true),
            "targets": now["targets"][self.id("target_group")],
        })
    }

    /// The ids of the fleet's instances that are not terminated.
    pub fn living(&self) -> Vec<String> {
        ids(&self.of_this_fleet(&self.inspect()["instances"], alive)).into_iter().collect()
    }

    /// Asserts that this run created one healthy member in each zone, and that the target group has no other targets.
    /// Returns the members' ids.
    fn assert_members(&self, after: &Value, run: &str, image: &str, version: &str) -> BTreeSet<String> {
        let members = self.of_this_fleet(&after["instances"], alive);
        assert_eq!(members.len(), 3, "{members:#?}");
        for member in &members {
            let tags = json!({
                "Name": format!("{}-{version}", self.id("fleet")), "fleetwright:fleet": self.id("fleet"),
                "fleetwright:role": "member", "fleetwright:run": run, "high-availability": self.id("fleet"),
            });
            assert_eq!(member["tags"], tags);
            assert_eq!(member["state"], "running");
            assert_eq!(member["image"], image);
            assert_eq!(member["type"], "c6i.large");
            assert_eq!(member["profile"], self.id("instance_profile"));
        }
        let zones: BTreeSet<_> = members.iter().map(|member| member["zone"].as_str().unwrap()).collect();
        assert_eq!(zones, BTreeSet::from(["eu-central-1a", "eu-central-1b", "eu-central-1c"]));
        let healthy: serde_json::Map<_, _> = ids(&members).into_iter().map(|id| (id, json!("healthy"))).collect();
        assert_eq!(after["targets"][self.id("target_group")], Value::Object(healthy));
        ids(&members)
    }

    /// Asserts that the fleet has its first image and this one, and no other.
    fn assert_made_image(&self, after: &Value, image: &str, version: &str) {
        let images = self.of_this_fleet(&after["images"], |_| true);
        assert_eq!(ids(&images), BTreeSet::from([image.to_owned(), self.id("image").to_owned()]));
        let made = images.iter().find(|found| found["id"] == image).unwrap();
        assert_eq!((&made["tags"]["fleetwright:version"], &made["state"]), (&json!(version), &json!("available")));
    }

    /// The entries of a list that belong to this fleet and match.
    pub(super) fn of_this_fleet<'a>(&self, list: &'a Value, wanted: impl Fn(&Value) -> bool) -> Vec<&'a Value> {
        let of_fleet =
            list.as_array().unwrap().iter().filter(|found| found["tags"]["fleetwright:fleet"] == self.id("fleet"));
        of_fleet.filter(|found| wanted(found)).collect()
    }

    fn items<'a>(&self, state: &'a Value) -> impl Iterator<Item = &'a Value> {
        let fleet = format!("fleet/{}", self.id("fleet"));
        state["items"].as_array().unwrap().iter().filter(move |item| item["pk"] == fleet)
    }

    pub(super) fn item<'a>(&self, state: &'a Value, sk: &str) -> &'a Value {
        self.items(state).find(|item| item["sk"] == sk).unwrap_or_else(|| panic!("no {sk} in {:#}", state["items"]))
    }

    fn assert_others_untouched(&self, after: &Value) {
        let bystanders = |state: &Value| {
            let mut others = strings(&self.ids["bystanders"]);
            others.insert(self.id("data_server").to_owned());
            let instances = state["instances"].as_array().unwrap().iter();
            instances.filter(|i| others.contains(i["id"].as_str().unwrap())).cloned().collect::<Vec<_>>()
        };
        assert_eq!(bystanders(after).len(), 3);
        assert_eq!(bystanders(after), bystanders(&self.before));
        let group = self.id("bystanders_target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        // Every instance has a tag that names its owner.
        for instance in
            after["instances"].as_array().unwrap().iter().filter(|i| i["tags"]["fleetwright:fleet"].is_null())
        {
            let tags = &instance["tags"];
            let known =
                tags["service"] == "billing" || tags["Name"] == "client" || tags["fleetwright:data-of"].is_string();
            assert!(known, "{instance:#}");
        }
    }

    fn assert_steps(&self, state: &Value, run: &str, mut wanted: Vec<(&str, &str)>) {
        let steps = self.items(state).filter(|item| item["sk"].as_str().unwrap().starts_with(&format!("step/{run}/")));
        let mut steps: Vec<_> =
            steps.map(|step| (step["state"].as_str().unwrap(), step["result"].as_str().unwrap_or("failed"))).collect();
        steps.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(steps, wanted);
    }

    /// Asserts that the ledger has the fleet's record, these runs' records and their parts, and nothing else besides
    /// steps.
    fn assert_records(&self, state: &Value, runs: &[(&str, &[&str])]) {
        let mut wanted = vec!["fleet".to_owned()];
        for (run, parts) in runs {
            wanted.push(format!("run/{run}"));
            wanted.extend(parts.iter().map(|part| format!("{part}/{run}")));
        }
        wanted.sort_unstable();
        let records = self.items(state).map(|item| item["sk"].as_str().unwrap());
        let of_a_step = |sk: &str| runs.iter().any(|(run, _)| sk.starts_with(&format!("step/{run}/")));
        let mut records: Vec<_> = records.filter(|sk| !of_a_step(sk)).collect();
        records.sort_unstable();
        assert_eq!(records, wanted);
    }
}

fn alive(instance: &Value) -> bool {
    instance["state"] != "terminated" && instance["state"] != "shutting-down"
}

pub(super) fn ids(list: &[&Value]) -> BTreeSet<String> {
    list.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn strings(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}
