//! Reads the service, the operation and the caller's place from a request.

use hyper::HeaderMap;
use hyper::header::USER_AGENT;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Ec2,
    LoadBalancing,
    SystemsManager,
    CloudWatch,
    DynamoDb,
}

/// A call that reached the proxy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The application name in the caller's user agent; empty if there is none.
    pub place: String,
    /// The service that is called.
    pub service: Service,
    /// The operation, such as `CreateImage`.
    pub operation: String,
}

/// The API version in the request distinguishes the two services with the query protocol.
const EC2_VERSION: &str = "2016-11-15";
const LOAD_BALANCING_VERSION: &str = "2015-12-01";
/// The path of CloudWatch's operations in the Smithy RPC v2 CBOR protocol.
const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

impl Call {
    /// Reads a request. Returns nothing if it is not a call to a service that the steps use.
    pub fn read(headers: &HeaderMap, path: &str, body: &[u8]) -> Option<Self> {
        let (service, operation) = if let Some(target) = headers.get("x-amz-target") {
            match target.to_str().ok()?.split_once('.')? {
                ("AmazonSSM", operation) => (Service::SystemsManager, operation.to_owned()),
                ("DynamoDB_20120810", operation) => (Service::DynamoDb, operation.to_owned()),
                _ => return None,
            }
        } else if let Some(operation) = path.strip_prefix(CLOUDWATCH_PATH) {
            (Service::CloudWatch, operation.to_owned())
        } else {
            let field = |name| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value);
            let service = match &*field("Version")? {
                EC2_VERSION => Service::Ec2,
                LOAD_BALANCING_VERSION => Service::LoadBalancing,
                _ => return None,
            };
            (service, field("Action")?.into_owned())
        };
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let place = agent.split(' ').find_map(|word| word.strip_prefix("app/")).unwrap_or_default().to_owned();
        Some(Self { place, service, operation })
    }
}
