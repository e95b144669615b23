//! Tests of a kill at every single call, before its effect and after it: the next command finds everything.

use libtest_mimic::{Failed, Trial};

use crate::night::{Ended, Night};

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || -> Result<(), Failed> {
            test();
            Ok(())
        })
    };
    vec![
        trial("up_killed_at_every_call_is_swept", || {
            swept(Night::up, |_| {});
        }),
        trial("down_killed_at_every_call_is_swept", || {
            swept(Night::down, |night| night.up().with(0, "next"));
        }),
        trial("up_killed_at_every_call_goes_on_when_repeated", repeated),
        trial("check_killed_at_every_call_can_be_repeated", checked),
    ]
}

/// Kills `command` at its call number `at`. `None` if it has no such call.
fn killed(night: &Night, command: fn(&Night) -> Ended, at: u64, after: bool) -> Option<()> {
    let mut books = night.books();
    let call = books.all["calls"].as_u64().expect("a count") + at;
    books.all["kill"] = serde_json::json!({"at": call, "after": after});
    books.write();
    let ended = command(night);
    let mut books = night.books();
    books.all["kill"] = serde_json::Value::Null;
    books.write();
    if ended.code.is_some() {
        ended.with(0, "");
        return None;
    }
    Some(())
}

/// Runs `then` for nights that were killed at each call of `command`; there must be more than a few.
fn each(command: fn(&Night) -> Ended, before: fn(&Night), then: fn(&Night)) {
    let mut calls = 0;
    for at in 1.. {
        let play = |after| {
            let night = Night::begin();
            before(&night);
            let had = killed(&night, command, at, after).is_some();
            if had {
                then(&night);
            }
            had
        };
        let had = std::thread::scope(|scope| {
            let before_the_deed = scope.spawn(|| play(false));
            let had = play(true);
            before_the_deed.join().expect("its assertions must hold") || had
        });
        if !had {
            break;
        }
        calls = at;
    }
    assert!(calls > 3, "killed at {calls} calls only");
}

fn swept(command: fn(&Night) -> Ended, before: fn(&Night)) {
    each(command, before, |night| {
        night.sweep().with(0, "unclear");
        night.is_over();
    });
}

fn repeated() {
    each(
        Night::up,
        |_| {},
        |night| {
            night.up().with(0, "next");
            assert_eq!(night.books().all["applied"], true);
            night.down().with(0, "removed");
            night.is_over();
        },
    );
}

fn checked() {
    each(
        Night::check,
        |night| night.up().with(0, "next"),
        |night| night.check().with(0, "ready     ScaledObject"),
    );
}
