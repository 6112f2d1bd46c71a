//! A switch between the endpoints of several simulated AWSs. One set of SDK clients serves one rehearsal after another,
//! because making clients costs more than making a world.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::Endpoint;
use crate::{Caller, Simulator};

/// A connection to an endpoint that can be switched to another endpoint. Clones share the connection.
#[derive(Clone, Debug)]
pub struct EndpointSwitch(Arc<Mutex<Destination>>);

/// The endpoint that a switch leads to.
#[derive(Clone, Debug)]
struct Destination {
    endpoint: Endpoint,
    /// The run that the caller acts for.
    run: Arc<str>,
}

impl EndpointSwitch {
    /// Connects the functions of `run` to `simulator`.
    #[must_use]
    pub fn to(simulator: &Simulator, run: &str) -> EndpointSwitch {
        EndpointSwitch(Arc::new(Mutex::new(Destination { endpoint: simulator.endpoint.clone(), run: run.into() })))
    }

    /// Connects to another simulator. Later calls act for `run`.
    pub fn switch_to(&self, simulator: &Simulator, run: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Destination { endpoint: simulator.endpoint.clone(), run: run.into() };
    }

    /// The HTTP client for the SDK clients of `function`.
    #[must_use]
    pub fn http_client(&self, function: &str) -> SharedHttpClient {
        SharedHttpClient::new(SwitchConnector { switch: self.clone(), function: function.into() })
    }

    /// The virtual wall clock of the connected simulator, for the SDK.
    #[must_use]
    pub fn time_source(&self) -> SharedTimeSource {
        SharedTimeSource::new(self.clone())
    }

    fn destination(&self) -> Destination {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl TimeSource for EndpointSwitch {
    fn now(&self) -> SystemTime {
        self.destination().endpoint.clock.now()
    }
}

/// The switch for one function.
#[derive(Clone, Debug)]
struct SwitchConnector {
    switch: EndpointSwitch,
    function: Arc<str>,
}

impl HttpConnector for SwitchConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Destination { endpoint, run } = self.switch.destination();
        let caller = Arc::new(Caller { run: run.to_string(), function: self.function.to_string() });
        HttpConnectorFuture::new(async move { endpoint.call(&caller, request).await })
    }
}

impl HttpClient for SwitchConnector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
