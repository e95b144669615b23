Feature: A message is handled soon after it was meant to be sent

  Latency counts from the moment at which the open-loop schedule wanted to send a message, so that a producer or
  a queue that stalls shows as latency and cannot hide it (coordinated omission). Every limit is judged from the
  rows of the messages, with its confidence interval; a percentile of too few messages is inconclusive, never a
  pass. End to end ends when the wire or storage has seen the row stored, and not with a stamp of the consumer.

  The limits distinguish a workload that keeps up from one that does not, on any storage. To
  find out how fast a workload is on its own storage, use a load test with limits of its own.

  Rule: A steady load stays within its latency limits

    @serial @smoke
    Scenario: Four consumers keep up with a steady load
      Given 4 consumers
      When 200 messages are sent at 100 per second
      Then within 30 s every message has exactly one result
      And latency stays within these limits:
        | hop          | percentile | limit  |
        | schedule lag | p95        | 250 ms |
        | send         | p95        | 1 s    |
        | queue wait   | p95        | 2 s    |
        | work         | p95        | 500 ms |
        | end to end   | p50        | 1 s    |
        | end to end   | p95        | 3 s    |

    @serial
    Scenario: The work itself shows in the hop where it is done
      Given 2 consumers
      And each message takes 200 ms of work
      When 100 messages are sent at 60 per second
      Then within 30 s every message has exactly one result
      And at least half of the messages took 200 ms or more in the hop "work"
      And latency stays within these limits:
        | hop        | percentile | limit |
        | work       | p90        | 2 s   |
        | end to end | p90        | 3 s   |

  Rule: A consumer that starts late is seen in the latency, not hidden by it

    Scenario: Messages wait for their first consumer
      Given 2 consumers
      When 100 messages are sent at once, 2 s before the first consumer starts
      Then within 20 s every message has exactly one result
      And at least half of the messages took 2 s or more in the hop "queue wait"
