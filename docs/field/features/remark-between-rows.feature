Feature: orders
  Scenario Outline: <n> orders
    Given 1 consumer
    When <n> messages are sent at once
    Then within 30 s every message has exactly one result

    @serial
    Examples: few
      | n |
      # the usual
      | 5 |

    Examples: some
      | n |
      | 6 |
