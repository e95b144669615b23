//! SAS of one queue or table, alone or with a stored access policy: "Create a service SAS", Azure Storage REST reference.

use super::{
    Authenticator, Grant, Service,
    sas::{Permissions, check_signature, check_times, check_way, value, version},
};
use crate::{
    http::{
        error::ServiceError,
        request::{Target, decoded_segment},
    },
    state::{entity::Key, policy::Policy},
};

/// The version from which the string to sign has lines for IP address and protocol.
const WITH_ADDRESS: &str = "2015-04-05";

/// The keys of a table to which a signature is limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeyLimits {
    start_partition: Option<String>,
    start_row: Option<String>,
    end_partition: Option<String>,
    end_row: Option<String>,
}

impl KeyLimits {
    pub(super) fn contain(&self, key: &Key) -> bool {
        let (partition, row) = (&*key.partition, &*key.row);
        let from = self.start_partition.as_deref().is_none_or(|start| {
            let row_too = self.start_row.as_deref().is_none_or(|first| row >= first);
            partition > start || (partition == start && row_too)
        });
        let to = self.end_partition.as_deref().is_none_or(|end| {
            let row_too = self.end_row.as_deref().is_none_or(|last| row <= last);
            partition < end || (partition == end && row_too)
        });
        from && to
    }
}

pub(super) fn verify(
    authenticator: &Authenticator<'_>,
    target: &Target<'_>,
    policies: impl FnOnce(&str) -> Vec<Policy>,
) -> Result<Grant, ServiceError> {
    let version = version(target)?;
    let get = |name| value(target, name);
    let resource = resource(authenticator.service, target)?;
    let account = &authenticator.account.name;
    let (service, id) = (authenticator.service.name(), get("si"));
    let mut lines = vec![get("sp"), get("st"), get("se")];
    let canonical = format!("/{service}/{account}/{resource}");
    lines.extend([canonical.as_str(), id]);
    if version >= WITH_ADDRESS {
        lines.extend([get("sip"), get("spr")]);
    }
    lines.push(version);
    if authenticator.service == Service::Table {
        lines.extend([get("spk"), get("srk"), get("epk"), get("erk")]);
    }
    check_signature(authenticator, target, &lines.join("\n"))?;
    check_way(target)?;
    let (start, expiry, letters) = if id.is_empty() {
        (
            get("st").to_owned(),
            get("se").to_owned(),
            get("sp").to_owned(),
        )
    } else {
        joined(target, policies(&resource), id)?
    };
    check_times(authenticator.now, &start, &expiry)?;
    let limit = |name| target.parameter(name).map(str::to_owned);
    let limits = match authenticator.service {
        Service::Queue => KeyLimits::default(),
        Service::Table => KeyLimits {
            start_partition: limit("spk"),
            start_row: limit("srk"),
            end_partition: limit("epk"),
            end_row: limit("erk"),
        },
    };
    Ok(Grant::ServiceSas(
        Permissions::new(&letters, Vec::new()),
        limits,
    ))
}

/// The name that was signed: a queue's, or a table's in lower case. A table's name is in `tn` and must match the address;
/// without `tn`, the name in the address counts.
fn resource(service: Service, target: &Target<'_>) -> Result<String, ServiceError> {
    let segment = target.segments.first().copied().unwrap_or_default();
    let segment = decoded_segment(segment)?;
    match service {
        Service::Queue => Ok(segment.into_owned()),
        Service::Table => {
            let asked = segment.split('(').next().unwrap_or_default();
            let named = Some(value(target, "tn")).filter(|named| !named.is_empty());
            let signed = named.unwrap_or(asked).to_ascii_lowercase();
            if asked != "$batch" && !asked.eq_ignore_ascii_case(&signed) {
                return Err(ServiceError::authentication_detail(
                    "The table in the address is not the table that was signed (tn).",
                ));
            }
            Ok(signed)
        }
    }
}

/// Start, expiry and permissions of a signature with a policy. Exactly one of the two must give each.
fn joined(
    target: &Target<'_>,
    policies: Vec<Policy>,
    id: &str,
) -> Result<(String, String, String), ServiceError> {
    let found = policies.into_iter().find(|policy| policy.id == id);
    let policy = found.ok_or_else(|| {
        ServiceError::authentication_detail(format!("No access policy has the id {id}."))
    })?;
    let one = |name: &str, stored: Option<String>| {
        let given = value(target, name);
        match stored.filter(|stored| !stored.is_empty()) {
            Some(_) if !given.is_empty() => Err(ServiceError::authentication_detail(format!(
                "{name} is in the signature and in the access policy {id}."
            ))),
            Some(stored) => Ok(stored),
            None => Ok(given.to_owned()),
        }
    };
    Ok((
        one("st", policy.start)?,
        one("se", policy.expiry)?,
        one("sp", policy.permission)?,
    ))
}
