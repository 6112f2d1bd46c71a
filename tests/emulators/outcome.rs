//! What a run must have left of a fleet: exactly the members, images, tags, targets and records that should be there.

use super::BuiltFleet;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The states of an upgrade that leave a record, but for the hops.
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
const BACK: [&str; 5] =
    ["Delete what the run made", "Finish as rolled back", "Staying out", "Leaving healthy", "Leaving back in"];

/// Those that look at the new members.
const LOOKS: [&str; 5] = ["Staying healthy", "Bake", "Canary bakes", "Canary healthy", "Commit"];
/// Those of going back to a kept image.
const TO_A_KEPT_IMAGE: [&str; 10] = [
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
    /// Holds what is there now against what an upgrade in these hops leaves; answers the id of the builder that was.
    pub fn assert_upgraded(&self, run: &str, hops: &[&str], approved: bool) -> String {
        let after = self.inspect();
        let version = hops[hops.len() - 1];
        let fleet = self.item(&after, "fleet");
        let image = fleet["golden"]["image"].as_str().unwrap_or_else(|| panic!("no golden image in {fleet}"));
        assert_ne!(image, self.id("image"));
        let members = self.assert_members(&after, run, image, version);

        let gone = self.mine(&after["instances"], |i| !alive(i));
        let builders: Vec<_> = gone.iter().copied().filter(|i| i["tags"]["fleetwright:role"] == "builder").collect();
        assert_eq!(builders.len(), 1, "{builders:#?}");
        let old: BTreeSet<_> = strings(&self.ids["members"]).into_iter().chain(ids(&builders)).collect();
        assert_eq!(ids(&gone), old);
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

    /// Holds what is there now against what was there before a run that did these steps, of which the last may have
    /// failed, and rolled back; answers why it did. The backup of the data stays, and so does an image that failed its
    /// verification.
    pub fn assert_rolled_back(&self, run: &str, came: &[(&str, &str)]) -> String {
        let after = self.inspect();
        assert_eq!(self.mine(&after["instances"], alive), self.mine(&self.before["instances"], alive));
        let group = self.id("target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        let made = self.mine(&after["instances"], |i| i["tags"]["fleetwright:run"] == run);
        let done = |state: &str| came.contains(&(state, "done"));
        let members_were_made = done("Create the members");
        let wanted = usize::from(done("Create the builder")) + if members_were_made { 3 } else { 0 };
        assert_eq!(made.len(), wanted, "{made:#?}");
        self.assert_others_untouched(&after);

        let fleet = self.item(&after, "fleet");
        let record = self.item(&after, &format!("run/{run}"));
        let failed_its_looks = LOOKS.iter().any(|look| came.contains(&(look, "failed")));
        assert_eq!(record["image_failure"].is_string(), failed_its_looks, "{record:#}");
        if !failed_its_looks {
            assert_eq!(self.mine(&after["images"], |_| true), self.mine(&self.before["images"], |_| true));
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
        self.assert_steps(&after, run, came.iter().copied().chain(BACK.map(|state| (state, "done"))).collect());
        let parts: &[&str] = if members_were_made { &["before", "new"] } else { &["before"] };
        self.assert_records(&after, &[(run, parts)]);
        record["failure"].as_str().unwrap().to_owned()
    }

    /// Holds what is there now against what `run` leaves when it has gone back from what `upgrade` had made.
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
        self.assert_steps(&after, run, TO_A_KEPT_IMAGE.map(|state| (state, "done")).into());
        self.assert_records(&after, &[(upgrade, &["before", "new"]), (run, &["before", "new"])]);
    }

    /// Holds what is there now against what a repair leaves of a fleet that was edited by hand: it stands as it did
    /// before, with members that the run `by` had made.
    pub fn assert_restored(&self, run: &str, by: &str, before: &Value) {
        let after = self.inspect();
        let golden = &self.item(&after, "fleet")["golden"];
        self.assert_members(&after, by, golden["image"].as_str().unwrap(), golden["version"].as_str().unwrap());
        self.assert_others_untouched(&after);
        let mut standing = self.standing();
        // Lock and number of the repair's own.
        for field in ["fence", "writing"] {
            standing["fleet"][field] = before["fleet"][field].clone();
        }
        assert_eq!(standing, *before);
        assert_eq!(self.item(&after, &format!("run/{run}"))["phase"], json!({"ended": "restored"}));
        self.assert_steps(&after, run, BACK.map(|state| (state, "done")).into());
    }

    /// All that is the fleet's: its living instances, images, snapshots, targets, and its record.
    pub fn standing(&self) -> Value {
        let now = self.inspect();
        json!({
            "fleet": self.item(&now, "fleet"), "images": self.mine(&now["images"], |_| true),
            "instances": self.mine(&now["instances"], alive), "snapshots": self.mine(&now["snapshots"], |_| true),
            "targets": now["targets"][self.id("target_group")],
        })
    }

    /// The ids of its living instances.
    pub fn living(&self) -> Vec<String> {
        ids(&self.mine(&self.inspect()["instances"], alive)).into_iter().collect()
    }

    /// One member in each zone, made by this run, healthy and alone in the target group; answers their ids.
    fn assert_members(&self, after: &Value, run: &str, image: &str, version: &str) -> BTreeSet<String> {
        let members = self.mine(&after["instances"], alive);
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

    /// The fleet's images are the first one and this one.
    fn assert_made_image(&self, after: &Value, image: &str, version: &str) {
        let images = self.mine(&after["images"], |_| true);
        assert_eq!(ids(&images), BTreeSet::from([image.to_owned(), self.id("image").to_owned()]));
        let made = images.iter().find(|found| found["id"] == image).unwrap();
        assert_eq!((&made["tags"]["fleetwright:version"], &made["state"]), (&json!(version), &json!("available")));
    }

    /// What of this list is the fleet's.
    pub(super) fn mine<'a>(&self, list: &'a Value, wanted: impl Fn(&Value) -> bool) -> Vec<&'a Value> {
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
            let mut mine = strings(&self.ids["bystanders"]);
            mine.insert(self.id("data_server").to_owned());
            let instances = state["instances"].as_array().unwrap().iter();
            instances.filter(|i| mine.contains(i["id"].as_str().unwrap())).cloned().collect::<Vec<_>>()
        };
        assert_eq!(bystanders(after).len(), 3);
        assert_eq!(bystanders(after), bystanders(&self.before));
        let group = self.id("bystanders_target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        // Nothing was made that does not say whose it is.
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

    /// The fleet's record, those of these runs, and what belongs to each: nothing else.
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
