//! Tests of evictions with the answers in the documentation.

use std::sync::Mutex;

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, StatusCode};

use super::*;

const VM: &str = "azure:///subscriptions/0b1f/resourceGroups/edw-aks-n1-nodes/providers/Microsoft.Compute/virtualMachines/aks-edw-spot-x7k2p";
const IN_SET: &str = "azure:///subscriptions/0b1f/resourceGroups/mc_g/providers/Microsoft.Compute/virtualMachineScaleSets/aks-spot-1-vmss/virtualMachines/10";

/// A fake Azure that gives this answer, and records the requests.
#[derive(Debug)]
struct Azure(StatusCode, &'static str, Mutex<Vec<String>>);

#[async_trait]
impl HttpClient for Azure {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let token = request.headers().get_str(&AUTHORIZATION)?;
        let asked = format!("{} {} {token}", request.method().as_ref(), request.url());
        self.2.lock().unwrap().push(asked);
        let body = Bytes::from_static(self.1.as_bytes());
        Ok(AsyncRawResponse::from_bytes(self.0, Headers::new(), body))
    }
}

async fn evicted(
    provider_id: &str,
    status: StatusCode,
    body: &'static str,
) -> (Result<(), ArmError>, Vec<String>) {
    let azure = Arc::new(Azure(status, body, Mutex::default()));
    let pass = Pass::Token(Secret::new("t"));
    let arm = Arm::over(PUBLIC.parse().unwrap(), pass, azure.clone());
    let machine = Machine::of_provider_id(provider_id).unwrap();
    let done = arm.simulate_eviction(&machine).await;
    let asked = azure.2.lock().unwrap().clone();
    (done, asked)
}

#[tokio::test]
async fn a_machine_of_its_own_and_one_of_a_scale_set_are_evicted_by_the_ids_of_their_nodes() {
    for (provider_id, path) in [
        (
            VM,
            "subscriptions/0b1f/resourceGroups/edw-aks-n1-nodes/providers/Microsoft.Compute/virtualMachines/aks-edw-spot-x7k2p",
        ),
        (
            IN_SET,
            "subscriptions/0b1f/resourceGroups/mc_g/providers/Microsoft.Compute/virtualMachineScaleSets/aks-spot-1-vmss/virtualMachines/10",
        ),
    ] {
        let (done, asked) = evicted(provider_id, StatusCode::NoContent, "").await;
        assert_eq!(done, Ok(()));
        let url = format!("{PUBLIC}/{path}/simulateEviction?api-version=2025-04-01");
        assert_eq!(asked, [format!("POST {url} Bearer t")]);
    }
}

#[tokio::test]
async fn what_azure_refuses_is_named_and_asked_for_once() {
    for (status, body, named) in [
        (
            StatusCode::Forbidden,
            r#"{"error": {"code": "AuthorizationFailed", "message": "The client 'x' does not have authorization"}}"#,
            "it is not allowed (AuthorizationFailed: The client 'x' does not have authorization); the identity needs \
             Microsoft.Compute/virtualMachines/simulateEviction/action",
        ),
        (
            StatusCode::NotFound,
            r#"{"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}"#,
            "the machine is not there (ResourceNotFound",
        ),
        (
            StatusCode::Conflict,
            r#"{"error": {"code": "OperationNotAllowed", "message": "not a Spot VM"}}"#,
            "the machine cannot be evicted now (OperationNotAllowed: not a Spot VM)",
        ),
        (
            StatusCode::TooManyRequests,
            "<html>later</html>",
            "Azure answers 429 (: )",
        ),
        (
            StatusCode::Unauthorized,
            r#"{"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}"#,
            "sign in to Azure Resource Manager: the token is refused (ExpiredAuthenticationToken: expired)",
        ),
    ] {
        let (done, asked) = evicted(VM, status, body).await;
        let text = done.unwrap_err().to_string();
        assert!(text.starts_with(named), "{text}");
        assert_eq!(asked.len(), 1, "one try");
    }
}

#[test]
fn a_node_that_is_no_machine_of_azure_is_refused_before_anything_is_asked() {
    for provider_id in [
        "",
        "kind://docker/edw/edw-worker",
        "azure:///subscriptions/0b1f/resourceGroups/g/providers/Microsoft.Compute/disks/d",
        "azure:///subscriptions/0b1f/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/",
        "azure:///subscriptions/0b1f/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/a/extensions/b",
        "azure:///subscriptions/0b1f/resourceGroups/../providers/Microsoft.Compute/virtualMachines/a",
        "azure:///subscriptions/0b1f/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/a?x=",
    ] {
        let refused = Machine::of_provider_id(provider_id)
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("names no virtual machine of Azure"),
            "{refused}"
        );
    }
}

#[test]
fn a_token_does_not_travel_in_the_clear() {
    let refused = Arm::with_token("http://127.0.0.1:1", Secret::new("t"), &[]).unwrap_err();
    assert!(refused.to_string().contains("must not travel over http"));
}
