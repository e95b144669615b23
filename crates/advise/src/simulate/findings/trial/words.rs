//! Describes the results of tried changes.

use super::{Advice, Change, MENDS, Score, Trial, TrialResult, is_found};
use crate::simulate::findings::tried::Tried;
use views::clock;

/// An increase of the replica time by this factor is reported as a cost.
const DEARER: f64 = 1.1;

impl<Q: Tried> Trial<Q> {
    /// The advice, its effect on the model, and its cost.
    pub(super) fn told(&self, best: &TrialResult<'_, Q>, score: &Score<'_, Q::Run>) -> String {
        let before = self.before();
        let words: Vec<_> = best.changes.iter().map(|it| it.words.as_str()).collect();
        let (words, to) = (words.join(", and "), (score.words)(best.to));
        let (still, all) = best.still;
        let worst = before.all.iter().map(score.of).max().unwrap_or(0);
        let from = (score.words)(worst);
        let goes = if best.to < worst {
            let name = score.name;
            format!("{words}; tried on the model, {name} then goes from {from} to {to}")
        } else if best.gone {
            format!("{words}; tried on the model, it is not found then")
        } else {
            // The worst run is as bad as before, but fewer runs are.
            let so = before
                .all
                .iter()
                .filter(|run| is_found(*run, score))
                .count();
            format!(
                "{words}; tried on the model, it is then so in {still} of {all} phases, not in {so}"
            )
        };
        let too_much = !best.gone && best.left > MENDS;
        let still = too_much.then(|| match still {
            still if still < all && best.to < worst => {
                format!(", which is less, and still too much in {still} of {all} phases")
            }
            _ => ", which is less, and still too much".to_owned(),
        });
        let makes: Vec<_> = best.makes.iter().copied().collect();
        let makes = (!makes.is_empty()).then(|| {
            let (was, is) = if makes.len() == 1 {
                ("was", "is")
            } else {
                ("were", "are")
            };
            let makes = makes.join(" and ");
            format!("; but {makes}, which {was} not, {is} found then")
        });
        let harm = (!best.worse.is_empty())
            .then(|| format!("; but {}, which is worse", best.worse.join(", and ")));
        let (now, then) = (Q::replica_time(&before.all[0]), best.replica_time);
        let dearer = then.as_secs_f64() > now.as_secs_f64() * DEARER;
        let costs = dearer.then(|| {
            let (now, then) = (clock::words(now), clock::words(then));
            format!("; all replicas together are then there for {then}, not {now}")
        });
        let further = [still, makes, harm, costs].into_iter().flatten();
        std::iter::once(goes).chain(further).collect()
    }
}

/// The advice that no change helps, with the tried ones.
pub(super) fn none_helps<Q>(changes: &[Change<Q>], pairs: bool) -> Advice {
    let words: Vec<_> = changes.iter().map(|it| it.words.as_str()).collect();
    let together = if pairs { ", alone or two together" } else { "" };
    let text = if changes.is_empty() {
        "give the load other settings".to_owned()
    } else {
        format!(
            "nothing that was tried on the model helps{together}: {}",
            words.join("; ")
        )
    };
    Advice { text, blame: None }
}
