Feature: Azure takes Spot nodes back, and no message pays for it

  Spot nodes cost a fraction and can be taken back at any moment: with a notice of 30 s when all goes well, with a shorter one or
  none when it does not. The consumers on a node are told by the machine alone; nobody else asks them to end. What they had in
  hand is finished or handed back by those that were told, and comes back when its lease runs out from those that were not.

  Notices here are shorter than those of Azure, and new nodes come sooner, as each scenario says. Which node is hit, and when,
  the seed of the run decides; `ci/soak evictions` repeats all of this with many seeds.

  Background:
    Given consumers run on Spot nodes
    And all times of nodes are 100 times as short
    And each message takes 1300 ms of work
    And each consumer works on 4 messages at a time

  Rule: Consumers that are told in time leave nothing behind

    Scenario Outline: <what> in time
      Given 4 consumers, at most <each> on each node
      And a lease lasts 8 s
      When 80 messages are sent at 10 per second, and <what> with 8 s of notice
      Then within 15 s as many consumers are at work again as before
      And within 30 s every message has exactly one result
      And every consumer of a node that was evicted ended by itself before the node did, with exit code 0
      And no consumer took a message later than 3 s after the notice
      And no message came back because a lease ran out

      Examples:
        | what                                            | each |
        | one of the Spot nodes is evicted                | 2    |
        | half of the Spot nodes are evicted              | 1    |
        | one of the Spot nodes is stopped and not deleted | 2    |

  Rule: Consumers that are told too late or not at all cost time, and at most what they had in hand comes twice

    Scenario Outline: <what>
      Given 4 consumers, at most <each> on each node
      And a lease lasts 6 s
      When 60 messages are sent at 10 per second, and <what>
      Then within 20 s as many consumers are at work again as before
      And within 40 s every message has exactly one result
      And at most <twice> messages were delivered more than once

      Examples: What 2 consumers have in hand
        | what                                                            | each | twice |
        | one of the Spot nodes is evicted without notice                 | 2    | 8     |
        | one of the Spot nodes is evicted with 500 ms of notice          | 2    | 8     |
        | one of the Spot nodes is stopped and not deleted without notice | 2    | 8     |
        | half of the Spot nodes are evicted without notice               | 1    | 8     |

      Examples: What 2 consumers have in hand, twice
        | what                                                                                | each | twice |
        | one of the Spot nodes is evicted without notice, and again when it is back          | 2    | 16    |

    Scenario: A node is evicted while consumers are still coming
      Given no consumer, and the workload's own scaling settings but for these:
        | setting         | value |
        | maxReplicaCount | 6     |
      And all times of scaling are 30 times as short
      And at most 2 consumers are on each node
      And a lease lasts 6 s
      When 120 messages are sent at once, and one of the Spot nodes is evicted without notice while consumers are still coming
      Then within 20 s as many consumers are at work again as before
      And within 40 s every message has exactly one result
      And at most 8 messages were delivered more than once

  Rule: Without Spot machines the work goes on, on demand

    Scenario: Azure has no other Spot machine
      Given 4 consumers, at most 2 on each node
      And Azure has no other Spot machine to give
      When 60 messages are sent at 10 per second, and one of the Spot nodes is evicted with 5 s of notice
      Then within 15 s as many consumers are at work again as before
      And those that came in place of others run on demand
      And at 0.04 an hour for a Spot node and 0.20 on demand, the nodes cost at least 30 % less than on demand alone
      And within 30 s every message has exactly one result
      And no message came back because a lease ran out
