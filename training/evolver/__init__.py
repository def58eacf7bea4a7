"""The evolver: a latent memory that gives each passage a vector of state and order beside its general one."""
