//! Every `Then` of the features, and what must fail it. Mutants are in the order of the code that breaks them.

use super::table::{Mutant, Sentence, consumer, harness, scaled};

/// Cheap, and enough for whatever every message shows: 20 messages, and one that is not JSON.
const FEW: &str = "A message that is not JSON";
/// A hundred messages before the first consumer, so that they come in full batches.
const WAITING: &str = "Messages wait for their first consumer";
/// Ten messages that are worked on for longer than a lease.
const LONG: &str = "A renewal is refused for a while";
/// With a single consumer it is certain who gets the messages.
const ALONE: &str = "All compete for one queue: 1 consumer";
const FOUR: &str = "All compete for one queue: 4 consumers";
const EMPTY: &str = "An empty queue is no error";
const TWICE: &str = "The producer repeats every fifth message";
const DIGEST: &str = "A message that has a digest that is not its";
const GIVEN_UP: &str = "A message that every consumer fails on is given up";
const DRAIN: &str = "One of two consumers drains in the middle of the load";
const BUSY: &str = "the first 5 inserts get 503 ServerBusy";
const RESET_BEFORE: &str = "the first 5 inserts get a reset before storage has the request";
const RESET_AFTER: &str = "the first 5 inserts get a reset after storage has done it";
const BUSY_START: &str = "Consumers start while storage is busy";
const BUSY_TABLE: &str = "Consumers start while the table is busy";
const KILLED: &str = "A consumer is killed with all messages leased";
const DIES: &str = "Consumers die before a delete reaches storage";
const STEADY: &str = "Four consumers keep up with a steady load";
const WORK: &str = "The work itself shows in the hop where it is done";
const TOKENS: &str = "Consumers work with tokens alone";
const EXPIRED: &str = "An expired token is replaced before it fails";
const REPLACED: &str = "The pods' tokens are replaced in the middle of the load";
const UNREACHABLE: &str = "Entra cannot be reached for a while, and tokens last";
const NO_TOKEN: &str = "Entra cannot be reached for longer than a token lives";
const WRONG_TENANT: &str = "It is refused that the tenant id is wrong";
const FORCED: &str = "The node is drained before the end that its notice promised";
const EVICTED: &str = "one of the Spot nodes is evicted in time";
const NODE_DRAIN: &str = "one of the nodes is drained under load";
const NO_NOTICE: &str = "half of the Spot nodes are evicted without notice";
const ON_DEMAND: &str = "Azure has no other Spot machine";
const BURST: &str = "A burst finds no consumer";
const SOON: &str = "All consumers have work as soon as they can have it";
const ONE: &str = "One message brings one consumer";
const STRANDED: &str = "An activation threshold strands what is below it";
const TAKEN_AWAY: &str = "Consumers are taken away in the middle of the work";
const AT_ONCE: &str = "A cooldown shorter than the polls takes all consumers away at once";
const WAVES: &str = "Waves of work";

const IN_QUEUE: &str = "still in the queue|left in the queue";
const ENDED: &str = "ended though nobody had asked";
const UNSECURED: &str = "deleted before the row was confirmed";
const OVERWRITTEN: &str = "changed after the insert, or without one";
const MISREPORTED: &str = "that tell of another delivery than theirs";
const AROUND: &str = "handled around the wire";
const MEDDLED: &str = "to what was not the consumer's";

/// The sentence that judges every message by itself catches most.
const EXACTLY_ONE: &[Mutant] = &[
    consumer(
        "ignores-forced-drain",
        FORCED,
        "ended on the notice of its node's eviction: signal: 9",
    ),
    consumer("deletes-before-insert", FEW, UNSECURED),
    consumer("swallows-insert-errors", BUSY, UNSECURED),
    consumer("takes-no-answer-for-success", RESET_BEFORE, UNSECURED),
    consumer("drops-last-of-batch", WAITING, "lost"),
    consumer("never-deletes", FEW, IN_QUEUE),
    consumer("forgets-deletes", FEW, IN_QUEUE),
    consumer("takes-done-for-error", TWICE, IN_QUEUE),
    consumer(
        "works-on-what-it-handed-back",
        FEW,
        "left in the queue|given up as poison",
    ),
    consumer("fresh-row-key", FEW, "misplaced"),
    consumer("key-per-attempt", DIES, "misplaced"),
    consumer(
        "retries-under-new-key",
        RESET_AFTER,
        "of a message stored before",
    ),
    consumer("one-partition", FEW, "misplaced"),
    consumer("upserts", FEW, OVERWRITTEN),
    consumer("wrong-digest", FEW, "corrupted"),
    consumer("truncates-payload", FEW, "corrupted"),
    consumer("drops-non-ascii", FEW, "corrupted"),
    consumer("trims-payload", FEW, "corrupted"),
    consumer("swaps-payloads", WAITING, "corrupted"),
    consumer(
        "invents-stamps",
        FEW,
        "with a srcStamp or sentStamp that did not come with them",
    ),
    consumer("invents-receipt-time", WAITING, MISREPORTED),
    consumer("backdates-a-little", FEW, MISREPORTED),
    consumer("writes-what-cannot-be-read", FEW, MISREPORTED),
    consumer("merges-later", FEW, OVERWRITTEN),
    consumer("deletes-its-row", FEW, OVERWRITTEN),
    consumer("stores-elsewhere-first", FEW, UNSECURED),
    consumer("merges-in-a-transaction", FEW, OVERWRITTEN),
    consumer("stores-a-copy-aside", FEW, OVERWRITTEN),
    consumer("stores-what-it-peeks", WAITING, AROUND),
    consumer("makes-the-table-anew", ALONE, MEDDLED),
    consumer("names-another-node", FEW, MISREPORTED),
    consumer("counts-attempts-anew", KILLED, MISREPORTED),
    consumer("deletes-the-table-at-sigterm", FEW, "sent delete-table to"),
    consumer("deletes-the-queue-at-sigterm", FEW, "sent delete-queue to"),
    consumer(
        "deletes-the-poison-queue-at-sigterm",
        FEW,
        "sent delete-queue to",
    ),
    consumer("deletes-around-the-wire", FEW, AROUND),
    consumer("stores-around-the-wire", FEW, AROUND),
    consumer("deletes-as-another", FEW, MEDDLED),
    consumer("rewrites-the-message", FEW, MEDDLED),
    consumer("replaces-the-message", FEW, UNSECURED),
    consumer("puts-back-what-it-stored", ALONE, MEDDLED),
    consumer("clears-the-queue", ALONE, MEDDLED),
    consumer("writes-to-another-run", FEW, MEDDLED),
    consumer("sets-queue-metadata", FEW, MEDDLED),
    consumer("creates-another-queue", FEW, MEDDLED),
    consumer("creates-another-table", FEW, MEDDLED),
    consumer(
        "never-renews",
        LONG,
        "still in the queue|left in the queue|delivered more than once",
    ),
    consumer(
        "insists-on-stale-receipt",
        LONG,
        "with a refused request repeated",
    ),
    consumer("crashes-on-poison", FEW, ENDED),
    consumer("discards-poison", FEW, UNSECURED),
    consumer("poisons-for-two-minutes", FEW, UNSECURED),
    consumer("stores-bad-messages", DIGEST, "stored as a result"),
    consumer("poisons-good-messages", FEW, "given up as poison"),
    consumer("poisons-what-it-stores", FEW, "given up as poison"),
    consumer("poisons-in-disguise", FEW, "that nobody sent"),
    consumer("poisons-for-a-moment", FEW, "given up as poison"),
    consumer("drops-leases-at-sigterm", DRAIN, "in the queue"),
    consumer(
        "exits-with-error-at-notice",
        EVICTED,
        "ended on the notice of its node's eviction: exit status: 3",
    ),
    consumer("exits-cleanly-after-panic", BUSY, ENDED),
    consumer("dies-on-busy-storage", BUSY, ENDED),
    consumer("dies-without-token", NO_TOKEN, ENDED),
];

/// Every `Then` of the features.
pub(crate) const THENS: &[Sentence] = &[
    Sentence {
        says: "within <time> every message has exactly one result",
        fails: EXACTLY_ONE,
    },
    // Of what crossed the wire.
    Sentence {
        says: "no message was delivered more than once",
        fails: &[
            consumer(
                "hands-back-once",
                LONG,
                "10 messages were delivered more than once",
            ),
            consumer(
                "gives-up-renewing",
                LONG,
                "messages were delivered more than once",
            ),
        ],
    },
    Sentence {
        says: "<n> messages were delivered more than once",
        fails: &[harness(
            &[
                (
                    "each message takes 30 s of work",
                    "each message takes 1 s of work",
                ),
                (
                    "20 messages are sent and the consumer that leased them all is killed and replaced by a fast one",
                    "20 messages are sent at once",
                ),
            ],
            KILLED,
            "0 messages were delivered more than once",
        )],
    },
    Sentence {
        says: "at most <n> messages were delivered more than once",
        fails: &[consumer(
            "hands-back-once",
            NO_NOTICE,
            "60 messages were delivered more than once",
        )],
    },
    Sentence {
        says: "no message came back because a lease ran out",
        fails: &[
            consumer(
                "drops-leases-at-notice",
                EVICTED,
                "leases ran out, and their messages came back",
            ),
            consumer(
                "drops-leases-at-sigterm",
                NODE_DRAIN,
                "leases ran out, and their messages came back",
            ),
        ],
    },
    Sentence {
        says: "at least <words> had messages",
        fails: &[consumer("works-alone", FOUR, "1 had messages")],
    },
    Sentence {
        says: "every consumer has asked the queue for messages, at most <n> times",
        fails: &[consumer("busy-polls", EMPTY, "has asked")],
    },
    Sentence {
        says: "at least <n> request was hit",
        fails: &[harness(
            &[(
                "<requests> get <trouble>\n      When",
                "the first 3 renewals get <trouble>\n      When",
            )],
            BUSY,
            "0 were hit",
        )],
    },
    Sentence {
        says: "<n> consumers died",
        fails: &[harness(
            &[(
                "And 3 consumers die <moment>",
                "And 2 consumers die <moment>",
            )],
            DIES,
            "2 died",
        )],
    },
    Sentence {
        says: "at least <n> messages were sent twice",
        fails: &[harness(
            &[("20 % of them twice", "1 % of them twice")],
            TWICE,
            "messages were sent twice",
        )],
    },
    // Of processes.
    Sentence {
        says: "that consumer ended by itself within <time>, with exit code <n>",
        fails: &[consumer(
            "exits-with-error",
            DRAIN,
            "it ended with exit status: 3",
        )],
    },
    Sentence {
        says: "that consumer took no message later than <time> after it was told to stop",
        fails: &[consumer(
            "receives-after-sigterm",
            DRAIN,
            "after it was told to stop",
        )],
    },
    Sentence {
        says: "every consumer is still at work and has logged no warning",
        fails: &[consumer(
            "warns-of-empty-queue",
            EMPTY,
            "the queue is empty",
        )],
    },
    Sentence {
        says: "every consumer stops within <time> when told to",
        fails: &[consumer(
            "ignores-sigterm",
            EMPTY,
            "killed|did not end|had not ended|took",
        )],
    },
    Sentence {
        says: "no consumer says that it is ready before",
        fails: &[
            consumer("says-ready-too-early", BUSY_START, "said that it was ready"),
            consumer(
                "says-ready-without-table",
                BUSY_TABLE,
                "said that it was ready",
            ),
        ],
    },
    Sentence {
        says: "within <time> every consumer says that it is ready",
        fails: &[consumer(
            "never-says-ready",
            BUSY_START,
            "does not say that it is ready",
        )],
    },
    // Of the poison queue.
    Sentence {
        says: "within <time> the poison queue holds that message, for the reason \"<words>\"",
        fails: &[consumer(
            "poisons-with-wrong-reason",
            GIVEN_UP,
            "the reason is bad-field",
        )],
    },
    Sentence {
        says: "the table holds no result",
        fails: &[consumer("stores-what-it-gives-up", GIVEN_UP, "it holds 1")],
    },
    Sentence {
        says: "the poison queue holds 1 message, for the reason \"<words>\", with its body unchanged",
        fails: &[
            consumer("poisons-without-body", FEW, "the body was changed"),
            consumer(
                "poisons-with-wrong-reason",
                FEW,
                "the reason is too-many-attempts",
            ),
        ],
    },
    // Of latency.
    Sentence {
        says: "latency stays within these limits:",
        fails: &[
            scaled("wakes-late", STEADY, "end to end p50"),
            harness(
                &[(
                    "Given 4 consumers\n      When 200",
                    "Given 4 consumers\n      And each message takes 1 s of work\n      When 200",
                )],
                STEADY,
                "work p95 at most 500 ms: found",
            ),
            harness(
                &[(
                    "When 200 messages are sent at 100 per second\n      Then within 30 s every message has exactly one result\n      \
                     And latency",
                    "When 200 messages are sent at once, 3 s before the first consumer starts\n      Then within 30 s every message has \
                     exactly one result\n      And latency",
                )],
                STEADY,
                "queue wait p95 at most 2.00 s: found",
            ),
        ],
    },
    Sentence {
        says: "at least half of the messages took <time> or more in the hop \"<words>\"",
        fails: &[consumer("skips-its-work", WORK, "the median of work is")],
    },
    // Of sign-in.
    Sentence {
        says: "every consumer has signed in once",
        fails: &[consumer(
            "signs-in-for-each-receive",
            TOKENS,
            "has signed in",
        )],
    },
    Sentence {
        says: "every consumer has signed in at least <n> times",
        fails: &[harness(
            &[("tokens live 4 s", "tokens live 5 min")],
            EXPIRED,
            "has signed in 1 times",
        )],
    },
    Sentence {
        says: "the pods' tokens were replaced at least <n> times",
        fails: &[harness(
            &[("the pods' tokens live 6 s", "the pods' tokens live 5 min")],
            REPLACED,
            "0 were replaced",
        )],
    },
    Sentence {
        says: "somebody was turned away",
        fails: &[harness(
            &[("tokens live 12 s", "tokens live 5 min")],
            UNREACHABLE,
            "nobody was",
        )],
    },
    Sentence {
        says: "storage refused no request for its token",
        fails: &[consumer("asks-with-a-bad-token", EXPIRED, "it refused")],
    },
    Sentence {
        says: "within <time> every consumer ends by itself with exit code <n>",
        fails: &[consumer(
            "gives-up-with-another-code",
            WRONG_TENANT,
            "exit status: 1",
        )],
    },
    Sentence {
        says: "each names <words>, and <words> as what mends it",
        fails: &[consumer("names-no-remedy", WRONG_TENANT, "says: ")],
    },
    Sentence {
        says: "nothing that was written down holds a token, a signature or a key",
        fails: &[consumer(
            "logs-its-token",
            TOKENS,
            "a signature of this run in",
        )],
    },
    // Of scaling.
    Sentence {
        says: "within <time> there are <n> consumers",
        fails: &[scaled(
            "stops-at-eight",
            BURST,
            "15 consumers are wanted, 8 run",
        )],
    },
    Sentence {
        says: "within <time> the last consumer has gone",
        fails: &[scaled(
            "keeps-the-last",
            BURST,
            "0 consumers are wanted, 1 run",
        )],
    },
    Sentence {
        says: "there <words> never more than <n> <words>",
        fails: &[scaled("starts-one-too-many", ONE, "there were 2")],
    },
    Sentence {
        says: "the number of consumers turned at most <n> time, between rising and falling",
        fails: &[scaled("thrashes", WAVES, "it turned")],
    },
    Sentence {
        says: "at once <n> consumers were taken away",
        fails: &[scaled(
            "takes-away-in-steps",
            AT_ONCE,
            "the most that went at once is",
        )],
    },
    Sentence {
        says: "at least <n> consumers were taken away while they had work, and each ended by itself, with exit code <n>",
        fails: &[harness(
            &[(
                "each message takes 10 s of work\n      When 300",
                "each message takes 1 ms of work\n      When 300",
            )],
            TAKEN_AWAY,
            "that were taken away had messages in hand",
        )],
    },
    Sentence {
        says: "within <time> no consumer comes, and the queue keeps its <n> messages",
        fails: &[scaled("activates-at-once", STRANDED, "came")],
    },
    Sentence {
        says: "the number of consumers was always one that the model of KEDA and the HPA allows",
        fails: &[
            scaled("hpa-three-times-slower", WAVES, "are possible"),
            scaled("lags", WAVES, "not as many consumers ran as were wanted"),
        ],
    },
    Sentence {
        says: "all <n> consumers had work within <time> of the moment at which the model has them",
        fails: &[consumer("takes-long-to-begin", SOON, "they had work")],
    },
    // Of nodes.
    Sentence {
        says: "within <time> as many consumers are at work again as before",
        fails: &[consumer(
            "only-the-first-four-work",
            EVICTED,
            "of the eviction of",
        )],
    },
    Sentence {
        says: "every consumer of a node that was evicted ended by itself before the node did, with exit code <n>",
        fails: &[consumer(
            "stays-after-notice",
            EVICTED,
            "had not ended when its node",
        )],
    },
    Sentence {
        says: "no consumer took a message later than <time> after the notice",
        fails: &[
            consumer("ignores-notice", EVICTED, "after the notice of"),
            consumer("receives-after-notice", EVICTED, "after the notice of"),
        ],
    },
    Sentence {
        says: "those that came in place of others run on demand",
        fails: &[harness(
            &[("      And Azure has no other Spot machine to give\n", "")],
            ON_DEMAND,
            "0 run on demand",
        )],
    },
    Sentence {
        says: "every consumer of a node that was evicted had looked for a notice every second",
        fails: &[consumer(
            "looks-too-seldom",
            ON_DEMAND,
            "did not look for a notice for|looked for a notice once at most",
        )],
    },
];

/// What is noticed before any `Then`: a load that cannot come to its end.
pub(crate) const WHENS: &[Sentence] = &[
    Sentence {
        says: "the queue stays empty for <time>",
        fails: &[consumer(
            "never-polls",
            EMPTY,
            "wait until consumer-1 asks storage",
        )],
    },
    Sentence {
        says: "<n> messages are sent at <words>, and one consumer is told to stop when it has <n> or more of them in hand",
        fails: &[consumer("ignores-sigterm", DRAIN, "has ended: not within")],
    },
];

/// Scenarios that measure time, and have to run alone to pass: that they pass, the suite of the features shows.
pub(crate) const SERIAL: &[&str] = &[SOON, WORK];

/// Scenarios that take longest begin first.
pub(crate) const LONGEST_FIRST: &[&str] = &[
    TAKEN_AWAY,
    WAVES,
    BURST,
    FORCED,
    NO_NOTICE,
    NODE_DRAIN,
    EVICTED,
    ON_DEMAND,
    SOON,
    LONG,
    REPLACED,
    UNREACHABLE,
    STRANDED,
    AT_ONCE,
    GIVEN_UP,
    NO_TOKEN,
    EXPIRED,
    DRAIN,
];
