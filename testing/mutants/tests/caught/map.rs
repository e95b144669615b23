//! Every `Then` of the features, with the mutants that must fail it. Mutants are in the order of the code that breaks them.

mod exactly_one;
mod names;
mod order;
mod whens;

use super::table::{Sentence, consumer, harness, scaled};
use exactly_one::EXACTLY_ONE;
#[expect(
    clippy::wildcard_imports,
    reason = "names of scenarios, which are there for this"
)]
use names::*;
pub(crate) use order::{LONGEST_FIRST, TIMED};
pub(crate) use whens::WHENS;

/// Every `Then` of the features.
pub(crate) const THENS: &[Sentence] = &[
    Sentence {
        says: "within <time> every message has exactly one result",
        fails: EXACTLY_ONE,
    },
    // About requests on the wire.
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
            "180 messages were delivered more than once",
        )],
    },
    Sentence {
        says: "no message came back because a lease ran out",
        fails: &[
            consumer(
                "drops-leases-at-notice",
                // Each consumer has messages in hand when it hears the notice.
                FORCED,
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
    // About processes.
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
        fails: &[
            consumer("warns-of-empty-queue", EMPTY, "the queue is empty"),
            consumer("ends-with-the-queue", EMPTY, "ended unasked"),
        ],
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
    // About the poison queue.
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
    // About latency.
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
    // About sign-in.
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
            "has signed in once",
        )],
    },
    Sentence {
        says: "the pods' tokens were replaced at least <n> <words>",
        fails: &[harness(
            &[("the pods' tokens live 6 s", "the pods' tokens live 5 min")],
            REPLACED,
            "0 were replaced",
        )],
    },
    Sentence {
        says: "at least <n> request to Entra had no answer",
        fails: &[harness(
            &[("tokens live 20 s", "tokens live 5 min")],
            UNREACHABLE,
            "without an answer: 0",
        )],
    },
    Sentence {
        says: "storage refused no request for its token",
        fails: &[consumer(
            "asks-with-a-bad-token",
            EXPIRED,
            "storage refused",
        )],
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
    // About scaling.
    Sentence {
        says: "within <time> there are <n> consumers",
        fails: &[
            scaled("stops-at-eight", BURST, "15 consumers are wanted, 8 run"),
            consumer(
                "hands-back-and-rests",
                BURST,
                "15 run, 4 of them have asked for messages",
            ),
        ],
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
        // Whether each ended by itself is judged with the results before: see `exits-with-error` there.
        fails: &[harness(
            &[(
                "each message takes 15 s of work\n      When 300",
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
    // About nodes.
    Sentence {
        says: "within <time> as many consumers are at work again as before",
        fails: &[
            consumer("only-the-first-four-work", EVICTED, "of the eviction of"),
            consumer("hands-back-and-rests", EVICTED, "the eviction of"),
        ],
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
        fails: &[
            consumer(
                "looks-too-seldom",
                ON_DEMAND,
                "did not look for a notice for|looked for a notice once at most",
            ),
            consumer("stops-looking", ON_DEMAND, "did not look for a notice for"),
        ],
    },
];
