//! The account that a connection string names in several places: what is signed for one account, another one refuses (403,
//! `AuthenticationFailed`), whose advice would be on keys and clocks.

use reqwest::Url;

use super::{Pairs, parse_account};
use crate::azure::endpoint::{by_host, by_path};

/// The account that all parts name that can be compared, or the error for two that differ. Other endpoints do not matter here.
pub(super) fn of_all(
    pairs: &Pairs<'_>,
    queue: Option<&Url>,
    table: Option<&Url>,
) -> Result<Option<String>, String> {
    let suffix = pairs.value("EndpointSuffix");
    let given = pairs
        .value("AccountName")
        .filter(|name| parse_account(name).is_ok());
    let named = |url: Option<&Url>| by_host(url?, suffix).or_else(|| by_path(url?));
    let all = [
        ("AccountName=", given.map(str::to_owned)),
        ("QueueEndpoint=", named(queue)),
        ("TableEndpoint=", named(table)),
    ];
    let mut found = all
        .into_iter()
        .filter_map(|(part, name)| Some((part, name?)));
    let Some((part, account)) = found.next() else {
        return Ok(None);
    };
    match found.find(|(_, other)| *other != account) {
        None => Ok(Some(account)),
        Some((other_part, other)) => Err(format!(
            "names the account {account:?} in {part} and {other:?} in {other_part}, and what is signed for one of them is refused by \
             the other; give both the same account"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::azure::development;

    const SAS: &str = "SharedAccessSignature=sv=1&sig=hunter2";

    /// "Configure Azure Storage connection strings": `https://<account>.queue.core.windows.net`; "Use the Azurite emulator": the account
    /// is the path. A SAS is signed with the key of one account ("Create an account SAS", `signature string`).
    #[test]
    fn parts_that_name_two_accounts_are_refused_with_both_names() {
        let key = development::KEY;
        for (text, names) in [
            (
                format!(
                    "AccountName=mine;QueueEndpoint=https://other.queue.core.windows.net/;{SAS}"
                ),
                ["\"mine\" in AccountName=", "\"other\" in QueueEndpoint="],
            ),
            (
                format!(
                    "AccountName=mine;TableEndpoint=https://other.table.core.chinacloudapi.cn;{SAS}"
                ),
                ["\"mine\" in AccountName=", "\"other\" in TableEndpoint="],
            ),
            (
                format!(
                    "QueueEndpoint=https://mine.queue.core.windows.net;TableEndpoint=https://other.z12.table.storage.azure.net;{SAS}"
                ),
                ["\"mine\" in QueueEndpoint=", "\"other\" in TableEndpoint="],
            ),
            (
                format!(
                    "AccountName=devstoreaccount1;AccountKey={key};QueueEndpoint=http://127.0.0.1:10001/devstoreaccount2"
                ),
                [
                    "\"devstoreaccount1\" in",
                    "\"devstoreaccount2\" in QueueEndpoint=",
                ],
            ),
            (
                format!(
                    "AccountName=mine;QueueEndpoint=http://azurite.data:10001/devstoreaccount1;{SAS}"
                ),
                ["\"mine\" in", "\"devstoreaccount1\" in QueueEndpoint="],
            ),
            (
                format!(
                    "AccountName=mine;EndpointSuffix=stack.test;QueueEndpoint=https://other.queue.stack.test;{SAS}"
                ),
                ["\"mine\" in", "\"other\" in QueueEndpoint="],
            ),
            (
                format!(
                    "AccountName=mine;QueueEndpoint=http://devstoreaccount1.queue.localhost:10001;{SAS}"
                ),
                ["\"mine\" in", "\"devstoreaccount1\" in QueueEndpoint="],
            ),
        ] {
            let error = read(&text).unwrap_err().to_string();
            for name in names {
                assert!(error.contains(name), "{text}: {error}");
            }
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn one_account_in_all_parts_and_hosts_that_name_none_are_taken() {
        for (text, account) in [
            (
                format!(
                    "AccountName=mine;QueueEndpoint=https://mine.queue.core.windows.net/;TableEndpoint=https://mine.privatelink.table.core.windows.net;{SAS}"
                ),
                Some("mine"),
            ),
            // The secondary of a replicated account ("Data redundancy", read access).
            (
                format!(
                    "AccountName=mine;QueueEndpoint=https://mine-secondary.queue.core.windows.net/;{SAS}"
                ),
                Some("mine"),
            ),
            (
                format!("AccountName=mine;QueueEndpoint=https://queue.mine.example/;{SAS}"),
                Some("mine"),
            ),
            (
                format!("AccountName=mine;QueueEndpoint=https://other.queue.example.com/;{SAS}"),
                Some("mine"),
            ),
            (
                format!("AccountName=mine;QueueEndpoint=https://gateway.example.com/other;{SAS}"),
                Some("mine"),
            ),
            // A path with more than the account, such as that of a proxy.
            (
                format!("AccountName=mine;QueueEndpoint=http://wire:8080/pod-1/mine;{SAS}"),
                Some("mine"),
            ),
            (
                format!("QueueEndpoint=https://queue.mine.example/;{SAS}"),
                None,
            ),
            (
                "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite".to_owned(),
                Some("devstoreaccount1"),
            ),
            (
                format!("AccountName=mine;BlobEndpoint=https://other.blob.core.windows.net/;{SAS}"),
                Some("mine"),
            ),
        ] {
            let given = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(given.account(), account, "{text}");
        }
    }
}
