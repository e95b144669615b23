//! Properties of a service: logging, metrics, CORS. They are stored and returned; only CORS has an effect here.
//!
//! Sources: "Set Queue Service Properties" and "Set Table Service Properties", Azure Storage REST reference: a missing section
//! stays unchanged.

use hyper::StatusCode;

use crate::{
    auth::Service,
    http::{
        error::ServiceError,
        response::Answer,
        xml::{self, Element},
    },
    state::directory::Directory,
};

const ROOT: &str = "StorageServiceProperties";
const SECTIONS: [&str; 4] = ["Logging", "HourMetrics", "MinuteMetrics", "Cors"];
const MOST_RULES: usize = 5;

/// Methods that a CORS rule may allow.
const METHODS: [&str; 9] = [
    "DELETE", "GET", "HEAD", "MERGE", "POST", "OPTIONS", "PUT", "PATCH", "CONNECT",
];

/// The properties of a service before the first change.
const DEFAULT: &str = "<StorageServiceProperties><Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read>\
    <Write>false</Write><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging><HourMetrics><Version>1.0</Version>\
    <Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics><MinuteMetrics>\
    <Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>\
    <Cors /></StorageServiceProperties>";

/// The properties as a tree.
pub(crate) fn current(directory: &Directory, service: Service) -> Result<Element, ServiceError> {
    let stored = directory.properties(service.name());
    xml::parse(stored.as_deref().unwrap_or(DEFAULT).as_bytes())
}

pub(crate) fn get(directory: &Directory, service: Service) -> Result<Answer, ServiceError> {
    let mut body = String::from(xml::DECLARATION);
    write(&mut body, &current(directory, service)?);
    Ok(Answer::new(StatusCode::OK).body("application/xml", body))
}

pub(crate) fn set(
    directory: &Directory,
    service: Service,
    body: &[u8],
) -> Result<Answer, ServiceError> {
    let given = xml::parse(body)?;
    if given.name != ROOT {
        return Err(ServiceError::invalid_xml());
    }
    let mut properties = current(directory, service)?;
    for section in given.children {
        if !SECTIONS.contains(&section.name.as_str()) {
            // For example `DefaultServiceVersion`, which these services refuse or ignore, depending on the version.
            continue;
        }
        check(&section)?;
        match properties
            .children
            .iter_mut()
            .find(|old| old.name == section.name)
        {
            Some(old) => *old = section,
            None => properties.children.push(section),
        }
    }
    let mut text = String::new();
    write(&mut text, &properties);
    directory.set_properties(service.name(), text)?;
    Ok(Answer::new(StatusCode::ACCEPTED))
}

fn check(section: &Element) -> Result<(), ServiceError> {
    if section.name == "Cors" {
        if section.children.len() > MOST_RULES {
            return Err(ServiceError::invalid_xml());
        }
        return section.children.iter().try_for_each(check_rule);
    }
    let flags: &[&str] = if section.name == "Logging" {
        &["Delete", "Read", "Write"]
    } else {
        &["Enabled"]
    };
    for name in flags {
        flag(section, name)?;
    }
    if section.text_of("Version").is_none() {
        return Err(missing("Version"));
    }
    let retention = section
        .child("RetentionPolicy")
        .ok_or_else(|| missing("RetentionPolicy"))?;
    if flag(retention, "Enabled")? {
        let days = retention.text_of("Days").ok_or_else(|| missing("Days"))?;
        match days.trim().parse() {
            Ok(1..=365_u32) => {}
            _ => return Err(invalid_value("Days", days)),
        }
    }
    Ok(())
}

fn check_rule(rule: &Element) -> Result<(), ServiceError> {
    for name in ["AllowedOrigins", "AllowedMethods"] {
        let text = rule.text_of(name).ok_or_else(|| missing(name))?;
        if text.trim().is_empty() {
            return Err(invalid_value(name, text));
        }
    }
    let methods = rule.text_of("AllowedMethods").unwrap_or_default();
    if let Some(unknown) = methods
        .split(',')
        .find(|method| !METHODS.contains(&method.trim()))
    {
        return Err(invalid_value("AllowedMethods", unknown));
    }
    let age = rule
        .text_of("MaxAgeInSeconds")
        .ok_or_else(|| missing("MaxAgeInSeconds"))?;
    let _: u32 = age
        .trim()
        .parse()
        .map_err(|_| invalid_value("MaxAgeInSeconds", age))?;
    Ok(())
}

fn flag(element: &Element, name: &str) -> Result<bool, ServiceError> {
    let text = element.text_of(name).ok_or_else(|| missing(name))?;
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(invalid_value(name, other)),
    }
}

fn missing(name: &str) -> ServiceError {
    let message = "A required XML node was not specified in the request body.";
    ServiceError::new(StatusCode::BAD_REQUEST, "MissingRequiredXmlNode", message)
        .with("XmlNodeName", name)
}

fn invalid_value(name: &str, value: &str) -> ServiceError {
    let message = "The value provided for one of the XML nodes in the request body was not in the correct format.";
    ServiceError::new(StatusCode::BAD_REQUEST, "InvalidXmlNodeValue", message)
        .with("XmlNodeName", name)
        .with("XmlNodeValue", value)
}

fn write(out: &mut String, element: &Element) {
    if element.children.is_empty() {
        xml::element(out, &element.name, &element.text);
        return;
    }
    out.push('<');
    out.push_str(&element.name);
    out.push('>');
    for child in &element.children {
        write(out, child);
    }
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}

/// Replication statistics, which only the secondary endpoint returns: here the status is always live.
pub(crate) fn stats(secondary: bool, now: crate::clock::Moment) -> Result<Answer, ServiceError> {
    if !secondary {
        return Err(ServiceError::invalid_parameter(
            "comp",
            "stats",
            "statistics are at the secondary address alone",
        ));
    }
    let mut body = String::from(xml::DECLARATION);
    body.push_str("<StorageServiceStats><GeoReplication><Status>live</Status>");
    xml::element(&mut body, "LastSyncTime", &now.http_date());
    body.push_str("</GeoReplication></StorageServiceStats>");
    Ok(Answer::new(StatusCode::OK).body("application/xml", body))
}
