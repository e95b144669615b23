//! Workloads as descriptions: the form of messages, rows and poison messages, and the start of the worker.
//!
//! A [`Description`] is written by a team (`edw.yaml`, docs/DESCRIPTION.md). A [`Lens`] is a description applied to one run: it
//! writes bodies, identifies the message of a body or a row, and reads rows into the columns that a judge knows. The project's
//! own contract is such a description too, [`Description::own`].
//!
//! Left out: one row for many messages, because nothing tells for which of them it stands.

mod body;
mod check;
mod description;
mod escape;
mod json_text;
mod lens;
mod misspelt;
mod placeholder;
mod rows;
mod template;
mod unread;
mod values;

use std::sync::{Arc, LazyLock};

pub use body::{Body, Step, text_at};
pub use check::Problem;
pub use description::{
    BesideForm, Column, Description, Encoding, Exit, MessageForm, PoisonForm, RowForm, WorkerForm,
    Written,
};
pub use lens::{Lens, SetAside};
pub use misspelt::Meant;
pub use placeholder::{Format, Name, Placeholder};
pub use rows::Described;
pub use template::{Piece, Template, TemplateError};
pub use values::{Owner, is_uuid, time_of, time_text};

/// The description of the project's own workload.
pub const OWN: &str = include_str!("../../../../workloads/own.yaml");

impl Description {
    /// The project's own workload.
    pub fn own() -> Arc<Self> {
        static OWN_READ: LazyLock<Arc<Description>> = LazyLock::new(|| {
            Arc::new(Description::read(OWN).expect("the project's own description must be right"))
        });
        OWN_READ.clone()
    }

    /// The JSON Schema of descriptions, which docs/edw.schema.json contains.
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        let mut text = serde_json::to_string_pretty(&schema).expect("a schema must serialise");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_documents_is_that_of_the_types() {
        let committed = include_str!("../../../../docs/edw.schema.json");
        let again = "cargo run -p contract --example schema > docs/edw.schema.json";
        assert_eq!(committed, Description::schema(), "write it again: {again}");
    }
}
