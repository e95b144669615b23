Feature: orders
  Every order is worked on once.
