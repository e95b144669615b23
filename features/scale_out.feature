Feature: Consumers come with the work and go with it

  Nobody starts consumers here: the scaling settings of the workload do, as they stand in its manifests. From none, as many come
  as the backlog asks for and the settings allow, and they go when it has gone. What comes and goes may cost no message.

  Each scenario says how much shorter all times of scaling are than in those settings: nothing else differs from a cluster, and
  the numbers of consumers are those of a cluster.

  Rule: Consumers follow the backlog, from none to the limit and back to none

    Scenario: A burst finds no consumer
      Given no consumer, and the workload's own scaling settings
      And all times of scaling are 30 times as short
      And each message takes 1 s of work
      When 300 messages are sent at once
      Then within 20 s there are 15 consumers
      And within 60 s the last consumer has gone
      And within 5 s every message has exactly one result
      And there were never more than 15 consumers

    @serial
    Scenario: All consumers have work as soon as they can have it
      Given no consumer, and the workload's own scaling settings
      And all times of scaling are 6 times as short
      And each message takes 1 s of work
      When 400 messages are sent at once
      Then within 20 s there are 15 consumers
      And within 30 s every message has exactly one result
      And all 15 consumers had work within 10 % of the time in which the model has them
      And the number of consumers was always one that the model of KEDA and the HPA allows

  Rule: A small backlog is not left to itself

    Scenario: One message brings one consumer
      Given no consumer, and the workload's own scaling settings
      And all times of scaling are 30 times as short
      When 1 message is sent at once
      Then within 10 s every message has exactly one result
      And there were never more than 1 consumers

    # The settings of the sample that this workload replaces.
    Scenario: An activation threshold strands what is below it
      Given no consumer, and the workload's own scaling settings but for these:
        | setting               | value |
        | activationQueueLength | 20    |
      And all times of scaling are 30 times as short
      When 20 messages are sent at once
      Then within 3 s no consumer comes, and the queue keeps its 20 messages

  Rule: Consumers that are no longer needed lose nothing

    Scenario: Consumers are taken away in the middle of the work
      Given no consumer, and the workload's own scaling settings but for these:
        | setting                                                                              | value |
        | advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds | 30    |
      And all times of scaling are 30 times as short
      And each message takes 1 s of work
      When 240 messages are sent at a rate that falls from 60 to 5 per second in 6 s
      Then within 40 s the last consumer has gone
      And within 5 s every message has exactly one result
      And at least 2 consumers were taken away while they had work, and each ended by itself, with exit code 0
      And the number of consumers was always one that the model of KEDA and the HPA allows

    # The settings of the sample again: the first poll that finds the queue short ends them all.
    Scenario: A cooldown shorter than the polls takes all consumers away at once, and even that loses nothing
      Given no consumer, and the workload's own scaling settings but for these:
        | setting               | value |
        | pollingInterval       | 30    |
        | cooldownPeriod        | 10    |
        | advanced              | none  |
      And all times of scaling are 10 times as short
      And each message takes 1 s of work
      When 200 messages are sent at once
      Then within 20 s there are 15 consumers
      And within 30 s the last consumer has gone
      And within 5 s every message has exactly one result
      And at once 15 consumers were taken away

  Rule: A load that comes and goes does not make consumers come and go with it

    Scenario: Waves of work
      Given no consumer, and the workload's own scaling settings
      And all times of scaling are 30 times as short
      And each message takes 200 ms of work
      When 200 messages are sent, 40 at once every 2 s
      Then within 30 s the last consumer has gone
      And within 5 s every message has exactly one result
      And the number of consumers turned at most 1 time, between rising and falling
      And the number of consumers was always one that the model of KEDA and the HPA allows
