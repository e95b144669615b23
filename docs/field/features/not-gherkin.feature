orders are worked on
