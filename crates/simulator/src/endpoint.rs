//! The endpoint at which every call enters the simulated AWS.

mod switch;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::Caller;
use crate::clock::Clock;
use crate::faults::Effect;
use crate::process::{Process, ProcessCall};
use crate::service::{Service, ServiceError, UNSUPPORTED, injected};
use crate::state::State;
use crate::wire::{self, Answer, Body, Call, json};
use crate::{cloudwatch, dynamodb, ec2, elb, rds, ssm};

pub use switch::EndpointSwitch;

/// The endpoint of one simulated AWS. Clones share its state.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) clock: Clock,
    state: Arc<Mutex<State>>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(crate) fn new(clock: Clock, state: State) -> Endpoint {
        Endpoint { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// The state at the present time.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // After a panic in a test's thread, the state is still good enough for a report.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(self.clock.elapsed());
        state
    }

    pub(crate) async fn call(
        &self,
        caller: &Arc<Caller>,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let call = match wire::read(&request) {
            Ok(call) => call,
            Err(error) => {
                self.state().note_unsupported("an unreadable request", &error);
                return response(Answer::refused(Service::Ec2, &error));
            }
        };
        let latency = self.state().arrive(caller, &call);
        tokio::time::sleep(latency).await;
        let process = Process::current();
        let fault = self.state().strike(caller, process.as_deref(), &call.operation);
        // Only a process can die or be invoked twice.
        match (&fault, &process) {
            (Some(Effect::CrashBefore), Some(process)) => process.die().await,
            (Some(Effect::OrchestratorDiesBefore), Some(process)) => process.lose_orchestrator().await,
            (Some(Effect::InvokedTwice), Some(process)) => process.run_again().await,
            _ => {}
        }
        let answer = self.state().answer(caller, call, fault.as_ref());
        match (fault, process) {
            (Some(Effect::CrashAfter), Some(process)) => process.die().await,
            (Some(Effect::OrchestratorDiesAfter), Some(process)) => process.lose_orchestrator().await,
            (Some(Effect::Slow(by)), _) => tokio::time::sleep(by).await,
            (Some(Effect::AnswerLost), _) => {
                let reset = io::Error::new(
                    io::ErrorKind::ConnectionReset,
                    "connection reset by peer: injected by a fault of this rehearsal",
                );
                return Err(ConnectorError::io(reset.into()));
            }
            _ => {}
        }
        response(answer)
    }
}

impl State {
    /// Counts a call that is on its way. Returns how long it takes to arrive and to be answered.
    fn arrive(&mut self, caller: &Arc<Caller>, call: &Call) -> Duration {
        self.caller = Arc::clone(caller);
        self.note_first_call();
        let count = self.journal.calls.entry(Arc::clone(&call.operation)).or_default();
        *count += 1;
        let range = match call.service {
            Service::DynamoDb => self.world.latencies.table_call,
            _ => self.world.latencies.call,
        };
        self.dice.latency(&call.operation, *count, range)
    }

    /// Records a call of a process, and returns the effect of the fault that strikes the call.
    fn strike(&mut self, caller: &Caller, process: Option<&Process>, operation: &Arc<str>) -> Option<Effect> {
        if let Some(process) = process {
            let (place, process, operation) = (Arc::clone(&process.place), process.ordinal, Arc::clone(operation));
            self.journal.trail.push(ProcessCall { place, process, operation, at: self.now });
        }
        self.faults.strike(operation, caller, process.map(|process| &*process.place))
    }

    /// Evaluates a call at the present time, unless a fault, a policy or a token bucket refuses it.
    fn answer(&mut self, caller: &Arc<Caller>, call: Call, fault: Option<&Effect>) -> Answer {
        self.caller = Arc::clone(caller);
        let (service, operation) = (call.service, Arc::clone(&call.operation));
        let result = match fault {
            Some(Effect::Error(code)) => Err(injected(code)),
            Some(Effect::Throttle) => Err(service.throttled()),
            _ => self.serve(call),
        };
        match result {
            Ok(body) => Answer::ok(service, body),
            Err(error) => {
                self.note_unsupported(&operation, &error);
                Answer::refused(service, &error)
            }
        }
    }

    fn serve(&mut self, call: Call) -> Result<Vec<u8>, ServiceError> {
        self.authorize(&call)?;
        let operation = &*call.operation;
        match (call.service, call.body) {
            (Service::Ec2, Body::Form(mut form)) => {
                self.admit(Service::Ec2, &ec2::demands(operation, &form))?;
                ec2::serve(self, operation, &mut form)
            }
            (Service::LoadBalancing, Body::Form(mut form)) => {
                self.admit(Service::LoadBalancing, &elb::demands(operation))?;
                elb::serve(self, operation, &mut form)
            }
            (Service::Rds, Body::Form(mut form)) => rds::serve(self, operation, &mut form),
            (Service::SystemsManager, Body::Fields(mut fields)) => {
                ssm::serve(self, operation, &mut fields).map(|answer| json::encode(&answer))
            }
            (Service::CloudWatch, Body::Fields(mut fields)) => cloudwatch::serve(self, operation, &mut fields),
            (Service::DynamoDb, Body::Fields(mut fields)) => dynamodb::serve(self, operation, &mut fields),
            (service, _) => Err(crate::service::unsupported(format_args!("this format for {service:?}"))),
        }
    }

    fn admit(&mut self, service: Service, demands: &[crate::buckets::Demand]) -> Result<(), ServiceError> {
        if self.buckets.take(self.now, demands) { Ok(()) } else { Err(service.throttled()) }
    }

    fn note_unsupported(&mut self, operation: &str, error: &ServiceError) {
        if error.code == UNSUPPORTED {
            self.journal.unsupported.insert(format!("{operation}: {}", error.message));
        }
    }
}

fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    response.headers_mut().insert("content-type", answer.content_type);
    if let Some((name, value)) = answer.header {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The endpoint for one caller.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    pub(crate) endpoint: Endpoint,
    pub(crate) caller: Arc<Caller>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Connector { endpoint, caller } = self.clone();
        HttpConnectorFuture::new(async move { endpoint.call(&caller, request).await })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
