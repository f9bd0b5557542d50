"""The rule language: TOML to typed rules with file and line; conditions, clocks, steps, proofs, examples."""
