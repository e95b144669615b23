Feature: orders
  Scenario Outline: o
    Given 1 consumer
    When <n> messages are sent at once
    Then within 30 s every message has exactly one result

    Examples:
      | n |
      | 5 | 6 |
