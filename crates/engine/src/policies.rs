//! Stored access policies as documents: "Set Queue ACL", "Get Queue ACL", "Set Table ACL", "Get Table ACL", Azure Storage REST
//! reference.

use hyper::StatusCode;

use crate::{
    http::{error::ServiceError, response::Answer, xml},
    state::{edm::DateTime, policy::Policy},
};

const MOST_POLICIES: usize = 5;
const MOST_ID_CHARACTERS: usize = 64;

/// Parses the body of a request that sets policies. Letters that are not in `letters` are refused.
pub(crate) fn parse(body: &[u8], letters: &str) -> Result<Vec<Policy>, ServiceError> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let root = xml::parse(body)?;
    if root.name != "SignedIdentifiers" || root.children.len() > MOST_POLICIES {
        return Err(ServiceError::invalid_xml());
    }
    let mut policies: Vec<Policy> = Vec::new();
    for identifier in &root.children {
        let id = identifier.text_of("Id").unwrap_or_default();
        let known = policies.iter().any(|policy| policy.id == id);
        if id.is_empty() || id.chars().count() > MOST_ID_CHARACTERS || known {
            return Err(ServiceError::invalid_xml());
        }
        let policy = identifier.child("AccessPolicy");
        let text = |name| {
            let text = policy?.text_of(name)?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        for time in [text("Start"), text("Expiry")].into_iter().flatten() {
            if DateTime::parse(&time).is_none() {
                return Err(ServiceError::invalid_xml());
            }
        }
        let permission = text("Permission");
        if permission
            .iter()
            .any(|given| given.chars().any(|letter| !letters.contains(letter)))
        {
            return Err(ServiceError::invalid_xml());
        }
        policies.push(Policy {
            id: id.to_owned(),
            start: text("Start"),
            expiry: text("Expiry"),
            permission,
        });
    }
    Ok(policies)
}

/// The answer with these policies.
pub(crate) fn answer(policies: &[Policy]) -> Answer {
    let mut body = String::from(xml::DECLARATION);
    body.push_str("<SignedIdentifiers>");
    for policy in policies {
        body.push_str("<SignedIdentifier>");
        xml::element(&mut body, "Id", &policy.id);
        body.push_str("<AccessPolicy>");
        for (name, text) in [
            ("Start", &policy.start),
            ("Expiry", &policy.expiry),
            ("Permission", &policy.permission),
        ] {
            if let Some(text) = text {
                xml::element(&mut body, name, text);
            }
        }
        body.push_str("</AccessPolicy></SignedIdentifier>");
    }
    body.push_str("</SignedIdentifiers>");
    Answer::new(StatusCode::OK).body("application/xml", body)
}
