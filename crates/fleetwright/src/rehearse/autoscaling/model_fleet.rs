//! The model of a fleet: its members, and the requests that they serve second by second.

use super::world::{COLD, QUEUE_SECONDS, World};
use std::collections::BTreeMap;

/// A member of the model. Times are in seconds since the start of the trace.
#[derive(Debug, Clone)]
pub(super) struct ModelMember {
    /// Its number in launch order, from 0.
    pub n: u64,
    pub launched: i64,
    pub in_service: i64,
}

/// The fleet at one second.
pub(super) struct ModelFleet<'a> {
    world: &'a World,
    /// The members that run or are being launched, the oldest first.
    members: Vec<ModelMember>,
    launches: u64,
    /// The changes in the numbers of cold and warm members that serve, by second.
    changes: BTreeMap<i64, (i64, i64)>,
    cold: i64,
    warm: i64,
    /// The second at which the number of warm members last changed.
    pub settled: i64,
    /// The requests that wait.
    waiting: f64,
    /// The requests so far.
    pub served: Served,
    /// The seconds for which members were paid.
    pub paid_seconds: i64,
}

/// Requests by what happened to them. Late requests waited and were then served.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Served {
    pub sent: f64,
    pub late: f64,
    pub lost: f64,
}

/// The load of one second. CPU ranges from 0 to 1.
pub(super) struct Second {
    /// The mean over all members in service, which share the requests evenly.
    pub cpu: f64,
    /// The mean over the warm members, if there are any.
    pub cpu_of_warm: Option<f64>,
    /// What the members would serve at 100 %, in requests per second.
    pub capacity: f64,
}

impl<'a> ModelFleet<'a> {
    /// A fleet of `size` members that are warm from the start.
    pub(super) fn new(world: &'a World, size: u32) -> Self {
        let launched = -3600;
        let members = (0..size).map(|n| ModelMember { n: n.into(), launched, in_service: launched }).collect();
        Self {
            world,
            members,
            launches: size.into(),
            changes: BTreeMap::new(),
            cold: 0,
            warm: size.into(),
            settled: launched,
            waiting: 0.0,
            served: Served::default(),
            paid_seconds: 0,
        }
    }

    pub(super) fn members(&self) -> &[ModelMember] {
        &self.members
    }

    pub(super) fn size(&self) -> u32 {
        self.members.len() as u32
    }

    /// Launches `count` members and returns the second at which all of them are in service.
    pub(super) fn launch(&mut self, now: i64, count: u32) -> i64 {
        let mut all_in = now;
        for _ in 0..count {
            let n = self.launches;
            self.launches += 1;
            let in_service = now + self.world.until_in_service(n);
            self.change(in_service, 1, 0);
            self.change(in_service + self.world.warm_up, -1, 1);
            self.members.push(ModelMember { n, launched: now, in_service });
            all_in = all_in.max(in_service);
        }
        all_in
    }

    /// Removes `count` members, the oldest first, and returns the second at which all of them are terminated. All of them are
    /// warm, because no policy removes a member earlier.
    pub(super) fn take_out(&mut self, now: i64, count: u32) -> i64 {
        let mut all_gone = now;
        self.settled = now;
        for member in self.members.drain(..(count as usize).min(self.members.len())) {
            let gone = now + self.world.until_gone(member.n);
            self.paid_seconds += gone - member.launched.max(0);
            self.warm -= 1;
            all_gone = all_gone.max(gone);
        }
        all_gone
    }

    fn change(&mut self, at: i64, cold: i64, warm: i64) {
        let change = self.changes.entry(at).or_default();
        *change = (change.0 + cold, change.1 + warm);
    }

    /// Serves the requests of one second.
    pub(super) fn serve(&mut self, now: i64, requests: f64) -> Second {
        while let Some(due) = self.changes.first_entry().filter(|due| *due.key() <= now) {
            let (cold, warm) = due.remove();
            self.cold += cold;
            self.warm += warm;
            self.settled = if warm == 0 { self.settled } else { now };
        }
        let (cold, warm) = (self.cold as f64, self.warm as f64);
        let (of_warm, of_cold) = (self.world.per_member, self.world.per_member * COLD);
        let (members, capacity) = (cold + warm, cold * of_cold + warm * of_warm);
        let share = if members > 0.0 { (self.waiting + requests) / members } else { 0.0 };
        let served = warm * share.min(of_warm) + cold * share.min(of_cold);
        let left = (self.waiting + requests - served).max(0.0);
        // Members serve the oldest requests first. A request that waited is late, whenever it is served.
        self.served.late += self.waiting.min(served);
        self.served.sent += requests;
        let held = left.min(QUEUE_SECONDS * capacity);
        self.served.lost += left - held;
        self.waiting = held;
        let (cpu_of_warm, cpu_of_cold) = ((share / of_warm).min(1.0), (share / of_cold).min(1.0));
        Second {
            cpu: if members > 0.0 { (warm * cpu_of_warm + cold * cpu_of_cold) / members } else { 1.0 },
            cpu_of_warm: (self.warm > 0).then_some(cpu_of_warm),
            capacity,
        }
    }

    /// Ends the replay: the remaining members are paid until now, and the requests that still wait count as late.
    pub(super) fn end(&mut self, now: i64) {
        self.paid_seconds += self.members.iter().map(|member| now - member.launched.max(0)).sum::<i64>();
        self.served.late += self.waiting;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet::Config;

    /// Members that serve 10 requests per second and are warm a minute after they enter service.
    fn world() -> World {
        World::new(&Config::from_toml(include_str!("../../../../../samplconfig.toml")).unwrap(), 60, 10.0)
    }

    #[test]
    fn requests_beyond_the_capacity_wait_and_beyond_the_queue_are_lost() {
        let world = world();
        let mut model_fleet = ModelFleet::new(&world, 2);
        let load = |second: Second| (second.cpu, second.cpu_of_warm, second.capacity);
        assert_eq!(load(model_fleet.serve(0, 5.0)), (0.25, Some(0.25), 20.0));
        // 30 requests wait and are served late.
        assert_eq!(load(model_fleet.serve(1, 50.0)), (1.0, Some(1.0), 20.0));
        model_fleet.serve(2, 0.0);
        model_fleet.serve(3, 0.0);
        assert_eq!(model_fleet.served, Served { sent: 55.0, late: 30.0, lost: 0.0 });
        // The queue of two members holds 1,200 requests at most.
        model_fleet.serve(4, 2000.0);
        assert_eq!(model_fleet.served.lost, 780.0);
        model_fleet.end(5);
        assert_eq!(model_fleet.served, Served { sent: 2055.0, late: 1230.0, lost: 780.0 });
        assert_eq!(model_fleet.paid_seconds, 10);
    }

    #[test]
    fn members_take_time_to_enter_service_and_to_leave() {
        let world = world();
        let mut model_fleet = ModelFleet::new(&world, 1);
        let in_service = model_fleet.launch(0, 1);
        // It runs after 16 to 18 s, boots within 35 to 60 s more, and passes its first check within 10 s.
        assert!((51..=88).contains(&in_service), "{in_service}");
        assert_eq!(model_fleet.serve(in_service - 1, 1.0).capacity, 10.0);
        let cold = model_fleet.serve(in_service, 9.0);
        assert_eq!((cold.capacity, cold.cpu_of_warm, cold.cpu), (15.0, Some(0.45), 0.675));
        assert_eq!(model_fleet.serve(in_service + 60, 1.0).capacity, 20.0);
        let now = in_service + 100;
        let gone = model_fleet.take_out(now, 1);
        // It drains for 300 s, and terminates within 20 to 45 s.
        assert!((320..=345).contains(&(gone - now)), "{gone}");
        assert_eq!(
            (model_fleet.serve(now, 1.0).capacity, model_fleet.size(), model_fleet.paid_seconds),
            (10.0, 1, gone)
        );
    }
}
