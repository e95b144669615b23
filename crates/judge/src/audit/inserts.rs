//! Inserts that the wire has seen: each row of the table must be one of them, and the insert's answer ends the way of its
//! message.

use std::collections::{HashMap, HashSet};

use contract::{Seq, Stamp};

/// An insert that storage has done or may have done.
#[derive(Debug, Clone, Copy)]
struct Insert {
    /// The fingerprint of the row; `None` if it cannot be compared.
    print: Option<u64>,
    /// When storage acknowledged the insert, by the wall clock.
    answered: Option<Stamp>,
    /// How long the worker had the message in hand before, in microseconds, up to 71 minutes; `None` if unknown.
    in_hand_us: Option<u32>,
}

/// Inserts by message. The first insert of each message is in an array, because nearly every message has one.
#[derive(Debug, Clone, Default)]
pub(super) struct Inserts {
    first: Vec<Option<Insert>>,
    further: HashMap<Seq, Vec<Insert>>,
    /// Messages whose row was changed or removed: the present content of the row is not compared.
    changed: HashSet<Seq>,
    /// Messages whose row was deleted and not stored again, with the client that deleted it.
    deleted: HashMap<Seq, String>,
}

impl Inserts {
    /// Adds an insert of the row of `seq`; `answered` if it is known to be done.
    pub(super) fn add(
        &mut self,
        seq: Seq,
        print: Option<u64>,
        answered: Option<Stamp>,
        in_hand_us: Option<i64>,
    ) {
        let insert = Insert {
            print,
            answered,
            in_hand_us: in_hand_us.map(|micros| u32::try_from(micros).unwrap_or(u32::MAX)),
        };
        self.deleted.remove(&seq);
        let at = usize::try_from(seq.get()).expect("a checked sequence number must fit memory");
        if self.first.len() <= at {
            self.first.resize(at + 1, None);
        }
        match &mut self.first[at] {
            first @ None => *first = Some(insert),
            Some(_) => self.further.entry(seq).or_default().push(insert),
        }
    }

    /// Records that the row of `seq` was changed or removed.
    pub(super) fn change(&mut self, seq: Seq) {
        self.changed.insert(seq);
    }

    /// Records that `client` deleted the row of `seq`.
    pub(super) fn delete(&mut self, seq: Seq, client: &str) {
        self.deleted.insert(seq, client.to_owned());
    }

    /// The client that deleted the row of `seq`, if the row was stored before and not after.
    pub(super) fn deleted_by(&self, seq: Seq) -> Option<&str> {
        let by = self.deleted.get(&seq)?;
        self.of(seq).next().map(|_| by.as_str())
    }

    /// Why a row of `seq` in the table was not stored over the wire; `None`: it was.
    pub(super) fn unseen(&self, seq: Seq, print: u64) -> Option<&'static str> {
        if self.changed.contains(&seq) {
            return None;
        }
        let mut any = false;
        for insert in self.of(seq) {
            if insert.print.is_none_or(|seen| seen == print) {
                return None;
            }
            any = true;
        }
        Some(if any {
            "the table holds other columns than the insert that has crossed the wire"
        } else {
            "it is in the table, and no insert of it has crossed the wire"
        })
    }

    /// When storage first acknowledged the row of `seq`.
    pub(super) fn answered(&self, seq: Seq) -> Option<Stamp> {
        self.of(seq).filter_map(|insert| insert.answered).min()
    }

    /// How long the worker whose insert was acknowledged first had the message of `seq` in hand before, in microseconds.
    pub(super) fn in_hand_us(&self, seq: Seq) -> Option<i64> {
        let answered = self.of(seq).filter(|insert| insert.answered.is_some());
        let first = answered.min_by_key(|insert| insert.answered)?;
        first.in_hand_us.map(i64::from)
    }

    fn of(&self, seq: Seq) -> impl Iterator<Item = &Insert> {
        let at = usize::try_from(seq.get()).unwrap_or(usize::MAX);
        let first = self.first.get(at).and_then(Option::as_ref);
        first
            .into_iter()
            .chain(self.further.get(&seq).into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("a sequence number")
    }

    #[test]
    fn a_row_must_be_one_of_the_inserts_of_its_message() {
        let mut inserts = Inserts::default();
        inserts.add(seq(3), Some(30), None, None);
        inserts.add(seq(1), Some(10), None, None);
        inserts.add(seq(1), Some(11), None, None);
        inserts.add(seq(2), None, None, None);
        let none = "it is in the table, and no insert of it has crossed the wire";
        let other = "the table holds other columns than the insert that has crossed the wire";
        for (n, print, unseen) in [
            (1, 10, None),
            (1, 11, None),
            (1, 30, Some(other)),
            // An insert without a fingerprint may be any.
            (2, 20, None),
            (3, 30, None),
            (3, 10, Some(other)),
            (4, 30, Some(none)),
        ] {
            assert_eq!(inserts.unseen(seq(n), print), unseen, "{n} {print}");
        }
        inserts.change(seq(3));
        assert_eq!(inserts.unseen(seq(3), 10), None);
        assert_eq!(inserts.unseen(seq(1), 30), Some(other));
    }

    #[test]
    fn the_first_answer_is_when_a_row_was_stored() {
        let at = |micros| Some(Stamp::from_micros(micros));
        let mut inserts = Inserts::default();
        for (n, answered) in [(1, at(9)), (1, None), (1, at(7)), (2, None), (2, at(5))] {
            inserts.add(
                seq(n),
                None,
                answered,
                answered.map(|at| at.as_micros() * 10),
            );
        }
        assert_eq!(inserts.answered(seq(1)), at(7));
        assert_eq!(inserts.answered(seq(2)), at(5));
        assert_eq!(inserts.answered(seq(3)), None);
        // The time in hand belongs to the same insert.
        for (n, in_hand) in [(1, Some(70)), (2, Some(50)), (3, None)] {
            assert_eq!(inserts.in_hand_us(seq(n)), in_hand);
        }
        inserts.add(seq(4), None, at(1), Some(i64::MAX));
        assert_eq!(inserts.in_hand_us(seq(4)), Some(i64::from(u32::MAX)));
    }
}
