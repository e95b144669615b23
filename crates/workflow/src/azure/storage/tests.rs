//! What opens a queue or table with a SAS, and what is refused before any request.

use super::*;
use crate::azure::credential::CredentialChoice;

/// Opens the queue and the table by a connection string, or by a SAS and the endpoint of the queue. Nothing is sent.
fn opened(text: &str, queue_endpoint: Option<&str>) -> Result<(), String> {
    let (sas, string) = match queue_endpoint {
        Some(_) => (Some(Secret::new(text)), None),
        None => (None, Some(Secret::new(text))),
    };
    let account = AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        sas,
        connection_string: string,
    };
    let queue = QueueArgs {
        queue: "work".parse().unwrap(),
        queue_endpoint: queue_endpoint.map(|url| url.parse().unwrap()),
    };
    let told = |error: ConfigError| error.to_string();
    let storage = Storage::open(&account).map_err(told)?;
    storage.queue(&queue).map_err(told)?;
    storage
        .needs("queue", 'a', "put messages")
        .map_err(|error| error.to_string())
}

const SAS: &str = "sv=2022-11-02&ss=qt&srt=sco&sp=rwdlacup&se=2099-01-01T00:00:00Z&st=2024-01-01T00:00:00Z&spr=https&sig=aHVudGVyMg";

/// "Create an account SAS", `signedProtocol`: `spr=https` forbids HTTP.
#[test]
fn a_sas_is_not_sent_in_clear_text() {
    let open = SAS.replace("&spr=https", "");
    for (text, endpoint, told) in [
        (
            format!("QueueEndpoint=http://azurite:10001/acct;SharedAccessSignature={SAS}"),
            None,
            "spr=https, which forbids http",
        ),
        (
            format!("DefaultEndpointsProtocol=http;AccountName=acct;SharedAccessSignature={SAS}"),
            None,
            "spr=https, which forbids http",
        ),
        (
            format!("DefaultEndpointsProtocol=http;AccountName=acct;SharedAccessSignature={open}"),
            None,
            "must not travel over http",
        ),
        (
            format!(
                "QueueEndpoint=http://acct.queue.core.windows.net/;SharedAccessSignature={open}"
            ),
            None,
            "must not travel over http",
        ),
        (
            open.clone(),
            Some("http://acct.queue.core.windows.net/"),
            "must not travel over http",
        ),
        (
            SAS.to_owned(),
            Some("http://127.0.0.1:10001/devstoreaccount1"),
            "spr=https, which forbids http",
        ),
    ] {
        let error = opened(&text, endpoint).unwrap_err();
        assert!(error.contains(told), "{text}: {error}");
        assert!(!error.contains("aHVudGVyMg"), "{error}");
    }
    for (text, endpoint) in [
        (
            format!("AccountName=acct;SharedAccessSignature={SAS}"),
            None,
        ),
        ("UseDevelopmentStorage=true".to_owned(), None),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite".to_owned(),
            None,
        ),
        (
            open.clone(),
            Some("http://127.0.0.1:10001/devstoreaccount1"),
        ),
        (
            open,
            Some("http://azurite.storage.svc.cluster.local:10001/devstoreaccount1"),
        ),
        (
            azurite::account_sas(),
            Some("http://127.0.0.1:10001/devstoreaccount1"),
        ),
    ] {
        assert_eq!(opened(&text, endpoint), Ok(()), "{text}");
    }
}

/// "Create an account SAS": `signedExpiry`, `signedStart`, `signedServices`, `signedPermission`.
#[test]
fn a_sas_that_can_never_work_is_refused_with_what_to_do() {
    for (sas, told) in [
        (SAS.replace("2099", "2025"), "the SAS ended at 2025-01-01"),
        (
            SAS.replace("st=2024", "st=2098"),
            "the SAS begins only at 2098-01-01",
        ),
        (
            SAS.replace("ss=qt", "ss=b"),
            "the SAS is for ss=b, not for the queue",
        ),
        (
            SAS.replace("rwdlacup", "rl"),
            "the SAS has sp=rl, without a",
        ),
    ] {
        let error = opened(
            &format!("AccountName=acct;SharedAccessSignature={sas}"),
            None,
        );
        let error = error.unwrap_err();
        assert!(error.contains(told), "{error}");
        assert!(!error.contains("aHVudGVyMg"), "{error}");
    }
}

#[test]
fn a_connection_string_without_an_account_says_so() {
    for text in [
        format!("SharedAccessSignature={SAS}"),
        format!("BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature={SAS}"),
    ] {
        let error = opened(&text, None).unwrap_err();
        assert!(
            error.contains("the connection string has neither AccountName="),
            "{error}"
        );
    }
}

/// Reading hundreds of certificates is most of what a program does at its start.
#[test]
fn the_roots_of_the_system_are_read_for_an_https_endpoint_only() {
    for (endpoint, read) in [
        ("http://127.0.0.1:10001/devstoreaccount1", false),
        ("https://acct.queue.core.windows.net/", true),
    ] {
        let account = AccountArgs {
            account: None,
            endpoint_suffix: "core.windows.net".to_owned(),
            credential: CredentialChoice::Sas,
            sas: Some(Secret::new(SAS.replace("&spr=https", ""))),
            connection_string: None,
        };
        let storage = Storage::open(&account).unwrap();
        let client = storage.client.clone().unwrap();
        assert!(!client.has_read_roots());
        let queue = QueueArgs {
            queue: "work".parse().unwrap(),
            queue_endpoint: Some(endpoint.parse().unwrap()),
        };
        storage.queue(&queue).unwrap();
        assert_eq!(client.has_read_roots(), read, "{endpoint}");
    }
}
