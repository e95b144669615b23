//! Tests of rows at keys that are not those of their message: the wire has seen the insert, and the row counts as the message's.

use super::*;

/// A write of a row at the row key `key`; `id`: the message that its columns name, if the keys do not; `holds`: the message whose payload it
/// holds, if that is another one.
fn write(
    told: &mut Told,
    (operation, status): (Operation, u16),
    key: &str,
    [id, holds]: [Option<&str>; 2],
) {
    told.step(operation, status, |crossing| {
        let row = row_of(7, 0);
        crossing.rows.push(RowChange {
            operation,
            part: None,
            keys: Keys {
                row: key.to_owned(),
                ..row.keys
            },
            id: id.map(str::to_owned),
            holds: holds.map(str::to_owned),
            ..row
        });
    });
}

fn receive(told: &mut Told, seq: u64) {
    told.step(Operation::ReceiveMessages, 200, |crossing| {
        crossing.messages.push(Handled {
            queue_id: format!("m{seq}"),
            id: Some(format!("r1-{seq}")),
            attempt: Some(1),
            ..Handled::default()
        });
    });
}

fn delete(told: &mut Told, seq: u64) {
    told.step(DeleteMessage, 204, |crossing| {
        crossing.messages.push(Handled {
            queue_id: format!("m{seq}"),
            ..Handled::default()
        });
    });
}

#[test]
fn a_row_at_wrong_keys_is_the_row_of_the_message_that_its_columns_name() {
    for key in ["xr1-7", "r1-8", "7"] {
        let mut told = Told::new();
        told.receive(1);
        write(&mut told, (InsertEntity, 204), key, [Some("r1-7"), None]);
        told.on_message(DeleteMessage, 204);
        assert_eq!(told.violations(), [], "{key}");
    }
}

#[test]
fn a_row_at_wrong_keys_is_found_again_by_its_keys() {
    let mut told = Told::new();
    told.receive(1);
    // The answer to the insert is lost, and the next insert finds the row.
    write(&mut told, (InsertEntity, 500), "x7", [Some("r1-7"), None]);
    write(&mut told, (InsertEntity, 409), "x7", [Some("r1-7"), None]);
    told.on_message(DeleteMessage, 204);
    write(&mut told, (DeleteEntity, 204), "x7", [None, None]);
    let findings = told.protocol.finish().findings;
    let found: Vec<_> = findings.iter().map(|it| it.violation).collect();
    assert_eq!(found, [Violation::Overwritten]);
    assert_eq!(findings[0].witnesses[0].subject, "r1-7");
}

/// Message 7 is stored at the keys of message 8, so that the insert of message 8 finds a row that is not its own.
#[test]
fn a_refused_insert_does_not_prove_a_row_that_another_message_has_at_its_keys() {
    let mut told = Told::new();
    for seq in [7, 8] {
        receive(&mut told, seq);
    }
    write(&mut told, (InsertEntity, 201), "r1-8", [Some("r1-7"), None]);
    write(&mut told, (InsertEntity, 409), "r1-8", [None, None]);
    delete(&mut told, 7);
    delete(&mut told, 8);
    let findings = told.protocol.finish().findings;
    let [finding] = findings.as_slice() else {
        panic!("one finding, not {findings:?}")
    };
    assert_eq!(
        (finding.violation, finding.count),
        (Violation::Unsecured, 1)
    );
    assert_eq!(finding.witnesses[0].subject, "r1-8");
}

#[test]
fn a_row_under_the_id_of_a_message_that_nobody_has_received_did_not_bypass_the_wire_if_it_holds_a_received_payload()
 {
    for (holds, found) in [
        (Some("r1-7"), vec![]),
        (Some("r1-9"), vec![Violation::Unwitnessed]),
        (None, vec![Violation::Unwitnessed]),
    ] {
        let mut told = Told::new();
        told.receive(1);
        write(&mut told, (InsertEntity, 201), "r1-8", [None, holds]);
        assert_eq!(told.violations(), found, "{holds:?}");
    }
}
