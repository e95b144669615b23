//! The scenarios in which mutants are tried, and the reasons of their failures.

/// A cheap scenario, enough for faults that every message shows: 20 messages, and one that is not JSON.
pub(super) const FEW: &str = "A message that is not JSON";
/// A hundred messages before the first consumer, so that they come in full batches.
pub(super) const WAITING: &str = "Messages wait for their first consumer";
/// Ten messages that are worked on for longer than a lease.
pub(super) const LONG: &str = "A renewal is refused for a while";
/// With a single consumer it is certain which consumer gets the messages.
pub(super) const ALONE: &str = "All compete for one queue: 1 consumer";
pub(super) const FOUR: &str = "All compete for one queue: 4 consumers";
pub(super) const EMPTY: &str = "An empty queue is no error";
pub(super) const TWICE: &str = "The producer repeats every fifth message";
pub(super) const DIGEST: &str = "A message that has another payload's digest";
pub(super) const GIVEN_UP: &str = "A message that every consumer fails on is given up";
pub(super) const DRAIN: &str = "One of two consumers drains in the middle of the load";
pub(super) const BUSY: &str = "the first 5 inserts get 503 ServerBusy";
pub(super) const RESET_BEFORE: &str =
    "the first 5 inserts get a reset before storage has the request";
pub(super) const RESET_AFTER: &str = "the first 5 inserts get a reset after storage has done it";
pub(super) const BUSY_START: &str = "Consumers start while storage is busy";
pub(super) const BUSY_TABLE: &str = "Consumers start while the table is busy";
pub(super) const KILLED: &str = "A consumer is killed with all messages leased";
pub(super) const DIES: &str = "Consumers die before a delete reaches storage";
pub(super) const STEADY: &str = "Four consumers keep up with a steady load";
pub(super) const WORK: &str = "The work itself shows in the hop where it is done";
pub(super) const TOKENS: &str = "Consumers work with tokens alone";
pub(super) const EXPIRED: &str = "An expired token is replaced before it fails";
pub(super) const REPLACED: &str = "The pods' tokens are replaced in the middle of the load";
pub(super) const UNREACHABLE: &str = "Entra cannot be reached for a while, and tokens last";
pub(super) const NO_TOKEN: &str = "Entra cannot be reached for longer than a token lives";
pub(super) const WRONG_TENANT: &str = "It is refused that the tenant id is wrong";
pub(super) const FORCED: &str = "The node is drained before the end that its notice promised";
pub(super) const EVICTED: &str = "one of the Spot nodes is evicted in time";
pub(super) const NODE_DRAIN: &str = "one of the nodes is drained under load";
pub(super) const NO_NOTICE: &str = "half of the Spot nodes are evicted without notice";
pub(super) const ON_DEMAND: &str = "Azure has no other Spot machine";
pub(super) const BURST: &str = "A burst finds no consumer";
pub(super) const SOON: &str = "All consumers have work as soon as they can have it";
pub(super) const ONE: &str = "One message brings one consumer";
pub(super) const STRANDED: &str = "An activation threshold strands what is below it";
pub(super) const TAKEN_AWAY: &str = "Consumers are taken away in the middle of the work";
pub(super) const AT_ONCE: &str =
    "A cooldown shorter than the polls takes all consumers away at once";
pub(super) const WAVES: &str = "Waves of work";

pub(super) const IN_QUEUE: &str = "still in the queue|left in the queue";
pub(super) const ENDED: &str = "ended though nobody had asked";
pub(super) const UNSECURED: &str = "deleted before the row was confirmed";
pub(super) const OVERWRITTEN: &str = "changed after the insert, or without one";
pub(super) const REMOVED: &str = "deleted once stored";
pub(super) const MISREPORTED: &str = "with claims about another delivery";
pub(super) const AROUND: &str = "has not seen stored, received or deleted";
pub(super) const MEDDLED: &str = "that is not the consumer's";
