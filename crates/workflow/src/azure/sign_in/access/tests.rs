//! Tests of the advice for refusals of storage, by signer.

use super::*;

fn target(service: &'static str, signer: Signer) -> Target {
    Target {
        service,
        name: "work".to_owned(),
        account: "mine".to_owned(),
        signer,
    }
}

fn identity() -> Signer {
    Signer::Identity {
        client: "0c1d".to_owned(),
    }
}

fn commands(code: &str, target: &Target) -> Vec<String> {
    let mistake = access_mistake(403, code, target).unwrap();
    mistake.steps.into_iter().map(|step| step.command).collect()
}

/// "az role assignment create": `--assignee` asks Microsoft Graph, `--assignee-object-id` with its type does not.
#[test]
fn a_role_is_given_by_object_id_with_the_values_of_this_process() {
    for (service, role) in [
        ("queue", "Storage Queue Data Contributor"),
        ("table", "Storage Table Data Contributor"),
    ] {
        let given = commands(
            "AuthorizationPermissionMismatch",
            &target(service, identity()),
        );
        assert_eq!(
            given,
            [format!(
                "az role assignment create --assignee-object-id \"$(az identity list --query \
                 \"[?clientId=='0c1d'].principalId\" -o tsv)\" --assignee-principal-type ServicePrincipal --role \
                 \"{role}\" --scope \"$(az storage account show --name mine --query id -o tsv)\""
            )]
        );
    }
    let system = Signer::Identity {
        client: String::new(),
    };
    let given = commands("AuthorizationPermissionMismatch", &target("queue", system));
    assert!(
        given[0].contains("--assignee-object-id <object-id> "),
        "{given:?}"
    );
    let given = commands(
        "AuthorizationPermissionMismatch",
        &target("queue", Signer::Developer),
    );
    assert!(
        given[0].contains("--assignee-principal-type User "),
        "{given:?}"
    );
}

#[test]
fn a_sas_is_not_told_to_take_a_role() {
    let sas = |expiry: &str| Signer::Sas {
        expiry: expiry.to_owned(),
    };
    let told = |code, expiry| {
        let mistake = access_mistake(403, code, &target("queue", sas(expiry)));
        mistake.unwrap().to_string()
    };
    let ended = told("AuthenticationFailed", "2020-01-01T00:00:00Z");
    assert!(ended.contains("ended at 2020-01-01T00:00:00Z"), "{ended}");
    let unfit = told("AuthenticationFailed", "2999-01-01T00:00:00Z");
    assert!(unfit.contains("does not fit"), "{unfit}");
    let lacking = told("AuthorizationPermissionMismatch", "");
    assert!(lacking.contains("does not grant"), "{lacking}");
    for text in [ended, unfit, lacking] {
        assert!(
            text.contains("az storage account generate-sas --account-name mine "),
            "{text}"
        );
        assert!(!text.contains("az role"), "{text}");
    }
}

/// "Prevent Shared Key authorization for an Azure Storage account"; "Create a user delegation SAS".
#[test]
fn advice_for_a_bad_sas_has_a_way_without_a_key_and_one_for_emulators() {
    let sas = Signer::Sas {
        expiry: "2020-01-01T00:00:00Z".to_owned(),
    };
    let code = "AuthenticationFailed";
    let of = |service, account: &str| Target {
        account: account.to_owned(),
        ..target(service, sas.clone())
    };
    for (service, keyless) in [
        ("queue", "az storage queue generate-sas "),
        ("table", "az role assignment create "),
    ] {
        let given = commands(code, &of(service, "mine"));
        assert!(
            given[0].starts_with("az storage account generate-sas "),
            "{given:?}"
        );
        assert!(given[1].starts_with(keyless), "{given:?}");
        let mistake = access_mistake(403, code, &of(service, "mine")).unwrap();
        assert!(
            mistake.to_string().contains("where shared keys are off"),
            "{mistake}"
        );
        let emulator = access_mistake(403, code, &of(service, EMULATOR)).unwrap();
        let told = emulator.to_string();
        assert!(told.contains("--account-key <account-key>"), "{told}");
        assert!(!told.contains("https-only"), "{told}");
        assert!(
            !told.contains("role") && !told.contains("--as-user"),
            "{told}"
        );
    }
}

#[test]
fn endpoints_that_are_swapped_are_named() {
    for (service, part) in [
        (
            "queue",
            "the queue endpoint may be a table endpoint: set AZURE_QUEUE_ENDPOINT",
        ),
        (
            "table",
            "the table endpoint may be a queue endpoint: set AZURE_TABLE_ENDPOINT",
        ),
    ] {
        let told = access_mistake(400, "InvalidUri", &target(service, identity())).unwrap();
        assert!(told.to_string().contains(part), "{told}");
    }
}

/// "Prevent Shared Key authorization for an Azure Storage account": an account SAS is signed with a key, and refused.
#[test]
fn where_shared_keys_are_off_no_sas_of_a_key_is_advised() {
    let sas = Signer::Sas {
        expiry: String::new(),
    };
    let code = "KeyBasedAuthenticationNotPermitted";
    let queue = commands(code, &target("queue", sas.clone()));
    assert!(
        queue[0].starts_with("az role assignment create "),
        "{queue:?}"
    );
    assert!(
        queue[1].contains("--name work ") && queue[1].contains("--as-user"),
        "{queue:?}"
    );
    let table = commands(code, &target("table", sas));
    assert_eq!(table.len(), 1, "{table:?}");
    assert!(!format!("{queue:?}{table:?}").contains("account generate-sas"));
}

#[test]
fn what_is_not_known_is_a_placeholder_and_other_codes_have_no_advice() {
    let unknown = Target {
        account: String::new(),
        ..target("queue", identity())
    };
    let given = commands("AuthorizationFailure", &unknown);
    assert_eq!(
        given,
        ["az storage account network-rule list --account-name <account>"]
    );
    assert_eq!(access_mistake(404, "QueueNotFound", &unknown), None);
    let tenant = access_mistake(401, "InvalidAuthenticationInfo", &unknown).unwrap();
    assert!(
        tenant.steps[0].command.starts_with("az account show "),
        "{tenant}"
    );
}
