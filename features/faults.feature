Feature: Nothing that breaks costs a message or makes two results of one

  Storage gets busy, slow and unreachable; answers get lost although the request has taken effect; pods die at the
  worst moment, freeze, and come back. A proxy between consumers and storage causes these faults at the exact moments,
  and records every request and its fate, so that the audit judges not only the table but also how its rows were made.

  Rule: Trouble with storage costs time, never a message

    Scenario Outline: <requests> get <trouble>
      Given 2 consumers
      And a lease lasts 4 s
      And a message is given up after 20 attempts
      And <requests> get <trouble>
      When 80 messages are sent at 80 per second
      Then within 60 s every message has exactly one result
      And at least 1 request was hit

      Examples: Storage says no
        | requests             | trouble               |
        | the first 5 inserts  | 503 ServerBusy        |
        | 30 % of all receives | 500 OperationTimedOut |
        | 30 % of all deletes  | 500 InternalError     |
        | 10 % of all requests | 429 TooManyRequests   |

      Examples: The connection breaks
        | requests             | trouble                                |
        | the first 5 inserts  | a reset before storage has the request |
        | the first 5 inserts  | a reset after storage has done it      |
        | 30 % of all deletes  | a reset after storage has done it      |
        | 30 % of all receives | a reset after storage has done it      |
        | 20 % of all requests | a reset in the middle of the answer    |

      Examples: The answer is late or not what it was
        | requests             | trouble               |
        | 50 % of all requests | an answer 200 ms late |
        | the first 5 inserts  | half an answer        |
        | 30 % of all receives | a garbled answer      |

    @smoke
    Scenario: A renewal is refused for a while
      Given 2 consumers
      And each message takes 9 s of work
      And a lease lasts 6 s
      And the first 3 renewals get 503 ServerBusy
      When 10 messages are sent at once
      Then within 20 s every message has exactly one result
      And no message was delivered more than once

    Scenario: Storage goes away in the middle of the load and comes back with its data
      Given 2 consumers
      And a lease lasts 4 s
      And storage keeps its data when it restarts
      When 200 messages are sent at 50 per second, and storage goes away for 2 s when 50 are sent
      Then within 30 s every message has exactly one result

  Rule: A consumer says that it is ready once it can work, and not before

    Scenario Outline: Consumers start while <what> is busy
      Given 2 consumers
      And <what> is busy when consumers start
      When consumers start, and <what> answers after 2 s
      Then no consumer says that it is ready before
      And within 20 s every consumer says that it is ready
      And every consumer stops within 10 s when told to

      Examples:
        | what      |
        | storage   |
        | the table |

  Rule: A consumer that dies leaves its work to the others, wherever it was

    @smoke
    Scenario Outline: Consumers die <moment>
      Given 3 consumers
      And a lease lasts 3 s
      And 3 consumers die <moment>
      When 60 messages are sent at 60 per second, and consumers that die are replaced
      Then within 30 s every message has exactly one result
      And 3 consumers died

      Examples:
        | moment                                              |
        | after a receive, before they know what they got     |
        | before an insert reaches storage                    |
        | after an insert is stored, before they know it      |
        | before a delete reaches storage                     |
        | after a delete is done, before they know it         |

  Rule: All faults together lose and repeat nothing

    @smoke
    Scenario: Everything breaks at once
      Given 3 consumers
      And a lease lasts 4 s
      And a message is given up after 30 attempts
      And requests meet this trouble:
        | requests             | trouble                                |
        | 10 % of all requests | 503 ServerBusy                         |
        | 5 % of all requests  | a reset before storage has the request |
        | 5 % of all requests  | a reset after storage has done it      |
        | 5 % of all inserts   | half an answer                         |
        | 5 % of all receives  | a garbled answer                       |
        | 30 % of all requests | an answer 50 ms late                   |
      And consumers die:
        | consumers | moment                                         |
        | 2         | after an insert is stored, before they know it |
        | 2         | before a delete reaches storage                |
      When 100 messages are sent at 100 per second, and consumers that die are replaced
      Then within 60 s every message has exactly one result
      And 4 consumers died

  Rule: A consumer that freezes and comes back does no harm

    Scenario: The zombie finishes what others have finished before it
      Given 1 consumer
      And each message takes 2 s of work
      And a lease lasts 3 s
      When 10 messages are sent and the consumer that leased them all is frozen, replaced by a fast one, and wakes up when all is done
      Then within 20 s every message has exactly one result
      And 10 messages were delivered more than once
