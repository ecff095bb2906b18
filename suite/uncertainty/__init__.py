"""How far a score may be off, counting both what a system learnt by chance and what it is asked."""
