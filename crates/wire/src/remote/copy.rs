//! The copy of a remote wire's history, in the run's directory.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use reqwest::Method;

use super::Shared;
use crate::Crossing;

/// Copies the history as it grows, until an error.
pub(super) async fn copy(shared: Arc<Shared>, file: File) {
    let mut copy = Copy {
        file,
        line: Vec::new(),
    };
    loop {
        let path = format!("history?from={}", *shared.copied.borrow());
        let copied = match shared.ridden_out(Method::GET, path, Vec::new()).await {
            Ok(new) => copy.add(&new, &shared),
            Err(error) => Err(error),
        };
        if let Err(error) = copied {
            shared.trouble(format!("{error:#}"));
            return;
        }
    }
}

/// The copy in the run's directory.
struct Copy {
    file: File,
    /// The first part of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Copy {
    fn add(&mut self, new: &[u8], shared: &Shared) -> anyhow::Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(new);
        written.context("append to the copy of the history")?;
        for part in new.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.last() == Some(&b'\n') {
                let crossing: Crossing = serde_json::from_slice(&self.line)
                    .context("read what the wire has written down")?;
                let client = shared.client(&crossing.client);
                client.asks(&crossing);
                client.was_answered(&crossing);
                self.line.clear();
            }
        }
        shared
            .copied
            .send_modify(|bytes| *bytes += new.len() as u64);
        Ok(())
    }
}
