//! The `Resource` of a Task.

/// Services whose integrations cannot wait for the end of a job.
const WITHOUT_SYNC: [&str; 7] = ["apigateway", "aws-sdk", "dynamodb", "events", "lambda", "sns", "sqs"];

/// Services whose integrations cannot wait for a task token.
const WITHOUT_TOKEN: [&str; 11] = [
    "athena",
    "batch",
    "codebuild",
    "databrew",
    "dynamodb",
    "elasticmapreduce",
    "emr-containers",
    "emr-serverless",
    "glue",
    "mediaconvert",
    "sagemaker",
];

/// The reason for which the service rejects a resource, if it does.
pub(super) fn defect(resource: &str) -> Option<String> {
    // `${…}` is a placeholder that a deployment tool fills in.
    if resource.starts_with("${") {
        return None;
    }
    // The partitions are aws, aws-cn, aws-us-gov, …
    if !["arn:aws:", "arn:aws-"].iter().any(|start| resource.starts_with(start)) {
        return Some("Value is not a valid resource ARN".to_owned());
    }
    let (_, integration) = resource.split_once(":states:::")?;
    let (service, api) = integration.split_once(':')?;
    let impossible = match api.rsplit_once('.').map(|(_, pattern)| pattern) {
        Some("sync") => WITHOUT_SYNC.contains(&service),
        Some("sync:2") => service != "states",
        Some("waitForTaskToken") => WITHOUT_TOKEN.contains(&service),
        _ => false,
    };
    impossible.then(|| format!("The resource provided {resource} is not recognized"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_supports_only_some_integration_patterns() {
        let known = [
            "arn:aws:states:::lambda:invoke",
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "arn:aws:states:::states:startExecution.sync:2",
            "arn:aws:states:::batch:submitJob.sync",
            "arn:aws:states:::aws-sdk:sqs:sendMessage.waitForTaskToken",
            "arn:aws:lambda:us-east-1:123456789012:function:f",
            "arn:aws:states:us-east-1:123456789012:activity:a",
            "${Function.Arn}",
        ];
        assert_eq!(known.map(defect), known.map(|_| None));
        for resource in [
            "arn:aws:states:::lambda:invoke.sync",
            "arn:aws:states:::aws-sdk:ec2:runInstances.sync",
            "arn:aws:states:::ecs:runTask.sync:2",
            "arn:aws:states:::batch:submitJob.waitForTaskToken",
        ] {
            assert_eq!(defect(resource), Some(format!("The resource provided {resource} is not recognized")));
        }
        for not_an_arn in ["f", "arn:local:f"] {
            assert_eq!(defect(not_an_arn), Some("Value is not a valid resource ARN".to_owned()));
        }
    }
}
