"""The learning-rate rules: what the schedule says, what interventions change, and what will come."""
