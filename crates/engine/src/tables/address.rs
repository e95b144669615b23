//! Addresses of tables and entities: "Addressing Table service resources", Azure Storage REST reference.

use crate::{
    http::{
        error::ServiceError,
        request::{Target, decoded_segment},
    },
    state::{edm::utf16_bytes, entity::Key},
};

/// Largest key, in UTF-16 bytes: 1 KiB.
const MOST_KEY_BYTES: usize = 1024;

/// The resource that an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Service,
    Batch,
    Tables,
    OneTable(String),
    Acl(String),
    Entities(String),
    Entity(String, Key),
}

/// The resource in the address of a request.
pub(super) fn resource(target: &Target<'_>) -> Result<Resource, ServiceError> {
    let segment = match target.segments.as_slice() {
        [] => return Ok(Resource::Service),
        [segment] => decoded_segment(segment)?,
        _ => return Err(ServiceError::invalid_uri()),
    };
    let found = parse(&segment)?;
    match (found, target.parameter("comp")) {
        (Resource::Entities(name), Some("acl")) => Ok(Resource::Acl(name)),
        (found, None) => Ok(found),
        (_, Some(component)) => Err(ServiceError::invalid_parameter(
            "comp",
            component,
            "no operation on this resource has that value",
        )),
    }
}

/// The resource in a decoded segment: `Tables`, `Tables('name')`, `table`, `table()`, `table(PartitionKey='p',RowKey='r')`.
pub(super) fn parse(segment: &str) -> Result<Resource, ServiceError> {
    let Some((name, rest)) = segment.split_once('(') else {
        return match segment {
            "$batch" => Ok(Resource::Batch),
            name if name.eq_ignore_ascii_case("tables") => Ok(Resource::Tables),
            name => {
                check_name(name)?;
                Ok(Resource::Entities(name.to_owned()))
            }
        };
    };
    let inner = rest
        .strip_suffix(')')
        .ok_or_else(ServiceError::invalid_uri)?;
    if name.eq_ignore_ascii_case("tables") {
        if inner.is_empty() {
            return Ok(Resource::Tables);
        }
        let (table, after) = quoted(inner)?;
        if !after.is_empty() {
            return Err(ServiceError::invalid_uri());
        }
        check_name(&table)?;
        return Ok(Resource::OneTable(table));
    }
    check_name(name)?;
    if inner.trim().is_empty() {
        return Ok(Resource::Entities(name.to_owned()));
    }
    Ok(Resource::Entity(name.to_owned(), keys(inner)?))
}

fn keys(text: &str) -> Result<Key, ServiceError> {
    let (mut partition, mut row) = (None, None);
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=').ok_or_else(ServiceError::invalid_uri)?;
        let (value, after) = quoted(after.trim_start())?;
        let place = match name.trim() {
            "PartitionKey" => &mut partition,
            "RowKey" => &mut row,
            _ => return Err(ServiceError::invalid_uri()),
        };
        if place.replace(value).is_some() {
            return Err(ServiceError::invalid_uri());
        }
        match after.trim_start() {
            "" => break,
            after => {
                rest = after
                    .strip_prefix(',')
                    .ok_or_else(ServiceError::invalid_uri)?;
            }
        }
    }
    let (Some(partition), Some(row)) = (partition, row) else {
        return Err(ServiceError::invalid_uri());
    };
    check_key("PartitionKey", &partition)?;
    check_key("RowKey", &row)?;
    Ok(Key::new(partition, row))
}

/// Reads a text in single quotes, in which a quote is doubled, and returns the rest.
fn quoted(text: &str) -> Result<(String, &str), ServiceError> {
    let mut rest = text
        .strip_prefix('\'')
        .ok_or_else(ServiceError::invalid_uri)?;
    let mut value = String::new();
    loop {
        let (part, after) = rest
            .split_once('\'')
            .ok_or_else(ServiceError::invalid_uri)?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(after) => {
                value.push('\'');
                rest = after;
            }
            None => return Ok((value, after)),
        }
    }
}

/// Checks a table's name: 3 to 63 letters and digits, a letter first, and not `tables`.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    let permitted = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !permitted || name.eq_ignore_ascii_case("tables") {
        return Err(ServiceError::invalid_resource_name());
    }
    if !(3..=63).contains(&name.len()) {
        return Err(ServiceError::out_of_range(
            "The specified resource name length is not within the permissible limits.",
        ));
    }
    Ok(())
}

/// Checks a key: its length, and the characters that "Understanding the Table service data model" forbids.
pub(super) fn check_key(name: &str, key: &str) -> Result<(), ServiceError> {
    if utf16_bytes(key) > MOST_KEY_BYTES {
        return Err(ServiceError::property_value_too_large());
    }
    let forbidden = |c: char| matches!(c, '/' | '\\' | '#' | '?') || c.is_control();
    if key.contains(forbidden) {
        let message = format!("The '{name}' parameter of value '{key}' is out of range.");
        return Err(ServiceError::out_of_range(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_what_the_documentation_says() {
        let entity = |p: &str, r: &str| Resource::Entity("abc".into(), Key::new(p, r));
        for (segment, expected) in [
            ("Tables", Resource::Tables),
            ("Tables()", Resource::Tables),
            ("Tables('abc')", Resource::OneTable("abc".into())),
            ("$batch", Resource::Batch),
            ("abc", Resource::Entities("abc".into())),
            ("abc()", Resource::Entities("abc".into())),
            ("abc(PartitionKey='p',RowKey='r')", entity("p", "r")),
            ("abc(RowKey='r', PartitionKey='p')", entity("p", "r")),
            ("abc(PartitionKey='',RowKey='')", entity("", "")),
            ("abc(PartitionKey='it''s',RowKey='''')", entity("it's", "'")),
            (
                "abc(PartitionKey='(x=''y'',z)',RowKey='a,b)')",
                entity("(x='y',z)", "a,b)"),
            ),
        ] {
            assert_eq!(parse(segment), Ok(expected), "{segment}");
        }
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for segment in [
            "abc(PartitionKey='p')",
            "abc(PartitionKey='p',RowKey='r'",
            "abc(PartitionKey='p',RowKey='r',RowKey='r')",
            "abc(PartitionKey=p,RowKey='r')",
            "abc('p')",
            "abc(PartitionKey='p',RowKey='r')x",
            "Tables('abc'x)",
            "ab",
            "1abc",
            "a-b-c",
            "abc(PartitionKey='a/b',RowKey='r')",
        ] {
            assert!(parse(segment).is_err(), "{segment}");
        }
    }
}
