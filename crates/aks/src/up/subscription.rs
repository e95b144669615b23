//! Requirements of the subscription before anything is created: a signed-in operator, providers, quota.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::cost::SystemPool;
use crate::door::Door;
use crate::failure::{Exit, Failure};

/// The resource providers of `infra/` and of AKS itself.
const PROVIDERS: [&str; 6] = [
    "Microsoft.Compute",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.Storage",
];

/// Lowest number of vCPU for a night: two Spot nodes of two, so that one can be evicted; plus a system node of four.
const LEAST_SPOT_CPU: i64 = 4;
const SYSTEM_NODE_CPU: i64 = 4;

/// The signed-in operator, as Entra knows it.
#[derive(Debug)]
pub(crate) struct Operator {
    pub(crate) object: String,
    pub(crate) kind: &'static str,
}

/// Reads the operator from a token for Azure Resource Manager, because Microsoft Graph would need another permission.
pub(crate) fn operator(door: &Door) -> Result<Operator, Failure> {
    let answer = door
        .az(&["account", "get-access-token"])
        .map_err(|refusal| Failure::refused("find out who is signed in to Azure", &refusal))?;
    let claims = claims(answer["accessToken"].as_str().unwrap_or_default()).unwrap_or_default();
    let object = claims["oid"].as_str().ok_or_else(|| {
        Failure::new(Exit::Denied, "the token of az names no object id")
            .mend("sign in anew: az logout && az login")
    })?;
    // An application's token has this claim (Entra, "Access token claims reference", idtyp); without it, it has no scopes.
    let application = claims["idtyp"] == "app" || claims["scp"].is_null();
    Ok(Operator {
        object: object.to_owned(),
        kind: if application {
            "ServicePrincipal"
        } else {
            "User"
        },
    })
}

/// The claims of a token, which only Azure verifies.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Checks that every provider is registered, which is not the case in a new subscription.
pub(crate) fn providers(door: &Door) -> Result<(), Failure> {
    let answer = door
        .az(&[
            "provider",
            "list",
            "--query",
            "[?registrationState=='Registered'].namespace",
        ])
        .map_err(|refusal| Failure::refused("list the resource providers", &refusal))?;
    let known: Vec<_> = answer
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let lacks = PROVIDERS
        .iter()
        .filter(|wanted| !known.iter().any(|have| have.eq_ignore_ascii_case(wanted)));
    let mut failure = None;
    for provider in lacks {
        let begun = failure.unwrap_or_else(|| {
            Failure::new(Exit::Denied, "the subscription lacks resource providers")
        });
        failure = Some(begun.mend(format!(
            "az provider register --namespace {provider} --wait"
        )));
    }
    failure.map_or(Ok(()), Err)
}

/// Checks that the region's quota is sufficient for the night.
pub(crate) fn quota(door: &Door, location: &str, system: &SystemPool) -> Result<(), Failure> {
    let answer = door
        .az(&["vm", "list-usage", "--location", location])
        .map_err(|refusal| Failure::refused(format!("read the quota of {location}"), &refusal))?;
    #[expect(clippy::cast_possible_truncation, reason = "one to three nodes")]
    let system_cpu = SYSTEM_NODE_CPU * system.nodes as i64;
    for (name, what, least) in [
        ("lowPriorityCores", "Spot", LEAST_SPOT_CPU),
        ("cores", "regional", system_cpu + LEAST_SPOT_CPU),
    ] {
        let mut entries = answer.as_array().into_iter().flatten();
        let entry = entries.find(|entry| entry["name"]["value"] == name);
        // A quota that is not listed is not known to be too small.
        let Some(entry) = entry else { continue };
        let free = number(&entry["limit"]) - number(&entry["currentValue"]);
        if free < least {
            return Err(Failure::new(
                Exit::Inconclusive,
                format!("the {what} quota of {location} ({name}) has {free} vCPU left, and a night needs {least}"),
            )
            .mend("ask for more under \"Quotas\" of the subscription, or choose another --location"));
        }
    }
    Ok(())
}

/// A number, which `az` prints as text.
fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_default()
}
