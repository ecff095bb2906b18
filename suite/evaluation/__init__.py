"""What predictions come to beyond their scores: conventions, what train knew, and confidence."""
