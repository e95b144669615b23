//! The sample's pace: one message at a time, each at the next whole second after the last one was sent.
//!
//! The loop of the sample's producer is `sleep(1.0 - ((time() - start) % 1.0))`, then send. It is a closed loop: a slow queue slows
//! it down, without any sign in the figures. It exists so that this producer can replace the sample's; for measurements use an
//! open-loop shape.

use std::time::{Duration, Instant};

use workflow::contract::Seq;

use crate::pacer::Due;
use crate::send::Sender;
use crate::sink::Sink;

/// Runs the loop. Returns whether it came to its end without being stopped.
pub(crate) async fn run<S: Sink>(
    sender: &Sender<S>,
    start: Instant,
    messages: Option<u64>,
    duration: Option<Duration>,
) -> bool {
    let mut sent = 0;
    while messages.is_none_or(|messages| sent < messages) {
        let offset = Duration::from_secs(start.elapsed().as_secs() + 1);
        if duration.is_some_and(|duration| offset >= duration) {
            break;
        }
        let at = start + offset;
        tokio::select! {
            biased;
            () = sender.stopping() => return false,
            () = tokio::time::sleep_until(at.into()) => {}
        }
        sent += 1;
        let seq = Seq::new(sent).expect("a count plus one must not be zero");
        sender.deliver(Due { seq, at }).await;
    }
    true
}
