//! The parts of a connection string follow the rules of the variables that say the same, and a key is refused wherever it stands.

use super::tests::read;
use crate::azure::credential::CredentialError;

const SAS: &str = "SharedAccessSignature=sv=1&ss=qt&sig=aHVudGVyMg";

/// Rule sources: "Storage account overview" (names of accounts); "Configure Azure Storage connection strings" (`http` or `https`;
/// the suffix `core.windows.net`).
#[test]
fn parts_are_checked_as_the_variables_are() {
    for (parts, told) in [
        ("AccountName=My_Account", "AccountName="),
        ("AccountName=ab", "AccountName="),
        (
            "AccountName=mine;EndpointSuffix=https://core.windows.net",
            "EndpointSuffix=core.windows.net",
        ),
        (
            "AccountName=mine;EndpointSuffix=.core.windows.net",
            "EndpointSuffix=core.windows.net",
        ),
        (
            "AccountName=mine;EndpointSuffix=queue.core.windows.net",
            "EndpointSuffix=core.windows.net",
        ),
        (
            "AccountName=mine;EndpointSuffix=core.windows.net/",
            "EndpointSuffix=core.windows.net",
        ),
        (
            "AccountName=mine;DefaultEndpointsProtocol=ftp",
            "DefaultEndpointsProtocol=https",
        ),
        ("QueueEndpoint=ftp://mine.test/", "begins with https://"),
        ("QueueEndpoint=https://mine.test/?x=1", "no query"),
        ("QueueEndpoint=https://u:p@mine.test/", "no user name"),
    ] {
        let error = read(&format!("{parts};{SAS}")).unwrap_err().to_string();
        assert!(error.contains(told), "{parts}: {error}");
        assert!(!error.contains("aHVudGVyMg"), "{error}");
    }
    // An emulator's accounts may have any name (`AZURITE_ACCOUNTS`), which is then in the path of an endpoint.
    let emulator = format!(
        "AccountName=My_Account;QueueEndpoint=http://a:1/My_Account;TableEndpoint=http://a:2/My_Account;{SAS}"
    );
    assert!(read(&emulator).is_ok());
    let capital = format!("AccountName=mine;DefaultEndpointsProtocol=HTTPS;{SAS}");
    let queue = read(&capital).unwrap().endpoint("queue").unwrap();
    assert_eq!(queue.as_str(), "https://mine.queue.core.windows.net/");
}

/// `--help` of `--connection-string`: one with an account's own key is refused.
#[test]
fn an_accounts_own_key_is_refused_beside_a_sas_too() {
    for text in [
        format!("AccountName=mine;AccountKey=aHVudGVyMg==;{SAS}"),
        format!("{SAS};accountkey=aHVudGVyMg==;QueueEndpoint=https://mine.queue.core.windows.net/"),
        format!("UseDevelopmentStorage=true;AccountKey=aHVudGVyMg==;{SAS}"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(matches!(error, CredentialError::AccountKey), "{text}");
        assert!(!error.to_string().contains("aHVudGVyMg"), "{error}");
    }
    let of_emulator = format!(
        "AccountName=devstoreaccount1;AccountKey={};QueueEndpoint=http://a:1/devstoreaccount1;{SAS}",
        super::development::KEY
    );
    assert_eq!(
        read(&of_emulator).unwrap().sas.expose(),
        "sv=1&ss=qt&sig=aHVudGVyMg"
    );
}
