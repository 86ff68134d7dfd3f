"""Events: what may happen in a review, decided by pure functions; no I/O, no clock, no randomness."""
