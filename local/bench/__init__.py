"""`make bench`: what things cost, each against its floor or its alternative in the same run. docs/benchmarks.md."""
