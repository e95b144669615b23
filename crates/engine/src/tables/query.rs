//! "Query Entities" and "Query timeout and pagination", Azure Storage REST reference.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hyper::StatusCode;

use super::{
    format::{self, Format},
    json::{Object, Origin, write_entity},
};
use crate::{
    call::Call,
    filter,
    http::{error::ServiceError, request::Target, response::Answer},
    state::{entity::Key, ranges::Range},
};

/// Most entities in one answer.
const MOST_FOUND: usize = 1_000;

/// `$top`, at most 1,000. Zero is allowed, and Storage Explorer uses it.
pub(super) fn top(target: &Target<'_>) -> Result<usize, ServiceError> {
    let Some(text) = target.parameter("$top") else {
        return Ok(MOST_FOUND);
    };
    match text.trim().parse() {
        Ok(most @ 0..=MOST_FOUND) => Ok(most),
        _ => Err(ServiceError::invalid_input(format!(
            "The value of $top must be between 0 and {MOST_FOUND}, not {text}."
        ))),
    }
}

/// The names in `$select`; `None` for all.
pub(super) fn select<'a>(target: &'a Target<'_>) -> Option<Vec<&'a str>> {
    let text = target.parameter("$select")?;
    let names: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    (!names.is_empty() && !names.contains(&"*")).then_some(names)
}

pub(super) fn answer(call: &Call<'_>, table: &str) -> Result<Answer, ServiceError> {
    let target = call.target;
    let format = Format::of(target)?;
    let most = top(target)?;
    let select = select(target);
    let filter = target
        .parameter("$filter")
        .filter(|text| !text.trim().is_empty());
    let filter = filter.map(filter::parse).transpose();
    let filter = filter.map_err(|error| ServiceError::invalid_input(error.to_string()))?;
    let ranges = match &filter {
        Some(filter) => filter.keys().ranges(),
        None => vec![Range::all()],
    };
    let from = continuation(target)?;
    let page = call.directory.read_table(table, |table| {
        table
            .entities
            .query(&ranges, from.as_ref(), most, |key, entity| {
                call.grant.allows_key(key)
                    && filter
                        .as_ref()
                        .is_none_or(|filter| filter.matches(key, entity))
            })
    });
    let page = page.map_err(ServiceError::of_table)?;
    let mut body = String::with_capacity(256 * page.found.len() + 128);
    let mut object = Object::begin(&mut body);
    if format != Format::None {
        object.text(
            "odata.metadata",
            &format!("{}/$metadata#{table}", target.base),
        );
    }
    let out = object.name("value");
    out.push('[');
    let origin = Origin {
        base: &target.base,
        account: call.account,
        table,
    };
    for (index, (key, entity)) in page.found.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_entity(out, origin, format, false, select.as_deref(), key, entity);
    }
    out.push(']');
    object.end();
    let answer = format::answer(StatusCode::OK, format, body);
    // A request for zero entities gets no continuation token.
    Ok(match page.next.filter(|_| most > 0) {
        None => answer,
        Some(next) => answer
            .header(
                "x-ms-continuation-nextpartitionkey",
                &token(&next.partition),
            )
            .header("x-ms-continuation-nextrowkey", &token(&next.row)),
    })
}

/// A key as a continuation token: opaque, and without characters that need escapes in a header or an address.
fn token(key: &str) -> String {
    let text = BASE64
        .encode(key)
        .replace('/', "_")
        .replace('+', "*")
        .replace('=', "-");
    format!("1!{}!{text}", text.len())
}

fn of_token(token: &str) -> Option<String> {
    let text = token.splitn(3, '!').nth(2)?;
    let text = text.replace('_', "/").replace('*', "+").replace('-', "=");
    String::from_utf8(BASE64.decode(text).ok()?).ok()
}

fn continuation(target: &Target<'_>) -> Result<Option<Key>, ServiceError> {
    let part = |name| {
        let token = target.parameter(name).filter(|token| !token.is_empty());
        let invalid =
            || ServiceError::invalid_input(format!("{name} is not a continuation token."));
        token
            .map(|token| of_token(token).ok_or_else(invalid))
            .transpose()
    };
    let row = part("nextrowkey")?;
    let partition = part("nextpartitionkey")?;
    Ok(partition.map(|partition| Key::new(partition, row.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_opaque_and_leads_back_to_its_key() {
        for key in ["", "plain", "é日本🦀", "a+b/c=d'e", "%27 "] {
            let token = token(key);
            assert!(
                token
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!_*-".contains(&byte))
            );
            assert_eq!(of_token(&token).as_deref(), Some(key));
        }
        assert_eq!(of_token("nonsense"), None);
    }
}
