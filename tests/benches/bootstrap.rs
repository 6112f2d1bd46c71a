//! What a Lambda function costs before its step does any work: the time from the start of its process until it is
//! ready, the size of its binary, and its memory after one event. Run it with `cargo bench --bench bootstrap`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a panic shows where a benchmark cannot continue")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

const MEGABYTE: f64 = 1_000_000.0;

fn main() {
    let size = BOOTSTRAP.metadata().unwrap().len();
    let (size, memory) = (f64::from(u32::try_from(size).unwrap()) / MEGABYTE, peak_memory());
    println!("binary        {size:.1} MB (limit: 20)");
    println!("peak memory   {memory:.1} MB after an event whose call to AWS gets no answer (limit: 64)");
    assert!(size < 20.0 && memory < 64.0, "over a limit");
    println!("start to ready (limit: 25 ms):");
    divan::main();
}

/// The time from the start of the process to its first request for an event.
#[divan::bench(sample_count = 50, sample_size = 1)]
fn start_to_ready(bencher: divan::Bencher<'_, '_>) {
    let lambda = Lambda::listen();
    bencher.bench_local(|| {
        let function = lambda.start("verify");
        let request = lambda.request();
        assert!(request.line.starts_with("GET /2018-06-01/runtime/invocation/next"), "{}", request.line);
        function
    });
}

/// The peak memory, in megabytes, of a function that has tried to read its ledger. Its endpoint does not answer, so the
/// function returns an error.
fn peak_memory() -> f64 {
    let lambda = Lambda::listen();
    let function = lambda.start("verify");
    lambda.request().answer(
        r#"{"run": {"fleet": "appwrite", "id": "run-1"}, "members": "new", "check": "healthy",
            "state": {"Name": "Staying healthy", "EnteredTime": "2026-01-04T03:00:00Z", "RetryCount": 0}}"#,
    );
    let answer = lambda.request();
    assert!(answer.line.contains("/error") && answer.body.contains("Interrupted"), "{} {}", answer.line, answer.body);
    let status = std::fs::read_to_string(format!("/proc/{}/status", function.0.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / MEGABYTE
}

/// The bootstrap binary, built in release mode.
static BOOTSTRAP: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo = Command::new(env!("CARGO"));
    let built = cargo.args(["build", "--release", "--workspace", "--bin", "bootstrap"]).status().unwrap();
    assert!(built.success(), "cargo could not build the bootstrap");
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("release/bootstrap")
});

/// The part of Lambda's runtime API that a start and one event use.
struct Lambda(TcpListener);

struct Request {
    line: String,
    body: String,
    stream: TcpStream,
}

/// A function's process. Dropping this value ends it.
struct Function(Child);

impl Lambda {
    fn listen() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn start(&self, handler: &str) -> Function {
        let address = self.0.local_addr().unwrap();
        let command = Command::new(&*BOOTSTRAP)
            .env_clear()
            .envs([
                ("_HANDLER", handler),
                ("TABLE", "fleetwright"),
                ("FLEETS", "appwrite"),
                ("TARGET_GROUPS", "arn"),
                ("AWS_REGION", "eu-central-1"),
            ])
            .envs([
                ("AWS_ACCESS_KEY_ID", "a"),
                ("AWS_SECRET_ACCESS_KEY", "b"),
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ])
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "fleetwright-verify"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")])
            .envs([("AWS_LAMBDA_FUNCTION_VERSION", "1"), ("AWS_LAMBDA_LOG_GROUP_NAME", "g")])
            .envs([("AWS_LAMBDA_LOG_STREAM_NAME", "s")])
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdout(Stdio::null())
            .spawn();
        Function(command.unwrap())
    }

    fn request(&self) -> Request {
        let (stream, _) = self.0.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            if header.trim().is_empty() {
                break;
            }
            let header = header.to_lowercase();
            length = header.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        Request { line, body: String::from_utf8(body).unwrap(), stream }
    }
}

impl Request {
    fn answer(mut self, event: &str) {
        write!(
            self.stream,
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{event}",
            event.len()
        )
        .unwrap();
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
