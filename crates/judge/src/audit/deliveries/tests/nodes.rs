//! Tests of the node that a row names.

use super::*;

/// Compared only if the platform knows the node and the worker is told it.
#[test]
fn a_row_names_the_node_that_the_platform_knows() {
    let (deliveries, seq) = deliveries();
    let compare = |claims: &Claims, node: Option<&str>| {
        let row = Claimed {
            node: node.map(str::to_owned),
            ..claimed("consumer-1", 1, 10, 50)
        };
        let insert = crossing("consumer-1", Operation::InsertEntity, 50);
        let (clocks, activity) = (Clocks::default(), Activity::default());
        claims.compare(
            &deliveries,
            seq,
            (&insert, &row),
            (&clocks, &activity, None),
        )
    };
    let knowing = |name: &str| {
        let mut claims = claims();
        claims.nodes = [(name.to_owned(), "node-1".to_owned())].into();
        claims
    };
    let known = knowing("consumer-1");
    let wrong = |detail: &str| Compared::False(detail.to_owned());
    for (node, found) in [
        (Some("node-1"), Compared::Fine),
        (
            Some("node-2"),
            wrong("`node` is \"node-2\", and consumer-1 is on \"node-1\""),
        ),
        (None, wrong("`node` is absent, or cannot be read")),
    ] {
        assert_eq!(compare(&known, node), found, "{node:?}");
        let unknown = knowing("consumer-2");
        assert_eq!(compare(&unknown, node), Compared::Fine, "{node:?}");
        let untold = Claims {
            node: None,
            ..knowing("consumer-1")
        };
        assert_eq!(compare(&untold, node), Compared::Fine, "{node:?}");
    }
}
