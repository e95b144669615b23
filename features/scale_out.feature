Feature: Consumers come with the work and go with it

  The scaling settings in the workload's manifests decide how many consumers there are. From none, as many start as the
  backlog needs and the settings allow, and they end once it is done. Starts and ends of consumers must not cost a message.
  Each "within" counts from the end of the step before it.

  Rule: Consumers follow the backlog, from none to the limit and back to none

    Scenario: A burst finds no consumer
      Given no consumer, and the workload's own scaling settings
      And each message takes 30 s of work
      When 300 messages are sent at once
      Then within 3 min there are 15 consumers
      And within 12 min the last consumer has gone
      And within 1 min every message has exactly one result
      And there were never more than 15 consumers

    @serial
    Scenario: All consumers have work as soon as they can have it
      Given no consumer, and the workload's own scaling settings
      And each message takes 30 s of work
      When 200 messages are sent at once
      Then within 3 min there are 15 consumers
      And within 5 min every message has exactly one result
      And all 15 consumers had work within 15 s of the moment at which the model has them
      And the number of consumers was always one that the model of KEDA and the HPA allows

  Rule: A small backlog is not left to itself

    @smoke
    Scenario: One message brings one consumer
      Given no consumer, and the workload's own scaling settings
      When 1 message is sent at once
      Then within 3 min every message has exactly one result
      And there was never more than 1 consumer

    # The settings of the sample that this workload replaces.
    @smoke
    Scenario: An activation threshold strands what is below it
      Given no consumer, and the workload's own scaling settings but for these:
        | setting              | value       |
        | activation threshold | 20 messages |
      When 20 messages are sent at once
      Then within 2 min no consumer comes, and the queue keeps its 20 messages

  Rule: Consumers that are no longer needed lose nothing

    # Work takes less time than the 20 s that the workload's settings give a consumer to end.
    Scenario: Consumers are taken away in the middle of the work
      Given no consumer, and the workload's own scaling settings but for these:
        | setting         | value |
        | scale-in window | 30 s  |
      And each message takes 15 s of work
      When 300 messages are sent at a rate that falls from 120 per minute to 10 per minute in 5 min
      Then within 10 min the last consumer has gone
      And within 1 min every message has exactly one result
      And at least 2 consumers were taken away while they had work, and each ended by itself, with exit code 0
      And the number of consumers was always one that the model of KEDA and the HPA allows

    # The settings of the sample again: the first poll that finds the queue empty ends them all.
    Scenario: A cooldown shorter than the polls takes all consumers away at once, and even that loses nothing
      Given no consumer, and the workload's own scaling settings but for these:
        | setting          | value |
        | polling interval | 30 s  |
        | cooldown         | 10 s  |
        | scaling policies | none  |
      And each message takes 10 s of work
      When 250 messages are sent at once
      Then within 4 min there are 15 consumers
      And within 8 min the last consumer has gone
      And within 1 min every message has exactly one result
      And at once 15 consumers were taken away

  Rule: A load that comes and goes does not make consumers come and go with it

    Scenario: Waves of work
      Given no consumer, and the workload's own scaling settings
      And each message takes 6 s of work
      When 200 messages are sent, 40 at once every 1 min
      Then within 12 min the last consumer has gone
      And within 1 min every message has exactly one result
      And the number of consumers turned at most 1 time, between rising and falling
      And the number of consumers was always one that the model of KEDA and the HPA allows
