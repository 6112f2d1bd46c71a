//! A proxy between the steps and the emulators. It forwards each call to the emulator of its service and injects the
//! simulator's faults, such as `Fault::on("CreateImage").nth(2).answer_lost()`.
//!
//! A proxy sees connections, not processes. So it can inject the faults of a call (error, throttle, answer lost, slow)
//! and panics on faults of a process or of the world. The place in [`On::at`](simulator::faults::On::at) is the
//! application name in the caller's user agent.

mod call;
mod error_response;
mod fixture;
mod tests;
mod upgrades;

pub use call::{Call, Service};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use simulator::Caller;
use simulator::faults::{Effect, Fault, Faults};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};

/// A running proxy. Dropping it ends it, with every answer that it still delays.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Runtime,
}

/// What all connections share.
struct Shared {
    emulators: Emulators,
    client: Client<HttpConnector, Full<Bytes>>,
    log: Mutex<Log>,
}

/// The addresses of the emulators.
pub struct Emulators {
    /// The emulator of Systems Manager.
    pub ssm: String,
    /// The emulator of every other service.
    pub others: String,
}

struct Log {
    faults: Faults,
    calls: Vec<Call>,
    /// Problems that no fault explains, such as an unknown call or an emulator that does not answer.
    problems: Vec<String>,
}

/// The answer to a call. An error closes the connection without an answer.
type Answer = io::Result<Response<Full<Bytes>>>;

impl Proxy {
    /// Starts a proxy on a free port.
    pub fn start(emulators: Emulators, faults: &[Fault]) -> Self {
        for fault in faults {
            let known = matches!(
                fault.effect(),
                Some(Effect::Error(_) | Effect::Throttle | Effect::AnswerLost | Effect::Slow(_))
            );
            assert!(known, "a proxy cannot do this: {fault}");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let log = Log { faults: Faults::new(faults.to_vec()), calls: Vec::new(), problems: Vec::new() };
        let client = Client::builder(TokioExecutor::new()).build_http();
        let shared = Arc::new(Shared { emulators, client, log: Mutex::new(log) });
        let address = listener.local_addr().unwrap();
        runtime.spawn(listen(listener, Arc::clone(&shared)));
        Self { address, shared, runtime }
    }

    /// The proxy's address, the endpoint of every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A runtime in real time for the proxy's callers.
    pub fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Every call so far, in order, with or without a fault.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.log.lock().unwrap().calls.clone()
    }

    /// Asserts that each fault of this proxy was injected, and that nothing else went wrong in it.
    #[track_caller]
    pub fn assert_struck(&self, faults: &[Fault]) {
        let log = self.shared.log.lock().unwrap();
        let struck: Vec<_> = log.faults.struck().collect();
        assert_eq!(struck.len(), faults.len());
        let missed = faults.iter().zip(struck).filter(|(_, struck)| !struck);
        let missed: Vec<_> = missed.map(|(fault, _)| fault.to_string()).collect();
        assert!(missed.is_empty(), "these found no call: {missed:#?}\nof {:#?}", log.calls);
        assert!(log.problems.is_empty(), "{:#?}", log.problems);
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let answer = service_fn(|request| shared.answer(request));
            // A connection ends early because of a fault, or because the caller closes it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        // A caller that sends half a request has closed the connection.
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let Some(call) = Call::read(&head.headers, head.uri.path(), &body) else {
            return Ok(self.problem(format!("{} {} is not a call that this proxy knows", head.method, head.uri)));
        };
        let effect = self.strike(&call);
        match &effect {
            Some(Effect::Error(code)) => return Ok(error_response::error(call.service, code)),
            Some(Effect::Throttle) => return Ok(error_response::throttled(call.service)),
            _ => {}
        }
        let answer = self.forward(&call, Request::from_parts(head, Full::new(body))).await;
        match effect {
            Some(Effect::AnswerLost) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Effect::Slow(by)) => tokio::time::sleep(by).await,
            _ => {}
        }
        Ok(answer)
    }

    /// Records a call and returns the effect of the fault that it meets.
    fn strike(&self, call: &Call) -> Option<Effect> {
        let mut log = self.log.lock().unwrap();
        log.calls.push(call.clone());
        // A request does not show which function sent it.
        let caller = Caller { run: String::new(), function: String::new() };
        log.faults.strike(&call.operation, &caller, Some(&call.place))
    }

    async fn forward(&self, call: &Call, mut request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
        let emulator =
            if call.service == Service::SystemsManager { &self.emulators.ssm } else { &self.emulators.others };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = format!("{emulator}{path}").parse::<Uri>().unwrap();
        request.headers_mut().remove(HOST);
        request.headers_mut().remove(CONNECTION);
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) => return self.problem(format!("{call:?} got no answer from {emulator}: {error:?}")),
        };
        let (mut head, body) = answer.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return self.problem(format!("{call:?} got half an answer from {emulator}: {error:?}")),
        };
        // The body was read whole, so these headers no longer describe it.
        head.headers.remove(CONNECTION);
        head.headers.remove(TRANSFER_ENCODING);
        Response::from_parts(head, Full::new(body))
    }

    /// Records a problem, which fails the test at its end. Returns an answer that no step takes for one of AWS.
    fn problem(&self, what: String) -> Response<Full<Bytes>> {
        let mut answer = Response::new(Full::from(what.clone()));
        *answer.status_mut() = StatusCode::NOT_IMPLEMENTED;
        self.log.lock().unwrap().problems.push(what);
        answer
    }
}
