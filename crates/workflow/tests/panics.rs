//! Test of panics and exit codes, in its own process, because a panic hook belongs to the whole process.

use workflow::exit::Exit;
use workflow::{panics, task};

#[tokio::test]
async fn no_process_ends_well_after_a_panic_that_nobody_waited_for() {
    panics::watch();
    let well = task::spawn(async {});
    well.await.unwrap();
    assert_eq!(panics::exit(Exit::Success), Exit::Success);

    let mut unheard = tokio::task::JoinSet::new();
    unheard.spawn(async { panic!("on purpose, in a test") });
    while !unheard.is_empty() && panics::exit(Exit::Success) == Exit::Success {
        tokio::task::yield_now().await;
    }
    assert_eq!(panics::exit(Exit::Success), Exit::Bug);
    assert_eq!(panics::exit(Exit::Partial), Exit::Bug);
}
