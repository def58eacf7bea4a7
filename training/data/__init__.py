"""Builds the evolver's training data: lives made by rule, real dialogues, tiers of negatives, an evaluation set."""
