//! Error responses in the protocol of each service. They follow AWS's documentation and do not use the simulator's
//! code, so that the steps are tested with a second reading of that documentation.

use super::Service;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Response, StatusCode};
use serde_json::json;

const REQUEST: &str = "00000000-0000-4000-8000-000000000000";

impl Service {
    /// The code of an internal error of the service, which has the status 500.
    pub fn internal_error(self) -> &'static str {
        match self {
            Self::Ec2 => "InternalError",
            Self::LoadBalancing => "InternalFailure",
            Self::CloudWatch => "InternalServiceFault",
            Self::SystemsManager | Self::DynamoDb => "InternalServerError",
        }
    }

    /// The code and the status of a throttled call.
    fn throttling_error(self) -> (&'static str, StatusCode) {
        match self {
            Self::Ec2 => ("RequestLimitExceeded", StatusCode::SERVICE_UNAVAILABLE),
            Self::LoadBalancing => ("Throttling", StatusCode::BAD_REQUEST),
            Self::SystemsManager | Self::CloudWatch | Self::DynamoDb => {
                ("ThrottlingException", StatusCode::BAD_REQUEST)
            }
        }
    }
}

/// The response to a throttled call.
pub fn throttled(service: Service) -> Response<Full<Bytes>> {
    let (code, status) = service.throttling_error();
    answer(service, code, status, "Rate exceeded")
}

/// An error response with this code. The code of an internal error gets the status 500.
pub fn error(service: Service, code: &str) -> Response<Full<Bytes>> {
    let status = match code {
        code if code == service.internal_error() => StatusCode::INTERNAL_SERVER_ERROR,
        "UnauthorizedOperation" | "AccessDenied" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    answer(service, code, status, "injected by a test")
}

fn answer(service: Service, code: &str, status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let (content_type, body) = match service {
        Service::Ec2 => ("text/xml;charset=UTF-8", ec2(code, message).into_bytes()),
        Service::LoadBalancing => ("text/xml", load_balancing(code, status, message).into_bytes()),
        Service::SystemsManager => ("application/x-amz-json-1.1", json_of(code, message)),
        Service::DynamoDb => {
            ("application/x-amz-json-1.0", json_of(&format!("com.amazonaws.dynamodb.v20120810#{code}"), message))
        }
        Service::CloudWatch => ("application/cbor", cbor(code, message)),
    };
    let mut answer = Response::builder().status(status).header(CONTENT_TYPE, content_type);
    answer = answer.header("x-amzn-requestid", REQUEST);
    if service == Service::CloudWatch {
        answer = answer.header("smithy-protocol", "rpc-v2-cbor");
    }
    answer.body(Full::from(body)).unwrap()
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
fn ec2(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>{REQUEST}</RequestID></Response>"
    )
}

/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>
fn load_balancing(code: &str, status: StatusCode, message: &str) -> String {
    let fault_of = if status.is_server_error() { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/{}/\"><Error><Type>{fault_of}</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST}</RequestId></ErrorResponse>",
        "2015-12-01"
    )
}

/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>
fn json_of(code: &str, message: &str) -> Vec<u8> {
    json!({"__type": code, "message": message}).to_string().into_bytes()
}

/// <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>
fn cbor(code: &str, message: &str) -> Vec<u8> {
    let mut body = Vec::new();
    let error = json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": message});
    ciborium::into_writer(&error, &mut body).unwrap();
    body
}
