Feature: Azure takes Spot nodes back, and no message pays for it

  Spot nodes cost a fraction and can be evicted at any moment: with a notice of 30 s when all goes well, else
  with a shorter one or none. Only the machine tells the consumers on a node that they must end. Consumers
  that were told finish the messages that they have in hand, or hand them back; messages of other consumers
  come back when their leases run out. A node that is drained by force gives each consumer one more second.

  Each consumer has at most 5 messages in hand, each with a lease of 60 s, and 20 s to end once it is told:
  the settings of the workload's manifests. Messages come for longer than a new node takes to come, so that there is
  work for those that replace others. The seed of the run decides which node is evicted, and when; each of its
  consumers has work in hand then, unless the sentence says otherwise.

  Background:
    Given each message takes 6 s of work

  Rule: Consumers that are told in time leave nothing behind

    Scenario Outline: <what> in time
      Given 4 consumers on Spot nodes, at most <each> on each
      When 300 messages are sent at 1 per second, and <what> with 30 s of notice
      Then within 5 min as many consumers are at work again as before
      And within 3 min every message has exactly one result
      And no consumer took a message later than 15 s after the notice
      And every consumer of a node that was evicted ended by itself before the node did, with exit code 0
      And no message came back because a lease ran out

      Examples:
        | what                                             | each |
        | one of the Spot nodes is evicted                 | 2    |
        | half of the Spot nodes are evicted               | 1    |
        | one of the Spot nodes is stopped and not deleted | 2    |

    Scenario: The node is drained before the end that its notice promised
      Given each message takes 60 s of work
      And 4 consumers on Spot nodes, at most 2 on each
      When 24 messages are sent at 20 per minute, and one of the Spot nodes is evicted with 30 s of notice, and drained by force 16 s after it
      Then within 5 min as many consumers are at work again as before
      And within 6 min every message has exactly one result
      And every consumer of a node that was evicted ended by itself before the node did, with exit code 0
      And no message came back because a lease ran out

  Rule: Consumers that are told too late or not at all cost time, and only what they had in hand is delivered again

    Scenario Outline: <what>
      Given 4 consumers on Spot nodes, at most <each> on each
      When 180 messages are sent at 1 per second, and <what>
      Then within <time> as many consumers are at work again as before
      And within 3 min every message has exactly one result
      And at most <twice> messages were delivered more than once

      Examples: One eviction: what 2 consumers have in hand
        | what                                                            | each | time   | twice |
        | one of the Spot nodes is evicted without notice                 | 2    | 5 min  | 10    |
        | one of the Spot nodes is evicted with 3 s of notice             | 2    | 5 min  | 10    |
        | one of the Spot nodes is stopped and not deleted without notice | 2    | 12 min | 10    |
        | half of the Spot nodes are evicted without notice               | 1    | 5 min  | 10    |

      Examples: Two evictions: twice what 2 consumers have in hand
        | what                                                                       | each | time  | twice |
        | one of the Spot nodes is evicted without notice, and again when it is back | 2    | 5 min | 20    |

    Scenario: A node is evicted while consumers are still coming
      Given no consumer, and the workload's own scaling settings but for these:
        | setting | value       |
        | limit   | 6 consumers |
      And consumers run on Spot nodes, at most 2 on each
      When 150 messages are sent at once, and one of the Spot nodes is evicted without notice while consumers are still coming
      Then within 8 min as many consumers are at work again as before
      And within 5 min every message has exactly one result
      And at most 10 messages were delivered more than once

  Rule: Without Spot machines the work goes on, on demand

    Scenario: Azure has no other Spot machine
      Given 4 consumers on Spot nodes, at most 2 on each
      And Azure has no other Spot machine to give
      When 180 messages are sent at 1 per second, and one of the Spot nodes is evicted with 30 s of notice
      Then within 5 min as many consumers are at work again as before
      And those that came in place of others run on demand
      And every consumer of a node that was evicted had looked for a notice every second
      And within 3 min every message has exactly one result
