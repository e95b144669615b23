Feature: orders
  Background:
    Given 1 consumer
  Background:
    Given 2 consumers
  Scenario: orders
    When 5 messages are sent at once
    Then within 30 s every message has exactly one result
