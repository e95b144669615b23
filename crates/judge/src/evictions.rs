//! Judges what became of the workers on nodes that were taken back.

pub mod staged;

use std::time::Duration;

use evidence::audit::StorageTime;
use evidence::evictions::Evicted;
use evidence::outcome::NotPassed;

use crate::departures::others_took_some;
use crate::{Index, Kept, fail_unless, late};

/// The longest time between two looks for a notice: a consumer looks every second, whatever the pace, and an answer may take
/// some time.
const LOOKS: Duration = Duration::from_secs(2);

/// What may keep workers from coming back, once the time to recover is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hindrance {
    /// How many workers are wanted then.
    pub wanted: u32,
    /// Why consumers could not start, if the reason lies outside of them.
    pub denied: Option<String>,
}

/// Fails unless as many workers as before were at work again within `limit` of each eviction. Inconclusive if none is wanted
/// any more, or if no machine came for them for a time.
pub fn made_good(evictions: &[Evicted], limit: Duration, known: &Hindrance) -> Kept {
    for Evicted {
        node,
        recovered,
        denied,
        ..
    } in evictions
    {
        match (recovered, &known.denied) {
            (Some(after), _) if *after <= limit => {}
            (Some(after), _) => {
                let reason = format!("after the eviction of {node} it took {after:?}");
                // A shortage that began later says nothing about this time.
                return Err(match denied {
                    Some(why) => NotPassed::inconclusive(format!(
                        "{reason}, and for a time no machine came: {why}"
                    )),
                    None => NotPassed::fail(reason),
                });
            }
            (None, _) if known.wanted == 0 => {
                return Err(NotPassed::inconclusive(
                    "none is wanted any more: whether they come back cannot be told",
                ));
            }
            (None, Some(why)) => {
                let reason = format!("no machine came in place of {node}: {why}");
                return Err(NotPassed::inconclusive(reason));
            }
            (None, None) => {
                let reason = format!("not within {limit:?} of the eviction of {node}");
                return Err(NotPassed::fail(reason));
            }
        }
    }
    Ok(())
}

/// Fails unless as many workers as were wanted before each eviction have worked on other nodes since it left some missing, as `index`
/// shows: a worker that runs and asks may still finish nothing. Inconclusive if fewer were wanted by then, or if some of those that
/// `departed` may have been among them.
pub fn worked_again(evictions: &[Evicted], departed: &[String], index: &Index) -> Kept {
    for it in evictions {
        let Some(short) = it.short else { continue };
        let mut worked = index.at_work_since(short);
        worked.retain(|name| !it.workers.contains(*name));
        let (count, wanted, node) = (worked.len(), it.wanted, &it.node);
        if count >= wanted {
            continue;
        }
        let reason = format!(
            "since the eviction of {node} only {count} consumers on other nodes have worked, where {wanted} were wanted before"
        );
        let is_unseen =
            |name: &&String| !worked.contains(name.as_str()) && !it.workers.contains(*name);
        let unseen = departed.iter().filter(is_unseen).count();
        return Err(if it.back < wanted {
            NotPassed::inconclusive(format!("{reason}: fewer were wanted once it was made good"))
        } else if count + unseen >= wanted {
            NotPassed::inconclusive(format!(
                "{reason}: others have ended before they had finished a message"
            ))
        } else {
            NotPassed::fail(reason)
        });
    }
    Ok(())
}

/// Fails unless every worker of each node ended by itself before the node did, with exit code 0; a worker that was told to end
/// while it started may end in any way. `storage` is read only if a worker was late, since without storage it could not finish its messages.
pub fn drained(
    evictions: &[Evicted],
    storage: impl FnOnce() -> anyhow::Result<StorageTime>,
) -> anyhow::Result<()> {
    for it in evictions {
        let node = &it.node;
        if let [(name, held), ..] = &it.killed[..] {
            let reason = format!(
                "{name} had not ended when its node {node} did, {:?} after the notice, and had {held} messages in hand",
                it.eviction.notice.unwrap_or_default()
            );
            return Ok(late(reason, storage()?)?);
        }
        let begun = it.ended.iter().filter(|it| !it.is_early);
        crate::departures::ended_with(begun, 0)?;
        let (ended, were) = (it.ended.len(), it.workers.len());
        if were == 0 {
            return Err(NotPassed::fail(format!("no consumer was on {node}")).into());
        }
        if ended < were {
            let reason = format!("{ended} of {were} consumers of {node} are known to have ended");
            return Err(NotPassed::fail(reason).into());
        }
    }
    Ok(())
}

/// Fails if a worker that was told of the end of its machine took a message more than `limit` after the notice, as `index`
/// shows. Inconclusive if no worker at all took one so late: perhaps there was none left to take.
pub fn took_nothing_more(evictions: &[Evicted], limit: Duration, index: &Index) -> Kept {
    let is_told = |it: &&Evicted| it.eviction.notice.is_some() && !it.workers.is_empty();
    let told: Vec<_> = evictions.iter().filter(is_told).collect();
    if told.is_empty() {
        return Err(NotPassed::fail("no consumer was told of an eviction"));
    }
    for it in &told {
        for worker in &it.workers {
            if let Some(late) = index.received_after(worker, it.since.plus(limit)) {
                let after = Duration::from_micros(late.micros_since(it.since).unsigned_abs());
                let node = &it.node;
                return Err(NotPassed::fail(format!(
                    "{worker} took a message {after:?} after the notice of {node}"
                )));
            }
        }
    }
    told.iter().try_for_each(|it| {
        let notice = format!("the notice of {}", it.node);
        others_took_some(it.since, limit, &notice, index)
    })
}

/// Fails unless every worker of each node had looked for a notice every second.
pub fn looked_every_second(evictions: &[Evicted]) -> Kept {
    for it in evictions {
        for worker in &it.workers {
            let node = &it.node;
            let Some(pause) = it.longest_pauses.get(worker) else {
                return Err(NotPassed::fail(format!(
                    "{worker} on {node} looked for a notice once at most"
                )));
            };
            if *pause > LOOKS {
                return Err(NotPassed::fail(format!(
                    "{worker} on {node} once did not look for a notice for {pause:.1?}"
                )));
            }
        }
    }
    Ok(())
}

/// Inconclusive if no node was evicted: then no sentence about evictions can be judged.
pub fn some(evictions: &[Evicted]) -> Kept {
    if evictions.is_empty() {
        return Err(NotPassed::inconclusive("no node was evicted"));
    }
    Ok(())
}

/// Fails unless as many workers as the evicted nodes had run on nodes on demand, after evictions that Azure had no Spot machine for. All
/// ran on Spot nodes before. `on_demand`, `spot`: how many run on nodes of each kind.
pub fn replaced_on_demand(evictions: &[Evicted], on_demand: usize, spot: usize) -> Kept {
    let lost: usize = evictions.iter().map(|it| it.workers.len()).sum();
    fail_unless(on_demand >= lost.max(1), || {
        format!(
            "{on_demand} run on demand, {spot} on Spot nodes, where {lost} lost their Spot node"
        )
    })
}

#[cfg(test)]
mod tests;
