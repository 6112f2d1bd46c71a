//! Measures state transitions per second and memory, and compares the speed with that of ministack's interpreter on the
//! same definitions. Run it with `cargo bench -p asl`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a panic shows where the benchmark failed")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use asl::{Event, Execution, Failure, Limits, Outcome, Resources, StateMachine, Task};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

#[path = "../../../tests/emulators/python.rs"]
#[expect(dead_code, reason = "sam is not needed here")]
mod python;

/// Rounds of the loop. ministack takes seconds for this number.
const ROUNDS: u64 = 10_000;
const ITEMS: u64 = 10_000;
/// Runs of each measurement, of which the fastest counts: other load on the machine makes a run slower, never faster.
const RUNS: u32 = 10;
/// One run of the Map takes ministack half a minute, as it copies the execution's input for each item.
const MINISTACK_RUNS: u32 = 3;

fn main() {
    let mut ministack = Ministack::start();
    println!("{:<32}{:>14}{:>14}{:>9}  (target: 100 times)", "transitions per second", "asl", "ministack", "times");
    let items: Vec<u64> = (0..ITEMS).collect();
    let measured = [
        ("Pass/Choice loop", counting_loop(), json!({"n": 0, "end": ROUNDS})),
        ("Map of 10,000 items", map(), json!({"items": items})),
    ];
    for (name, definition, input) in &measured {
        let ministack_seconds =
            (0..MINISTACK_RUNS).map(|_| ministack.seconds(definition, input)).fold(f64::INFINITY, f64::min);
        for (history, keep) in [("", false), (", history kept", true)] {
            let (seconds, transitions) = best(definition, input, keep);
            let (asl_rate, ministack_rate) = (transitions as f64 / seconds, transitions as f64 / ministack_seconds);
            println!(
                "{:<32}{asl_rate:>14.0}{ministack_rate:>14.0}{:>9.0}",
                format!("{name}{history}"),
                asl_rate / ministack_rate
            );
        }
    }
    memory();
}

/// Counts up to a number, with two transitions in each round.
fn counting_loop() -> Value {
    json!({"StartAt": "Add", "States": {
        "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)", "end.$": "$.end"}, "Next": "Enough"},
        "Enough": {"Type": "Choice", "Default": "Done",
            "Choices": [{"Variable": "$.n", "NumericLessThanPath": "$.end", "Next": "Add"}]},
        "Done": {"Type": "Succeed"},
    }})
}

/// Runs as many iterations at a time as the service does.
fn map() -> Value {
    json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": 40, "End": true,
        "ItemSelector": {"index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value"},
        "ItemProcessor": {"StartAt": "One", "States": {"One": {"Type": "Pass", "OutputPath": "$.value", "End": true}}},
    }}})
}

/// The seconds and the transitions of the fastest run.
fn best(definition: &Value, input: &Value, keep: bool) -> (f64, u64) {
    let machine = StateMachine::parse(&definition.to_string()).unwrap();
    let run = || {
        let mut kept: Vec<Event> = Vec::new();
        let start = Instant::now();
        let transitions = run(&machine, input, &mut |event| {
            if keep {
                kept.push(event.clone());
            }
        });
        (start.elapsed().as_secs_f64(), transitions)
    };
    (0..RUNS).map(|_| run()).min_by(|one, other| one.0.total_cmp(&other.0)).unwrap()
}

fn run(machine: &StateMachine, input: &Value, observer: &mut dyn FnMut(&Event)) -> u64 {
    let execution = Execution {
        name: "run".to_owned(),
        id: "arn:aws:states:us-east-1:123456789012:execution:M:run".to_owned(),
        role: "arn:aws:iam::123456789012:role/r".to_owned(),
        state_machine: "M".to_owned(),
        state_machine_id: "arn:aws:states:us-east-1:123456789012:stateMachine:M".to_owned(),
        input: input.clone(),
        started: "2026-01-02T03:04:05Z".parse().unwrap(),
        limits: Limits { history_events: u64::MAX, ..Limits::default() },
    };
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let finished = clock.block_on(asl::run(machine, execution, &NoTasks, observer));
    assert!(matches!(finished.outcome, Outcome::Succeeded(_)), "{:?}", finished.outcome);
    finished.transitions
}

/// The definitions here have no Task states.
struct NoTasks;

impl Resources for NoTasks {
    fn call<'a>(&'a self, task: Task) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        panic!("the benchmark has no Task state, but {} calls a task", task.state)
    }
}

/// Prints this process's peak memory after executions of different lengths, without their history.
fn memory() {
    let machine = StateMachine::parse(&counting_loop().to_string()).unwrap();
    println!("peak memory, history not kept:");
    for rounds in [100_000_u64, 1_000_000] {
        run(&machine, &json!({"n": 0, "end": rounds}), &mut |_| {});
        println!(
            "{:>10} transitions: {}",
            rounds * 2 + 1,
            peak_memory().as_deref().unwrap_or("not reported by this system")
        );
    }
}

fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}

/// ministack's interpreter, in its own Python process.
struct Ministack {
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Ministack {
    fn start() -> Ministack {
        let mut command = python::python("../crates/asl/benches/interpreter.py");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Ministack { process, stdin, stdout }
    }

    fn seconds(&mut self, definition: &Value, input: &Value) -> f64 {
        writeln!(self.stdin.as_ref().unwrap(), "{}", json!({"definition": definition, "input": input})).unwrap();
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["seconds"].as_f64().unwrap()
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // The process ends when its standard input ends.
        drop(self.stdin.take());
        let _ = self.process.wait();
    }
}

/// The path of a file in the repository. The module `python` requires this function.
fn file(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
