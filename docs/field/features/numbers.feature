Feature: numbers
  Scenario: none of anything
    Given 0 consumers
    And a lease lasts 0 s
    And a message is given up after 0 attempts
    When 0 messages are sent at once
    Then within 0 s every message has exactly one result
