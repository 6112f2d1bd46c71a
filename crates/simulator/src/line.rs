//! A line that is put through from one world to another, since the clients at its end are dearer to make than a world is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::door::Door;
use crate::{Caller, Simulator};

/// A line. Clones are handles on the same one.
#[derive(Clone, Debug)]
pub struct Line(Arc<Mutex<End>>);

/// Where a line leads.
#[derive(Clone, Debug)]
struct End {
    door: Door,
    /// The run on whose behalf its functions call.
    run: Arc<str>,
}

impl Line {
    /// A line to `simulator` for the functions of `run`.
    #[must_use]
    pub fn to(simulator: &Simulator, run: &str) -> Line {
        Line(Arc::new(Mutex::new(End { door: simulator.door.clone(), run: run.into() })))
    }

    /// From now on it leads there.
    pub fn dispatch(&self, simulator: &Simulator, run: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = End { door: simulator.door.clone(), run: run.into() };
    }

    /// The HTTP client that the SDK clients of `function` use.
    #[must_use]
    pub fn http_client(&self, function: &str) -> SharedHttpClient {
        SharedHttpClient::new(Extension { line: self.clone(), function: function.into() })
    }

    /// The virtual wall clock at its end, for the SDK.
    #[must_use]
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(self.clone())
    }

    fn end(&self) -> End {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TimeSource for Line {
    fn now(&self) -> SystemTime {
        self.end().door.clock.now()
    }
}

/// The line as one function has it.
#[derive(Clone, Debug)]
struct Extension {
    line: Line,
    function: Arc<str>,
}

impl HttpConnector for Extension {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let End { door, run } = self.line.end();
        let caller = Arc::new(Caller { run: run.to_string(), function: self.function.to_string() });
        HttpConnectorFuture::new(async move { door.pass(&caller, request).await })
    }
}

impl HttpClient for Extension {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
