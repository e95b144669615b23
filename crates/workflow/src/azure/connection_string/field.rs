//! Tests of connection strings and settings of public projects, as `docs/FIELD.md` lists them; the signatures are invented.

use std::path::Path;

use super::tests::read;
use crate::azure::credential::CredentialError;
use crate::azure::endpoint;

const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The queue endpoint of a connection string.
fn queue(text: &str) -> Option<String> {
    let given = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    given.endpoint("queue").map(String::from)
}

#[test]
fn strings_of_the_emulator_lead_to_it() {
    for (text, expected) in [
        // vitorm04/dotnet6-queue-stoorage, README.md
        (
            format!(
                "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;"
            ),
            "http://127.0.0.1:10001/devstoreaccount1",
        ),
        // Azure/Azurite#974
        (
            format!(
                "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};QueueEndpoint=http://localhost:10001/devstoreaccount1;"
            ),
            "http://localhost:10001/devstoreaccount1",
        ),
        // Azure/azure-sdk-for-net#16542: the host of a container
        (
            format!(
                "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={KEY};QueueEndpoint=http://azurite.data:10001/devstoreaccount1;"
            ),
            "http://azurite.data:10001/devstoreaccount1",
        ),
        // The jobs.env, the compose file, the settings and the Java client of four projects
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://host.docker.internal"
                .to_owned(),
            "http://host.docker.internal:10001/devstoreaccount1",
        ),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite;".to_owned(),
            "http://azurite:10001/devstoreaccount1",
        ),
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1".to_owned(),
            "http://127.0.0.1:10001/devstoreaccount1",
        ),
        // apache/opendal keeps the port; the SDK for .NET, which defined this option, does not
        (
            "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1:12345"
                .to_owned(),
            "http://127.0.0.1:10001/devstoreaccount1",
        ),
    ] {
        assert_eq!(queue(&text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn strings_with_a_sas_lead_to_their_account() {
    for (text, expected) in [
        // Azure/azure-sdk-for-java, AzureStorageQueue tests
        (
            "BlobEndpoint=https://test.blob.core.windows.net/;QueueEndpoint=https://test.queue.core.windows.net/;FileEndpoint=https://test.file.core.windows.net/;TableEndpoint=https://test.table.core.windows.net/;SharedAccessSignature=sv=2020-08-04&ss=bfqt&srt=sco&sp=rwdlacupitfx&sip=192.168.0.1&spr=https,http&sig=test",
            Some("https://test.queue.core.windows.net/"),
        ),
        // MicrosoftDocs, "Configure Azure Storage connection strings": over two lines, in quotes, for blobs alone
        (
            "\"BlobEndpoint=https://storagesample.blob.core.windows.net;\nSharedAccessSignature=sv=2015-04-05&sr=b&sig=a%3D\"",
            None,
        ),
        // The SDK for Java's builders: the account by name alone
        (
            "AccountName=test;SharedAccessSignature=sv=1&sig=a",
            Some("https://test.queue.core.windows.net/"),
        ),
        // A tool for copying logs removes the question mark first
        (
            "QueueEndpoint=https://test.queue.core.windows.net/;SharedAccessSignature=?sv=1&sig=a",
            Some("https://test.queue.core.windows.net/"),
        ),
    ] {
        assert_eq!(queue(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_key_that_is_none_of_the_emulators_is_refused() {
    for text in [
        // Chamilo, .env: in single quotes
        "'DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=abc=='",
        // stemarie/log4net.Azure#59
        "DefaultEndpointsProtocol=https;AccountName=AccountName;AccountKey=MYKEY;",
        // A compose file with a misspelt account key of the emulator
        "AccountName=devstoreaccount1;AccountKey=Eby8vdM02qiYm5zVJo==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;",
    ] {
        assert!(
            matches!(read(text), Err(CredentialError::AccountKey)),
            "{text}"
        );
    }
}

/// Azure/Azurite#2369 (testcontainers, Spring) and #718: the URL of the emulator lacks the account.
#[test]
fn the_emulator_without_its_account_is_told_so() {
    for url in ["http://localhost:32770", "http://127.0.0.1:10001/"] {
        let error = endpoint::check(&url.parse().unwrap(), "queue", "example", None).unwrap_err();
        assert!(error.to_string().ends_with("/devstoreaccount1"), "{error}");
    }
    // Azure/azure-sdk-for-python#19202: the queue's own URL
    let url = "http://azurite:10001/devstoreaccount1/my-queue"
        .parse()
        .unwrap();
    let error = endpoint::check(&url, "queue", "my-queue", None).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("give it without, http://azurite:10001/devstoreaccount1"),
        "{error}"
    );
}

/// Tests the strings in `docs/field`: each by its line in `docs/FIELD.md`, with the queue's endpoint or the refusal.
#[test]
fn every_kept_connection_string_does_what_the_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/FIELD.md")).unwrap();
    let lines = page
        .lines()
        .filter(|line| line.contains(" | connection string | "));
    let mut count = 0;
    for line in lines {
        count += 1;
        let texts: Vec<_> = line.split('`').skip(1).step_by(2).collect();
        let (file, came_out) = (texts[0], *texts.last().unwrap());
        let text = std::fs::read_to_string(root.join("docs/field").join(file)).unwrap();
        let found = match read(&text) {
            Ok(given) => given
                .endpoint("queue")
                .map(String::from)
                .unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(came_out), "{line}: {found}");
        let is_taken = line.contains(" | taken: ");
        assert_eq!(read(&text).is_ok(), is_taken, "{line}");
    }
    assert!(count > 5, "{count}");
}
