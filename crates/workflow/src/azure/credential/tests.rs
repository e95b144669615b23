use super::*;

fn detected(sas: bool, variables: &[&str]) -> CredentialChoice {
    let env = |name: &str| variables.contains(&name).then(|| OsString::from("x"));
    detect(CredentialChoice::Auto, sas, &env).0
}

#[test]
fn detection_follows_its_documented_order() {
    let all = ["AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"];
    assert_eq!(detected(true, &all), CredentialChoice::WorkloadIdentity);
    assert_eq!(detected(true, &all[1..]), CredentialChoice::ManagedIdentity);
    assert_eq!(detected(true, &[]), CredentialChoice::Sas);
    assert_eq!(detected(false, &[]), CredentialChoice::Developer);
    let job = [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
    ];
    assert_eq!(detected(false, &job), CredentialChoice::Github);
    assert_eq!(detected(true, &job), CredentialChoice::Sas);
    assert_eq!(detected(false, &job[..2]), CredentialChoice::Developer);
}

#[test]
fn an_explicit_choice_is_never_overruled() {
    let env = |_: &str| Some(OsString::from("x"));
    let (choice, _) = detect(CredentialChoice::Developer, true, &env);
    assert_eq!(choice, CredentialChoice::Developer);
}

#[test]
fn a_file_without_a_token_is_told_before_anybody_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    for (text, is_told) in [("", true), (" \n", true), ("a.b.c", false)] {
        std::fs::write(&file, text).unwrap();
        let told = has_token(Some(file.as_os_str()));
        assert_eq!(told.is_err(), is_told, "{text:?}");
    }
    // For an unreadable file, the SDK reports the error and its reason.
    assert!(has_token(Some(dir.path().join("none").as_os_str())).is_ok());
    assert!(has_token(None).is_ok());
}

#[test]
fn asking_for_a_sas_without_one_is_an_error() {
    let http: Arc<dyn HttpClient> = Arc::new(reqwest::Client::new());
    let error = Credential::choose(CredentialChoice::Sas, None, &http).unwrap_err();
    assert!(error.to_string().contains("AZURE_STORAGE_SAS_TOKEN"));
}

#[test]
fn a_malformed_sas_is_refused_without_being_repeated() {
    for text in [
        "",
        "hunter2",
        "sv=2024&sig=",
        "sv=2024 sig=hunter2",
        "a;AccountKey=hunter2",
    ] {
        let error = check_sas(&Secret::new(text)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    // The last two as `az storage account generate-sas` prints them, and as `docker run --env-file` keeps them.
    for text in ["?sv=1&sig=a", "\"sv=1&sig=a\"", "'?sv=1&sig=a'\r\n"] {
        assert_eq!(
            check_sas(&Secret::new(text)).unwrap().expose(),
            "sv=1&sig=a"
        );
    }
}

#[test]
fn what_is_given_in_place_of_a_sas_is_named() {
    for (text, problem) in [
        (
            "https://a.queue.core.windows.net/?sv=1&sig=hunter2",
            "is a URL",
        ),
        ("sv=1&amp;sig=hunter2", "&amp; in place of &"),
        ("sv=1&sig=hunter2 # until June", "white space"),
        (
            "QueueEndpoint=https://a/;SharedAccessSignature=sv=1&sig=hunter2",
            "AZURE_STORAGE_CONNECTION_STRING",
        ),
        ("c3Y9MSZzaWc9YQ==", "has no sv=... and sig=..."),
        ("sv%3D1%26sig%3Dhunter2", "percent-encoded as a whole"),
        (
            "SharedAccessSignature sr=sb%3a%2f%2fx&sig=hunter2&se=1&skn=R",
            "a token of Service Bus",
        ),
        (
            "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=R;SharedAccessKey=hunter2",
            "a connection string of Service Bus or Event Hubs",
        ),
        (
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
            "looks like an account key",
        ),
    ] {
        let error = check_sas(&Secret::new(text)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_end_of_a_sas_is_read_for_advice() {
    let sas = Credential::Sas(Secret::new("sv=1&se=2026-11-28T10%3A00%3A00Z&sig=a"));
    let expiry = "2026-11-28T10:00:00Z".to_owned();
    assert_eq!(sas.signer(), Signer::Sas { expiry });
}

#[test]
fn debug_shows_no_secret() {
    let credential = Credential::Sas(Secret::new("sig=hunter2"));
    assert!(!format!("{credential:?}").contains("hunter2"));
}
