//! CORS by the rules in a service's properties: answers to preflight requests, and headers of answers to browsers.
//!
//! Source: "Cross-Origin Resource Sharing (CORS) support for Azure Storage" and "Preflight Table Request", Azure Storage REST
//! reference.

use hyper::{StatusCode, header::HeaderName};

use super::{error::ServiceError, request::Request, response::Answer, xml::Element};

/// Answers a preflight request.
pub(crate) fn preflight(properties: &Element, request: &Request) -> Result<Answer, ServiceError> {
    let required = |name| {
        request
            .header(name)
            .ok_or_else(|| ServiceError::missing_cors_header(name))
    };
    let origin = required("origin")?;
    let method = required("access-control-request-method")?;
    let headers = request
        .header("access-control-request-headers")
        .unwrap_or_default();
    let rule = rules(properties).find(|rule| {
        allows_origin(rule, origin)
            && list(rule, "AllowedMethods").any(|allowed| allowed == method)
            && headers
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .all(|name| list(rule, "AllowedHeaders").any(|pattern| matches(pattern, name)))
    });
    let rule = rule.ok_or_else(ServiceError::cors_failure)?;
    let mut answer = allowed(Answer::new(StatusCode::OK), rule, origin)
        .header("access-control-allow-methods", method)
        .header(
            "access-control-max-age",
            rule.text_of("MaxAgeInSeconds").unwrap_or("0").trim(),
        );
    if !headers.is_empty() {
        answer = answer.header("access-control-allow-headers", headers);
    }
    Ok(answer)
}

/// Adds the headers with which a browser may read an answer. If rules exist and none matches, another origin might get another
/// answer, so `Vary` tells caches.
pub(crate) fn decorate(properties: &Element, request: &Request, answer: Answer) -> Answer {
    let Some(origin) = request.header("origin") else {
        return answer;
    };
    let method = request.method.as_str();
    let rule = rules(properties).find(|rule| {
        allows_origin(rule, origin) && list(rule, "AllowedMethods").any(|allowed| allowed == method)
    });
    let Some(rule) = rule else {
        let none = rules(properties).next().is_none();
        return if none {
            answer
        } else {
            answer.header("vary", "Origin")
        };
    };
    let mut exposed: Vec<&str> = Vec::new();
    for pattern in list(rule, "ExposedHeaders") {
        match pattern.strip_suffix('*') {
            None => exposed.push(pattern),
            Some(prefix) => {
                let names = answer.headers.keys().map(HeaderName::as_str);
                let matching = names.filter(|name| name.starts_with(&prefix.to_ascii_lowercase()));
                exposed.extend(matching);
            }
        }
    }
    let exposed = exposed.join(",");
    let answer = allowed(answer, rule, origin);
    if exposed.is_empty() {
        return answer;
    }
    answer.header("access-control-expose-headers", &exposed)
}

fn rules(properties: &Element) -> impl Iterator<Item = &Element> {
    let cors = properties.child("Cors");
    cors.map(|cors| cors.children.as_slice())
        .unwrap_or_default()
        .iter()
}

fn list<'a>(rule: &'a Element, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let text = rule.text_of(name).unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn allows_origin(rule: &Element, origin: &str) -> bool {
    list(rule, "AllowedOrigins").any(|allowed| allowed == "*" || allowed == origin)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
        None => pattern.eq_ignore_ascii_case(name),
    }
}

fn allowed(answer: Answer, rule: &Element, origin: &str) -> Answer {
    if list(rule, "AllowedOrigins").any(|allowed| allowed == "*") {
        return answer.header("access-control-allow-origin", "*");
    }
    answer
        .header("access-control-allow-origin", origin)
        .header("access-control-allow-credentials", "true")
        .header("vary", "Origin")
}
