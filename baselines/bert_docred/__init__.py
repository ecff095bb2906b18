"""BERT DocRED."""
