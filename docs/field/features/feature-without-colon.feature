Feature orders
  Scenario: orders
    Given 1 consumer
    When 5 messages are sent at once
    Then within 30 s every message has exactly one result
