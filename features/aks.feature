Feature: What Azure itself takes back costs time, and no message

  Azure decides how a Spot node ends. It tells the machine half a minute before, or later, or not at all; if node
  auto-provisioning sees the notice, it gives each consumer one second. So these scenarios do not promise an orderly
  end. They promise that each message has exactly one result, and that as many consumers as before are at work again.

  Each consumer has at most 5 messages in hand, each with a lease of 60 s: the settings of the workload's manifests. A node is evicted
  once it is old enough to get notices. If Azure denies something, such as another machine, the outcome is inconclusive, and names it.

  Background:
    Given each message takes 6 s of work

  Rule: When Azure takes a node back, only what its consumers had in hand is delivered again

    @aks
    Scenario: Azure takes a node back under load
      Given 4 consumers on Spot nodes, at most 2 on each
      When 240 messages are sent at 1 per second, and Azure takes one of the Spot nodes back
      Then within 10 min as many consumers are at work again as before
      And within 5 min every message has exactly one result
      And at most 10 messages were delivered more than once

    @aks
    Scenario: Azure takes a second node back as soon as consumers have recovered from the first
      Given 4 consumers on Spot nodes, at most 2 on each
      When 600 messages are sent at 1 per second, and Azure takes one of the Spot nodes back and, once that is made good, another one
      Then within 10 min as many consumers are at work again as before
      And within 5 min every message has exactly one result
      And at most 20 messages were delivered more than once

  Rule: Without Spot machines the work goes on, on demand

    @aks
    Scenario: Azure has no other Spot machine for the node that it takes back
      Given 4 consumers on Spot nodes, at most 2 on each
      And Azure has no other Spot machine to give
      When 240 messages are sent at 1 per second, and Azure takes one of the Spot nodes back
      Then within 10 min as many consumers are at work again as before
      And those that came in place of others run on demand
      And within 5 min every message has exactly one result
      And at most 10 messages were delivered more than once

  Rule: Without a key, and with Azure's own sign-in

    @aks
    Scenario: Pods sign in with workload identity and share a burst
      Given 2 consumers
      When 200 messages are sent at once
      Then within 5 min every message has exactly one result
      And no message was delivered more than once
