"""The forms in which a composed report is written: markdown, a page, LaTeX tables, JSON."""
