//! The account's key in `Authorization`: "Authorize with Shared Key", Azure Storage REST reference.

use std::{fmt::Write as _, time::Duration};

use super::{Authenticator, Service};
use hyper::header::HeaderName;

use crate::{
    clock::Moment,
    http::{error::ServiceError, request::Target},
};

/// How much a request's date may differ from the service's time.
const SKEW: Duration = Duration::from_secs(15 * 60);

pub(super) fn verify(
    authenticator: &Authenticator<'_>,
    target: &Target<'_>,
    value: &str,
    lite: bool,
) -> Result<(), ServiceError> {
    let (account, signature) = value
        .split_once(':')
        .ok_or_else(ServiceError::invalid_authentication)?;
    if account != authenticator.account.name {
        return Err(ServiceError::authentication_failed());
    }
    check_date(authenticator.now, target)?;
    let to_sign = match (authenticator.service, lite) {
        (Service::Queue, false) => queue(target, account),
        (Service::Queue, true) => queue_lite(target, account),
        (Service::Table, false) => table(target, account),
        (Service::Table, true) => table_lite(target, account),
    };
    if authenticator.account.verifies(&to_sign, signature) {
        return Ok(());
    }
    let shown = to_sign.replace('\n', "\\n");
    Err(ServiceError::authentication_detail(format!(
        "The MAC signature found in the HTTP request is not the same as any computed signature. Server used following string to sign: '{shown}'."
    )))
}

fn check_date(now: Moment, target: &Target<'_>) -> Result<(), ServiceError> {
    let date = target.header("x-ms-date").or_else(|| target.header("date"));
    let date = date.ok_or_else(|| {
        ServiceError::authentication_detail("The request has neither x-ms-date nor date.")
    })?;
    let sent = httpdate::parse_http_date(date)
        .map_err(|_| ServiceError::authentication_detail(format!("Not a date: {date}")))?;
    let apart = Moment::from(sent).seconds().abs_diff(now.seconds());
    if apart > SKEW.as_secs() {
        return Err(ServiceError::authentication_detail(format!(
            "Request date header too old: '{date}'"
        )));
    }
    Ok(())
}

fn header<'a>(target: &'a Target<'_>, name: &str) -> &'a str {
    target.header(name).unwrap_or_default()
}

/// The line for the date, which is empty if `x-ms-date` is among the signed headers.
fn date<'a>(target: &'a Target<'_>) -> &'a str {
    match target.header("x-ms-date") {
        Some(_) => "",
        None => header(target, "date"),
    }
}

fn queue(target: &Target<'_>, account: &str) -> String {
    let length = match header(target, "content-length") {
        "0" => "",
        length => length,
    };
    let mut to_sign = String::with_capacity(512);
    let lines = [
        target.method().as_str(),
        header(target, "content-encoding"),
        header(target, "content-language"),
        length,
        header(target, "content-md5"),
        header(target, "content-type"),
        date(target),
        header(target, "if-modified-since"),
        header(target, "if-match"),
        header(target, "if-none-match"),
        header(target, "if-unmodified-since"),
        header(target, "range"),
    ];
    for line in lines {
        to_sign.push_str(line);
        to_sign.push('\n');
    }
    add_headers(&mut to_sign, target);
    add_resource(&mut to_sign, target, account);
    let mut parameters: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in target.parameters() {
        match parameters.iter_mut().find(|(other, _)| other == name) {
            Some((_, values)) => values.push(value),
            None => parameters.push((name, vec![value])),
        }
    }
    parameters.sort();
    for (name, mut values) in parameters {
        values.sort_unstable();
        // Writing to a string cannot fail.
        let _ = write!(to_sign, "\n{name}:{}", values.join(","));
    }
    to_sign
}

fn queue_lite(target: &Target<'_>, account: &str) -> String {
    let mut to_sign = [
        target.method().as_str(),
        header(target, "content-md5"),
        header(target, "content-type"),
        date(target),
        "",
    ]
    .join("\n");
    add_headers(&mut to_sign, target);
    add_resource(&mut to_sign, target, account);
    add_component(&mut to_sign, target);
    to_sign
}

fn table_date<'a>(target: &'a Target<'_>) -> &'a str {
    let date = target.header("x-ms-date");
    date.unwrap_or_else(|| header(target, "date"))
}

fn table(target: &Target<'_>, account: &str) -> String {
    let mut to_sign = [
        target.method().as_str(),
        header(target, "content-md5"),
        header(target, "content-type"),
        table_date(target),
        "",
    ]
    .join("\n");
    add_resource(&mut to_sign, target, account);
    add_component(&mut to_sign, target);
    to_sign
}

fn table_lite(target: &Target<'_>, account: &str) -> String {
    let mut to_sign = format!("{}\n", table_date(target));
    add_resource(&mut to_sign, target, account);
    add_component(&mut to_sign, target);
    to_sign
}

fn add_headers(to_sign: &mut String, target: &Target<'_>) {
    let headers = &target.request.headers;
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.retain(|name| name.starts_with("x-ms-"));
    names.sort_unstable();
    for name in names {
        let values = headers.get_all(name).iter();
        let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        let _ = writeln!(to_sign, "{name}:{}", values.join(",").trim());
    }
}

/// Appends the account and the path as sent: a path-style path names the account once more.
fn add_resource(to_sign: &mut String, target: &Target<'_>, account: &str) {
    let path = match target.request.path.as_str() {
        "" => "/",
        path => path,
    };
    let _ = write!(to_sign, "/{account}{path}");
}

fn add_component(to_sign: &mut String, target: &Target<'_>) {
    if let Some(component) = target.parameter("comp") {
        let _ = write!(to_sign, "?comp={component}");
    }
}
