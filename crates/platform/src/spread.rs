//! Distribution of workers over several queues.

/// Distributes `count` workers as evenly as possible over `queues` queues; the first queues get the remainder.
pub(super) fn spread(count: u32, queues: usize) -> Vec<u32> {
    let all = u32::try_from(queues).unwrap_or(u32::MAX);
    let even = |at: u32| count / all + u32::from(at < count % all);
    (0..all).map(even).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_spread_as_even_as_can_be() {
        assert_eq!(spread(16, 4), [4; 4]);
        assert_eq!(spread(7, 3), [3, 2, 2]);
        assert_eq!(spread(2, 3), [1, 1, 0]);
    }
}
