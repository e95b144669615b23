Feature: orders
  Scenario: stars
    Given 1 consumer
    * each message takes 20 ms of work
    When 5 messages are sent at once
    Then within 30 s every message has exactly one result
