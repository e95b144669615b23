//! Tests of refusals by the emulator, and of a server that does not answer.

use crate::support::{
    Backend, code, fresh_name, table, with_account, with_each_account, with_table,
};
use azure_core::{error::ErrorKind, http::Url};
use tables::{Binary, Entity, ErrorCode, UpdateMode};

#[test]
fn each_refusal_has_its_code() {
    with_table(async |table| {
        let insert = async |entity: Entity| code(table.insert_entity(&entity, None).await);
        let entity = Entity::new("p", "r");
        let long = "x".repeat(32 * 1024 + 1);
        assert_eq!(
            insert(entity.clone().with("A", &long)).await,
            ErrorCode::PropertyValueTooLarge
        );
        let large = Binary(vec![0; 64 * 1024 + 1]);
        assert_eq!(
            insert(entity.clone().with("A", large)).await,
            ErrorCode::PropertyValueTooLarge
        );
        let text = "x".repeat(32 * 1024);
        let sum = (0..33).fold(entity, |entity, n| entity.with(format!("A{n}"), &text));
        // Azurite checks this limit for updates only.
        let upserted = table.upsert_entity(&sum, UpdateMode::Replace, None).await;
        assert_eq!(code(upserted), ErrorCode::EntityTooLarge);
    });
}

#[test]
fn operations_on_a_table_that_is_not_there_say_so() {
    with_account(async |url| {
        let table = table(url, &fresh_name());
        let inserted = table.insert_entity(&Entity::new("p", "r"), None).await;
        assert_eq!(code(inserted), ErrorCode::TableNotFound);
        let read = table.get_entity::<Entity>("p", "r", None).await;
        assert_eq!(code(read), ErrorCode::TableNotFound);
    });
}

#[test]
fn a_forged_signature_is_refused_and_tells_nothing_about_the_table() {
    with_each_account(async |mut url, backend| {
        let query = url.query().unwrap().replace("sig=", "sig=AAAA");
        url.set_query(Some(&query));
        let table = table(url, &fresh_name());
        // The service's code is AuthenticationFailed, Azurite has its own.
        let inserted = table.insert_entity(&Entity::new("p", "r"), None).await;
        let refused = match backend {
            Backend::Azurite => ErrorCode::AuthorizationFailure,
            Backend::Engine => ErrorCode::AuthenticationFailed,
        };
        assert_eq!(code(inserted), refused);
        assert_eq!(code(table.exists(None).await), refused);
    });
}

#[test]
fn the_sas_shows_neither_in_debug_nor_in_errors() {
    with_account(async |mut url| {
        url.set_port(Some(1)).unwrap();
        let table = table(url, &fresh_name());
        let debug = format!("{table:?}");
        assert!(
            debug.contains("/devstoreaccount1") && debug.contains("sig=REDACTED"),
            "{debug}"
        );
        let error = table.exists(None).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Connection);
        let text = error.to_string();
        assert!(text.contains("refused"), "the reason must stay: {text}");
        for text in [text, format!("{error:?}")] {
            assert!(!text.contains("sig="), "{text}");
        }
    });
}

#[test]
fn a_credential_needs_https() {
    let url = Url::parse("http://127.0.0.1:10002/devstoreaccount1").unwrap();
    let credential = std::sync::Arc::new(NoToken);
    let error = tables::TableClient::new(url, "abc", Some(credential), None).unwrap_err();
    assert!(error.to_string().contains("must use https"), "{error}");
}

#[derive(Debug)]
struct NoToken;

#[async_trait::async_trait]
impl azure_core::credentials::TokenCredential for NoToken {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<azure_core::credentials::AccessToken> {
        Err(ErrorKind::Credential.into_error())
    }
}
