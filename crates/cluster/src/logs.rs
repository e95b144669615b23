//! Copies logs of containers to files while they run: the log of a pod is removed with the pod.

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

/// Pause between two tries to follow a log, while the API server or the kubelet does not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// One container's log.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The pods of its namespace.
    pub pods: Api<Pod>,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
}

/// The position of a follower in a log. The log's times have nanoseconds, those of the API's parameter seconds: after a broken
/// connection the API repeats lines, which are left out here.
#[derive(Debug, Default)]
struct Place {
    /// The time of the last line that was passed on.
    last: Option<Timestamp>,
    /// How many lines with exactly this time were passed on.
    told_at_last: usize,
    /// While lines are repeated: the time up to which they are, and the number with exactly that time.
    repeated: Option<(Timestamp, usize)>,
}

impl Followed {
    /// Passes every line to `hear`, in order and once each, until the container has ended and its whole log was read, until the
    /// pod is gone, or until `stop`. A broken connection is opened again.
    pub async fn lines(
        &self,
        stop: &CancellationToken,
        mut hear: impl FnMut(&str) -> std::io::Result<()> + Send,
    ) -> Result<(), Error> {
        let mut place = Place::default();
        let doing = || format!("follow the log of {}", self.pod);
        loop {
            // Checked before the log is read: if the container has ended by then, the read log is complete.
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
                // The container has not started yet, or the kubelet does not answer.
                Err(kube::Error::Api(status)) if [400, 500, 502, 503].contains(&status.code) => {}
                // The pod is gone, and its log with it.
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

    /// Writes every line to `file`, as [`Followed::lines`] does.
    pub async fn write(&self, file: &Path, stop: &CancellationToken) -> Result<(), Error> {
        let local = |source| Error::Local {
            doing: format!("write {}", file.display()),
            source,
        };
        let opened = File::options().create(true).append(true).open(file);
        let mut out = opened.map_err(local)?;
        self.lines(stop, |line| writeln!(out, "{line}")).await
    }

    /// Whether its container will log nothing more; also true if the pod is gone.
    async fn has_ended(&self) -> bool {
        match self.pods.get_opt(&self.pod).await {
            Ok(Some(pod)) => PodView::of(&pod, &self.container).is_over(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}

/// Reason why a log was not read to its end.
#[derive(Debug)]
enum Untold {
    /// The connection broke.
    Cut,
    /// The callback could not take a line.
    Unheard(std::io::Error),
}

impl Place {
    /// Passes on the lines of the stream that were not passed on before.
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
            // An incomplete line was cut off: it comes completely the next time.
            let Some(whole) = line.strip_suffix('\n') else {
                return Err(Untold::Cut);
            };
            if self.is_news(whole) {
                let text = whole.split_once(' ').map_or("", |(_, text)| text);
                hear(text).map_err(Untold::Unheard)?;
            }
        }
    }

    /// Whether a line, which starts with its time, was not passed on before.
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
            // The last line of a part may be incomplete.
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
        // The API repeats lines from the last time on.
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
