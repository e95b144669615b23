Feature: units
  Scenario: without their space
    Given two consumers
    And 20% of all requests get 503 ServerBusy
    When 5 messages are sent at once
    Then within 30s every message has exactly one result
