Feature: A node is drained, and no message pays for it

  Nodes are drained for upgrades, repairs and consolidation, far more often than Azure evicts Spot nodes. No new pod is
  placed on the node, and its consumers are told to end, only as many at a time as the workload's disruption budget
  allows: a quarter of them. Each has its grace period to finish the messages that it has in hand, or to hand them back.

  Each consumer has at most 5 messages in hand, each with a lease of 60 s, and 20 s to end once it is told: the
  settings of the workload's manifests. Messages come for longer than a new node takes to come, so that there is
  work for those that replace others. The seed of the run decides which node is drained, and when; each of its
  consumers has work in hand then.

  Background:
    Given each message takes 6 s of work

  Rule: Consumers that are told to end leave nothing behind

    Scenario Outline: <what> under load
      Given 4 consumers on Spot nodes, at most <each> on each
      When 180 messages are sent at 1 per second, and <what>
      Then within 5 min as many consumers are at work again as before
      And within 3 min every message has exactly one result
      And every consumer of a node that was evicted ended by itself before the node did, with exit code 0
      And no message came back because a lease ran out

      Examples:
        | what                          | each |
        | one of the nodes is drained   | 2    |
        | half of the nodes are drained | 1    |
