"""`boltq top`: queues, workers and running jobs on one screen, as they are now."""
