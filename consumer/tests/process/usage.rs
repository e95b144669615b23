//! Wrong settings are refused before any request: exit code 2, or 6 for a port, and a text that says what to do.

use crate::support::{SAS, run, storage};

const URL: &str = "http://127.0.0.1:1/account";

/// Runs a consumer with complete storage settings, some of them replaced.
async fn ended(flags: &[&str], replaced: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut environment = storage(URL, URL, SAS);
    environment.retain(|(name, _)| replaced.iter().all(|(other, _)| other != name));
    environment.extend(replaced.iter().filter(|(_, value)| !value.is_empty()));
    let ended = run(flags, &environment).await;
    (ended.code, ended.stderr)
}

#[tokio::test]
async fn each_mistake_on_the_command_line_is_named() {
    let mistakes: [(&[&str], &str); 6] = [
        (&["--frobnicate"], "--frobnicate"),
        (&["--work", "sleep:1s"], "exponential:<mean>"),
        (&["--visibility", "1500ms"], "whole seconds"),
        (&["--concurrency", "0"], "1..=1024"),
        (&["--listen", "8080"], "0.0.0.0:8080"),
        (&["--log", "consumer=loud"], "--log"),
    ];
    for (flags, text) in mistakes {
        let (code, stderr) = ended(flags, &[]).await;
        assert_eq!(code, Some(2), "{flags:?}: {stderr}");
        assert!(stderr.contains(text), "{flags:?}: {stderr}");
    }
}

#[tokio::test]
async fn each_mistake_in_the_environment_is_named() {
    let long = "a".repeat(60);
    let mistakes: [(&[(&str, &str)], &str); 12] = [
        (&[("AZURE_QUEUE_NAME", &long)], "choose a shorter name"),
        (
            &[("EDW_SCHEDULED_EVENTS_ENDPOINT", "169.254.169.254")],
            "expected a URL such as",
        ),
        (
            &[("AZURE_QUEUE_ENDPOINT", "127.0.0.1:10001")],
            "expected a URL such as",
        ),
        (&[("AZURE_QUEUE_NAME", "")], "--queue"),
        (&[("AZURE_TABLE_NAME", "my-table")], "a letter first"),
        (
            &[("AZURE_QUEUE_ENDPOINT", "")],
            "AZURE_STORAGE_ACCOUNT_NAME",
        ),
        (
            &[("AZURE_STORAGE_SAS_TOKEN", "hunter2")],
            "AZURE_STORAGE_SAS_TOKEN",
        ),
        (&[("EDW_GRACE", "25")], "250ms"),
        // The settings are refused before storage is asked: such a consumer would never be ready.
        (
            &[("AZURE_TABLE_ENDPOINT", "http://127.0.0.1:1/account/results")],
            "give it without, http://127.0.0.1:1/account",
        ),
        (
            &[("AZURE_TABLE_ENDPOINT", "http://127.0.0.1:1")],
            "the endpoint names no account",
        ),
        (
            &[("AZURE_QUEUE_ENDPOINT", "http://127.0.0.1:1/")],
            "the endpoint names no account",
        ),
        (
            &[
                ("AZURE_STORAGE_SAS_TOKEN", ""),
                ("EDW_CREDENTIAL", "auto"),
                (
                    "AZURE_STORAGE_CONNECTION_STRING",
                    "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=R;SharedAccessKey=hunter2",
                ),
            ],
            "a connection string of Service Bus or Event Hubs",
        ),
    ];
    for (environment, text) in mistakes {
        let (code, stderr) = ended(&[], environment).await;
        assert_eq!(code, Some(2), "{environment:?}: {stderr}");
        assert!(stderr.contains(text), "{environment:?}: {stderr}");
        assert!(
            !stderr.contains("hunter2"),
            "a secret is not repeated: {stderr}"
        );
    }
}

#[tokio::test]
async fn a_port_in_use_is_refused_with_its_own_code() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let (code, stderr) = ended(&["--listen", &listen], &[]).await;
    assert_eq!(code, Some(6), "{stderr}");
    assert!(
        stderr.contains(&listen) && stderr.contains("choose another port"),
        "{stderr}"
    );
}
