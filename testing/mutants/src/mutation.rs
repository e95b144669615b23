//! The ways in which a consumer can be wrong, from bugs that were met in the wild and from each sentence of the contract.

use clap::ValueEnum;

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mutation {
    /// Not wrong at all: the measure of all others.
    None,

    // The order of insert and delete.
    /// Deletes the message first, as if at-most-once were enough.
    DeletesBeforeInsert,
    /// Logs an insert that failed, and goes on to the delete.
    SwallowsInsertErrors,
    /// Takes an insert without an answer for one that succeeded.
    TakesNoAnswerForSuccess,
    /// Deletes the last message of each batch without working on it.
    DropsLastOfBatch,
    /// Never deletes anything.
    NeverDeletes,
    /// Forgets every tenth delete.
    ForgetsDeletes,
    /// Takes 409 for an error and leaves the message.
    TakesDoneForError,
    /// Hands every message back the first time that it comes.
    HandsBackOnce,
    /// Hands back every message, and works on it all the same.
    WorksOnWhatItHandedBack,
    /// Does not do the work, and stores its result.
    SkipsItsWork,

    // The row.
    /// A key of its own for every delivery.
    FreshRowKey,
    /// A key that has the attempt in it.
    KeyPerAttempt,
    /// After a lost answer, inserts again under another key.
    RetriesUnderNewKey,
    /// All rows in one partition.
    OnePartition,
    /// Insert Or Replace instead of Insert.
    Upserts,
    /// The digest of something else.
    WrongDigest,
    /// Half of the payload.
    TruncatesPayload,
    /// The payload without what is not ASCII, and the digest as it was sent.
    DropsNonAscii,
    /// The payload without the blanks at its ends, and the digest as it was sent.
    TrimsPayload,
    /// The payload of another message of the batch.
    SwapsPayloads,
    /// The time of its own work for when the message was sent: no latency is as good as an invented one.
    InventsStamps,
    /// The time of the send for when the message was received: no wait is as short.
    InventsReceiptTime,
    /// A little less than a second earlier than it was received: what a slack for clocks lets pass.
    BackdatesALittle,
    /// Stamps the end of its work when it has received the message, and works then.
    StampsBeforeItsWork,
    /// Works first, and stamps then when it has received the message.
    StampsItsReceiptLate,
    /// Stamps and sends the row before its work, in a form that storage refuses, and again after it: the work would end with the
    /// first request.
    SendsARefusedRowFirst,
    /// Stamps the row before its work, and inserts a row that is stored already while it works: its own row would seem to wait.
    RepeatsAnInsertWhileItWorks,
    /// Stamps the row before its work, and stores it alone in a transaction, where rows may wait for each other.
    StampsEarlyInATransaction,
    /// The attempt as a double, and somebody else for the consumer: what cannot be read cannot be compared.
    WritesWhatCannotBeRead,
    /// Stores something else first, and the row over it with POST and `X-HTTP-Method: MERGE`.
    MergesLater,
    /// The same with `X-HTTP-Method: DELETE` and a second insert.
    DeletesItsRow,
    /// Stores the row in a table of its own, deletes the message, and stores the row where it belongs later.
    StoresElsewhereFirst,
    /// The same as `MergesLater`, with a merge in a transaction.
    MergesInATransaction,
    /// Stores the row under another partition key as well, for a while.
    StoresACopyAside,
    /// Stores the rows of messages that it has only peeked at.
    StoresWhatItPeeks,
    /// Deletes the table before its first message, and creates it anew.
    MakesTheTableAnew,
    /// Another node than its own.
    NamesAnotherNode,
    /// The first attempt, whichever it is.
    CountsAttemptsAnew,

    // The wire.
    /// Finds out where the proxy finds storage, and deletes the message there, before its row is stored.
    DeletesAroundTheWire,
    /// The same for the row.
    StoresAroundTheWire,
    /// Deletes its messages in the name of another consumer.
    DeletesAsAnother,
    /// Stores its rows in the name of another consumer, which says of itself that it got the message at once, and on the first attempt.
    StoresAsAnother,
    /// Goes away before the answer to its insert, and takes the row for stored.
    HangsUp,
    /// Asks storage with a token that nobody has given, now and then.
    AsksWithABadToken,

    // The message.
    /// Gives the message another body while it has it.
    RewritesTheMessage,
    /// Sends a copy of the message first, deletes the message, and works on the copy.
    ReplacesTheMessage,
    /// Puts a copy of every message into the queue, once, when its row is stored.
    PutsBackWhatItStored,
    /// Clears the queue instead of deleting its messages.
    ClearsTheQueue,
    /// Puts a copy of every message into the poison queue of another run.
    WritesToAnotherRun,
    /// Writes into the metadata of the queue what it has done.
    SetsQueueMetadata,
    /// Creates another queue, and leaves it empty.
    CreatesAnotherQueue,
    /// Creates another table, and leaves it empty.
    CreatesAnotherTable,

    // The lease.
    /// Never renews.
    NeverRenews,
    /// Gives up renewing after the first refusal.
    GivesUpRenewing,
    /// Deletes with the receipt of the receive, although it has renewed; and tries for ever.
    InsistsOnStaleReceipt,

    // Bad messages.
    /// Panics on what it cannot parse.
    CrashesOnPoison,
    /// Deletes what it cannot parse.
    DiscardsPoison,
    /// Sets aside the reason and not the body.
    PoisonsWithoutBody,
    /// Sets aside for two minutes, after which storage removes it.
    PoisonsForTwoMinutes,
    /// Sets aside with a reason that is not the reason.
    PoisonsWithWrongReason,
    /// Sets aside with one delivery too many.
    PoisonsWithWrongAttempt,
    /// Sets aside in the name of another consumer.
    PoisonsAsAnother,
    /// Sets aside with the beginning of time for when it gave up.
    PoisonsWithWrongStamp,
    /// Sets aside without a word of why.
    PoisonsWithoutDetail,
    /// Stores what it gives up after too many attempts.
    StoresWhatItGivesUp,
    /// Does not check the digest.
    StoresBadMessages,
    /// Sets aside good messages now and then.
    PoisonsGoodMessages,
    /// Stores every good message and sets it aside as well, hidden for a week.
    PoisonsWhatItStores,
    /// The same, with a text in the poison queue that nobody can read.
    PoisonsInDisguise,
    /// Sets every good message aside, deletes both, and stores the row then.
    PoisonsForAMoment,

    // The process.
    /// Works on through SIGTERM.
    IgnoresSigterm,
    /// Goes on taking messages long after SIGTERM, and drains only then.
    ReceivesAfterSigterm,
    /// Exits at SIGTERM with its leases in hand.
    DropsLeasesAtSigterm,
    /// Deletes the table after its drain.
    DeletesTheTableAtSigterm,
    /// Deletes the queue after its drain.
    DeletesTheQueueAtSigterm,
    /// Deletes the poison queue after its drain.
    DeletesThePoisonQueueAtSigterm,
    /// Exits with 3 after a drain.
    ExitsWithError,
    /// Exits with 0 in the middle of the work, as after a panic in a task that nobody joined.
    ExitsCleanlyAfterPanic,
    /// Exits when storage is busy.
    DiesOnBusyStorage,
    /// Says that it is ready as soon as it runs.
    SaysReadyTooEarly,
    /// Says that it is ready whether or not the table answers.
    SaysReadyWithoutTable,
    /// Never says that it is ready.
    NeverSaysReady,
    /// Takes seconds to begin.
    TakesLongToBegin,

    // The identity.
    /// Says what it signs in with, as a debug line that was left in does.
    LogsItsToken,
    /// Exits when it cannot sign in anew for a while.
    DiesWithoutToken,
    /// Fetches a token for each look at the queue.
    SignsInForEachReceive,
    /// Exits with 1 where storage refuses it.
    GivesUpWithAnotherCode,
    /// Says why storage refuses it, and not what mends it.
    NamesNoRemedy,

    // The end of its node.
    /// Works on through the notice of its node's eviction: a consumer whose drain is switched off.
    IgnoresNotice,
    /// Exits at the notice with its leases in hand.
    DropsLeasesAtNotice,
    /// Exits with 3 after the drain that the notice began.
    ExitsWithErrorAtNotice,
    /// Goes on taking messages long after the notice, and drains only then.
    ReceivesAfterNotice,
    /// Drains at the notice, and then stays until its node ends.
    StaysAfterNotice,
    /// Asks for a notice every 2.6 s.
    LooksTooSeldom,
    /// Asks for a notice twice, and never again.
    StopsLooking,
    /// Takes its time for the drain that the notice began, also when its node is drained by force.
    IgnoresForcedDrain,

    // The queue.
    /// Polls an empty queue without pause.
    BusyPolls,
    /// Never asks for a message.
    NeverPolls,
    /// Rests for seconds before each receive.
    RestsBeforeItReceives,
    /// Ends, with 0, once it has found the queue empty three times.
    EndsWithTheQueue,
    /// Takes an empty queue for a reason to warn.
    WarnsOfEmptyQueue,
    /// Only the first consumer works.
    WorksAlone,
    /// Only the first four consumers work, and none that comes in their place.
    OnlyTheFirstFourWork,
    /// Only the first four consumers work. Each other one takes one message, hands it back, and rests.
    HandsBackAndRests,
}
