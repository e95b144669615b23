//! What containers say, written to files while they live: the log of a pod goes with the pod.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use futures::io::{AsyncBufRead, AsyncBufReadExt as _};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::LogParams;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::pods::PodView;

/// From one try to follow a log to the next, while the API server or the kubelet cannot be asked.
const AGAIN: Duration = Duration::from_millis(500);

/// One container's log.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Pods of its namespace.
    pub pods: Api<Pod>,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
}

/// Where a follower is in a log. The log's times are to the nanosecond, those that the API takes are to the second: it repeats lines
/// after a cut connection, which are left out here.
#[derive(Debug, Default)]
struct Place {
    /// The time of the last line that was told.
    last: Option<Timestamp>,
    /// How many lines that have exactly this time were told.
    told_at_last: usize,
    /// While lines are repeated: up to where, and how many of exactly that time.
    repeated: Option<(Timestamp, usize)>,
}

impl Followed {
    /// Hands every line to `hear`, in order and once each, until the container has ended and all of its log was told, until the pod is
    /// gone, or until `stop`. A connection that is cut is made anew.
    pub async fn lines(
        &self,
        stop: &CancellationToken,
        mut hear: impl FnMut(&str) -> std::io::Result<()> + Send,
    ) -> Result<(), Error> {
        let mut place = Place::default();
        let doing = || format!("follow the log of {}", self.pod);
        loop {
            // Before the log is read: what has ended by then has said all that is read.
            let has_ended = self.has_ended().await;
            let params = LogParams {
                container: Some(self.container.clone()),
                follow: true,
                timestamps: true,
                since_time: place.last,
                ..LogParams::default()
            };
            match self.pods.log_stream(&self.pod, &params).await {
                Ok(stream) => {
                    let read = place.tell(stream, &mut hear);
                    match stop.run_until_cancelled(read).await {
                        None => return Ok(()),
                        Some(Ok(())) if has_ended => return Ok(()),
                        Some(Ok(()) | Err(Untold::Cut)) => {}
                        Some(Err(Untold::Unheard(source))) => {
                            return Err(Error::Local {
                                doing: doing(),
                                source,
                            });
                        }
                    }
                }
                // Not started yet, or the kubelet does not answer.
                Err(kube::Error::Api(status)) if [400, 500, 502, 503].contains(&status.code) => {}
                // Gone, and its log with it.
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
                Err(error @ kube::Error::Api(_)) => return Err(Error::of(doing(), &error)),
                Err(error) => tracing::debug!("{}: {error}", doing()),
            }
            let again = tokio::time::sleep(AGAIN);
            if stop.run_until_cancelled(again).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Writes every line to `file`, as [`Followed::lines`] tells them.
    pub async fn write(&self, file: &Path, stop: &CancellationToken) -> Result<(), Error> {
        let local = |source| Error::Local {
            doing: format!("write {}", file.display()),
            source,
        };
        let opened = File::options().create(true).append(true).open(file);
        let mut out = opened.map_err(local)?;
        self.lines(stop, |line| writeln!(out, "{line}")).await
    }

    /// Whether its container will say nothing more. A pod that is gone says nothing more either.
    async fn has_ended(&self) -> bool {
        match self.pods.get_opt(&self.pod).await {
            Ok(Some(pod)) => PodView::of(&pod, &self.container).is_over(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

/// Why a log was not told to its end.
#[derive(Debug)]
enum Untold {
    /// The connection was cut.
    Cut,
    /// Who hears could not take a line.
    Unheard(std::io::Error),
}

impl Place {
    /// Tells what the stream has and was not told before.
    async fn tell(
        &mut self,
        stream: impl AsyncBufRead + Send,
        hear: &mut (impl FnMut(&str) -> std::io::Result<()> + Send),
    ) -> Result<(), Untold> {
        futures::pin_mut!(stream);
        self.repeated = self.last.map(|last| (last, self.told_at_last));
        let mut line = String::new();
        loop {
            line.clear();
            match stream.read_line(&mut line).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(Untold::Cut),
            }
            // Half a line is one whose rest was cut off: it comes whole the next time.
            let Some(whole) = line.strip_suffix('\n') else {
                return Err(Untold::Cut);
            };
            if self.is_news(whole) {
                let text = whole.split_once(' ').map_or("", |(_, text)| text);
                hear(text).map_err(Untold::Unheard)?;
            }
        }
    }

    /// Whether a line, which starts with its time, was not told before.
    fn is_news(&mut self, line: &str) -> bool {
        let Some(time) = time(line) else { return true };
        match &mut self.repeated {
            Some((last, _)) if time < *last => return false,
            Some((last, left)) if time == *last && *left > 0 => {
                *left -= 1;
                return false;
            }
            Some((last, _)) if time > *last => self.repeated = None,
            _ => {}
        }
        if self.last == Some(time) {
            self.told_at_last += 1;
        } else {
            self.last = Some(time);
            self.told_at_last = 1;
        }
        true
    }
}

/// The time that the API puts before a line.
fn time(line: &str) -> Option<Timestamp> {
    line.split_once(' ')
        .map_or(line, |(time, _)| time)
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    async fn told(parts: &[&str]) -> Vec<String> {
        let (mut place, mut heard) = (Place::default(), Vec::new());
        for part in parts {
            let mut hear = |line: &str| {
                heard.push(line.to_owned());
                Ok(())
            };
            // The last line of a part may be cut off.
            let _ = place.tell(Cursor::new(part.as_bytes()), &mut hear).await;
        }
        heard
    }

    #[tokio::test]
    async fn after_a_cut_nothing_is_told_twice_and_nothing_is_left_out() {
        let (a, b) = (
            "2026-11-28T12:00:00.1Z one\n",
            "2026-11-28T12:00:00.2Z two\n",
        );
        let same = "2026-11-28T12:00:00.2Z two again\n";
        let cut = "2026-11-28T12:00:00.2Z two ag";
        let after = "2026-11-28T12:00:00.3Z three\n";
        let first = format!("{a}{b}{cut}");
        // The API repeats from the last time on.
        let second = format!("{b}{same}");
        let third = format!("{b}{same}{after}");
        assert_eq!(
            told(&[&first, &second, &third]).await,
            ["one", "two", "two again", "three"]
        );
    }

    #[tokio::test]
    async fn a_line_may_be_empty_or_hold_spaces() {
        assert_eq!(
            told(&["2026-11-28T12:00:00Z \n2026-11-28T12:00:01Z a b\n"]).await,
            ["", "a b"]
        );
    }
}
