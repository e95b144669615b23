//! Operations on one entity: "Insert Entity", "Query Entities" of one, "Update Entity", "Merge Entity", "Insert Or Replace
//! Entity", "Insert Or Merge Entity", "Delete Entity", Azure Storage REST reference.

use hyper::{Method, StatusCode};

use super::{
    ADD_AND_UPDATE,
    format::{self, Format, wants_content},
    json::{self, Origin, entity_path, write_entity},
    need,
    query::select,
};
use crate::{
    auth::ResourceType,
    call::Call,
    http::{error::ServiceError, response::Answer},
    state::{
        entity::{Entity, Key, parse_etag},
        write::{Action, Match},
    },
};

/// Largest body with one entity, in bytes: 1 MiB of data, which may take several times that as JSON.
pub(super) const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn answer(
    call: &Call<'_>,
    method: &Method,
    table: &str,
    key: &Key,
) -> Result<Answer, ServiceError> {
    let if_match = call.target.header("if-match");
    match *method {
        Method::GET => {
            call.grant.check(need(ResourceType::Object, "r", "r"))?;
            get(call, table, key)
        }
        Method::DELETE => {
            call.grant.check(need(ResourceType::Object, "d", "d"))?;
            let if_match = if_match.ok_or_else(|| ServiceError::missing_header("If-Match"))?;
            let delete = Action::Delete(matched(if_match)?);
            write_one(call, table, key, delete)?;
            Ok(format::bare(StatusCode::NO_CONTENT))
        }
        Method::PUT | Method::PATCH => {
            let action = update(method, key, if_match, &call.target.request.body)?;
            put(call, table, key, if_match.is_none(), action)
        }
        // MERGE is not a registered HTTP method.
        ref other if other.as_str() == "MERGE" => {
            let action = update(&Method::PATCH, key, if_match, &call.target.request.body)?;
            put(call, table, key, if_match.is_none(), action)
        }
        _ => Err(ServiceError::table_method_not_allowed()),
    }
}

fn put(
    call: &Call<'_>,
    table: &str,
    key: &Key,
    upsert: bool,
    action: Action,
) -> Result<Answer, ServiceError> {
    check_update(call, upsert)?;
    let written = write_one(call, table, key, action)?;
    let etag = written.map(|entity| entity.etag()).unwrap_or_default();
    Ok(format::bare(StatusCode::NO_CONTENT).header("etag", &etag))
}

/// Checks the permissions of an update: the update letter; without `If-Match` it may insert too, and needs both letters.
pub(super) fn check_update(call: &Call<'_>, upsert: bool) -> Result<(), ServiceError> {
    call.grant.check(need(ResourceType::Object, "u", "u"))?;
    if upsert {
        call.grant.check_all(ADD_AND_UPDATE)?;
    }
    Ok(())
}

/// The write for a PUT or PATCH.
pub(super) fn update(
    method: &Method,
    key: &Key,
    if_match: Option<&str>,
    body: &[u8],
) -> Result<Action, ServiceError> {
    let matched = if_match.map(matched).transpose()?;
    check_size(body)?;
    let body = json::parse(body)?;
    let other =
        |given: &Option<String>, own: &str| given.as_ref().is_some_and(|given| given != own);
    if other(&body.partition, &key.partition) || other(&body.row, &key.row) {
        let message = "The keys in the body differ from those in the address.";
        return Err(ServiceError::invalid_input(message));
    }
    Ok(if *method == Method::PUT {
        Action::Replace(body.properties, matched)
    } else {
        Action::Merge(body.properties, matched)
    })
}

/// The key and the write for a POST.
pub(super) fn insertion(body: &[u8]) -> Result<(Key, Action), ServiceError> {
    check_size(body)?;
    let body = json::parse(body)?;
    let (Some(partition), Some(row)) = (body.partition, body.row) else {
        return Err(ServiceError::properties_need_value());
    };
    Ok((Key::new(partition, row), Action::Insert(body.properties)))
}

fn check_size(body: &[u8]) -> Result<(), ServiceError> {
    if body.len() > MOST_BODY_BYTES {
        return Err(ServiceError::request_body_too_large());
    }
    Ok(())
}

/// The version that an `If-Match` requires.
pub(super) fn matched(if_match: &str) -> Result<Match, ServiceError> {
    if if_match == "*" {
        return Ok(Match::Any);
    }
    let weak = if_match
        .strip_prefix("W/\"")
        .or_else(|| if_match.strip_prefix("w/\""));
    if !weak.is_some_and(|rest| rest.ends_with('"')) {
        return Err(ServiceError::invalid_input(format!(
            "The etag value '{if_match}' specified in one of the request headers is not valid. Please make sure only one etag value is specified and is valid."
        )));
    }
    Ok(parse_etag(if_match).map_or(Match::Nothing, Match::Version))
}

fn write_one(
    call: &Call<'_>,
    table: &str,
    key: &Key,
    action: Action,
) -> Result<Option<Entity>, ServiceError> {
    if !call.grant.allows_key(key) {
        return Err(ServiceError::authorization_failure());
    }
    let directory = call.directory;
    let written = directory.write_table(table, |table| {
        let writes = vec![(key.clone(), action)];
        table.entities.write(&*directory.store, call.now, writes)
    });
    let written = written.map_err(ServiceError::of_table)?;
    let written = written.map_err(|failed| ServiceError::from(failed.error))?;
    Ok(written.into_iter().next().flatten())
}

pub(super) fn insert(call: &Call<'_>, table: &str) -> Result<Answer, ServiceError> {
    let format = Format::of(call.target)?;
    let (key, action) = insertion(&call.target.request.body)?;
    let written = write_one(call, table, &key, action)?;
    let entity = written.ok_or_else(ServiceError::internal)?;
    Ok(inserted(
        call,
        table,
        format,
        call.target.header("prefer"),
        &key,
        &entity,
    ))
}

/// The answer to an insertion.
pub(super) fn inserted(
    call: &Call<'_>,
    table: &str,
    format: Format,
    prefer: Option<&str>,
    key: &Key,
    entity: &Entity,
) -> Answer {
    let location = format!("{}/{}", call.target.base, entity_path(table, key));
    let answer = if wants_content(prefer) {
        let answer = document(call, table, format, StatusCode::CREATED, None, key, entity);
        match prefer {
            Some(_) => answer.header("preference-applied", "return-content"),
            None => answer,
        }
    } else {
        format::bare(StatusCode::NO_CONTENT).header("preference-applied", "return-no-content")
    };
    answer
        .header("etag", &entity.etag())
        .header("location", &location)
        .header("dataserviceid", &location)
}

fn document(
    call: &Call<'_>,
    table: &str,
    format: Format,
    status: StatusCode,
    select: Option<&[&str]>,
    key: &Key,
    entity: &Entity,
) -> Answer {
    let origin = Origin {
        base: &call.target.base,
        account: call.account,
        table,
    };
    let mut body = String::with_capacity(512);
    write_entity(&mut body, origin, format, true, select, key, entity);
    format::answer(status, format, body)
}

pub(super) fn get(call: &Call<'_>, table: &str, key: &Key) -> Result<Answer, ServiceError> {
    let format = Format::of(call.target)?;
    if !call.grant.allows_key(key) {
        return Err(ServiceError::authorization_failure());
    }
    let found = call
        .directory
        .read_table(table, |table| table.entities.get(key).cloned());
    let found = found.map_err(ServiceError::of_table)?;
    let entity = found.ok_or_else(ServiceError::resource_not_found)?;
    let select = select(call.target);
    let answer = document(
        call,
        table,
        format,
        StatusCode::OK,
        select.as_deref(),
        key,
        &entity,
    );
    Ok(answer.header("etag", &entity.etag()))
}
