Feature: orders
  Scenario Outline: orders
    Given <n> consumers
    When 5 messages are sent at once
    Examples:
      | n |
      | 2 |
    Then within 30 s every message has exactly one result
