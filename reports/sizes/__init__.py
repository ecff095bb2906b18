"""The report of a study of cost by size."""
