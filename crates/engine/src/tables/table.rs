//! Operations on tables: "Create Table", "Query Tables", "Delete Table", "Get Table ACL", "Set Table ACL", Azure Storage REST
//! reference.

use hyper::StatusCode;

use super::{
    address::check_name,
    format::{self, Format, wants_content},
    json::Object,
    query::top,
};
use crate::{
    call::{Call, drop_later},
    filter::{self, Lookup},
    http::{error::ServiceError, response::Answer},
    policies,
};

/// Permission letters of a table's policy: read, add, update, delete.
const LETTERS: &str = "raud";

pub(super) fn create(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let format = Format::of(call.target)?;
    let body: serde_json::Value = serde_json::from_slice(&call.target.request.body)
        .map_err(|_| ServiceError::invalid_input("The body is not a valid JSON object."))?;
    let name = match body.get("TableName") {
        Some(serde_json::Value::String(name)) if !name.is_empty() => name,
        Some(serde_json::Value::String(_)) | None => return Err(ServiceError::table_name_empty()),
        Some(_) => return Err(ServiceError::invalid_input("TableName must be a string.")),
    };
    check_name(name)?;
    call.directory
        .create_table(name)
        .map_err(ServiceError::of_table)?;
    let location = format!("{}/Tables('{name}')", call.target.base);
    let prefer = call.target.header("prefer");
    let answer = if wants_content(prefer) {
        let mut body = String::new();
        document(&mut body, call, format, name);
        let answer = format::answer(StatusCode::CREATED, format, body);
        match prefer {
            Some(_) => answer.header("preference-applied", "return-content"),
            None => answer,
        }
    } else {
        format::bare(StatusCode::NO_CONTENT).header("preference-applied", "return-no-content")
    };
    Ok(answer
        .header("location", &location)
        .header("dataserviceid", &location))
}

fn document(out: &mut String, call: &Call<'_>, format: Format, name: &str) {
    let mut object = Object::begin(out);
    if format != Format::None {
        let metadata = format!("{}/$metadata#Tables/@Element", call.target.base);
        object.text("odata.metadata", &metadata);
    }
    members(&mut object, call, format, name);
    object.end();
}

fn members(object: &mut Object<'_>, call: &Call<'_>, format: Format, name: &str) {
    if format == Format::Full {
        let account = call.account;
        object.text("odata.type", &format!("{account}.Tables"));
        object.text(
            "odata.id",
            &format!("{}/Tables('{name}')", call.target.base),
        );
        object.text("odata.editLink", &format!("Tables('{name}')"));
    }
    object.text("TableName", name);
}

pub(super) fn get(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let format = Format::of(call.target)?;
    let found = call
        .directory
        .read_table(name, |table| table.record.name.clone());
    // The table as an entry in the list of tables, not as a container of entities.
    let found = found.map_err(|_| ServiceError::resource_not_found())?;
    let mut body = String::new();
    document(&mut body, call, format, &found);
    Ok(format::answer(StatusCode::OK, format, body))
}

pub(super) fn query(call: &Call<'_>) -> Result<Answer, ServiceError> {
    let format = Format::of(call.target)?;
    let most = top(call.target)?;
    let filter = call
        .target
        .parameter("$filter")
        .filter(|text| !text.trim().is_empty());
    let filter = filter.map(filter::parse).transpose();
    let filter = filter.map_err(|error| ServiceError::invalid_input(error.to_string()))?;
    let from = call.target.parameter("nexttablename").unwrap_or_default();
    let tables = call.directory.tables(from);
    let matches = |name: &String| {
        filter.as_ref().is_none_or(|filter| {
            filter.accepts(&|property| (property == "TableName").then_some(Lookup::Text(name)))
        })
    };
    let mut found: Vec<String> = tables.into_iter().filter(matches).take(most + 1).collect();
    let next = (found.len() > most).then(|| found.pop()).flatten();
    let mut body = String::new();
    let mut object = Object::begin(&mut body);
    if format != Format::None {
        object.text(
            "odata.metadata",
            &format!("{}/$metadata#Tables", call.target.base),
        );
    }
    let out = object.name("value");
    out.push('[');
    for (index, name) in found.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        let mut object = Object::begin(out);
        members(&mut object, call, format, name);
        object.end();
    }
    out.push(']');
    object.end();
    let answer = format::answer(StatusCode::OK, format, body);
    Ok(match next.filter(|_| most > 0) {
        Some(next) => answer.header("x-ms-continuation-nexttablename", &next),
        None => answer,
    })
}

pub(super) fn delete(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let removed = call.directory.delete_table(name);
    // As for `get`: the missing resource is the entry in the list of tables.
    let removed = removed.map_err(|error| match error {
        crate::state::directory::DirectoryError::NotFound => ServiceError::resource_not_found(),
        other => ServiceError::of_table(other),
    })?;
    drop_later(removed);
    Ok(format::bare(StatusCode::NO_CONTENT))
}

pub(super) fn policies(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let directory = call.directory;
    let policies = directory.read_table(name, |table| table.record.policies.clone());
    Ok(policies::answer(&policies.map_err(ServiceError::of_table)?))
}

pub(super) fn set_policies(call: &Call<'_>, name: &str) -> Result<Answer, ServiceError> {
    let policies = policies::parse(&call.target.request.body, LETTERS)?;
    let directory = call.directory;
    let saved = directory.write_table(name, |table| {
        let mut record = table.record.clone();
        record.policies = policies;
        table.save(&*directory.store, record)
    });
    saved.map_err(ServiceError::of_table)??;
    Ok(Answer::new(StatusCode::NO_CONTENT))
}
