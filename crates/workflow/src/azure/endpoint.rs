//! Checks of an endpoint: its account, and whether it can belong to the service.
//!
//! Rule source: "Storage account overview" (`https://<account>.queue.core.windows.net`), and "Use the Azurite emulator", where
//! the account is the last segment of the path (`http://127.0.0.1:10001/devstoreaccount1`).

use reqwest::Url;

/// The services of an account, by their names in hosts.
const SERVICES: [&str; 6] = ["blob", "queue", "table", "file", "dfs", "web"];

/// Suffixes of the hosts of accounts, after the account and the service ("Storage account overview", "Azure storage endpoints";
/// "Azure Government", "Azure in China", endpoints).
const SUFFIXES: [&str; 4] = [
    "core.windows.net",
    "core.usgovcloudapi.net",
    "core.chinacloudapi.cn",
    "core.cloudapi.de",
];

/// What hosts of accounts with zones end with ("Storage account overview", "Azure DNS zone endpoints").
const ZONES: [&str; 1] = ["storage.azure.net"];

/// Reason why an endpoint cannot be that of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The path includes the queue or table.
    #[error("the endpoint ends with the name of the {service}; give it without, {without}")]
    NamesResource {
        /// `queue` or `table`.
        service: &'static str,
        /// The right endpoint.
        without: Url,
    },
    /// An IP address, or a host on the same network, whose path names no account.
    #[error(
        "the endpoint names no account; that of Azurite and other emulators ends with the account's name, such as {such}"
    )]
    NoAccount {
        /// The probable endpoint.
        such: Url,
    },
    /// The host that all accounts of a cloud share, without an account's name.
    #[error(
        "the endpoint names no account; its host begins with the account's name, such as https://{account}.{service}.{suffix}"
    )]
    SuffixAlone {
        /// `queue` or `table`.
        service: &'static str,
        /// The account's name if it is known, otherwise a placeholder.
        account: String,
        /// The part of the host that all accounts share.
        suffix: String,
    },
    /// The endpoint belongs to another service of the account.
    #[error("the endpoint is that of another service, {other}; for the {service} give {such}")]
    OtherService {
        /// `queue` or `table`.
        service: &'static str,
        /// The service to which the endpoint belongs.
        other: &'static str,
        /// The probable endpoint.
        such: Url,
    },
}

/// The account that `url` names; empty if it cannot be determined.
pub(super) fn account(url: &Url) -> String {
    let labels = labels(url);
    let account = match service_of(&labels) {
        Some(_) => labels.first().copied(),
        None => segments(url).last().copied(),
    };
    account.unwrap_or_default().to_owned()
}

/// The account in the host of `url`, if that is a host of Azure's, of the emulator's (`<account>.queue.localhost`), or one that ends with
/// `suffix`. In any other domain, what stands before the service can be anything.
pub(super) fn by_host(url: &Url, suffix: Option<&str>) -> Option<String> {
    let labels = labels(url);
    service_of(&labels)?;
    let host = labels.join(".");
    let ends = |suffix: &str| host.ends_with(&format!(".{}", suffix.to_ascii_lowercase()));
    let is_known = is_of_azure(url) || ends("localhost") || suffix.is_some_and(ends);
    let first = labels.first().filter(|_| is_known)?;
    // The host for reading of a replicated account ("Use geo-redundancy to design highly available applications").
    Some(first.strip_suffix("-secondary").unwrap_or(first).to_owned())
}

/// The account that is the whole path of `url`, if its host is an emulator's: an IP address, a name without a domain, or any with a port
/// of Azurite ("Use the Azurite emulator"). A longer path can be a proxy's.
pub(super) fn by_path(url: &Url) -> Option<String> {
    let is_emulator = labels(url).len() < 2
        || url
            .port()
            .is_some_and(|port| (10_000..=10_004).contains(&port));
    match *segments(url).as_slice() {
        [account] if is_emulator => Some(account.to_owned()),
        _ => None,
    }
}

/// Checks that `url` can be the endpoint of `service`, for the resource `name`; `known` is the account, if it is given
/// separately from the endpoint.
pub(super) fn check(
    url: &Url,
    service: &'static str,
    name: &str,
    known: Option<&str>,
) -> Result<(), EndpointError> {
    let (labels, segments) = (labels(url), segments(url));
    if let Some(suffix) = suffix_alone(&labels) {
        return Err(EndpointError::SuffixAlone {
            service,
            account: known.unwrap_or("myaccount").to_owned(),
            suffix,
        });
    }
    let of_host = service_of(&labels);
    if let Some(other) = of_host.filter(|other| *other != service) {
        let mut such = url.clone();
        let host = labels
            .join(".")
            .replacen(&format!(".{other}."), &format!(".{service}."), 1);
        let _ = such.set_host(Some(&host));
        return Err(EndpointError::OtherService {
            service,
            other,
            such,
        });
    }
    // The only segment of the path may be an account with the same name as the resource.
    let is_account = of_host.is_none() && segments.len() == 1 && known == segments.first().copied();
    if segments
        .last()
        .is_some_and(|last| last.eq_ignore_ascii_case(name))
        && !is_account
    {
        let mut without = url.clone();
        if let Ok(mut path) = without.path_segments_mut() {
            path.pop_if_empty().pop();
        }
        return Err(EndpointError::NamesResource { service, without });
    }
    if segments.is_empty() && of_host.is_none() && labels.len() < 2 {
        let mut such = url.clone();
        such.set_path(known.unwrap_or("devstoreaccount1"));
        return Err(EndpointError::NoAccount { such });
    }
    Ok(())
}

/// The labels of a host name; empty for an IP address.
fn labels(url: &Url) -> Vec<&str> {
    let domain = url.domain().unwrap_or_default().trim_end_matches('.');
    domain
        .split('.')
        .filter(|label| !label.is_empty())
        .collect()
}

/// The service in a host that names account and service.
fn service_of(labels: &[&str]) -> Option<&'static str> {
    // One label may be in between: `<account>.privatelink.queue...`, `<account>.z12.queue.storage.azure.net`.
    let mut after = labels.iter().skip(1).take(2);
    let named = after.find_map(|label| SERVICES.into_iter().find(|service| service == label));
    named.filter(|_| labels.len() > 2)
}

/// The suffix, if the host consists only of it and possibly a service's name: `core.windows.net`, `queue.core.windows.net`.
fn suffix_alone(labels: &[&str]) -> Option<String> {
    let (first, rest) = labels.split_first()?;
    let suffix = if SERVICES.contains(first) {
        rest.join(".")
    } else {
        labels.join(".")
    };
    SUFFIXES.contains(&suffix.as_str()).then_some(suffix)
}

/// Whether `url` leads to a host of Azure's own, in any of its clouds.
pub(super) fn is_of_azure(url: &Url) -> bool {
    let host = labels(url).join(".");
    let ends = |suffix: &str| {
        host.strip_suffix(suffix)
            .is_some_and(|of| of.ends_with('.'))
    };
    SUFFIXES.into_iter().chain(ZONES).any(ends)
}

/// `suffix` without the service that it begins with, if it is a whole host but for the account: `queue.core.windows.net`.
pub(super) fn without_service(suffix: &str) -> Option<String> {
    let labels: Vec<_> = suffix.split('.').collect();
    let of_all = suffix_alone(&labels)?;
    (of_all != suffix).then_some(of_all)
}

fn segments(url: &Url) -> Vec<&str> {
    let segments = url.path_segments().into_iter().flatten();
    segments.filter(|segment| !segment.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, service: &'static str) -> Result<(), String> {
        let url = url.parse().unwrap();
        check(&url, service, "work", Some("mine")).map_err(|error| error.to_string())
    }

    #[test]
    fn endpoints_as_azure_and_azurite_have_them_are_taken_with_their_account() {
        for (url, of) in [
            ("https://mine.queue.core.windows.net/", "mine"),
            ("https://mine.queue.core.windows.net", "mine"),
            ("https://mine.privatelink.queue.core.windows.net", "mine"),
            ("https://mine.z12.queue.storage.azure.net/", "mine"),
            (
                "http://devstoreaccount1.queue.localhost:10001",
                "devstoreaccount1",
            ),
            (
                "http://127.0.0.1:10001/devstoreaccount1",
                "devstoreaccount1",
            ),
            ("http://azurite:10001/devstoreaccount1/", "devstoreaccount1"),
            ("http://[::1]:10001/devstoreaccount1", "devstoreaccount1"),
            // A path with a client's name, for the wire.
            (
                "http://wire:8080/pod-1/devstoreaccount1",
                "devstoreaccount1",
            ),
            // The account may have the same name as its queue.
            ("http://azurite:10001/mine", "mine"),
            // The meaning of a custom host name is unknown here.
            ("https://storage.example.com/", ""),
        ] {
            assert_eq!(checked(url, "queue"), Ok(()), "{url}");
            assert_eq!(account(&url.parse().unwrap()), of, "{url}");
        }
        let known = check(
            &"http://azurite:10001/work".parse().unwrap(),
            "queue",
            "work",
            Some("work"),
        );
        assert_eq!(known, Ok(()));
    }

    #[test]
    fn an_endpoint_that_goes_on_to_the_table_is_told_without_it() {
        for (url, without) in [
            (
                "http://127.0.0.1:10002/devstoreaccount1/work",
                "http://127.0.0.1:10002/devstoreaccount1",
            ),
            (
                "http://127.0.0.1:10002/devstoreaccount1/Work/",
                "http://127.0.0.1:10002/devstoreaccount1",
            ),
            (
                "https://mine.table.core.windows.net/work",
                "https://mine.table.core.windows.net/",
            ),
            ("http://azurite:10002/work", "http://azurite:10002/"),
        ] {
            let error = checked(url, "table").unwrap_err();
            assert!(
                error.ends_with(&format!("give it without, {without}")),
                "{error}"
            );
        }
    }

    #[test]
    fn an_endpoint_without_an_account_says_where_the_account_belongs() {
        for (url, such) in [
            ("http://127.0.0.1:10001", "http://127.0.0.1:10001/mine"),
            ("http://[::1]:10001/", "http://[::1]:10001/mine"),
            ("http://azurite:10001/", "http://azurite:10001/mine"),
            ("http://localhost:10001", "http://localhost:10001/mine"),
        ] {
            let error = checked(url, "queue").unwrap_err();
            assert!(error.ends_with(such), "{error}");
        }
    }

    #[test]
    fn a_host_that_all_accounts_share_lacks_the_account() {
        for (url, such) in [
            (
                "https://queue.core.windows.net",
                "https://mine.queue.core.windows.net",
            ),
            (
                "https://queue.core.windows.net/mine",
                "https://mine.queue.core.windows.net",
            ),
            (
                "https://table.core.windows.net/",
                "https://mine.queue.core.windows.net",
            ),
            (
                "https://core.windows.net/",
                "https://mine.queue.core.windows.net",
            ),
            (
                "https://queue.core.chinacloudapi.cn",
                "https://mine.queue.core.chinacloudapi.cn",
            ),
        ] {
            let error = checked(url, "queue").unwrap_err();
            let expected = format!(
                "the endpoint names no account; its host begins with the account's name, such as {such}"
            );
            assert_eq!(error, expected, "{url}");
        }
        let unknown = check(
            &"https://queue.core.windows.net".parse().unwrap(),
            "queue",
            "work",
            None,
        );
        let told = unknown.unwrap_err().to_string();
        assert!(
            told.ends_with("https://myaccount.queue.core.windows.net"),
            "{told}"
        );
    }

    #[test]
    fn the_endpoint_of_another_service_is_named() {
        let error = checked("https://mine.blob.core.windows.net/", "queue").unwrap_err();
        assert_eq!(
            error,
            "the endpoint is that of another service, blob; for the queue give https://mine.queue.core.windows.net/"
        );
        let error = checked("https://mine.queue.core.windows.net/", "table").unwrap_err();
        assert!(
            error.contains("for the table give https://mine.table."),
            "{error}"
        );
    }
}
