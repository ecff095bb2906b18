"""Parts of models that two systems or more share."""
