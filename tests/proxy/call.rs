//! Which service and operation a request is for, and who asks: as far as a proxy has to read.

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

/// A call that passed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The name of the application in the caller's user agent; empty if it has none.
    pub place: String,
    /// Whose it is.
    pub service: Service,
    /// What it asks for.
    pub operation: String,
}

/// The versions of their APIs tell the two services of the query protocol apart.
const EC2_VERSION: &str = "2016-11-15";
const LOAD_BALANCING_VERSION: &str = "2015-12-01";
/// Where CloudWatch's operations are, in Smithy's RPC v2 CBOR.
const CLOUDWATCH_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

impl Call {
    /// The call that a request is; nothing if it is none to a service that the steps use.
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
