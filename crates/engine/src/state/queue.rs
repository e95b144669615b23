//! The messages of one queue: put, receive, peek, update, delete and clear, each in logarithmic time for any backlog.
//!
//! Messages are ordered by the time at which they become visible, then by the order of the puts. So a queue is first in, first
//! out, and a message that is handed back goes behind those that were visible before it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    message::{Lease, Message, Naming, Sequence},
    store::{Change, ContainerId, Store, StoreError},
};
use crate::clock::Moment;

/// Most expired messages that one operation removes before its own work.
const EXPIRED_AT_ONCE: usize = 1_000;

/// Reason why a message was neither changed nor deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    #[error("no such message")]
    NotFound,
    #[error("another delivery has the message")]
    ReceiptMismatch,
    #[error("write to the store")]
    Store(#[from] StoreError),
}

/// A message as an operation returns it. The text is a copy, so that no lock is held while it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) sequence: Sequence,
    pub(crate) lease: Lease,
    pub(crate) text: Box<str>,
}

#[derive(Debug)]
pub(crate) struct Messages {
    container: ContainerId,
    naming: Naming,
    next: Sequence,
    count: u64,
    all: BTreeMap<Sequence, Box<Message>>,
    by_visibility: BTreeSet<(Moment, Sequence)>,
    /// Only messages that expire.
    by_expiry: BTreeSet<(Moment, Sequence)>,
}

impl Messages {
    pub(crate) fn new(container: ContainerId, naming: Naming, first: Sequence) -> Self {
        Self {
            container,
            naming,
            next: first,
            count: 0,
            all: BTreeMap::new(),
            by_visibility: BTreeSet::new(),
            by_expiry: BTreeSet::new(),
        }
    }

    /// Restores the messages of a store.
    pub(crate) fn restore(&mut self, messages: impl IntoIterator<Item = (Sequence, Message)>) {
        for (sequence, message) in messages {
            self.next = self.next.max(sequence.saturating_add(1));
            self.add(sequence, message);
        }
    }

    pub(crate) const fn naming(&self) -> Naming {
        self.naming
    }

    /// The number of messages, visible or not.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn put(
        &mut self,
        store: &dyn Store,
        text: Box<str>,
        now: Moment,
        visible: Moment,
        expires: Moment,
    ) -> Result<(Sequence, Lease), StoreError> {
        self.remove_expired(store, now)?;
        let sequence = self.next;
        let lease = Lease {
            inserted: now,
            expires,
            visible,
            receipt: self.receipt(sequence, now),
            deliveries: 0,
        };
        let message = Message { text, lease };
        store.write(&[Change::Message(self.container, sequence, &message)])?;
        self.next += 1;
        self.add(sequence, message);
        Ok((sequence, lease))
    }

    /// Receives the first `most` messages that are visible, and hides them until `hidden_until`.
    pub(crate) fn receive(
        &mut self,
        store: &dyn Store,
        most: usize,
        now: Moment,
        hidden_until: Moment,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.remove_expired(store, now)?;
        let mut delivered = self.visible(most, now);
        for message in &mut delivered {
            message.lease.receipt = self.receipt(message.sequence, now);
            message.lease.visible = hidden_until;
            message.lease.deliveries = message.lease.deliveries.saturating_add(1);
        }
        let changes: Vec<Change<'_>> = delivered
            .iter()
            .map(|message| Change::Lease(self.container, message.sequence, &message.lease))
            .collect();
        if !changes.is_empty() {
            store.write(&changes)?;
        }
        for message in &delivered {
            self.set_lease(message.sequence, message.lease);
        }
        Ok(delivered)
    }

    pub(crate) fn peek(
        &mut self,
        store: &dyn Store,
        most: usize,
        now: Moment,
    ) -> Result<Vec<Delivered>, StoreError> {
        self.remove_expired(store, now)?;
        Ok(self.visible(most, now))
    }

    /// Gives the message a new visibility time, a new receipt and, if `text` is given, a new text.
    pub(crate) fn update(
        &mut self,
        store: &dyn Store,
        sequence: Sequence,
        receipt: Option<u64>,
        text: Option<Box<str>>,
        now: Moment,
        visible: Moment,
    ) -> Result<Lease, LeaseError> {
        let mut lease = self.leased(store, sequence, receipt, now)?.lease;
        lease.visible = visible;
        lease.receipt = self.receipt(sequence, now);
        match text {
            None => {
                store.write(&[Change::Lease(self.container, sequence, &lease)])?;
            }
            Some(text) => {
                let message = Message { text, lease };
                store.write(&[Change::Message(self.container, sequence, &message)])?;
                if let Some(stored) = self.all.get_mut(&sequence) {
                    stored.text = message.text;
                }
            }
        }
        self.set_lease(sequence, lease);
        Ok(lease)
    }

    pub(crate) fn delete(
        &mut self,
        store: &dyn Store,
        sequence: Sequence,
        receipt: Option<u64>,
        now: Moment,
    ) -> Result<(), LeaseError> {
        self.leased(store, sequence, receipt, now)?;
        store.write(&[Change::RemoveMessage(self.container, sequence)])?;
        self.remove(sequence);
        Ok(())
    }

    /// Removes expired messages, a limited number at a time; returns whether more may be left.
    pub(crate) fn remove_expired(
        &mut self,
        store: &dyn Store,
        now: Moment,
    ) -> Result<bool, StoreError> {
        if self.by_expiry.first().is_none_or(|(at, _)| *at > now) {
            return Ok(false);
        }
        let due = self.by_expiry.iter().take_while(|(at, _)| *at <= now);
        let expired: Vec<Sequence> = due
            .take(EXPIRED_AT_ONCE)
            .map(|(_, sequence)| *sequence)
            .collect();
        let changes: Vec<Change<'_>> = expired
            .iter()
            .map(|sequence| Change::RemoveMessage(self.container, *sequence))
            .collect();
        store.write(&changes)?;
        for sequence in &expired {
            self.remove(*sequence);
        }
        Ok(expired.len() == EXPIRED_AT_ONCE)
    }

    fn leased(
        &mut self,
        store: &dyn Store,
        sequence: Sequence,
        receipt: Option<u64>,
        now: Moment,
    ) -> Result<&Message, LeaseError> {
        self.remove_expired(store, now)?;
        let message = self.all.get(&sequence);
        let message = message.filter(|message| message.lease.expires > now);
        let message = message.ok_or(LeaseError::NotFound)?;
        if Some(message.lease.receipt) == receipt {
            Ok(message)
        } else {
            Err(LeaseError::ReceiptMismatch)
        }
    }

    fn visible(&self, most: usize, now: Moment) -> Vec<Delivered> {
        let visible = self.by_visibility.iter();
        let visible = visible.take_while(|(at, _)| *at <= now);
        let messages = visible.filter_map(|(_, sequence)| {
            let message = self.all.get(sequence)?;
            Some((*sequence, message))
        });
        // Leaves out messages that have expired and are not removed yet.
        let messages = messages.filter(|(_, message)| message.lease.expires > now);
        let delivered = messages.map(|(sequence, message)| Delivered {
            sequence,
            lease: message.lease,
            text: message.text.clone(),
        });
        delivered.take(most).collect()
    }

    fn receipt(&mut self, sequence: Sequence, now: Moment) -> u64 {
        self.count += 1;
        self.naming.receipt(sequence, self.count, now)
    }

    fn add(&mut self, sequence: Sequence, message: Message) {
        self.by_visibility.insert((message.lease.visible, sequence));
        if message.lease.expires < Moment::NEVER {
            self.by_expiry.insert((message.lease.expires, sequence));
        }
        self.all.insert(sequence, Box::new(message));
    }

    fn set_lease(&mut self, sequence: Sequence, lease: Lease) {
        let message = self.all.get_mut(&sequence);
        let message = message.expect("a message whose lease changes must be there");
        let before = std::mem::replace(&mut message.lease, lease);
        self.by_visibility.remove(&(before.visible, sequence));
        self.by_visibility.insert((lease.visible, sequence));
    }

    fn remove(&mut self, sequence: Sequence) {
        if let Some(message) = self.all.remove(&sequence) {
            self.by_visibility
                .remove(&(message.lease.visible, sequence));
            self.by_expiry.remove(&(message.lease.expires, sequence));
        }
    }
}

#[cfg(test)]
mod tests;
