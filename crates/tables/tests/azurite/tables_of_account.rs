//! Tests of tables: created, listed, deleted.

use crate::support::{code, fresh_name, service, table, with_account};
use futures::TryStreamExt as _;
use tables::{Entity, ErrorCode, Filter, models::TableServiceClientListTablesOptions};

#[test]
fn a_table_exists_from_its_creation_to_its_deletion() {
    with_account(async |url| {
        let table = table(url, &fresh_name());
        assert!(!table.exists(None).await.unwrap());
        assert!(table.create_if_not_exists(None).await.unwrap());
        assert!(table.exists(None).await.unwrap());
        assert!(!table.create_if_not_exists(None).await.unwrap());
        assert_eq!(
            code(table.create(None).await),
            ErrorCode::TableAlreadyExists
        );
        table.delete(None).await.unwrap();
        assert!(!table.exists(None).await.unwrap());
        assert_eq!(code(table.delete(None).await), ErrorCode::ResourceNotFound);
    });
}

#[test]
fn the_service_client_creates_lists_and_deletes() {
    with_account(async |url| {
        let service = service(url);
        let name = fresh_name();
        service.create_table(&name, None).await.unwrap();
        let options = TableServiceClientListTablesOptions {
            filter: Some(Filter::eq("TableName", &name)),
            ..Default::default()
        };
        let list = || async {
            let tables = service.list_tables(Some(options.clone())).unwrap();
            let tables = tables
                .map_ok(|table| table.name)
                .try_collect::<Vec<_>>()
                .await;
            tables.unwrap()
        };
        assert_eq!(list().await, std::slice::from_ref(&name));

        let table = service.table_client(&name).unwrap();
        assert_eq!(table.table_name(), name);
        table
            .insert_entity(&Entity::new("p", "r"), None)
            .await
            .unwrap();
        service.delete_table(&name, None).await.unwrap();
        assert_eq!(list().await, [] as [String; 0]);
    });
}

#[test]
fn the_list_of_tables_goes_on_to_the_last_page() {
    with_account(async |url| {
        let service = service(url);
        let mut names: Vec<String> = (0..5).map(|_| fresh_name()).collect();
        for name in &names {
            service.create_table(name, None).await.unwrap();
        }
        let options = TableServiceClientListTablesOptions {
            top: Some(2),
            ..Default::default()
        };
        let listed = service.list_tables(Some(options)).unwrap();
        let listed: Vec<String> = listed
            .map_ok(|table| table.name)
            .try_collect()
            .await
            .unwrap();
        names.retain(|name| !listed.contains(name));
        assert_eq!(names, [] as [String; 0]);
    });
}

#[test]
fn names_that_no_table_can_have_are_refused_before_anything_is_sent() {
    with_account(async |url| {
        let service = service(url);
        for bad in ["a", "1abc", "a-b-c", "tables"] {
            let errors = [
                service.create_table(bad, None).await.err(),
                service.delete_table(bad, None).await.err(),
                service.table_client(bad).err(),
            ];
            for error in errors {
                assert!(error.unwrap().to_string().contains("is not a table name"));
            }
        }
    });
}
