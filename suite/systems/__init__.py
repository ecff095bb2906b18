"""The contract of a system, the registry of systems, and variants of them."""
