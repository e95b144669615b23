Feature: Every message has exactly one result

  A message that was sent has exactly one row in the table, with the content that was sent, whatever its consumers go
  through. Nothing is lost, nothing is stored twice, nothing is left behind, and no good message is given up.

  Each "exactly one result" below is judged for every single message: its row is read from the table and compared
  with the content that follows from the run's seed; the queue and the poison queue must hold nothing else.

  Rule: Competing consumers share the work without losing or repeating any of it

    Scenario Outline: All compete for one queue: <consumers>
      Given <consumers>
      When 200 messages are sent at 100 per second
      Then within 30 s every message has exactly one result
      And at least <sharing> had messages

      Examples:
        | consumers    | sharing     |
        | 1 consumer   | 1 consumer  |
        | 4 consumers  | 2 consumers |
        | 16 consumers | 4 consumers |

    @smoke
    Scenario: A burst arrives all at once
      Given 4 consumers
      When 250 messages are sent at once
      Then within 30 s every message has exactly one result

    Scenario: Messages of many sizes arrive at random
      Given 2 consumers
      And messages of 100 to 8000 bytes
      When 150 messages are sent at random, 100 per second on average
      Then within 30 s every message has exactly one result

    Scenario: An empty queue is no error
      Given 2 consumers
      When the queue stays empty for 2 s
      Then every consumer has asked the queue for messages, at most 12 times
      And every consumer is still at work and has logged no warning
      And every consumer stops within 5 s when told to

  Rule: A message that is sent twice has one result

    Scenario: The producer repeats every fifth message
      Given 4 consumers
      When 200 messages are sent at 100 per second, 20 % of them twice
      Then within 20 s every message has exactly one result
      And at least 10 messages were sent twice

  Rule: Work that one consumer leaves behind is finished by another

    @smoke
    Scenario: A consumer is killed with all messages leased
      Given 1 consumer
      And each message takes 30 s of work
      And a lease lasts 4 s
      When 20 messages are sent and the consumer that leased them all is killed and replaced by a fast one
      Then within 20 s every message has exactly one result
      And 20 messages were delivered more than once

  Rule: A lease lasts as long as the work

    Scenario: Work that takes longer than a lease is not done twice
      Given 2 consumers
      And each message takes 12 s of work
      And a lease lasts 8 s
      When 12 messages are sent at once
      Then within 30 s every message has exactly one result
      And no message was delivered more than once
      And at least half of the messages took 12 s or more in the hop "work"

  Rule: A message that cannot be processed is set aside with its reason, and holds nothing up

    Scenario: A message that every consumer fails on is given up after its last attempt
      Given 1 consumer
      And each message takes 30 s of work
      And a lease lasts 3 s
      And a message is given up after 2 attempts
      When 1 message is sent and every consumer that leases it is killed
      Then within 20 s the poison queue holds that message, for the reason "too-many-attempts"
      And the table holds no result

    Scenario Outline: A message that <defect>
      Given 2 consumers
      When 20 messages are sent at 100 per second, and among them one that <defect>
      Then within 20 s every message has exactly one result
      And the poison queue holds 1 message, for the reason "<reason>", with its body unchanged

      Examples:
        | defect                       | reason          |
        | is not JSON                  | not-json        |
        | lacks its payload            | missing-field   |
        | is too large for a table row | oversized       |
        | has another payload's digest | digest-mismatch |

  Rule: A consumer that is told to stop hands its work over in order

    @smoke
    Scenario: One of two consumers drains in the middle of the load
      Given 2 consumers
      And each message takes 500 ms of work
      And a lease lasts 60 s
      # Sending goes on for longer than a consumer may still receive messages after it was told to stop.
      When 360 messages are sent at 30 per second, and one consumer is told to stop when it has 5 or more of them in hand
      Then that consumer ended by itself within 10 s, with exit code 0
      # If the consumer kept a lease, its message would come back only after the 60 s of the lease.
      And within 20 s every message has exactly one result
      And that consumer took no message later than 3 s after it was told to stop
