"""Reports what a cycle did: one report, from which counters, health and CloudWatch metrics are derived."""
