//! A fake `az`: resource groups, a deployment, quota and sign-in, with the errors that Azure is known to give.

use serde_json::{Value, json};

use crate::books::{Answer, Books, flag, unknown};

/// The claims `{"oid": "...", "idtyp": "app"}` between dots, as in a token.
const TOKEN: &str =
    "e30.eyJvaWQiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDEiLCJpZHR5cCI6ImFwcCJ9.x";

/// Number of polls until a group that is being deleted is gone.
const DELETING: u64 = 2;

pub(crate) fn az(books: &mut Books, args: &[String]) -> Answer {
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    if words[0] == "login" {
        assert_eq!(flag(args, "--federated-token"), "fresh");
        books.all["signed_in_anew"] = true.into();
        return Ok(Value::Null);
    }
    if books.all["faults"]["assertion-expired"] == 1 && books.all["signed_in_anew"] != true {
        return Err(
            "ERROR: AADSTS700024: Client assertion is not within its valid time range.".to_owned(),
        );
    }
    if books.fault("signed-out") {
        return Err("ERROR: Please run 'az login' to setup account.".to_owned());
    }
    match words[..2] {
        ["rest", "--method"] => Ok(prices(flag(args, "--url-parameters"))),
        ["account", "get-access-token"] => {
            Ok(json!({"accessToken": TOKEN, "expires_on": 1_900_000_000}))
        }
        ["provider", "list"] => Ok(providers(books)),
        ["vm", "list-usage"] => Ok(usage(books)),
        ["group", "list"] => Ok(groups(books)),
        ["group", "create"] => create(books, args),
        ["group", "exists"] => Ok(exists(books, flag(args, "--name"))),
        ["group", "show"] => Ok(state(books, flag(args, "--name"))),
        ["group", "delete"] => delete(books, flag(args, "--name")),
        ["deployment", "group"] => deploy(books, args),
        ["acr", "login"] if books.fault("push-late") => {
            Err("ERROR: unauthorized: authentication required".to_owned())
        }
        ["acr", "login"] | ["account", "set"] => Ok(Value::Null),
        ["aks", "get-credentials"]
            if books.all["groups"][flag(args, "--resource-group")].is_null() =>
        {
            Err("(ResourceGroupNotFound) Resource group could not be found.".to_owned())
        }
        ["aks", "get-credentials"] => {
            std::fs::write(flag(args, "--file"), "apiVersion: v1\n")
                .expect("a kubeconfig must be written");
            Ok(Value::Null)
        }
        _ => unknown("az", args),
    }
}

fn prices(filter: &str) -> Value {
    let size = filter
        .split("armSkuName eq '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    let item = |sku: &str, price: f64| json!({"armSkuName": size, "skuName": sku, "productName": "Linux", "unitOfMeasure": "1 Hour", "retailPrice": price});
    json!({"Items": [item("x", 0.1), item("x Spot", 0.02)]})
}

fn providers(books: &mut Books) -> Value {
    let mut all = vec![
        "Compute",
        "ContainerRegistry",
        "ContainerService",
        "ManagedIdentity",
        "Network",
        "Storage",
    ];
    if books.fault("no-provider") {
        all.remove(2);
    }
    all.iter().map(|name| format!("Microsoft.{name}")).collect()
}

fn usage(books: &mut Books) -> Value {
    let spot = if books.fault("no-spot-quota") {
        "2"
    } else {
        "100"
    };
    json!([
        {"name": {"value": "cores"}, "limit": "100", "currentValue": "4"},
        {"name": {"value": "lowPriorityCores"}, "limit": spot, "currentValue": "0"},
    ])
}

fn groups(books: &Books) -> Value {
    let groups = books.all["groups"].as_object().expect("groups");
    groups
        .iter()
        .map(|(name, group)| json!({"name": name, "tags": group["tags"]}))
        .collect()
}

fn create(books: &mut Books, args: &[String]) -> Answer {
    let name = flag(args, "--name");
    if books.fault("group-being-deleted") {
        return Err(format!(
            "(ResourceGroupBeingDeleted) The resource group '{name}' is in deprovisioning state"
        ));
    }
    let at = args
        .iter()
        .position(|arg| arg == "--tags")
        .expect("a group must be made with its tags");
    let tags = args[at + 1..]
        .iter()
        .take_while(|arg| !arg.starts_with("--"));
    let tags: serde_json::Map<String, Value> = tags
        .map(|tag| {
            let (name, value) = tag.split_once('=').expect("a tag");
            (name.to_owned(), value.into())
        })
        .collect();
    books.all["groups"][name]["tags"] = tags.into();
    Ok(json!({"name": name}))
}

/// One poll: a group that is being deleted goes after some polls, and its node group with it, unless that is to be an orphan.
fn exists(books: &mut Books, name: &str) -> Value {
    let hangs = books.all["faults"]["delete-hangs"] == 1;
    let orphans = books.all["faults"]["orphans"] == 1;
    let groups = books.all["groups"].as_object_mut().expect("groups");
    let Some(group) = groups.get_mut(name) else {
        return false.into();
    };
    if let Some(left) = group["deleting"].as_u64().filter(|_| !hangs) {
        group["deleting"] = left.saturating_sub(1).into();
        if left == 0 {
            groups.remove(name);
            if !orphans {
                groups.remove(&format!("{name}-nodes"));
            }
            return false.into();
        }
    }
    true.into()
}

/// Whether a group is being deleted.
fn state(books: &Books, name: &str) -> Value {
    let is_deleting = !books.all["groups"][name]["deleting"].is_null();
    let state = if is_deleting { "Deleting" } else { "Succeeded" };
    // As JSON, like every answer of az.
    json!(state).to_string().into()
}

fn delete(books: &mut Books, name: &str) -> Answer {
    if books.fault("locked") {
        return Err(format!(
            "(ScopeLocked) The scope '{name}' cannot perform delete operation because following scope(s) are locked"
        ));
    }
    let given_up = books.fault("deletion-given-up");
    let group = books.all["groups"]
        .as_object_mut()
        .expect("groups")
        .get_mut(name);
    match group {
        None => Err(format!(
            "(ResourceGroupNotFound) Resource group '{name}' could not be found."
        )),
        Some(group) => {
            // A cluster that is still being created ends the deletion.
            if group["deleting"].is_null() && !given_up {
                group["deleting"] = DELETING.into();
            }
            Ok(Value::Null)
        }
    }
}

/// The cluster is created early in a deployment: a later failure leaves it and its node group.
fn deploy(books: &mut Books, args: &[String]) -> Answer {
    let group = flag(args, "--resource-group").to_owned();
    let failed = |code: &str, message: &str| {
        Err(
            json!({"code": "DeploymentFailed", "details": [{"code": code, "message": message}]})
                .to_string(),
        )
    };
    if books.all["groups"][&group]["tags"]["DeleteAfter"].is_null() {
        return failed(
            "ResourceGroupNotFound",
            "nothing may be deployed before the group has its tags",
        );
    }
    if books.fault("quota") {
        return failed(
            "QuotaExceeded",
            "Operation could not be completed as it results in exceeding approved Cores quota",
        );
    }
    if books.fault("no-capacity") {
        return failed(
            "SkuNotAvailable",
            "The requested VM size is not available in the current region",
        );
    }
    if books.fault("busy") {
        return failed("DeploymentActive", "the deployment is active");
    }
    let tags = books.all["groups"][&group]["tags"].clone();
    books.all["groups"][format!("{group}-nodes")] = json!({"tags": tags});
    if books.fault("credential-conflict") {
        return failed(
            "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
            "too many writes",
        );
    }
    if books.fault("principal-not-found") {
        return failed(
            "PrincipalNotFound",
            "Principal does not exist in the directory",
        );
    }
    let outputs = [
        "accountName",
        "queueEndpoint",
        "tableEndpoint",
        "queueName",
        "tableName",
        "clientId",
        "tenantId",
        "registryName",
        "loginServer",
        "clusterName",
        "nodeResourceGroup",
        "issuerUrl",
    ];
    let outputs: serde_json::Map<String, Value> = outputs
        .iter()
        .map(|name| ((*name).to_owned(), json!({"value": name.to_lowercase()})))
        .collect();
    Ok(json!({"properties": {"outputs": outputs}}))
}
