//! The wire formats: the service and operation of a request, and the four formats of bodies.

pub(crate) mod cbor;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod xml;

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::service::{Service, ServiceError, unsupported};
use form::Form;
use json::Fields;

/// A request with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: Arc<str>,
    pub(crate) body: Body,
}

/// The parameters of a request, in the format of its service. Each format refuses parameters that no code consumed.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Form(Form),
    Fields(Fields),
}

/// The version of EC2's API, which every request names.
const EC2_VERSION: &str = "2016-11-15";
/// The version of Elastic Load Balancing's second API.
const LOAD_BALANCING_VERSION: &str = "2015-12-01";
/// The version of RDS's API.
const RDS_VERSION: &str = "2014-10-31";
/// The path of CloudWatch's operations.
const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// Reads a request.
pub(crate) fn read(request: &HttpRequest) -> Result<Call, ServiceError> {
    let Some(body) = request.body().bytes() else {
        return Err(unsupported("a request whose body is a stream"));
    };
    if let Some(target) = request.headers().get("x-amz-target") {
        return read_json(target, body);
    }
    let path = request.uri().split('?').next().unwrap_or_default();
    if let Some((_, operation)) = path.split_once(CLOUDWATCH_PATH) {
        let fields = Fields::new(operation, cbor::decode(body)?)?;
        return Ok(Call { service: Service::CloudWatch, operation: operation.into(), body: Body::Fields(fields) });
    }
    let mut form = Form::parse(body);
    let operation = form.required("Action")?;
    let service = match form.required("Version")?.as_str() {
        EC2_VERSION => Service::Ec2,
        LOAD_BALANCING_VERSION => Service::LoadBalancing,
        RDS_VERSION => Service::Rds,
        version => return Err(unsupported(format_args!("version {version} of an API ({operation})"))),
    };
    Ok(Call { service, operation: operation.into(), body: Body::Form(form) })
}

fn read_json(target: &str, body: &[u8]) -> Result<Call, ServiceError> {
    let (service, operation) = match target.split_once('.') {
        Some(("AmazonSSM", operation)) => (Service::SystemsManager, operation),
        Some(("DynamoDB_20120810", operation)) => (Service::DynamoDb, operation),
        _ => return Err(unsupported(format_args!("the target {target}"))),
    };
    let fields = Fields::new(operation, json::decode(body)?)?;
    Ok(Call { service, operation: operation.into(), body: Body::Fields(fields) })
}

/// An answer: status, content type, body, and one more header for CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) header: Option<(&'static str, String)>,
}

impl Answer {
    pub(crate) fn ok(service: Service, body: Vec<u8>) -> Answer {
        let header = (service == Service::CloudWatch).then(|| ("smithy-protocol", "rpc-v2-cbor".to_owned()));
        Answer { status: 200, content_type: content_type(service), body, header }
    }

    /// An error in the service's own format.
    pub(crate) fn refused(service: Service, error: &ServiceError) -> Answer {
        let body = match service {
            Service::Ec2 => xml::ec2_error(error),
            Service::LoadBalancing | Service::Rds => xml::query_error(error),
            Service::SystemsManager | Service::DynamoDb => json::error(error),
            Service::CloudWatch => cbor::error(error),
        };
        Answer { status: error.status, ..Answer::ok(service, body) }
    }
}

fn content_type(service: Service) -> &'static str {
    match service {
        Service::Ec2 | Service::LoadBalancing | Service::Rds => "text/xml;charset=UTF-8",
        Service::SystemsManager => "application/x-amz-json-1.1",
        Service::DynamoDb => "application/x-amz-json-1.0",
        Service::CloudWatch => "application/cbor",
    }
}
