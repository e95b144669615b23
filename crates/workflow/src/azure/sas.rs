//! What a SAS says of itself: times, protocol, services and permissions. One that can never work is refused before any request.
//!
//! Rule sources: "Create an account SAS", "Create a service SAS", Azure Storage REST reference. A SAS with a stored access policy
//! (`si`) may have its times and permissions there, and only what it says itself is checked. Left out: the signature, which only
//! the service can check.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::endpoint;
use super::sign_in::account_sas;

/// How much later a SAS may begin than this machine's clock says now: clocks differ, by up to this much ("Create a service SAS",
/// "Best practices when using SAS", clock skew).
const SLACK: Duration = Duration::from_secs(15 * 60);

/// Why a SAS can never open what it is to open. The text repeats times and letters of the SAS, never its signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SasError {
    /// `se` has passed.
    #[error(
        "the SAS ended at {end}, and this machine's clock says {now}; make another one with '{}', or sign in with an identity",
        account_sas("<account>")
    )]
    Ended {
        /// Its end.
        end: String,
        /// The time, now.
        now: String,
    },
    /// `st` is still to come.
    #[error(
        "the SAS begins only at {start}, and this machine's clock says {now}, for which 15 min are allowed; wait until then, or make one \
         without a start (st=)"
    )]
    NotYet {
        /// Its start.
        start: String,
        /// The time, now.
        now: String,
    },
    /// `spr=https`, and the endpoint is HTTP.
    #[error(
        "the SAS has spr=https, which forbids http; use an https endpoint, or, for an emulator, a SAS with spr=https,http or \
         without spr"
    )]
    HttpsOnly,
    /// HTTP to a host of Azure's, through networks of others.
    #[error(
        "a SAS must not travel over http to a host of Azure, where others could read it; use https: an endpoint that begins with \
         https://, DefaultEndpointsProtocol=https"
    )]
    ClearText,
    /// A SAS of other services.
    #[error(
        "the SAS is for {of}, not for the {service} service (q: queue, t: table); make one with '{}'",
        account_sas("<account>")
    )]
    OtherService {
        /// What it is for.
        of: String,
        /// `queue` or `table`.
        service: &'static str,
    },
    /// `srt` without `o`.
    #[error(
        "the SAS has srt={given}, without o, so that it opens no message and no row; make one with '{}'",
        account_sas("<account>")
    )]
    NoObjects {
        /// The letters that it has.
        given: String,
    },
    /// `sp` without the letter of an operation that the program cannot do without.
    #[error(
        "the SAS has sp={given}, without {letter}, and so cannot {doing}; make one with '{}'",
        account_sas("<account>")
    )]
    Lacks {
        /// The letters that it has.
        given: String,
        /// The letter that it lacks.
        letter: char,
        /// The operation.
        doing: &'static str,
    },
}

/// The text of a SAS, without its question mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sas<'a>(pub(super) &'a str);

impl<'a> Sas<'a> {
    /// The value of `name`, decoded. An empty one is how templates say "not set".
    pub(super) fn value(self, name: &str) -> Option<Cow<'a, str>> {
        let pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(found, value)| *found == name && !value.is_empty());
        let (_, value) = named.next()?;
        Some(percent_decode_str(value).decode_utf8_lossy())
    }

    /// Refuses a SAS whose time is over, or has not come at `now`.
    pub(super) fn check_times(self, now: SystemTime) -> Result<(), SasError> {
        let at = |name| self.value(name).as_deref().and_then(moment);
        let said = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        let clock = OffsetDateTime::from(now);
        let now = || {
            let whole = clock.replace_nanosecond(0);
            whole.map(said).unwrap_or_default()
        };
        match (at("st"), at("se")) {
            (_, Some(end)) if end <= clock => Err(SasError::Ended {
                end: said(end),
                now: now(),
            }),
            (Some(start), _) if start > clock + SLACK => Err(SasError::NotYet {
                start: said(start),
                now: now(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses a SAS that must not be sent to `url`, or is not for `service`.
    pub(super) fn check_way(self, url: &Url, service: &'static str) -> Result<(), SasError> {
        if let Some(of) = self.other_than(service) {
            return Err(SasError::OtherService { of, service });
        }
        if url.scheme() == "https" {
            return Ok(());
        }
        if self.value("spr").is_some_and(|given| given == "https") {
            return Err(SasError::HttpsOnly);
        }
        if endpoint::is_of_azure(url) {
            return Err(SasError::ClearText);
        }
        Ok(())
    }

    /// What the SAS is for, if that is not `service`.
    fn other_than(self, service: &str) -> Option<String> {
        let letter = if service == "queue" { 'q' } else { 't' };
        if let Some(services) = self.value("ss") {
            let has = services.contains(letter);
            return (!has).then(|| format!("ss={}", letters(&services)));
        }
        // A service SAS names a table, or a kind of resource that blobs and files have; one of a queue names neither.
        let kind = self.value("sr").unwrap_or_default();
        match &*kind {
            "b" | "bv" | "bs" | "c" | "d" => return Some("blobs".to_owned()),
            "f" | "s" => return Some("files".to_owned()),
            _ => {}
        }
        let is_table = self.value("tn").is_some();
        (is_table && service == "queue").then(|| "a table".to_owned())
    }

    /// Refuses a SAS that grants no operation of `letter` on messages or rows.
    pub(super) fn check_letter(self, letter: char, doing: &'static str) -> Result<(), SasError> {
        let resources = self.value("srt").filter(|_| self.value("ss").is_some());
        if let Some(given) = resources.filter(|given| !given.contains('o')) {
            let given = letters(&given);
            return Err(SasError::NoObjects { given });
        }
        let own = self.value("sp").filter(|_| self.value("si").is_none());
        match own {
            Some(given) if !given.contains(letter) => Err(SasError::Lacks {
                given: letters(&given),
                letter,
                doing,
            }),
            _ => Ok(()),
        }
    }
}

/// The letters of `given`, which a message may repeat: anything else could be a part of a SAS that was cut up.
fn letters(given: &str) -> String {
    given
        .chars()
        .filter(char::is_ascii_lowercase)
        .take(26)
        .collect()
}

/// A time of a SAS, in the forms that "Create a service SAS" lists ("Specify the signature validity interval"): a day, a time without
/// seconds, and a time with them. `None` for any other text, which the service judges.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        17 if text.ends_with('Z') => format!("{}:00Z", text.trim_end_matches('Z')),
        _ => text.to_owned(),
    };
    OffsetDateTime::parse(&whole, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        OffsetDateTime::parse(text, &Rfc3339).unwrap().into()
    }

    fn times(sas: &str) -> Result<(), String> {
        let now = at("2026-11-28T10:00:00.25Z");
        let checked = Sas(sas).check_times(now);
        checked.map_err(|error| error.to_string())
    }

    /// "Create a service SAS", "Specify the signature validity interval": forms of times; "Best practices when using SAS": a clock's
    /// slack of 15 minutes.
    #[test]
    fn a_sas_whose_time_is_over_or_has_not_come_is_refused() {
        for (sas, told) in [
            ("sv=1&se=2025-01-01&sig=a", "ended at 2025-01-01T00:00:00Z"),
            (
                "sv=1&se=2026-11-28T10:00Z&sig=a",
                "ended at 2026-11-28T10:00:00Z",
            ),
            (
                "sv=1&se=2026-11-28T09%3A59%3A59Z&sig=a",
                "this machine's clock says 2026-11-28T10:00:00Z",
            ),
            (
                "sv=1&st=2026-11-28T10%3A15%3A01Z&se=2099-01-01&sig=a",
                "begins only at 2026-11-28T10:15:01Z",
            ),
        ] {
            let error = times(sas).unwrap_err();
            assert!(error.contains(told), "{sas}: {error}");
        }
        for sas in [
            "sv=1&sig=a",
            "sv=1&se=&sig=a",
            "sv=1&se=2026-11-28T10:01Z&sig=a",
            "sv=1&st=2026-11-28T10%3A15%3A00Z&sig=a",
            // The service judges these.
            "sv=1&se=2030&sig=a",
            "sv=1&se=yesterday&sig=a",
        ] {
            assert_eq!(times(sas), Ok(()), "{sas}");
        }
    }

    /// "Create an account SAS", `signedProtocol`: `https,http` or `https`; the default is both.
    #[test]
    fn a_sas_for_https_goes_over_https_alone() {
        let way = |sas, url: &str| Sas(sas).check_way(&url.parse().unwrap(), "queue");
        let emulator = "http://127.0.0.1:10001/devstoreaccount1";
        let https = "sv=1&ss=q&spr=https&sig=a";
        for url in [
            emulator,
            "http://azurite:10001/devstoreaccount1",
            "http://mine.queue.core.windows.net",
        ] {
            assert_eq!(way(https, url), Err(SasError::HttpsOnly), "{url}");
        }
        for (sas, url) in [
            (https, "https://mine.queue.core.windows.net/"),
            (https, "https://127.0.0.1:10001/devstoreaccount1"),
            ("sv=1&ss=q&sig=a", emulator),
            ("sv=1&ss=q&spr=https%2Chttp&sig=a", emulator),
            (
                "sv=1&sig=a",
                "http://azurite.storage.svc.cluster.local:10001/devstoreaccount1",
            ),
            (
                "sv=1&sig=a",
                "http://devstoreaccount1.queue.localhost:10001",
            ),
        ] {
            assert_eq!(way(sas, url), Ok(()), "{sas} {url}");
        }
        for url in [
            "http://mine.queue.core.windows.net/",
            "http://mine.privatelink.queue.core.windows.net",
            "http://MINE.queue.core.chinacloudapi.cn.",
            "http://mine.z12.queue.storage.azure.net/",
        ] {
            assert_eq!(way("sv=1&sig=a", url), Err(SasError::ClearText), "{url}");
        }
    }

    /// "Create an account SAS", `signedServices`; "Create a service SAS", `signedResource` and `tableName`.
    #[test]
    fn a_sas_of_another_service_is_refused() {
        let url = "https://storage.example.com/".parse().unwrap();
        let way = |sas, service| Sas(sas).check_way(&url, service);
        for (sas, service, of) in [
            ("ss=b&srt=o", "queue", "ss=b"),
            ("ss=q", "table", "ss=q"),
            ("sr=c&sp=r", "queue", "blobs"),
            ("sr=f", "table", "files"),
            ("tn=results&sp=a", "queue", "a table"),
        ] {
            let of = of.to_owned();
            assert_eq!(
                way(sas, service),
                Err(SasError::OtherService { of, service })
            );
        }
        for (sas, service) in [
            ("ss=bqft", "queue"),
            ("ss=t", "table"),
            ("tn=results", "table"),
            ("sp=raup", "queue"),
            ("sr=q&sp=a", "queue"),
        ] {
            assert_eq!(way(sas, service), Ok(()), "{sas}");
        }
    }

    /// "Create an account SAS", "Queue service operations": Put Message takes the resource type `o` and the letter `a`; "Create a
    /// service SAS", "Permissions for a queue": `a` adds messages.
    #[test]
    fn a_sas_without_the_letter_of_an_operation_is_refused() {
        let put = |sas| Sas(sas).check_letter('a', "put messages");
        for sas in ["sv=1&sp=rl", "ss=q&srt=sco&sp=rwdlcup"] {
            let error = put(sas).unwrap_err().to_string();
            assert!(
                error.contains("without a, and so cannot put messages"),
                "{error}"
            );
        }
        let error = put("ss=q&srt=sc&sp=a").unwrap_err().to_string();
        assert!(error.contains("the SAS has srt=sc, without o"), "{error}");
        for sas in ["sp=a", "ss=q&srt=o&sp=a", "si=policy&sp=r", "sv=1"] {
            assert_eq!(put(sas), Ok(()), "{sas}");
        }
    }
}
