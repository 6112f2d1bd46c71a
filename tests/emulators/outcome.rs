//! What a run must have left of a fleet: exactly the members, images, tags, targets and records that should be there.

use super::BuiltFleet;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The states of an upgrade that leave a record, but for the hops.
const FORWARD: [&str; 15] = [
    "All healthy",
    "Bake",
    "Canary bakes",
    "Canary healthy",
    "Canary in",
    "Create the builder",
    "Create the new members",
    "Delete the builder",
    "Delete the old members",
    "Finish",
    "Last look",
    "Old out",
    "Stop the builder",
    "Take the snapshot",
    "The rest in",
];
const BACK: [&str; 5] = ["Delete what the run made", "Finish as rolled back", "New out", "Old healthy", "Old in"];

impl BuiltFleet {
    /// Holds what is there now against what an upgrade in these hops leaves; answers the id of the builder that was.
    pub fn assert_upgraded(&self, run: &str, hops: &[&str], approved: bool) -> String {
        let after = self.inspect();
        let version = hops[hops.len() - 1];
        let fleet = self.item(&after, "fleet");
        let image = fleet["golden"]["image"].as_str().unwrap_or_else(|| panic!("no golden image in {fleet}"));
        assert_ne!(image, self.id("image"));

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

        let gone = self.mine(&after["instances"], |i| !alive(i));
        let builders: Vec<_> = gone.iter().copied().filter(|i| i["tags"]["fleetwright:role"] == "builder").collect();
        assert_eq!(builders.len(), 1, "{builders:#?}");
        let old: BTreeSet<_> = strings(&self.ids["members"]).into_iter().chain(ids(&builders)).collect();
        assert_eq!(ids(&gone), old);
        assert_eq!(builders[0]["type"], "c6i.2xlarge");
        assert_eq!(builders[0]["tags"]["high-availability"], Value::Null);

        let images = self.mine(&after["images"], |_| true);
        assert_eq!(ids(&images), BTreeSet::from([image.to_owned(), self.id("image").to_owned()]));
        let made = images.iter().find(|found| found["id"] == image).unwrap();
        assert_eq!((&made["tags"]["fleetwright:version"], &made["state"]), (&json!(version), &json!("available")));
        let snapshots: BTreeSet<_> = images.iter().flat_map(|image| strings(&image["snapshots"])).collect();
        assert_eq!(ids(&self.mine(&after["snapshots"], |_| true)), snapshots);
        self.assert_others_untouched(&after);

        assert_eq!(fleet["golden"], json!({"image": image, "version": version}));
        assert_eq!(fleet["previous"], json!({"image": self.id("image"), "version": "1.3.8"}));
        assert_eq!(fleet["lock"], Value::Null);
        let record = self.item(&after, &format!("run/{run}"));
        assert_eq!((&record["phase"], &record["failure"]), (&json!({"ended": "upgraded"}), &Value::Null));
        assert_eq!(record["hops"], json!(hops));
        let before = self.item(&after, &format!("before/{run}"));
        let listed: Value = serde_json::from_str(before["members"].as_str().unwrap()).unwrap();
        assert_eq!(ids(&listed.as_array().unwrap().iter().collect::<Vec<_>>()), strings(&self.ids["members"]));
        let listed: Value =
            serde_json::from_str(self.item(&after, &format!("new/{run}"))["ids"].as_str().unwrap()).unwrap();
        assert_eq!(strings(&listed), ids(&members));
        let hops = hops.iter().map(|_| "Install and migrate");
        let steps = FORWARD.into_iter().chain(hops).chain(approved.then_some("Ask for approval"));
        self.assert_steps(&after, run, steps.map(|state| (state, "done")).collect());
        self.assert_records(&after, run, &["before", "new"]);
        ids(&builders).pop_first().unwrap()
    }

    /// Holds what is there now against what was there before a run that did these steps, of which the last may have
    /// failed, and rolled back; answers why it did.
    pub fn assert_rolled_back(&self, run: &str, came: &[(&str, &str)]) -> String {
        let after = self.inspect();
        assert_eq!(self.mine(&after["instances"], alive), self.mine(&self.before["instances"], alive));
        for what in ["images", "snapshots"] {
            assert_eq!(self.mine(&after[what], |_| true), self.mine(&self.before[what], |_| true), "{what}");
        }
        let group = self.id("target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        let made = self.mine(&after["instances"], |i| i["tags"]["fleetwright:run"] == run);
        let done = |state: &str| came.contains(&(state, "done"));
        let members_were_made = done("Create the new members");
        let wanted = usize::from(done("Create the builder")) + if members_were_made { 3 } else { 0 };
        assert_eq!(made.len(), wanted, "{made:#?}");
        self.assert_others_untouched(&after);

        let fleet = self.item(&after, "fleet");
        assert_eq!(fleet["golden"], json!({"image": self.id("image"), "version": "1.3.8"}));
        assert_eq!((&fleet["lock"], &fleet["previous"]), (&Value::Null, &Value::Null));
        let record = self.item(&after, &format!("run/{run}"));
        assert_eq!(record["phase"], json!({"ended": "rolled-back"}));
        self.assert_steps(&after, run, came.iter().copied().chain(BACK.map(|state| (state, "done"))).collect());
        let parts: &[&str] = if members_were_made { &["before", "new"] } else { &["before"] };
        self.assert_records(&after, run, parts);
        record["failure"].as_str().unwrap().to_owned()
    }

    /// What of this list is the fleet's.
    fn mine<'a>(&self, list: &'a Value, wanted: impl Fn(&Value) -> bool) -> Vec<&'a Value> {
        let of_fleet =
            list.as_array().unwrap().iter().filter(|found| found["tags"]["fleetwright:fleet"] == self.id("fleet"));
        of_fleet.filter(|found| wanted(found)).collect()
    }

    fn items<'a>(&self, state: &'a Value) -> impl Iterator<Item = &'a Value> {
        let fleet = format!("fleet/{}", self.id("fleet"));
        state["items"].as_array().unwrap().iter().filter(move |item| item["pk"] == fleet)
    }

    fn item<'a>(&self, state: &'a Value, sk: &str) -> &'a Value {
        self.items(state).find(|item| item["sk"] == sk).unwrap_or_else(|| panic!("no {sk} in {:#}", state["items"]))
    }

    fn assert_others_untouched(&self, after: &Value) {
        let bystanders = |state: &Value| {
            let mine = strings(&self.ids["bystanders"]);
            let instances = state["instances"].as_array().unwrap().iter();
            instances.filter(|i| mine.contains(i["id"].as_str().unwrap())).cloned().collect::<Vec<_>>()
        };
        assert_eq!(bystanders(after).len(), 2);
        assert_eq!(bystanders(after), bystanders(&self.before));
        let group = self.id("bystanders_target_group");
        assert_eq!(after["targets"][group], self.before["targets"][group]);
        // Nothing was made that does not say whose it is.
        for instance in
            after["instances"].as_array().unwrap().iter().filter(|i| i["tags"]["fleetwright:fleet"].is_null())
        {
            assert!(instance["tags"]["service"] == "billing" || instance["tags"]["Name"] == "client", "{instance:#}");
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

    /// The fleet's record, this run's, and what belongs to it: nothing else.
    fn assert_records(&self, state: &Value, run: &str, parts: &[&str]) {
        let mut wanted: Vec<_> = parts.iter().map(|part| format!("{part}/{run}")).collect();
        wanted.extend(["fleet".to_owned(), format!("run/{run}")]);
        wanted.sort_unstable();
        let records = self.items(state).map(|item| item["sk"].as_str().unwrap());
        let mut records: Vec<_> = records.filter(|sk| !sk.starts_with(&format!("step/{run}/"))).collect();
        records.sort_unstable();
        assert_eq!(records, wanted);
    }
}

fn alive(instance: &Value) -> bool {
    instance["state"] != "terminated" && instance["state"] != "shutting-down"
}

fn ids(list: &[&Value]) -> BTreeSet<String> {
    list.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
}

fn strings(list: &Value) -> BTreeSet<String> {
    list.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}
