//! The simulator's faults outside of it: a proxy between the steps and the emulators, which hands each call on to the
//! one that serves it, and lets faults strike: `Fault::on("CreateImage").nth(2).answer_lost()`.
//!
//! A proxy sees connections, not processes. So it knows the faults of a call (error, throttle, answer lost, slow) and
//! refuses those of a process or of the world. The place that [`On::at`](simulator::faults::On::at) names is what the
//! caller calls itself in its user agent.

mod call;
mod fixture;
mod refusal;
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

/// A proxy that runs. It is gone, with every answer that it still holds back, when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    desk: Arc<Desk>,
    runtime: Runtime,
}

/// What all connections share.
struct Desk {
    emulators: Emulators,
    client: Client<HttpConnector, Full<Bytes>>,
    books: Mutex<Books>,
}

/// The addresses of what serves the calls.
pub struct Emulators {
    /// Systems Manager's.
    pub ssm: String,
    /// Every other service's.
    pub others: String,
}

struct Books {
    faults: Faults,
    calls: Vec<Call>,
    /// What ought not to happen between a step and an emulator, whatever the faults.
    problems: Vec<String>,
}

/// What goes back; with an error the connection ends without an answer.
type Answer = io::Result<Response<Full<Bytes>>>;

impl Proxy {
    /// Starts one on a free port.
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
        let books = Books { faults: Faults::new(faults.to_vec()), calls: Vec::new(), problems: Vec::new() };
        let client = Client::builder(TokioExecutor::new()).build_http();
        let desk = Arc::new(Desk { emulators, client, books: Mutex::new(books) });
        let address = listener.local_addr().unwrap();
        runtime.spawn(listen(listener, Arc::clone(&desk)));
        Self { address, desk, runtime }
    }

    /// Its address, which is that of every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A runtime in real time for whoever calls.
    pub fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Every call so far, in order, whatever became of it.
    pub fn calls(&self) -> Vec<Call> {
        self.desk.books.lock().unwrap().calls.clone()
    }

    /// Each of the faults that it was started with has struck, and nothing else went wrong here.
    #[track_caller]
    pub fn assert_struck(&self, faults: &[Fault]) {
        let books = self.desk.books.lock().unwrap();
        let struck: Vec<_> = books.faults.struck().collect();
        assert_eq!(struck.len(), faults.len());
        let missed = faults.iter().zip(struck).filter(|(_, struck)| !struck);
        let missed: Vec<_> = missed.map(|(fault, _)| fault.to_string()).collect();
        assert!(missed.is_empty(), "these found no call: {missed:#?}\nof {:#?}", books.calls);
        assert!(books.problems.is_empty(), "{:#?}", books.problems);
    }
}

async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let desk = Arc::clone(&desk);
        tokio::spawn(async move {
            let answer = service_fn(|request| desk.answer(request));
            // A connection that ends early is a fault's doing, or the caller's.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        // Who sends half a request has gone away.
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let Some(call) = Call::read(&head.headers, head.uri.path(), &body) else {
            return Ok(self.problem(format!("{} {} is no call to AWS that is known here", head.method, head.uri)));
        };
        let effect = self.strike(&call);
        match &effect {
            Some(Effect::Error(code)) => return Ok(refusal::refused(call.service, code)),
            Some(Effect::Throttle) => return Ok(refusal::throttled(call.service)),
            _ => {}
        }
        let answer = self.hand_on(&call, Request::from_parts(head, Full::new(body))).await;
        match effect {
            Some(Effect::AnswerLost) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(Effect::Slow(by)) => tokio::time::sleep(by).await,
            _ => {}
        }
        Ok(answer)
    }

    /// Notes a call, and says what strikes it.
    fn strike(&self, call: &Call) -> Option<Effect> {
        let mut books = self.books.lock().unwrap();
        books.calls.push(call.clone());
        // Which function calls is not on the wire.
        let caller = Caller { run: String::new(), function: String::new() };
        books.faults.strike(&call.operation, &caller, Some(&call.place))
    }

    async fn hand_on(&self, call: &Call, mut request: Request<Full<Bytes>>) -> Response<Full<Bytes>> {
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
        // The body goes back whole.
        head.headers.remove(CONNECTION);
        head.headers.remove(TRANSFER_ENCODING);
        Response::from_parts(head, Full::new(body))
    }

    /// An answer that no step takes for one of AWS's; the test fails at its end.
    fn problem(&self, what: String) -> Response<Full<Bytes>> {
        let mut answer = Response::new(Full::from(what.clone()));
        *answer.status_mut() = StatusCode::NOT_IMPLEMENTED;
        self.books.lock().unwrap().problems.push(what);
        answer
    }
}
